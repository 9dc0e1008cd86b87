"""Time the pair engine: `python experiments/benchmarks/pair_engine.py` prints one table.

Evaluation and gradient are timed in turn in one process; quote the ratios, not the seconds.
"""

import statistics

import jax

jax.config.update("jax_enable_x64", True)

from timing import seconds  # noqa: E402

import qtn  # noqa: E402

TREE = "swap(swap(distill(0), distill(1)), swap(distill(2), distill(3)))"


def line(num_links):
    """Return the homogeneous chain of the published five-node problem, of any length."""
    link = qtn.abstract_link(p_success=9.2e-4, attempt_time=1.0, werner=0.952)
    return qtn.chain(link, qtn.node(qtn.depolarising_memory(2.8e6), p_swap=0.85), num_links=num_links)


def distinct_line(num_links):
    """Return a chain in which no two links and no two nodes are equal."""
    links = [qtn.abstract_link(p_success=0.01 * (1 + i / 500), attempt_time=1.0, werner=0.99) for i in range(num_links)]
    nodes = [qtn.node(qtn.depolarising_memory(1e5 * (1 + i / 99)), p_swap=0.9) for i in range(num_links + 1)]
    return qtn.chain(links, nodes)


def compare(name, evaluate, differentiate, *args, runs=9):
    """Print medians of an evaluation and of its gradient, run in turn."""
    for warm_up in (evaluate, differentiate):
        seconds(warm_up, *args)
    pairs = [(seconds(evaluate, *args), seconds(differentiate, *args)) for _ in range(runs)]
    once, slope = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:58s} {once * 1e3:9.1f} ms {slope * 1e3:9.1f} ms   {ratio:5.2f}")


def main():
    """Print the table."""
    schedule = qtn.parse(TREE)
    print(f"{'':58s} {'value':>12s} {'gradient':>12s}   ratio")
    big = distinct_line(64)
    tree = qtn.nested(6)

    def key_rate(evaluator):
        return lambda chain, schedule: qtn.secret_key_rate(evaluator.summarise(chain, schedule), clip=False)

    def full(evaluator):
        return lambda chain, schedule: qtn.gradient(chain, schedule, evaluator=evaluator)

    cold = seconds(full(qtn.Renewal()), big, tree)
    print(f"{'64 different links, cold, value and gradient, grid chosen':58s} {'':12s} {cold * 1e3:9.1f} ms")
    compare("64 different links, warm, grid chosen", key_rate(qtn.Renewal()), full(qtn.Renewal()), big, tree, runs=3)
    compare("4 links, grid chosen each time", key_rate(qtn.Renewal()), full(qtn.Renewal()), line(4), schedule)
    for name, evaluator in (
        ("4 links, three grids of 4,096 steps, fixed", qtn.Renewal().planned(line(4), schedule)),
        ("4 links, one grid of 262,144 attempts, fixed", qtn.Renewal(step=1.0, num_steps=262144)),
    ):
        compare(name, key_rate(evaluator), full(evaluator), line(4), schedule)
        compare(
            f"{name}, under jit",
            jax.jit(key_rate(evaluator.planned(line(4), schedule))),
            jax.jit(full(evaluator.planned(line(4), schedule))),
            line(4),
            schedule,
        )


if __name__ == "__main__":
    main()
