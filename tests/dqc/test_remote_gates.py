"""Remote gates: dense density matrices of the whole protocol, closed forms, laws, gradients, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import cptp_defect
from qtn.circuits import channel, circuit, gate, run
from qtn.circuits.gates import GATES
from qtn.dqc import average_fidelity, close_copy, open_copy, process_fidelity, remote_gate, teledata
from qtn.dqc.copies import ends_of, pair_coefficients, telegate
from qtn.evaluators.outcome import Summary
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.memory import dephasing_memory, depolarising_memory, relaxing_memory
from qtn.hardware.node import node
from qtn.states.basis import ptm
from qtn.states.measures import expect
from qtn.states.pair import from_fidelity, werner
from qtn.steps.teleport import teleport
from tests.oracles import density, remote

RNG = np.random.default_rng(11)
RHO = density.random_state(RNG)
PAIR = density.coefficients(RHO)
LATENCY = 0.13
SITES = (remote.Site(0.97, 0.93, 0.96, 0.02, 0.9, 1.1), remote.Site(0.95, 0.9, 0.98, 0.05, 2.0, 0.6))
P1 = (0.97, 0.95)
NODES = tuple(node(relaxing_memory(s.t1, s.t2), gates(s.p2, s.eta, readout_time=s.readout_time)) for s in SITES)
IDEAL = node()
CY = np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), np.array([[0, -1j], [1j, 0]]))
PHASE = np.diag([1, 1, 1, np.exp(0.7j)])


BELL = np.array([0.9, 0.04, 0.01, 0.05])
FLIPS = (0.01, 0.02)


def controlled(seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(2, 2, 2)) @ np.array([1, 1j]))
    return np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), q)


def exchange(matrix):
    return matrix.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)


GIVEN = {  # gate, angles, copied operand, its letter, matrix
    "CX": ("CX", (), 0, "Z", density.CNOT),
    "CX copied from the target": ("CX", (), 1, "X", density.CNOT),
    "CZ": ("CZ", (), 0, "Z", np.diag([1, 1, 1, -1])),
    "CY copied from the target": ("CY", (), 1, "Y", CY),
    "CP": ("CP", (0.7,), 1, "Z", PHASE),
    "controlled U": (controlled(3), (), 0, "Z", controlled(3)),
    "RZZ": ("RZZ", (0.4,), 0, "Z", np.diag(np.exp([-0.2j, 0.2j, 0.2j, -0.2j]))),
    "RXX": ("RXX", (0.4,), 0, "X", np.cos(0.2) * np.eye(4) - 1j * np.sin(0.2) * np.fliplr(np.eye(4))),
}


def by_hand(matrix, copied, letter):
    names = ("a", "b") if copied == 0 else ("b", "a")
    rho, turned = (exchange(RHO), exchange(matrix)) if copied else (RHO, matrix)
    source, target = SITES if copied == 0 else SITES[::-1]
    return remote.transfer_matrix(
        lambda register: remote.telegate(register, *names, turned, rho, source, target, letter, LATENCY), ["a", "b"]
    )


@pytest.mark.parametrize("case", GIVEN)
def test_telegate_of_a_random_pair_is_the_dense_protocol(case):
    name, angles, copied, letter, matrix = GIVEN[case]
    found = remote_gate(name, PAIR, *NODES, *angles, copied=copied, one_qubit=P1, latency=LATENCY)
    assert np.allclose(found.ptm(), by_hand(matrix, copied, letter), rtol=0, atol=1e-12)
    assert found.num_pairs == 1


def test_teledata_of_a_random_pair_is_the_dense_protocol():
    wanted = remote.transfer_matrix(
        lambda register: remote.teledata(register, "q", "new", RHO, *SITES, LATENCY), ["q"], ["new"]
    )
    found = teledata(PAIR, *NODES, one_qubit=P1, latency=LATENCY)
    assert np.allclose(found, wanted, rtol=0, atol=1e-12)


def test_teledata_without_messages_is_teleportation():
    images = [teleport(jnp.eye(4)[k], jnp.asarray(PAIR), NODES[0]) for k in range(4)]
    assert np.allclose(teledata(PAIR, node(gate_set=gates(SITES[0].p2, SITES[0].eta)), IDEAL), np.stack(images).T)


def fan_out(register, letter):
    holders = {"a": SITES[0], "b": SITES[1], "c": SITES[1]}
    remote.open_copy(register, "a", "half", "copy", RHO, *SITES, letter, LATENCY, {"a": SITES[0]})
    for target in ("b", "c"):
        register.unitary(
            density.CNOT
            if letter == "Z"
            else np.kron(density.H, np.eye(2)) @ density.CNOT @ np.kron(density.H, np.eye(2)),
            ["copy", target],
        )
        register.depolarise(["copy", target], SITES[1].p2)
    remote.close_copy(register, "a", "copy", *SITES, letter, LATENCY, {"a": holders["a"]})


@pytest.mark.parametrize("letter", ["Z", "X"])
def test_fan_out_through_one_pair_is_the_dense_protocol(letter):
    options = {"letter": letter, "one_qubit": P1, "latency": LATENCY}
    turn = [] if letter == "Z" else [gate("H", 3, label="ideal")]
    noise = channel(np.diag([1.0] + [SITES[1].p2] * 15), (3, 1)), channel(np.diag([1.0] + [SITES[1].p2] * 15), (3, 2))
    steps = [channel(open_copy(PAIR, *NODES, **options), (0, 3)), *turn, gate("CX", (3, 1)), *turn, noise[0]]
    steps += [*turn, gate("CX", (3, 2)), *turn, noise[1], channel(close_copy(*NODES, **options), (0, 3))]
    prepare = [gate("RY", [0, 1, 2, 3], np.array([0.3, 1.1, 0.7, 0.4])), gate("RX", 0, 0.8)]
    state, _ = run(circuit(4, prepare + steps), max_bond=256)
    wanted = prepared_fan_out(letter)
    strings = ("XZI", "YXX", "ZIX", "ZZZ", "IYX", "XYY")
    found = [float(expect(state, {k: p for k, p in enumerate(text) if p != "I"})) for text in strings]
    index = [tuple("IXYZ".index(p) for p in text) for text in strings]
    assert np.allclose(found, [wanted[i] for i in index], rtol=0, atol=1e-12)
    assert abs(float(expect(state, {3: "Z"})) - 1) < 1e-12


def prepared_fan_out(letter):
    register = remote.Register()
    ry = [np.array([[np.cos(t / 2), -np.sin(t / 2)], [np.sin(t / 2), np.cos(t / 2)]]) for t in (0.3, 1.1, 0.7)]
    rx = np.cos(0.4) * np.eye(2) - 1j * np.sin(0.4) * density.X
    for name, turn in zip("abc", (rx @ ry[0], ry[1], ry[2]), strict=True):
        register.add([name], np.outer(turn[:, 0], turn[:, 0].conj()))
    fan_out(register, letter)
    return register.coefficients(["a", "b", "c"])


@pytest.mark.parametrize("name", ["CX", "CY", "CZ"])
@pytest.mark.parametrize("copied", [0, 1])
def test_process_fidelity_of_a_perfect_telegate_is_the_fidelity_of_the_pair(name, copied):
    found = remote_gate(name, PAIR, IDEAL, IDEAL, copied=copied)
    assert abs(float(process_fidelity(found, name)) - density.bell_weights(RHO)[0]) < 1e-12


ANGLE = 0.7
HALF, WHOLE = (np.cos(ANGLE / 2) ** 2, 0.0), (np.cos(ANGLE) ** 2, 0.0)
ONE_SIDED = (1 + np.cos(ANGLE)) ** 2 / 4, np.sin(ANGLE) ** 2 / 4
OVERLAP = {  # of the gate with what a flip of the copy makes of it: alone, and with Z on the qubit
    ("CP", 0): ONE_SIDED,
    ("CP", 1): ONE_SIDED,
    ("CRZ", 0): HALF,
    ("CRZ", 1): ONE_SIDED,
    **{(name, copied): WHOLE for name in ("RXX", "RYY", "RZZ") for copied in (0, 1)},
}


@pytest.mark.parametrize(("name", "copied"), OVERLAP)
def test_small_rotations_forgive_a_flipped_copy(name, copied):
    found = remote_gate(name, BELL, IDEAL, IDEAL, ANGLE, copied=copied)
    flipped, with_phase = OVERLAP[name, copied]
    wanted = BELL[0] + BELL[1] * flipped + BELL[2] * with_phase
    assert abs(float(process_fidelity(found, name, ANGLE)) - wanted) < 1e-12


PERFECT = {"CX": 1, "CZ": 1, "SWAP": 3, "ISWAP": 2}


@pytest.mark.parametrize(("name", "count"), PERFECT.items(), ids=PERFECT)
def test_perfect_pairs_give_perfect_gates(name, count):
    found = remote_gate(name, [1.0, 0.0, 0.0, 0.0], IDEAL, IDEAL)
    assert np.allclose(found.ptm(), ptm(GATES[name].matrix()), rtol=0, atol=1e-14)
    assert found.num_pairs == count


def rotation(pauli, angle):
    both = np.kron(pauli, pauli)
    return np.cos(angle / 2) * np.eye(4) - 1j * np.sin(angle / 2) * both


IN_TELEGATES = {  # the left qubit is copied each time: matrix, and the basis in which it is diagonal there
    "SWAP": ((density.CNOT, "Z"), (exchange(density.CNOT), "X"), (density.CNOT, "Z")),
    "ISWAP": ((rotation(density.X, -np.pi / 2), "X"), (rotation(density.Y, -np.pi / 2), "Y")),
}


@pytest.mark.parametrize("name", IN_TELEGATES)
def test_swap_is_three_telegates_and_iswap_two(name):
    def several(register):
        for matrix, letter in IN_TELEGATES[name]:
            remote.telegate(register, "a", "b", matrix, RHO, *SITES, letter, LATENCY)

    found = remote_gate(name, PAIR, *NODES, one_qubit=P1, latency=LATENCY)
    wanted = remote.transfer_matrix(several, ["a", "b"])
    assert np.allclose(found.ptm(), wanted, rtol=0, atol=1e-12)
    fidelity = np.trace(ptm(np.asarray(GATES[name].matrix())).T @ wanted) / 16
    assert abs(float(process_fidelity(found, name)) - fidelity) < 1e-12


def test_closed_form_of_bell_diagonal_pairs_with_readout_flips():
    p, (m1, m2) = BELL, FLIPS
    wanted = p[0] * (1 - m1) * (1 - m2) + p[1] * m1 * (1 - m2) + p[3] * (1 - m1) * m2 + p[2] * m1 * m2
    nodes = [node(gate_set=gates(1.0, 1 - m)) for m in FLIPS]
    assert abs(float(process_fidelity(remote_gate("CX", BELL, *nodes), "CX")) - wanted) < 1e-14


def test_the_published_number():
    nodes = [node(gate_set=gates(1.0, 1 - m)) for m in FLIPS]
    found = process_fidelity(remote_gate("CX", [0.9, 0.1 / 3, 0.1 / 3, 0.1 / 3], *nodes), "CX")
    assert abs(float(found) - 0.8741733333) < 1e-10
    assert abs(float(average_fidelity(remote_gate("CX", werner(0.6), IDEAL, IDEAL), "CX")) - (4 * 0.7 + 1) / 5) < 1e-14


def test_maps_are_channels():
    options = {"one_qubit": P1, "latency": LATENCY}
    maps = [
        remote_gate("CX", PAIR, *NODES, **options).ptm(),
        remote_gate("SWAP", PAIR, *NODES, **options).ptm(),
        open_copy(PAIR, *NODES, letter="Y", **options),
        close_copy(*NODES, letter="Y", **options),
        teledata(PAIR, *NODES, **options),
    ]
    for found in maps:
        trace, lowest = cptp_defect(found)
        assert float(trace) < 1e-14 and float(lowest) > -1e-14


def test_the_map_is_linear_in_the_pair_and_takes_what_was_delivered():
    a, b = (density.coefficients(density.random_state(RNG)) for _ in range(2))
    both = remote_gate("CZ", 0.3 * a + 0.7 * b, *NODES).ptm()
    apart = 0.3 * remote_gate("CZ", a, *NODES).ptm() + 0.7 * remote_gate("CZ", b, *NODES).ptm()
    assert np.allclose(both, apart, rtol=0, atol=1e-14)
    delivered = Summary(mean_time=jnp.asarray(1.0), state=jnp.asarray(a), info=None)
    assert np.array_equal(pair_coefficients(delivered), a)


def test_many_angles_at_once_are_the_loop():
    angles = jnp.array([0.1, 0.4, 2.0])
    many = ptm(jax.vmap(GATES["CP"].matrix)(angles))
    found = telegate(many, jnp.asarray(PAIR), ends_of(*NODES, P1, LATENCY), "Z")
    for k, angle in enumerate(angles):
        one = remote_gate("CP", PAIR, *NODES, angle, one_qubit=P1, latency=LATENCY)
        assert np.allclose(found[k], one.ptm(), rtol=0, atol=1e-14)


def fidelity_of(numbers):
    nodes = [node(relaxing_memory(t1, t2), gates(p2, eta)) for p2, eta, t1, t2 in numbers["nodes"]]
    found = remote_gate(
        "CP", numbers["pair"], *nodes, numbers["angle"], one_qubit=numbers["p1"], latency=numbers["tau"]
    )
    return process_fidelity(found, PHASE)


NUMBERS = {
    "nodes": jnp.array([[0.9, 0.95, 2.0, 1.5], [0.97, 0.99, 3.0, 2.0]]),
    "pair": jnp.asarray(BELL),
    "angle": jnp.asarray(0.6),
    "p1": jnp.asarray(0.98),
    "tau": jnp.asarray(0.1),
}


def test_gradient_by_every_number_is_that_of_finite_differences():
    leaves, structure = jax.tree.flatten(NUMBERS)
    flat = np.concatenate([np.ravel(x) for x in leaves])
    sizes = np.cumsum([np.size(x) for x in leaves])[:-1]

    @jax.jit
    def value(x):
        parts = [p.reshape(np.shape(x)) for p, x in zip(jnp.split(x, sizes), leaves, strict=True)]
        return fidelity_of(jax.tree.unflatten(structure, parts))

    slopes, h = jax.jit(jax.grad(value))(flat), 1e-5
    differences = [(value(flat + h * e) - value(flat - h * e)) / (2 * h) for e in np.eye(len(flat))]
    assert np.allclose(slopes, differences, rtol=0, atol=1e-9)
    assert np.all(np.abs(slopes) > 1e-4)


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_gradients_are_finite_at_the_edges(edge):
    def value(x):
        nodes = [node(dephasing_memory(jnp.inf), gates(x, x)) for _ in range(2)]
        return process_fidelity(remote_gate("CX", werner(x), *nodes, one_qubit=x, latency=1 - x), "CX")

    assert np.isfinite(jax.grad(value)(edge))


def test_depolarising_memories_while_the_message_travels():
    site = node(depolarising_memory(1.0))
    found = process_fidelity(remote_gate("CX", werner(1.0), site, site, latency=0.2), "CX")
    k = np.exp(-0.2)  # control and target twice, the copy once before its correction
    wait = (1 + 3 * k**2) / 4, (1 - k**2) / 4
    assert float(found) < wait[0] ** 2
    names = ["a", "b"]
    damped = [np.sqrt((1 + 3 * k) / 4) * np.eye(2), *(np.sqrt((1 - k) / 4) * p for p in density.PAULIS[1:])]

    def protocol(register):
        register.add(["half", "copy"], np.outer(density.PHI, density.PHI))
        register.unitary(density.CNOT, ["a", "half"])
        register.measure("half", 1.0, "m")
        for name in ("a", "b", "copy"):
            register.kraus(damped, [name])
        register.controlled("m", density.X, "copy")
        register.unitary(density.CNOT, ["copy", "b"])
        register.unitary(density.H, ["copy"])
        register.measure("copy", 1.0, "n")
        for name in names:
            register.kraus(damped, [name])
        register.controlled("n", density.Z, "a")

    wanted = remote.transfer_matrix(protocol, names)
    assert abs(np.trace(ptm(GATES["CX"].matrix()).T @ wanted) / 16 - float(found)) < 1e-12


WRONG = {
    "no such gate": (lambda: remote_gate("CCX", BELL, IDEAL, IDEAL), "must be one of .*, but is 'CCX'"),
    "angle missing": (lambda: remote_gate("CP", BELL, IDEAL, IDEAL), "CP takes 1 angles, but 0"),
    "angle of a matrix": (lambda: remote_gate(PHASE, BELL, IDEAL, IDEAL, 0.1), "takes no angles"),
    "not diagonal": (
        lambda: remote_gate(exchange(controlled(4)), BELL, IDEAL, IDEAL),
        "diagonal on the copied operand 0",
    ),
    "one qubit": (lambda: remote_gate("H", BELL, IDEAL, IDEAL), "must act on two qubits, but is H"),
    "not unitary": (lambda: remote_gate(2 * PHASE, BELL, IDEAL, IDEAL), "unitary"),
    "copied": (lambda: remote_gate("CX", BELL, IDEAL, IDEAL, copied=2), "must be 0 or 1, but is 2"),
    "letter": (lambda: open_copy(BELL, IDEAL, IDEAL, letter="W"), "must be X, Y or Z, but is 'W'"),
    "weights": (
        lambda: remote_gate("CX", [0.9, 0.9, 0.0, 0.0], IDEAL, IDEAL),
        "must be a state, but has the trace 1.8",
    ),
    "negative": (lambda: remote_gate("CX", [1.2, -0.2, 0, 0], IDEAL, IDEAL), "lowest eigenvalue -0.2"),
    "nan": (lambda: remote_gate("CX", [np.nan, 0, 0, 0], IDEAL, IDEAL), "must be a state"),
    "shape": (lambda: remote_gate("CX", [1.0, 0.0], IDEAL, IDEAL), r"has the shape \(2,\)"),
    "latency": (lambda: remote_gate("CX", BELL, IDEAL, IDEAL, latency=-1.0), "`latency` must be non-negative"),
    "one_qubit": (lambda: remote_gate("CX", BELL, IDEAL, IDEAL, one_qubit=1.1), r"`one_qubit` must lie in \[0, 1\]"),
    "optics": (
        lambda: remote_gate("CX", BELL, node(optics=linear_optics(0.9)), IDEAL),
        "the source node measures by linear optics",
    ),
    "other size": (lambda: process_fidelity(np.eye(4), "CX"), "on as many qubits as the gate"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_says_what_is_wrong(case):
    attempt, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        attempt()


OXFORD = 0.9126933374649876
"""p2 of both local gates for which the teleported CZ of Main et al. has its published average fidelity."""


def test_oxford_teleported_cz_and_grover_in_a_circuit():
    cz = remote_gate("CZ", from_fidelity(0.9689), *[node(gate_set=gates(OXFORD))] * 2)
    assert abs(float(average_fidelity(cz, "CZ")) - 0.862) < 1e-12
    both = [0, 1]
    diffusion = [gate("H", both), gate("X", both), channel(cz, (0, 1)), gate("X", both), gate("H", both)]
    state, _ = run(circuit(2, [gate("H", both), channel(cz, (0, 1)), *diffusion]))
    z = [float(expect(state, each)) for each in ({0: "Z"}, {1: "Z"}, {0: "Z", 1: "Z"})]
    assert abs((1 - z[0] - z[1] + z[2]) / 4 - 0.7281621822) < 1e-9
    assert abs(by_hand_grover() - 0.7281621822) < 1e-9


def by_hand_grover():
    """The same in a dense register: NumPy only."""
    register, pair = remote.Register(), density.bell_diagonal([0.9689, *[0.0311 / 3] * 3])
    register.add(["a", "b"], np.full((4, 4), 0.25, complex))
    site = remote.Site(p2=OXFORD)
    for turns in ((density.H, density.X), (density.X, density.H)):
        remote.telegate(register, "a", "b", np.diag([1, 1, 1, -1]), pair, site, site)
        for turn in turns:
            register.unitary(np.kron(turn, turn), ["a", "b"])
    return float(np.real(sum(register.branches.values())[3, 3]))


def test_a_node_must_be_one():
    with pytest.raises(TypeError, match="The target node must be built by"):
        ends_of(IDEAL, None, 1.0, 0.0)


@pytest.mark.parametrize(
    ("gate", "options", "message"),
    [
        ("CX", {"letter": "X"}, "is diagonal on the copied operand, but is X: take Z"),
        ("CX", {"letter": "Z", "copied": 1}, "but is Z: take X"),
        (np.diag([1, 1, 1, 1j]), {"letter": "Y"}, "but is Y: take Z"),
        ("SWAP", {"letter": "X"}, "but is X: take Z"),
        ("CX", {"letter": "W"}, "must be X, Y or Z, but is 'W'"),
        ("CX", {"one_qubit": [0.9, 1.0, 1.0]}, r"one number or two, .*, but has the shape \(3,\)"),
    ],
)
def test_letters_and_numbers_that_do_not_fit(gate, options, message):
    with pytest.raises(ValueError, match=message):
        remote_gate(gate, [1.0, 0.0, 0.0, 0.0], node(), node(), **options)


def test_two_numbers_in_a_list_or_an_array_are_those_of_both_processors():
    pair = [0.9, 0.05, 0.03, 0.02]
    wanted = remote_gate("CX", pair, node(), node(), one_qubit=(0.9, 1.0)).ptm()
    for given in ([0.9, 1.0], np.array([0.9, 1.0])):
        np.testing.assert_array_equal(remote_gate("CX", pair, node(), node(), one_qubit=given).ptm(), wanted)
