"""Every evaluator against every other where they overlap: `python experiments/evaluators_agree/agree.py`.

One row a problem and pair of evaluators. Exact evaluators must agree to 1e-9, `Sampled` within 4 standard errors.
To add an evaluator: a function that returns (mean time, Pauli coefficients, covariance or None), and its name in
`COLUMNS`.
"""

import dataclasses
import itertools
import sys

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np  # noqa: E402

import qtn  # noqa: E402
from qtn.evaluators.full_state import FullState, timeline_of  # noqa: E402
from qtn.hardware.memory import relaxing_memory  # noqa: E402
from qtn.states.pair import bell_from_pauli  # noqa: E402

NUM_SAMPLES = 20_000
NUM_TIMELINES = 300
DIAGONAL, RELAXING = qtn.depolarising_memory(60.0), relaxing_memory(60.0, 40.0)
GATES = qtn.gates(two_qubit=0.98, readout=0.99)


@dataclasses.dataclass(frozen=True)
class Problem:
    """What all evaluators are asked."""

    name: str
    chain: qtn.Chain
    schedule: object
    correction: qtn.Correction
    columns: tuple[str, ...]


def line(num_links, memory, p_swap=1.0, p_success=None):
    """Return a chain of different links; a success probability of 1 makes delivery times certain and different."""
    sure = p_success == 1.0
    links = [
        qtn.abstract_link(
            p_success=p_success or 0.3 + 0.4 * i / num_links,
            attempt_time=1.0 + (3 * i + 2) % 7 if sure else 1.0,
            werner=0.98 - 0.01 * (i % 3),
        )
        for i in range(num_links)
    ]
    return qtn.chain(links, qtn.node(memory, GATES, p_swap))


def renewal(problem):
    """Evaluate by renewal."""
    found = qtn.Renewal(step=0.5, num_steps=4096).summarise(problem.chain, problem.schedule)
    return found.mean_time, found.state, None


def asap(problem):
    """Contract in time."""
    found = qtn.Asap(step=1.0, num_steps=256).summarise(problem.chain, problem.schedule)
    return found.mean_time, found.state, None


def sampled(problem):
    """Sample."""
    evaluator = qtn.Sampled(NUM_SAMPLES, seed=1, correction=problem.correction)
    found = evaluator.evaluate(problem.chain, problem.schedule)
    return found.mean_time, found.state, found.info.covariance


def full_state(problem):
    """Run the whole register along sampled timelines."""
    evaluator = FullState(num_samples=NUM_TIMELINES, seed=2, correction=problem.correction)
    found = evaluator.evaluate(problem.chain, problem.schedule)
    return found.mean_time, found.state, found.info.covariance


def one_timeline(problem):
    """Run the whole register along the one timeline of links that never fail, swapped as soon as possible."""
    count = problem.chain.num_links
    times = [float(problem.chain.link(i).heralded().attempt_time) for i in range(count)]
    segments = [(time, str(i)) for i, time in enumerate(times)]
    while len(segments) > 1:  # the pair of neighbours that is there first is joined first
        first = min(range(len(segments) - 1), key=lambda i: max(segments[i][0], segments[i + 1][0]))
        joined = (
            max(segments[first][0], segments[first + 1][0]),
            f"swap({segments[first][1]}, {segments[first + 1][1]})",
        )
        segments[first : first + 2] = [joined]
    tree = qtn.parse(segments[0][1])
    tracked = problem.correction == qtn.Correction.TRACKED
    line_of_times = timeline_of(tree, times, tracked=tracked)
    found = FullState().run(problem.chain, line_of_times)
    return line_of_times.times[-1], found.pair(0, count), None


COLUMNS = {
    "Renewal": renewal,
    "Asap": asap,
    "Sampled": sampled,
    "FullState": full_state,
    "FullState, exact": one_timeline,
}

TREES = {
    2: "swap(0, 1)",
    3: "swap(swap(0, 1), 2)",
    4: "swap(swap(0, 1), swap(2, 3))",
    8: "swap(swap(swap(0, 1), swap(2, 3)), swap(swap(4, 5), swap(6, 7)))",
}


