"""Rounds of a run: which pairs, when, and how long everything takes; arrival times drawn one by one."""

import dataclasses
import re
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

from qtn.circuits import circuit, gate
from qtn.circuits.qasm import load_qasm
from qtn.dqc import distribute
from qtn.dqc.arrivals import steady_pairs
from qtn.dqc.couples import pairs_for
from qtn.dqc.processor import processor
from qtn.dqc.program import Kind
from qtn.dqc.run import run
from qtn.dqc.run_time import mean_run_time, run_time
from qtn.dqc.timing import timing_of, waits_depend
from qtn.dqc.writer import program_of
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory, relaxing_memory

P, RATE = 0.2, 10.0
STEP = P / RATE
PAIRS = steady_pairs([1.0, 0.0, 0.0, 0.0], RATE, p_success=P)
LOCAL = 3 * STEP
"""Of a gate: whole steps, so that drawn times are on the grid."""


def alternating(num_remote, num_local=1):
    """Remote gates between two processors with local gates in between, which no copy can pass."""
    steps = [gate("H", [0, 1, 2, 3])]
    for _ in range(num_remote):
        steps += [gate("CX", (1, 2)), *[gate("CX", [(0, 1), (3, 2)])] * num_local, gate("H", [1, 2])]
    return distribute(circuit(4, steps), qpus=[2, 2], sharing="none")


def drawn(rng, count, num_rounds, *, links=1, buffer=0, cutoff=np.inf, between=0.0):
    """Waits and ages of rounds between two processors, in steps; `between`: time of gates from one to the next."""
    waits, ages = np.zeros((2, num_rounds, count))
    now, served = np.zeros(count), []
    for number in range(num_rounds):
        if number:
            now = now + between
        started = now if not buffer else served[-buffer] if len(served) >= buffer else np.zeros(count)
        arrived = started + rng.geometric(P, (links, count)).min(axis=0)
        while (old := now - arrived >= cutoff).any():
            again = arrived + cutoff + rng.geometric(P, (links, count)).min(axis=0)
            arrived = np.where(old, again, arrived)
        waits[number], ages[number] = np.maximum(arrived - now, 0), np.maximum(now - arrived, 0)
        now = np.maximum(now, arrived)
        served.append(now)
    return waits, ages


class Timed(NamedTuple):
    """What is asked of a timing."""

    mean: float
    gates: float
    quantiles: Any
    ahead: bool


def timed(distributed, own):
    program, processors = program_of(distributed), (own,) * 2

    @jax.jit
    def found():
        timing = timing_of(program, pairs_for(PAIRS, distributed.links), processors)
        return mean_run_time(timing), run_time(timing)

    mean, time = found()
    return Timed(float(mean), float(time.gates), time.quantiles, waits_depend(program, processors))


def test_rounds_and_moments():
    program = program_of(alternating(2))
    assert program.rounds == (((0, 1),), ((0, 1),))
    kinds = [tick.kinds for tick in program.ticks]
    assert [tick.round for tick in program.ticks if tick.round >= 0] == [0, 1]
    assert kinds.count(frozenset({Kind.GATE})) == 2
    assert kinds.count(frozenset({Kind.REMOTE})) == 2
    assert all(owner >= 0 for owners in program.owners for owner in owners)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_links": 3},
        {"buffer": 1},
        {"buffer": 1, "cutoff_time": 2 * STEP},
        {"buffer": 1, "num_links": 2, "cutoff_time": 4 * STEP},
    ],
    ids=["on demand", "three links", "made ahead", "made ahead with a cut-off", "everything"],
)
def test_run_times_are_those_of_drawn_arrivals(options):
    count, num_rounds = 40_000, 3
    own = processor(gate_set=gates(two_qubit_time=LOCAL), **options)
    found = timed(alternating(num_rounds), own)
    given = {"links": options.get("num_links", 1), "buffer": options.get("buffer", 0)}
    cutoff = options.get("cutoff_time", np.inf) / STEP
    rng = np.random.default_rng(7)
    waits, _ = drawn(rng, count, num_rounds, **given, cutoff=cutoff, between=9.0)  # a remote gate is two gates
    total, spent = waits.sum(axis=0) * STEP, (3 * 2 + 3) * LOCAL
    assert found.gates == pytest.approx(spent)
    assert abs(found.mean - spent - total.mean()) < 4 * total.std() / np.sqrt(count)
    for level in (0.1, 0.5, 0.9):
        time = found.quantiles([level])[0] - spent
        assert (total < time - 1e-9).mean() - 0.01 < level < (total <= time + 1e-9).mean() + 0.01
    assert not found.ahead


