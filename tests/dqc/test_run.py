"""Distributed runs: closed forms of common waits, plain circuits, drawn arrival times, gradients, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels
from qtn.circuits import circuit, gate, measure, noise_model, project, reset
from qtn.circuits import run as run_plain
from qtn.circuits.gates import GATES as NAMED
from qtn.dqc import break_even_rate, circuit_process_fidelity, distribute, remote_gate, sampled_run, shots
from qtn.dqc.arrivals import steady_pairs
from qtn.dqc.computation import DEPENDENT
from qtn.dqc.distributed import require_distributed
from qtn.dqc.processor import one_each, processor
from qtn.dqc.run import run
from qtn.dqc.run_time import RunTime
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory, relaxing_memory
from qtn.states.basis import ptm
from qtn.states.measures import expect

PERFECT = [1.0, 0.0, 0.0, 0.0]


def waiting(num_idle):
    """Idle qubits in |+>, and a gate between two others that waits for a pair: the first and the last qubit."""
    ends = [gate("H", list(range(num_idle + 2))), gate("CX", (0, num_idle + 1))]
    return distribute(circuit(num_idle + 2, ends), qpus=[1 + num_idle // 2, 1 + num_idle - num_idle // 2])


@pytest.mark.parametrize(
    ("num_idle", "model", "value"),
    [
        (2, "batch", 0.5505955),
        (2, "bond", 0.5505955),
        (10, "batch", 0.1842280),
        (10, "independent", 0.0335928),
    ],
)
def test_idle_qubits_wait_together(num_idle, model, value):
    """A pair comes with probability .05 in each step, in which a qubit keeps e^-.02 of its coherence."""
    pairs = steady_pairs(PERFECT, 0.05, p_success=0.05)
    strings = [dict.fromkeys(range(1, num_idle + 1), "X")]
    found = run(waiting(num_idle), pairs, processor(dephasing_memory(50.0)), observables=strings, waits=model)
    assert found.observables[0] == pytest.approx(value, abs=5e-8)
    assert found.mean_time == pytest.approx(20.0, rel=1e-9)
    exact = 0.05 * np.exp(-0.02 * num_idle) / (1 - 0.95 * np.exp(-0.02 * num_idle))
    assert abs(float(found.observables[0]) - exact) <= float(found.wait_error) + 1e-12


def test_a_travelling_site_has_an_error_and_tells_it():
    pairs, strings = steady_pairs(PERFECT, 0.05, p_success=0.05), [dict.fromkeys(range(1, 11), "X")]
    found = run(waiting(10), pairs, processor(dephasing_memory(50.0)), observables=strings, waits="bond")
    off = abs(float(found.observables[0]) - 0.05 * np.exp(-0.2) / (1 - 0.95 * np.exp(-0.2)))
    assert 1e-5 < off < float(found.wait_error) < 1e-3


MIXED = [
    gate("H", [0, 1, 2, 3]),
    gate("CX", [(0, 1), (2, 3)]),
    gate("RX", [0, 1, 2, 3], np.array([0.3, 0.8, 1.1, 0.2])),
    gate("CZ", [(1, 2), (0, 3)]),
    gate("T", 2),
    gate("CP", (3, 0), 0.9),
    gate("RY", [0, 1, 2, 3], np.array([0.5, 0.1, 0.7, 1.3])),
]
STRINGS = ["ZZII", "XIXI", "IYYI", "ZIIZ"]


def test_one_processor_gives_the_plain_circuit():
    whole = circuit(4, MIXED)
    noisy = processor(relaxing_memory(1.0, 1.0), gates(0.95, 0.9), one_qubit=0.99)
    found = run(distribute(whole, qpus=[4]), {}, noisy, observables=STRINGS)
    model = noise_model(one_qubit=channels.depolarising(0.01), two_qubit=channels.depolarising(0.05, 2))
    state, _ = run_plain(whole, model)
    np.testing.assert_allclose(found.observables, [expect(state, each) for each in STRINGS], atol=1e-14)
    assert found.mean_time == 0.0
    assert found.num_pairs == 0
    np.testing.assert_allclose(found.quantiles([0.1, 0.9]), 0.0)


def test_perfect_hardware_gives_the_circuit_whatever_it_waits():
    found = run(
        distribute(circuit(4, MIXED), qpus=[2, 2]), steady_pairs(PERFECT, 3.0), processor(), observables=STRINGS
    )
    state, _ = run_plain(circuit(4, MIXED))
    np.testing.assert_allclose(found.observables, [expect(state, each) for each in STRINGS], atol=1e-12)
    assert found.fidelity == pytest.approx(1.0, abs=1e-12)
    assert found.wait_error == 0


# Two processors, remote gates one after the other; and three, two pairs at a time. Storage of everything, latencies, T1.
MEMORY, GATES = (0.9, 0.7), {"two_qubit": 0.96, "readout": 0.97, "two_qubit_time": 0.004, "readout_time": 0.01}
LATENCY, P1 = 0.006, 0.99


def machine():
    return processor(relaxing_memory(*MEMORY), gates(**GATES), one_qubit=P1, latency=LATENCY)


BELLS = np.array([0.88, 0.05, 0.03, 0.04])
RATE, P_PAIR = 8.0, 0.3
THREE = circuit(
    3, [gate("H", [0, 1, 2]), gate("CX", [(0, 1)]), gate("RX", 1, 0.4), gate("CX", (1, 2)), gate("RY", 0, 0.3)]
)


def relax(vectors, site, duration):
    """Store a qubit of Pauli vectors (n, 4, 4, 4) for durations (n,)."""
    t1, t2 = MEMORY
    out = np.moveaxis(np.array(vectors), site + 1, 1).copy()
    shape = (-1, *[1] * (out.ndim - 2))
    c, a = (np.exp(-np.asarray(duration) / t).reshape(shape) for t in (t2, t1))
    out[:, 3] = a * out[:, 3] + (1 - a) * out[:, 0]
    out[:, 1], out[:, 2] = c * out[:, 1], c * out[:, 2]
    return np.moveaxis(out, 1, site + 1)


def act(vectors, sites, matrix):
    """Apply a transfer matrix on one or two sites."""
    moved = np.moveaxis(vectors, [site + 1 for site in sites], [1, 2][: len(sites)])
    flat = moved.reshape(moved.shape[0], 4 ** len(sites), -1)
    out = np.einsum("ij,njk->nik", np.asarray(matrix), flat).reshape(moved.shape)
    return np.moveaxis(out, [1, 2][: len(sites)], [site + 1 for site in sites])


def one(vectors, site, name, *angles):
    matrix = np.diag([1, P1, P1, P1]) @ np.asarray(ptm(np.asarray(NAMED[name].matrix(*angles))))
    return act(vectors, [site], matrix)


def test_drawn_arrival_times():
    """Two remote gates with waits drawn one by one: qubits decay in drawn times, everything else is exact."""
    count, rng = 20_000, np.random.default_rng(4)
    waits = rng.geometric(P_PAIR, (2, count)) * (P_PAIR / RATE)
    node = machine().node
    through = np.asarray(remote_gate("CX", BELLS, node, node, one_qubit=P1, latency=LATENCY).ptm())
    busy = 2 * (GATES["two_qubit_time"] + GATES["readout_time"] + LATENCY)
    vectors = np.zeros((count, 4, 4, 4))
    vectors[np.ix_(range(count), [0, 3], [0, 3], [0, 3])] = 1.0
    for site in range(3):
        vectors = one(vectors, site, "H")
    for site in range(3):
        vectors = relax(vectors, site, waits[0])
    vectors = act(vectors, [0, 1], through)
    vectors = one(one(vectors, 1, "RX", 0.4), 0, "RY", 0.3)
    vectors = relax(vectors, 2, np.full(count, busy))
    for site in range(3):
        vectors = relax(vectors, site, waits[1])
    vectors = act(vectors, [1, 2], through)
    vectors = relax(vectors, 0, np.full(count, busy))
    strings = ["ZZI", "XXX", "IYY", "ZIZ", "XII"]
    found = run(
        distribute(THREE, qpus=[1, 1, 1]), steady_pairs(BELLS, RATE, p_success=P_PAIR), machine(), observables=strings
    )
    for string, value in zip(strings, found.observables, strict=True):
        drawn = vectors[(slice(None), *("IXYZ".index(letter) for letter in string))]
        assert abs(float(value) - drawn.mean()) < 4 * drawn.std() / np.sqrt(count) + 1e-12, string
    total = waits.sum(axis=0) + 2 * busy
    assert abs(float(found.mean_time) - total.mean()) < 4 * total.std() / np.sqrt(count)
    assert abs(float(found.quantiles([0.9])[0]) - np.quantile(total, 0.9)) < 0.02


def test_the_slower_of_two_couples():
    """All pairs of arrival times: the round ends with the later one, the pair that came first has decayed."""
    t2, rate, p, strings = 0.3, 10.0, 0.4, ["XZII", "IIXZ", "XZXZ", "YIIY"]
    whole = circuit(4, [gate("H", [0, 1, 2, 3]), gate("CZ", [(0, 1), (2, 3)]), gate("RX", [0, 3], 0.4)])
    memory = dephasing_memory(t2)
    pairs = steady_pairs(BELLS, rate, memory=memory, p_success=p)
    times = 1 + np.stack(np.meshgrid(np.arange(60), np.arange(60), indexing="ij")).reshape(2, -1)
    chance, ends = np.prod(p * (1 - p) ** (times - 1), axis=0), times.max(axis=0)
    vectors = np.zeros((times.shape[1], 4, 4, 4, 4))
    vectors[:, 0, 0, 0, 0] = 1.0
    for site in range(4):
        vectors = vectors + np.roll(vectors, 1, axis=site + 1)  # |+>
        moved = np.moveaxis(vectors, site + 1, 1)
        moved[:, 1:3] *= np.exp(-p / rate * ends / t2)[:, None, None, None, None]
    own = processor(memory).node
    through = np.stack([np.asarray(remote_gate("CZ", bell, own, own).ptm()) for bell in np.eye(4)])
    for couple, arrived in enumerate(times):
        flip = (1 - np.exp(-2 * p / rate * (ends - arrived) / t2))[:, None] / 2  # of both halves together
        weights = (1 - flip) * BELLS + flip * BELLS[[3, 2, 1, 0]]
        matrices = np.einsum("nk,kij->nij", weights, through)
        flat = np.moveaxis(vectors, [2 * couple + 1, 2 * couple + 2], [1, 2])
        out = np.einsum("nij,njk->nik", matrices, flat.reshape(-1, 16, 16)).reshape(flat.shape)
        vectors = np.moveaxis(out, [1, 2], [2 * couple + 1, 2 * couple + 2])
    for site in (0, 3):
        cos, sin = np.cos(0.4), np.sin(0.4)
        moved = np.moveaxis(vectors, site + 1, 1)
        moved[:, 2], moved[:, 3] = cos * moved[:, 2] - sin * moved[:, 3], sin * moved[:, 2] + cos * moved[:, 3]
    exact = [chance @ vectors[(slice(None), *("IXYZ".index(letter) for letter in each))] for each in strings]
    distributed = distribute(whole, qpus=[1, 1, 1, 1])
    assert [len(layer.pairs) for layer in distributed.layers if layer.pairs] == [2]
    for model, options in (("batch", {"num_nodes": 8}), ("bond", {}), ("independent", {})):
        found = run(distributed, pairs, processor(memory), observables=strings, waits=model, **options)
        off = np.abs(np.asarray(found.observables) - exact).max()
        assert off < float(found.wait_error) + 1e-12, model
        assert off < {"batch": 1e-9, "bond": 0.03, "independent": 0.1}[model]
        assert float(found.mean_time) == pytest.approx(p / rate * (chance @ ends), rel=1e-9)


NUMBERS = {
    "rate": 8.0,
    "weight": 0.9,
    "t1": 0.9,
    "t2": 0.7,
    "two_qubit": 0.96,
    "readout": 0.97,
    "two_qubit_time": 0.004,
    "readout_time": 0.01,
    "latency": 0.006,
    "one_qubit": 0.99,
    "angle": 0.4,
    "cutoff": 0.1825,
}


def of_numbers(numbers, model="independent", buffer=1):
    """Fidelity plus an observable plus the run time of three gates over three processors, as a function of numbers."""
    x = dict(zip(NUMBERS, numbers, strict=True))
    gate_set = gates(x["two_qubit"], x["readout"], two_qubit_time=x["two_qubit_time"], readout_time=x["readout_time"])
    memory = relaxing_memory(x["t1"], x["t2"])
    own = processor(
        memory, gate_set, one_qubit=x["one_qubit"], latency=x["latency"], buffer=buffer, cutoff_time=x["cutoff"]
    )
    rest = (1 - x["weight"]) / 3
    pairs = steady_pairs(jnp.stack([x["weight"], rest, rest, rest]), x["rate"], memory=memory, p_success=P_PAIR)
    turn = gate("RX", 1, x["angle"])
    whole = circuit(3, [gate("H", [0, 1, 2]), gate("CX", (0, 1)), turn, gate("CX", [(1, 2), (0, 1)])])
    distributed = distribute(whole, qpus=[1, 1, 1], sharing="none")
    found = run(distributed, pairs, own, observables=["XZY"], waits=model)
    return found.fidelity + found.observables[0] + found.mean_time


SLOPED = jax.jit(jax.value_and_grad(of_numbers), static_argnames=("model", "buffer"))


@pytest.mark.parametrize(("model", "buffer"), [("independent", 1), pytest.param("bond", 0, marks=pytest.mark.slow)])
def test_slopes_by_every_number(model, buffer):
    at = jnp.array(list(NUMBERS.values()))
    slopes = SLOPED(at, model, buffer)[1]
    for k, name in enumerate(NUMBERS):
        step = 1e-6 * at[k]
        numeric = (SLOPED(at.at[k].add(step), model, buffer)[0] - SLOPED(at.at[k].add(-step), model, buffer)[0]) / (
            2 * step
        )
        assert float(slopes[k]) == pytest.approx(float(numeric), rel=2e-6, abs=1e-8), name
    assert (slopes[-1] == 0) == (buffer == 0)


def test_slopes_at_the_ends_of_ranges():
    """Perfect hardware: every slope is a number, and no error makes anything better."""
    numbers = NUMBERS | {"weight": 1.0, "two_qubit": 1.0, "readout": 1.0, "one_qubit": 1.0, "latency": 0.0}
    numbers |= {"t1": np.inf, "t2": np.inf, "two_qubit_time": 0.0, "readout_time": 0.0, "cutoff": np.inf}
    slopes = SLOPED(jnp.array(list(numbers.values())), "independent", 1)[1]
    assert np.all(np.isfinite(slopes))


@pytest.mark.parametrize("num_local", [0, 1, 3])
def test_what_does_nothing_protects_no_qubit(num_local):
    """The run takes 3 s, and for one of them the half of the pair that carries the copy decays too."""
    steps = [gate("H", 0), gate("RZZ", (0, 3), 0.0), gate("CX", [(2, 4), (2, 5)])]
    split = distribute(circuit(6, steps + [gate("RZZ", (0, 1), 0.0)] * num_local), qpus=[3, 1, 2])
    own = processor(dephasing_memory(1.0), gates(), latency=1.0)
    found = run(split, steady_pairs(PERFECT, 1e6), own, waits="independent", observables=["XIIIII"])
    assert found.observables[0] == pytest.approx(np.exp(-4), rel=1e-5)
    assert found.mean_time == pytest.approx(3.0, rel=1e-5)


def test_a_short_gate_in_a_long_moment_leaves_the_rest_of_it():
    """Of a gate of 2 s beside a readout of 5 s: 3 s, at the end of the circuit or before the next action."""
    for later in ([], [gate("H", [0, 0])]):
        split = distribute(circuit(3, [gate("H", 0), gate("RZZ", (0, 1), 0.0), measure(2), *later]), qpus=[3])
        own = processor(dephasing_memory(4.0), gates(two_qubit_time=2.0, readout_time=5.0))
        found = run(split, {}, own, observables=["XII"])
        assert found.observables[0] == pytest.approx(np.exp(-3 / 4), rel=1e-12)


def test_what_is_wrong_is_said():
    distributed, pairs = (
        distribute(circuit(3, [gate("CX", [(0, 1), (1, 2)])]), qpus=[1, 1, 1]),
        steady_pairs(PERFECT, 1.0),
    )
    with pytest.raises(
        ValueError, match=r"none between processors 0 and 1, but the circuit needs some: add `\(0, 1\)`"
    ):
        run(distributed, {(1, 2): pairs}, processor())
    with pytest.raises(ValueError, match="must be one for all or one for each of 3, but holds 2"):
        run(distributed, pairs, [processor()] * 2)
    with pytest.raises(ValueError, match="`waits` must be 'correlated', 'batch', 'bond' or 'independent'"):
        run(distributed, pairs, processor(), waits="often")
    with pytest.raises(ValueError, match="at most 4 with"):
        run(distributed, pairs, processor(), waits="bond", num_nodes=5)
    with pytest.raises(ValueError, match=r"100 nodes in each of 2 rounds are 1e\+04 runs"):
        run(distributed, pairs, processor(), waits="batch", num_nodes=100)
    with pytest.raises(ValueError, match=r"time grids of 0\.02 and 0\.04 s"):
        run(distributed, {(0, 1): pairs, (1, 2): steady_pairs(PERFECT, 0.5)}, processor())
    with pytest.raises(ValueError, match="one letter for each of 3 sites"):
        run(distributed, pairs, processor(), observables=["XX"])
    with pytest.raises(TypeError, match="must be `Pairs` or an outcome"):
        run(distributed, 3.0, processor())
    for wrong, value in (("buffer", -1), ("num_links", 0), ("cutoff_time", 0.0), ("one_qubit", 1.2), ("latency", -1.0)):
        with pytest.raises(ValueError, match=f"Argument `{wrong}` must"):
            processor(**{wrong: value})


@pytest.mark.parametrize("count", [0, -1, True])
@pytest.mark.parametrize("model", ["batch", "bond", "independent"])
def test_numbers_of_nodes_that_are_no_counts(count, model):
    with pytest.raises(ValueError, match="`num_nodes` must be a whole number >= 1, but is"):
        run(waiting(1), steady_pairs(PERFECT, 1.0), processor(dephasing_memory(1.0)), waits=model, num_nodes=count)


@pytest.mark.parametrize("fidelity", [0.0, 1.0, 1.2])
def test_fidelities_that_no_rate_breaks_even_with(fidelity):
    with pytest.raises(ValueError, match=r"`fidelity` must lie in \(0, 1\), but is"):
        break_even_rate(waiting(1), steady_pairs(PERFECT, 1.0), processor(dephasing_memory(1.0)), fidelity)


@pytest.mark.parametrize("operation", [measure(0), reset(0), project(0, 0)], ids=lambda each: each.name)
def test_process_fidelity_is_one_of_gates(operation):
    split = distribute(circuit(2, [gate("CX", (0, 1)), operation]), qpus=[1, 1])
    with pytest.raises(ValueError, match=f"must hold gates only, but its circuit holds {operation.name}"):
        circuit_process_fidelity(split, steady_pairs(PERFECT, 1.0), processor())


@pytest.mark.parametrize(
    ("memory", "options", "words"),
    [
        (dephasing_memory(1.0), {"waits": "bond", "num_nodes": 2}, "carried by a classical site with 2 nodes"),
        (dephasing_memory(1.0), {"waits": "independent"}, "averaged for each qubit alone"),
        (None, {}, "not averaged, as no qubit decays while it waits"),
    ],
)
def test_sentences_say_how_waits_were_averaged(memory, options, words):
    found = run(waiting(0), steady_pairs(PERFECT, 1.0), processor(memory), **options)
    assert words in found.sentences()[0]


def test_process_fidelity_and_shots():
    """References see the pair; readouts flip what is measured."""
    pairs, own = steady_pairs(BELLS, RATE), processor(gate_set=gates(0.97, 0.9))
    one = distribute(circuit(2, [gate("CX", (0, 1))]), qpus=[1, 1])
    assert circuit_process_fidelity(one, pairs, processor()) == pytest.approx(BELLS[0], abs=1e-12)
    ghz = distribute(circuit(3, [gate("H", 0), gate("CX", [(0, 1), (0, 2)])]), qpus=[1, 1, 1])
    found, count = run(ghz, pairs, own, waits="independent"), 20_000
    assert found.state is not None
    drawn = shots(found, own, count, key=jax.random.key(3))
    for site in (1, 2):
        alike = float(jnp.mean(drawn[:, 0] == drawn[:, site]))
        expected = (
            1 + 0.8**2 * float(expect(found.state, {found.sites.index(0): "Z", found.sites.index(site): "Z"}))
        ) / 2
        assert abs(alike - expected) < 4 * np.sqrt(expected * (1 - expected) / count)


@pytest.mark.slow
def test_trajectories_draw_waits_too():
    pairs, own = steady_pairs(BELLS, RATE, p_success=P_PAIR), machine()
    distributed, strings = distribute(THREE, qpus=[1, 1, 1]), ["ZZI", "XXX", "XII"]
    exact = run(distributed, pairs, own, observables=[*strings, "IYY", "ZIZ"])
    found = sampled_run(
        distributed, pairs, own, observables=strings, num_waits=24, num_trajectories=40, key=jax.random.key(5)
    )
    off = np.abs(np.asarray(found.mean) - np.asarray(exact.observables)[:3])
    assert np.all(off < 4 * np.asarray(found.standard_error))
    assert np.all(np.asarray(found.standard_error) < 0.06)
    assert abs(found.fidelity - exact.fidelity) < 4 * found.fidelity_error < 0.2
    assert found.warnings() == [] and found.num_trajectories == 40


@pytest.mark.slow
def test_sampled_runs_of_circuits_that_measure_have_no_fidelity():
    """And cut bonds, or waits that depend on each other, are told."""
    teleported = [gate("H", 0), gate("CX", [(0, 1), (0, 2)]), measure(2)]
    split = distribute(circuit(3, teleported), qpus=[1, 2], sharing="none")
    options = {"num_waits": 2, "num_trajectories": 2, "max_bond": 1, "key": jax.random.key(0)}
    found = sampled_run(split, steady_pairs(PERFECT, RATE), processor(buffer=2), observables=["ZIZ"], **options)
    assert np.isnan(found.fidelity) and np.isnan(found.fidelity_error)
    told = found.warnings()
    assert told[0] == DEPENDENT and told[1].startswith("A trajectory keeps 0.") and "`max_bond`" in told[1]


@pytest.mark.slow
def test_batches_of_points():
    """`vmap` over numbers of hardware is the loop."""
    distributed = waiting(2)

    def fidelity(t2, rate):
        pairs = steady_pairs(BELLS, rate, p_success=P_PAIR)
        return run(distributed, pairs, processor(dephasing_memory(t2)), waits="independent").fidelity

    times, rates = jnp.array([0.3, 1.0, 5.0]), jnp.array([5.0, 20.0, 3.0])
    one = jax.jit(fidelity)
    loop = [one(t2, rate) for t2, rate in zip(times, rates, strict=True)]
    np.testing.assert_allclose(jax.jit(jax.vmap(fidelity))(times, rates), loop, rtol=1e-12)


@pytest.mark.slow
def test_break_even():
    """One qubit waits in |+>, the other in |0>: (1 + E[e^(-T/T2)]) / 2 of an exponential T."""
    bell = distribute(circuit(2, [gate("H", 0), gate("CX", (0, 1))]), qpus=[1, 1])
    pairs, own = steady_pairs(PERFECT, 3.0, p_success=0.01), processor(dephasing_memory(0.5))
    rate = break_even_rate(bell, pairs, own, 0.8)
    step = 0.01 / rate
    kept = 0.01 * np.exp(-step / 0.5) / (1 - 0.99 * np.exp(-step / 0.5))
    assert (1 + kept) / 2 == pytest.approx(0.8, abs=1e-6)
    assert break_even_rate(bell, pairs, own, 0.4) == 0.0
    poor = steady_pairs(BELLS, 3.0, p_success=0.1)
    assert break_even_rate(bell, poor, own, 0.95) == np.inf
    with pytest.raises(ValueError, match="needs no pairs"):
        break_even_rate(distribute(circuit(2, [gate("CX", (0, 1))]), qpus=[2]), pairs, own, 0.9)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda split, pairs: one_each(None, 2), TypeError, "`processor` must be built by `qtn.dqc.processor`"),
        (lambda split, pairs: one_each([1, 2], 2), TypeError, r"one for all or a list of one each, but is \[1, 2\]"),
        (lambda split, pairs: require_distributed(split.circuit), TypeError, "must be built by `qtn.dqc.distribute`"),
        (
            lambda split, pairs: break_even_rate(split, pairs, processor(), 0.7, rtol=0.0),
            ValueError,
            r"`rtol` must lie in \[1e-12, 1\), but is 0.0",
        ),
        (
            lambda split, pairs: jax.jit(lambda own: sampled_run(split, pairs, own, key=jax.random.key(0)))(
                processor()
            ),
            ValueError,
            "Trajectories need known numbers, but some are traced",
        ),
    ],
)
def test_what_cannot_be_meant(wrong, error, message):
    """Before anything is computed."""
    split = distribute(circuit(2, [gate("H", 0), gate("CX", (0, 1))]), qpus=[1, 1])
    with pytest.raises(error, match=message):
        wrong(split, steady_pairs(PERFECT, 1.0))


def test_levels_of_quantiles_are_probabilities():
    time = RunTime(laws=(jnp.array([0.0, 0.5, 0.5]),), step=jnp.asarray(2.0), gates=jnp.asarray(0.1), counts=(1,))
    np.testing.assert_allclose(time.quantiles([0.25, 0.75]), [2.1, 4.1])
    for level in (-1.0, 0.0, 1.0, 1.5, np.nan):
        with pytest.raises(ValueError, match=r"`levels` must lie in \(0, 1\)"):
            time.quantiles([level])


def test_shots_need_the_processors_of_the_run():
    split = distribute(circuit(2, [gate("X", 0), gate("CX", (0, 1))]), qpus=[1, 1])
    found = run(split, steady_pairs(PERFECT, 10.0), processor())
    with pytest.raises(ValueError, match="`processor` must be one for all or one for each of 2, but holds 1"):
        shots(found, [processor()], 5, key=jax.random.key(0))
