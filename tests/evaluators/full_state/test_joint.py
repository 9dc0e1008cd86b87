"""What only the full state can do, against the dense register: noise and operations that join several pairs."""

from typing import Any

import jax
import numpy as np
import pytest

import qtn
from qtn.channels import correlated_dephasing, depolarising
from qtn.evaluators.full_state import (
    Correct,
    DistillAt,
    FullState,
    Generate,
    SwapAt,
    along,
    discard_at,
    gate_at,
    hold,
    measure_and_correct,
    select,
    timeline,
)
from qtn.states import fidelity_to, ghz
from qtn.steps.protocol import DOUBLE_SELECTION, EPL
from tests.evaluators.full_state.test_schedules import T1, T2, line
from tests.oracles import register as oracle
from tests.oracles.density import CNOT, embed


def run(chain, steps, slots, max_bond=256):
    """Return the unnormalised Pauli coefficients of some slots after the steps."""

    @jax.jit
    def compiled(chain):
        outcome = FullState(max_bond).run(chain, timeline(steps))
        return outcome.probability * outcome.correlations(slots), outcome

    return compiled(chain)


def pairs(register, chain, link, ends):
    for left, right in ends:
        register.add([left, right], oracle.from_pauli(np.asarray(chain.link(link).heralded().state)))


def common_phase(register, slots, sigma):
    """Coherences between Hamming weights a and b decay by exp(-sigma^2 (a - b)^2 / 2)."""
    number = sum(embed(np.diag([0.0, 1.0]), [place], len(register.names)) for place in register.places(slots))
    weight = np.diag(number)
    register.each(lambda rho: np.exp(-(sigma**2) * np.subtract.outer(weight, weight) ** 2 / 2) * rho)


def wait(register, time):
    for name in register.names:
        register.relax(name, time, T1, T2)


def test_common_phase_and_three_pairs_distilled_jointly():
    chain = line(1)
    left, right = [(0, k) for k in range(3)], [(1, k) for k in range(3)]
    phase = correlated_dephasing(0.7, 3)
    steps = [(0.0, Generate(0, *ends)) for ends in zip(left, right, strict=True)]
    steps += [(0.0, along(left, phase)), (2.0, DistillAt(tuple(left), tuple(right), DOUBLE_SELECTION))]
    found, _ = run(chain, steps, [left[0], right[0]])
    register = oracle.Register()
    pairs(register, chain, 0, zip(left, right, strict=True))
    common_phase(register, left, 0.7)
    wait(register, 2.0)
    ends = [chain.node(k).gates for k in (0, 1)]
    p2, eta = ([float(getattr(end, key)) for end in ends] for key in ("two_qubit", "readout"))
    oracle.distill(register, left, right, DOUBLE_SELECTION.circuit, DOUBLE_SELECTION.accepted, p2, eta)
    np.testing.assert_allclose(found, register.coefficients([left[0], right[0]]), atol=1e-13)


def crosstalk_steps(angle, memory_time):
    """Two parallel pairs over two links; node 1 joins its four memories, holds them, and measures."""
    middle = [(1, k) for k in range(4)]
    steps = [(0.0, Generate(0, (0, k), (1, k))) for k in (0, 1)]
    steps += [(1.0, Generate(1, (1, 2 + k), (2, k))) for k in (0, 1)]
    steps += [(1.5, gate_at("RZZ", middle[:2], angle, channel=depolarising(0.05, num_qubits=2)))]
    steps += [(1.5, gate_at("CZ", [middle[1], middle[2]])), (1.5, gate_at("RXX", [middle[2], middle[3]], angle))]
    steps += [(memory_time, SwapAt((1, k), (1, 2 + k), (2, k))) for k in (0, 1)]
    return [*steps, *[(memory_time, step) for step in hold([(0, 0), (0, 1), (2, 0), (2, 1)])]]


ENDS = [(0, 0), (0, 1), (2, 0), (2, 1)]