def test_buffers_of_two_are_taken_as_independent_and_say_so():
    own = processor(gate_set=gates(two_qubit_time=LOCAL / 3), buffer=2)
    found = timed(alternating(5), own)
    waits, _ = drawn(np.random.default_rng(2), 20_000, 5, buffer=2, between=3.0)
    assert found.ahead
    assert found.mean - found.gates == pytest.approx(waits.sum(axis=0).mean() * STEP, rel=0.1)
    on_demand = 5 / RATE
    assert found.mean - found.gates < 0.7 * on_demand


def test_pairs_have_their_left_end_at_the_processor_named_first():
    memories = relaxing_memory(1.0, 0.5), dephasing_memory(2.0)
    one_sided = np.diag([1.0, 0.6, -0.6, 0.8])
    one_sided[3, 0] = 0.2
    given = dataclasses.replace(steady_pairs(one_sided, 10.0), memories=memories)
    (straight,) = pairs_for({(0, 1): given}, [(0, 1)]).values()
    turned = pairs_for({(1, 0): given, (np.int64(3), 2): given}, [(0, 1), (2, 3)])
    assert straight is given
    np.testing.assert_array_equal(turned[0, 1].states, np.swapaxes(given.states, 1, 2))
    assert turned[0, 1].memories == memories[::-1]
    assert turned[0, 1] is turned[2, 3]


@pytest.mark.parametrize(
    ("target", "again", "messages"),
    [
        ("q[1]", "", 0),
        ("q[2]", "", 1),
        ("q[2]", "if (c) z q[2];", 1),
        ("q[2]", "if (c) x q[1];", 1),
        ("q[2]", "c = measure q[1]; if (c) x q[2];", 2),
    ],
    ids=["own processor", "other processor", "told once", "also at home", "written anew"],
)
def test_bits_take_messages_and_no_gates(target, again, messages):
    text = f'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit c; x q[0]; c = measure q[0]; if (c) x {target}; '
    split = distribute(load_qasm(text + again), qpus=[2, 1])
    own = processor(dephasing_memory(100.0), gates(two_qubit_time=5.0, readout_time=1.0), latency=7.0)
    readouts = 1 + again.count("measure")
    assert run(split, PAIRS, own).mean_time == pytest.approx(readouts + 7 * messages)


def test_a_qubit_waits_for_the_message_that_acts_on_it():
    text = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit c; h q[1]; c = measure q[0]; if (c) x q[1];'
    split = distribute(load_qasm(text), qpus=[1, 1])
    own = processor(dephasing_memory(10.0), gates(readout_time=1.0), latency=7.0)
    string = {split.qubits[1]: "X"}
    assert run(split, PAIRS, own, observables=[string]).observables[0] == pytest.approx(np.exp(-0.8), rel=1e-12)


@pytest.mark.parametrize("key", [0, (0,), (1, 1), (0, 1.0), (0, -1), "01", (0, 1, 2), (0, True), (0, 1, "a")])
def test_keys_that_are_no_couples_are_named(key):
    with pytest.raises(
        ValueError, match=f"different processors, such as .0, 1., but has the key {re.escape(repr(key))}"
    ):
        pairs_for({key: PAIRS}, [(0, 1)])


