"""Teleportation through delivered pairs: closed forms, a dense simulation over a 2-design of inputs, gradients."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.dqc.teleportation import CLASSICAL_FIDELITY, Side, teleportation
from qtn.evaluators.outcome import Summary
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from tests.oracles import density

RNG = np.random.default_rng(5)
RHO = density.random_state(RNG)
PAIR = jnp.asarray(density.coefficients(RHO))
LINK = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
NOISY, POOR = node(gate_set=gates(0.93, 0.97), p_swap=0.8), node(gate_set=gates(0.8, 0.9))
QUBITS = [(density.I2 + sign * pauli) / 2 for sign, pauli in itertools.product((1, -1), density.PAULIS[1:])]
"""Eigenstates of the Paulis: averages over them are averages over all pure qubits."""


def delivered(pair=PAIR, mean_time=4.0):
    return Summary(mean_time=jnp.asarray(mean_time), state=pair, info=None)


def through(pair, send):
    """Mean fidelity over the qubits that arrive, and how many do; `send` maps (qubit, pair) to an unnormalised qubit."""
    arrived = [send(qubit, pair) for qubit in QUBITS]
    success = np.mean([np.real(np.trace(rho)) for rho in arrived])
    kept = np.mean([np.real(np.trace(qubit @ rho)) for qubit, rho in zip(QUBITS, arrived, strict=True)])
    return kept / success, success


def by_gates(p2, eta):
    return lambda qubit, pair: density.partial_trace(density.swap(np.kron(density.I2 / 2, qubit), pair, p2, eta), [1])


def by_optics(optics):
    factors = np.asarray(optics.factors())
    return lambda qubit, pair: density.partial_trace(
        density.optical_swap(np.kron(density.I2 / 2, qubit), pair, factors), [1]
    )


def test_perfect_ends_give_the_closed_form():
    for fidelity in (0.25, 0.85, 1.0):
        pair = jnp.asarray(density.coefficients(density.bell_diagonal([fidelity, *[(1 - fidelity) / 3] * 3])))
        found = teleportation(delivered(pair), chain(LINK, num_links=1))
        assert found.fidelity == pytest.approx((2 * fidelity + 1) / 3, abs=1e-14)
        assert found.rate == pytest.approx(1 / 4, abs=1e-15)
    assert teleportation(delivered(pair), chain(LINK, num_links=1)).fidelity > CLASSICAL_FIDELITY


def test_the_end_of_the_sender_counts():
    line = chain(LINK, [NOISY, POOR], num_links=1)
    mirrored = density.partial_trace(RHO, [1, 0])
    for sender, rho, p2, eta, p_swap in (("left", RHO, 0.93, 0.97, 0.8), ("right", mirrored, 0.8, 0.9, 1.0)):
        found = teleportation(delivered(), line, sender=Side(sender))
        fidelity, success = through(rho, by_gates(p2, eta))
        assert found.fidelity == pytest.approx(fidelity, abs=1e-12)
        assert found.p_success == pytest.approx(p_swap * success, abs=1e-12)
        assert found.rate == pytest.approx(p_swap * success / 4, abs=1e-12)


def test_optics_average_over_what_arrives():
    optics = linear_optics(efficiency=0.8, visibility=0.7, dark_count_probability=1e-2)
    found = teleportation(delivered(), chain(LINK, node(optics=optics), num_links=1))
    fidelity, success = through(RHO, by_optics(optics))
    assert found.fidelity == pytest.approx(fidelity, abs=1e-12)
    assert found.p_success == pytest.approx(success, abs=1e-12)


def test_gradients():
    def fidelity(numbers):
        ends = node(gate_set=gates(numbers[0], numbers[1]), p_swap=numbers[2])
        found = teleportation(delivered(mean_time=numbers[3]), chain(LINK, ends, num_links=1))
        return found.fidelity + found.rate

    numbers = jnp.array([0.93, 0.97, 0.8, 4.0])
    numeric = [(fidelity(numbers + s) - fidelity(numbers - s)) / 2e-6 for s in 1e-6 * jnp.eye(4)]
    np.testing.assert_allclose(jax.grad(fidelity)(numbers), numeric, rtol=1e-7, atol=1e-9)
    assert np.all(np.isfinite(jax.grad(fidelity)(jnp.array([1.0, 1.0, 1.0, 4.0]))))