def problems():
    """Return the problems."""
    at_swap, tracked = qtn.Correction
    trees, policies = ("Renewal", "Sampled"), ("Asap", "Sampled")
    whole = (*trees, "FullState")
    for n, text in TREES.items():
        yield Problem(f"{n} links, tree", line(n, DIAGONAL, 0.8), qtn.parse(text), at_swap, whole if n < 4 else trees)
    distilled = qtn.parse("swap(swap(distill(0), 1), swap(2, distill(3)))")
    yield Problem("4 links, distillation", line(4, DIAGONAL, 0.8), distilled, at_swap, trees)
    limited = qtn.parse("swap(swap(0, 1, cutoff_time=4), swap(2, 3, cutoff_time=5.5), cutoff_time=12)")
    yield Problem("4 links, cut-offs", line(4, DIAGONAL, 0.8), limited, at_swap, trees)
    both = qtn.parse("swap(distill(0), distill(1), cutoff_time=9)")
    yield Problem("2 links, T1, distillation, cut-off", line(2, RELAXING, 0.8), both, at_swap, whole)
    yield Problem("4 links, T1", line(4, RELAXING, 0.8), qtn.parse(TREES[4]), at_swap, whole)
    kept = qtn.swap_asap(ends=qtn.Ends.KEPT)
    for memory, name in ((DIAGONAL, ""), (RELAXING, ", T1")):
        for n in TREES:
            yield Problem(f"{n} links, asap{name}", line(n, memory), qtn.swap_asap(), tracked, policies)
        yield Problem(f"3 links, asap, ends kept{name}", line(3, memory), kept, tracked, policies)
        certain = line(8, memory, p_success=1.0)
        columns = (*policies, "FullState, exact")
        yield Problem(f"8 links, asap, one timeline{name}", certain, kept, tracked, columns)


def compared(first, second):
    """Return (deviation, unit, whether it is small enough) of two answers."""
    ours, theirs = (np.concatenate([[float(each[0])], np.asarray(each[1]).reshape(16)]) for each in (first, second))
    covariances = [each[2] for each in (first, second) if each[2] is not None]
    difference = np.abs(ours - theirs)
    difference[0] /= ours[0]
    if not covariances:
        return difference.max(), "", difference.max() < 1e-9
    errors = np.sqrt(np.diagonal(sum(np.asarray(each) for each in covariances)))
    errors[0] /= ours[0]
    fixed = errors < 1e-12
    deviation = (difference[~fixed] / errors[~fixed]).max(initial=0.0)
    return deviation, "sigma", deviation < 4 and difference[fixed].max(initial=0.0) < 1e-9


def two_links_three_ways():
    """Return the deviation of `Asap`, ends kept, from the tree of two links, the one problem that both know."""
    for memory, name in ((DIAGONAL, ""), (RELAXING, ", T1")):
        pair = line(2, memory)
        tree = Problem("", pair, qtn.parse(TREES[2]), qtn.Correction.AT_SWAP, ())
        policy = dataclasses.replace(tree, schedule=qtn.swap_asap(ends=qtn.Ends.KEPT))
        yield f"2 links, tree and asap, ends kept{name}", compared(renewal(tree), asap(policy))


def conventions():
    """Return how far corrections at the swap and tracked ones lie apart on the same samples."""
    for n in (2, 3, 4, 8):
        problem = Problem("", line(n, RELAXING), qtn.swap_asap(ends=qtn.Ends.KEPT), qtn.Correction.AT_SWAP, ())
        at_swap = sampled(problem)[1]
        tracked = sampled(dataclasses.replace(problem, correction=qtn.Correction.TRACKED))[1]
        pairs = [qtn.fidelity(jax.numpy.asarray(bell_from_pauli(each))) for each in (at_swap, tracked)]
        yield n, float(np.abs(at_swap - tracked).max()), *map(float, pairs)


def row(name, pair, found):
    """Print one row."""
    deviation, unit, good = found
    print(f"{name:40s} {pair:26s} {deviation:10.2g} {unit:6s} {'agree' if good else 'DIFFER'}", flush=True)
    return good


def main():
    """Print the table; exit with 1 if anything differs."""
    good = [row(name, "Renewal, Asap", found) for name, found in two_links_three_ways()]
    for problem in problems():
        answers = {name: COLUMNS[name](problem) for name in problem.columns}
        for a, b in itertools.combinations(problem.columns, 2):
            good.append(row(problem.name, f"{a}, {b}", compared(answers[a], answers[b])))
    print("\nCorrections at the swap and at delivery, T1 = 60, T2 = 40 attempts, ends kept:")
    for n, largest, at_swap, tracked in conventions():
        print(f"{n} links: largest difference of a coefficient {largest:.2g}; fidelity {at_swap:.6f} and {tracked:.6f}")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