@pytest.mark.slow
def test_crosstalk_and_a_joint_state_held_before_the_measurement():
    chain = line(2)
    found, outcome = run(chain, crosstalk_steps(0.6, 4.0), ENDS)
    register = oracle.Register()
    pairs(register, chain, 0, [((0, k), (1, k)) for k in (0, 1)])
    wait(register, 1.0)
    pairs(register, chain, 1, [((1, 2 + k), (2, k)) for k in (0, 1)])
    wait(register, 0.5)
    zz, xx = (np.kron(p, p) for p in (oracle.Z, oracle.X))
    rotation = lambda pauli: np.cos(0.3) * np.eye(4) - 1j * np.sin(0.3) * pauli  # noqa: E731
    register.unitary(rotation(zz), [(1, 0), (1, 1)])
    register.depolarise([(1, 0), (1, 1)], 1 - 0.05)
    register.unitary(oracle.GATES["cz"], [(1, 1), (1, 2)])
    register.unitary(rotation(xx), [(1, 2), (1, 3)])
    wait(register, 2.5)
    node = chain.node(1)
    for k in (0, 1):
        oracle.swap(register, (1, k), (1, 2 + k), float(node.gates.two_qubit), float(node.gates.readout))
        register.each(lambda rho: float(node.p_swap) * rho)
        oracle.correct(register, ("z", "x"), (2, k))
    np.testing.assert_allclose(found, register.coefficients(ENDS), atol=1e-13)
    assert float(outcome.info.kept) == 1.0
    assert not outcome.info.sentences()