def test_a_couple_is_given_once_and_holds_pairs():
    with pytest.raises(ValueError, match=r"between processors 0 and 1 twice, as \(0, 1\) and \(1, 0\): keep one"):
        pairs_for({(0, 1): PAIRS, (1, 0): PAIRS}, [(0, 1)])
    with pytest.raises(TypeError, match=r"but at \(0, 1\) holds 3.0"):
        pairs_for({(0, 1): 3.0}, [(0, 1)])


LINE = distribute(circuit(3, [gate("H", 0), gate("CX", (0, 1)), gate("CX", (1, 2))]), qpus=[1, 1, 1])


def over_line(rate, step):
    """Two rounds, over links of two rates."""
    given = {
        (0, 1): steady_pairs([1.0, 0.0, 0.0, 0.0], rate, p_success=0.1, step=step),
        (1, 2): steady_pairs([1.0, 0.0, 0.0, 0.0], 2.0, p_success=0.1, step=step),
    }
    return run(LINE, given, processor()).mean_time


def test_links_of_different_rates_on_one_grid():
    value, slope = jax.value_and_grad(over_line)(10.0, 0.05)
    assert value == pytest.approx(1 / 10 + 1 / 2, rel=1e-9)
    assert slope == pytest.approx(-1 / 10**2, rel=1e-9)
    assert over_line(10.0, 0.05) == pytest.approx(float(value), rel=1e-12)


def test_different_grids_are_refused_also_where_they_are_traced():
    with pytest.raises(ValueError, match=r"time grids of 0\.01 and 0\.05 s: take one step, as in `steady_pairs"):
        over_line(10.0, None)
    with pytest.raises(ValueError, match="several time grids that JAX traces"):
        jax.grad(over_line)(10.0, None)


def test_steps_that_do_not_fit_the_rate_are_refused():
    with pytest.raises(ValueError, match=r"rate \* step.* in \[p_success, 1\] = \[0.1, 1\], but it is 0.05"):
        steady_pairs([1.0, 0.0, 0.0, 0.0], 5.0, p_success=0.1, step=0.01)
    for rate in (5.0, 101.0):
        traced = jax.jit(lambda r: steady_pairs([1.0, 0.0, 0.0, 0.0], r, p_success=0.1, step=0.01).mean_time)(rate)
        assert np.isnan(traced)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([0.9, 0.9, 0.9, 0.9], "`state` must be a state, but has the trace 3.6"),
        ([0.9, 0.1], r"`state` .* the shape \(2,\)"),
    ],
)
def test_pairs_of_what_is_no_state_are_refused(state, message):
    with pytest.raises(ValueError, match=message):
        steady_pairs(state, 10.0)


def test_lanes_beyond_the_pairs_that_are_asked_for_change_nothing():
    wanted, found = (timed(alternating(2), processor(buffer=buffer)) for buffer in (2, 10**6))
    assert found.mean == wanted.mean
    levels = [0.1, 0.5, 0.9]
    np.testing.assert_array_equal(found.quantiles(levels), wanted.quantiles(levels))


def test_buffers_that_take_too_much_are_refused():
    fine = steady_pairs([1.0, 0.0, 0.0, 0.0], RATE, p_success=1e-4)
    split = alternating(8)
    with pytest.raises(
        ValueError, match=r"`buffer`: the waits for 8 pairs .* numbers, more than 2\.7e\+08: take a smaller"
    ):
        run(split, fine, processor(buffer=8))


def test_sums_of_geometric_waits():
    """Three pairs on demand: the negative binomial distribution."""
    found = timed(alternating(3, 0), processor())
    assert found.mean == pytest.approx(3 / RATE, rel=1e-9)
    chance = np.array([0.5 * (t - 1) * (t - 2) * P**3 * (1 - P) ** (t - 3) for t in range(1, 300)])
    reached = np.cumsum(chance)
    expected = [STEP * (1 + np.flatnonzero(reached >= level)[0]) for level in (0.05, 0.5, 0.95)]
    np.testing.assert_allclose(found.quantiles([0.05, 0.5, 0.95]), expected, rtol=1e-9)