@pytest.mark.parametrize("common", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_extreme_photon_loss_needs_a_common_phase(common):
    """EPL on (1 - a) Psi_phi + a |11><11|: F = 1 and p = (1 - a)^2/2 if phi is shared, F = (1 + v^2)/2 if not."""
    a, sigma, (left, right) = 0.2, 1.1, [((0, 0), (0, 1)), ((1, 0), (1, 1))]
    fibre = {"length_left": 1.0, "length_right": 1.0, "loss_left": 120.0, "loss_right": 120.0}
    chain = qtn.chain([qtn.single_click(**fibre, bright_state=a)])
    groups = [left] if common else [left[:1], left[1:]]
    steps = [(0.0, Generate(0, *ends)) for ends in zip(left, right, strict=True)]
    steps += [(0.0, along(group, correlated_dephasing(sigma, len(group)))) for group in groups]
    found, outcome = run(chain, [*steps, (0.0, DistillAt(left, right, EPL))], [left[0], right[0]])
    fidelity = np.sum(np.diagonal(found) * [1, 1, -1, 1]) / (4 * found[0, 0])
    np.testing.assert_allclose(outcome.probability, (1 - a) ** 2 / 2, rtol=1e-10)
    np.testing.assert_allclose(fidelity, 1.0 if common else (1 + np.exp(-(sigma**2))) / 2, atol=1e-10)


def test_truncation_is_reported():
    chain, left, right = line(1), [(0, k) for k in range(3)], [(1, k) for k in range(3)]
    steps: list[tuple[float, Any]] = [(0.0, Generate(0, *ends)) for ends in zip(left, right, strict=True)]
    steps.append((0.0, along(left, correlated_dephasing(0.7, 3))))
    exact, _ = run(chain, steps, left + right)
    found, outcome = run(chain, steps, left + right, max_bond=8)
    assert 0.5 < float(outcome.info.kept) < 1 - 1e-10
    assert "increase `max_bond`" in outcome.info.sentences()[0]
    assert 1e-6 < np.max(np.abs(found - exact)) < 0.5


def ghz_steps(num_links, rate, readout=1.0):
    """Fuse the pairs of a line into a GHZ state: CX on a node's two memories, one measured, X on the far end."""
    steps = []
    for k in range(num_links):
        steps.append((k * rate, Generate(k, (k, 1 if k else 0), (k + 1, 0))))
        if k:
            steps.append((k * rate, gate_at("CX", [(k, 0), (k, 1)])))
            steps.append((k * rate, measure_and_correct((k, 1), (k + 1, 0), "X", readout=readout)))
    return steps


def test_ghz_over_a_line():
    chain, slots = line(3), [(k, 0) for k in range(4)]
    last = [(3.0, step) for step in hold(slots)]
    found, _ = run(chain, [*ghz_steps(3, 1.0, 0.97), *last], slots)
    register = oracle.Register()
    for k in range(3):
        wait(register, 1.0)
        pairs(register, chain, k, [((k, 1 if k else 0), (k + 1, 0))])
        if k:
            register.unitary(CNOT, [(k, 0), (k, 1)])
            register.measure((k, 1), 0.97, "m")
            register.controlled("m", oracle.X, (k + 1, 0))
            register.forget(["m"])
    wait(register, 1.0)
    np.testing.assert_allclose(found, register.coefficients(slots), atol=1e-13)


@pytest.mark.slow
def test_ghz_over_forty_nodes_with_derivative():
    link = lambda w: qtn.abstract_link(p_success=1.0, attempt_time=1.0, werner=w)  # noqa: E731

    def fidelity(w):
        outcome = FullState().run(qtn.chain(link(w), num_links=39), timeline(ghz_steps(39, 1.0)))
        return fidelity_to(outcome.trains[0], ghz(40))

    value, slope = jax.jit(jax.value_and_grad(fidelity))(1.0)
    np.testing.assert_allclose(value, 1.0, atol=1e-12)
    # To first order an error I, X, Y, Z of a pair (weights 1 - 3e/4, e/4 ..., e = 1 - w) is fatal: slope 39 * 3/4.
    np.testing.assert_allclose(slope, 39 * 0.75, rtol=1e-9)


def test_tracked_frame_is_a_pair_of_bits():
    """A frame that is kept while the far end goes through a non-Pauli rotation is not the corrected state."""
    chain = line(2)
    bits = ((1, -1), (1, -2))
    steps = [(0.0, Generate(0, (0, 0), (1, 0))), (0.0, Generate(1, (1, 1), (2, 0)))]
    steps += [(1.0, SwapAt((1, 0), (1, 1), None, (), bits)), (1.0, gate_at("RX", [(2, 0)], 0.4))]
    steps += [(2.0, Correct(bits, (2, 0))), (2.0, select((0, 0), 1)), (2.0, *hold([(2, 0)]))]
    found, _ = run(chain, steps, [(2, 0)])
    register = oracle.Register()
    pairs(register, chain, 0, [((0, 0), (1, 0))])
    pairs(register, chain, 1, [((1, 1), (2, 0))])
    wait(register, 1.0)
    node = chain.node(1)
    oracle.swap(register, (1, 0), (1, 1), float(node.gates.two_qubit), float(node.gates.readout))
    register.each(lambda rho: float(node.p_swap) * rho)
    register.unitary(np.cos(0.2) * np.eye(2) - 1j * np.sin(0.2) * oracle.X, [(2, 0)])
    wait(register, 1.0)
    oracle.correct(register, ("z", "x"), (2, 0))
    register.drop((0, 0), np.diag([0.0, 1.0]))
    np.testing.assert_allclose(found, register.coefficients([(2, 0)]), atol=1e-13)


GENERATE = Generate(0, (0, 0), (1, 0))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([(0.0, GENERATE), (0.0, GENERATE)], "fills slot .* which holds a qubit already"),
        ([(0.0, discard_at((0, 0)))], "uses slot .* which is empty"),
        ([(1.0, GENERATE), (0.0, discard_at((0, 0)))], "times decrease"),
    ],
)
def test_impossible_timelines_are_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        timeline(steps)


def test_wrong_arguments_are_refused():
    chain, one = line(1), timeline([(0.0, GENERATE)])
    with pytest.raises(ValueError, match="must be a Timeline, but is a Schedule"):
        FullState().run(chain, qtn.nested(1))
    with pytest.raises(ValueError, match="`max_bond` must be at least 4"):
        FullState(2).run(chain, one)
    with pytest.raises(ValueError, match=r"links are 0\.\.0"):
        FullState().run(chain, timeline([(0.0, Generate(1, (0, 0), (1, 0)))]))
    with pytest.raises(ValueError, match="node 5 is used"):
        FullState().run(chain, timeline([(0.0, Generate(0, (0, 0), (5, 0)))]))
    with pytest.raises(ValueError, match="`matrix` must have shape"):
        gate_at("CX", [(0, 0)])
    with pytest.raises(ValueError, match="`operator` must have shape"):
        along([(0, 0)], correlated_dephasing(0.1, 2))
    with pytest.raises(ValueError, match="`pauli` must be"):
        measure_and_correct((0, 0), (1, 0), "Q")
    with pytest.raises(ValueError, match="which is empty after the timeline"):
        FullState().run(chain, one).correlations([(0, 7)])
