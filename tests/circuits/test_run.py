"""Circuits against dense NumPy simulation: pure and mixed, every operation, every bond."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from qtn import channels
from qtn.circuits.circuit import channel, circuit, gate, measure, project, reset, unitary
from qtn.circuits.gates import GATES
from qtn.circuits.noise import noise_model
from qtn.circuits.run import run
from qtn.states import MPDO, MPS, amplitudes, dense, fidelity_to, from_amplitudes, ghz, to_mixed, weight, zeros
from qtn.tensors.execute import _execute
from tests.oracles import circuits as oracle


def numpy_gate(name, angles):
    """The definitions of the gates, once more."""
    x, y, z = oracle.PAULIS[1:]
    one, s = np.eye(2), np.sqrt(0.5)
    spin = lambda p: np.cos(angles[0] / 2) * np.eye(len(p)) - 1j * np.sin(angles[0] / 2) * p  # noqa: E731
    controlled = lambda u: np.block([[one, 0 * one], [0 * one, u]])  # noqa: E731
    phase = lambda a: np.diag([1, np.exp(1j * a)])  # noqa: E731
    fixed = {"I": one, "X": x, "Y": y, "Z": z, "H": s * (x + z), "S": phase(np.pi / 2), "SDG": phase(-np.pi / 2)}
    fixed |= {
        "T": phase(np.pi / 4),
        "TDG": phase(-np.pi / 4),
        "CX": controlled(x),
        "CY": controlled(y),
        "CZ": controlled(z),
    }
    fixed |= {"SX": np.exp(0.25j * np.pi) * s * (one - 1j * x), "SWAP": np.eye(4)[[0, 2, 1, 3]]}
    fixed |= {"ISWAP": np.diag([1, 1j, 1j, 1])[[0, 2, 1, 3]]}
    if name in fixed:
        return fixed[name]
    if name == "U":
        theta, phi, lam = angles
        half = np.exp(0.5j * (phi + lam))
        rz = lambda a: np.diag([np.exp(-0.5j * a), np.exp(0.5j * a)])  # noqa: E731
        return half * rz(phi) @ (np.cos(theta / 2) * one - 1j * np.sin(theta / 2) * y) @ rz(lam)
    if name in ("P", "CP"):
        return phase(angles[0]) if name == "P" else controlled(phase(angles[0]))
    if name == "CRZ":
        return controlled(np.diag([np.exp(-0.5j * angles[0]), np.exp(0.5j * angles[0])]))
    letters = name[1:]
    return spin(oracle.kron(*({"X": x, "Y": y, "Z": z}[letter] for letter in letters)))


def random_program(seed, n, length, mixed):
    """Random operations, and their Kraus operators for the oracle."""
    rng, ops, kraus = np.random.default_rng(seed), [], []
    names = [*GATES, "UNITARY", *(["CHANNEL", "MEASURE", "RESET", "PROJECT"] if mixed else [])]
    zero, one = np.diag([1.0, 0]), np.diag([0, 1.0])
    for _ in range(length):
        name = names[rng.integers(len(names))]
        k = GATES[name].num_sites if name in GATES else (2 if name == "UNITARY" else 1)
        sites = tuple(int(s) for s in rng.choice(n, k, replace=False))
        if name in GATES:
            angles = rng.uniform(-np.pi, np.pi, GATES[name].num_parameters)
            ops.append(gate(name, sites, *angles))
            kraus.append(([numpy_gate(name, angles)], sites))
        elif name == "UNITARY":
            matrix = oracle.haar(rng, 4)
            ops.append(unitary(matrix, sites))
            kraus.append(([matrix], sites))
        elif name == "CHANNEL":
            noise = [channels.amplitude_damping(0.3), channels.dephasing(0.2), channels.depolarising(0.1)][
                rng.integers(3)
            ]
            ops.append(channel(noise, sites))
            kraus.append((np.asarray(noise.kraus()), sites))
        elif name == "MEASURE":
            ops.append(measure(sites[0]))
            kraus.append(([zero, one], sites))
        elif name == "RESET":
            ops.append(reset(sites[0]))
            kraus.append(([zero, np.array([[0, 1.0], [0, 0]])], sites))
        else:
            outcome = int(rng.integers(2))
            ops.append(project(sites[0], outcome))
            kraus.append(([[zero, one][outcome]], sites))
    return circuit(n, ops), kraus


@pytest.mark.parametrize("name", GATES)
def test_gates_are_what_their_names_say(name):
    angles = [0.3, -0.7, 1.1][: GATES[name].num_parameters]
    np.testing.assert_allclose(GATES[name].matrix(*angles), numpy_gate(name, angles), atol=1e-14)


@pytest.mark.parametrize(("seed", "n"), [(0, 2), (1, 4), (2, 6), (3, 7)])
def test_pure_circuits(seed, n):
    program, kraus = random_program(seed, n, 30, mixed=False)
    vector = np.eye(2**n)[0].astype(complex)
    for (matrix,), sites in kraus:
        vector = oracle.embed(matrix, sites, n) @ vector
    state, info = run(program)
    assert isinstance(state, MPS) and info.discarded.size == 0
    np.testing.assert_allclose(amplitudes(state), vector, atol=1e-12)


@pytest.mark.parametrize(("seed", "n"), [(0, 2), (1, 3), (2, 5), (3, 6), (4, 1)])
def test_mixed_circuits_with_every_operation(seed, n):
    program, kraus = random_program(seed, n, 25, mixed=True) if n > 1 else one_qubit()
    rho = oracle.zero(n)
    for operators, sites in kraus:
        rho = oracle.apply(rho, operators, sites)
    state, _ = run(program, state=to_mixed(zeros(n)), max_bond=4096)
    np.testing.assert_allclose(dense(state).matrix, rho, atol=1e-12)
    np.testing.assert_allclose(weight(state), np.trace(rho).real, atol=1e-12)


def one_qubit():
    return circuit(1, [gate("H", 0), measure(0), gate("T", 0)]), [
        ([numpy_gate("H", [])], (0,)),
        ([np.diag([1.0, 0]), np.diag([0, 1.0])], (0,)),
        ([numpy_gate("T", [])], (0,)),
    ]


BRICKS = [(i, i + 1) for layer in range(6) for i in range(layer % 2, 6, 2)]


@pytest.mark.parametrize("thresholds", [{}, {"relative": 1e-9}])
@pytest.mark.parametrize("max_bond", [8, 6, 3, 1])
def test_truncated_circuits_report_the_true_norm(max_bond, thresholds):
    rng = np.random.default_rng(0)
    matrices = np.stack([oracle.haar(rng, 4) for _ in BRICKS])
    state, info = run(circuit(7, [unitary(matrices, BRICKS)]), max_bond=max_bond, **thresholds)
    vector = np.eye(2**7)[0].astype(complex)
    for matrix, sites in zip(matrices, BRICKS, strict=True):
        vector = oracle.embed(matrix, sites, 7) @ vector
    found = np.asarray(amplitudes(state))
    assert state.bond == max_bond
    np.testing.assert_allclose(info.weight, np.linalg.norm(found) ** 2, rtol=1e-12)
    np.testing.assert_allclose(info.weight, 1 - info.discarded.sum(), atol=1e-12)  # every cut is orthogonal
    fidelity = abs(np.vdot(vector, found)) ** 2 / np.linalg.norm(found) ** 2
    assert (
        fidelity == pytest.approx(1.0, abs=1e-12) if max_bond == 8 else fidelity > 0.25 * float(info.fidelity_estimate)
    )


@pytest.mark.parametrize(
    ("relative", "max_bond", "kind"),
    [
        pytest.param(1e-9, 40, "weak", marks=pytest.mark.slow),
        pytest.param(1e-9, 64, "haar", marks=pytest.mark.slow),
        (0.02, 40, "haar"),
    ],
)
def test_paddings_that_follow_the_rank_agree_with_one_wide_padding(relative, max_bond, kind):
    """Ranks that grow, stay and shrink from sweep to sweep, through several paddings: equal up to what is discarded."""
    rng = np.random.default_rng(1)
    sites = [(i, i + 1) for layer in range(10) for i in range(layer % 2, 11, 2)]
    matrices = [oracle.haar(rng, 4) for _ in sites]
    if kind == "weak":
        matrices = [expm(0.2 * (m - m.conj().T)) for m in matrices]
    program = circuit(12, [unitary(np.stack(matrices), sites)])
    adaptive, info = run(program, max_bond=max_bond, relative=relative)
    wide, full = jax.jit(lambda: run(program, max_bond=max_bond, relative=relative))()
    lost = sum(np.sqrt(float(jnp.sum(i.discarded))) for i in (info, full)) ** 2
    assert 1 - float(fidelity_to(adaptive, wide)) <= lost + 1e-12
    assert relative > 1e-3 or lost < 1e-10


def test_a_mixed_run_that_is_cut_reports_drift_and_eigenvalue():
    rng = np.random.default_rng(0)
    program = circuit(7, [unitary(np.stack([oracle.haar(rng, 4) for _ in BRICKS]), BRICKS)])
    state, info = run(program, noise_model(two_qubit=channels.depolarising(0.02, 2)), max_bond=20)
    np.testing.assert_allclose(info.trace_drift, weight(state) - 1, atol=1e-14)
    text = " ".join(info.sentences())
    assert "Bonds were cut" in text and "trace drifted" in text and np.isfinite(info.smallest_eigenvalue)


LADDER = {8: 0.9415819161925, 12: 0.9091233296651}


@pytest.mark.parametrize("n", LADDER)
def test_noisy_ghz_preparation(n):
    """Values given by an independent density-matrix simulation, to all printed digits."""
    program = circuit(n, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(n - 1)])])
    state, _ = run(program, noise_model(by_name={"CX": channels.depolarising(0.01, 2)}))
    assert isinstance(state, MPDO) and state.bond == 4
    np.testing.assert_allclose(fidelity_to(state, ghz(n)), LADDER[n], atol=1e-12)


def test_noise_rules():
    dephase, damp, two = channels.dephasing(0.1), channels.amplitude_damping(0.2), channels.depolarising(0.05, 2)
    program = circuit(
        3,
        [
            gate("H", [0, 1, 2]),
            gate("CX", (0, 1), label="slow"),
            gate("CX", (1, 2), label="ideal"),
            gate("X", 2),
            measure(1),
        ],
    )
    model = noise_model(
        one_qubit=dephase,
        two_qubit=two,
        by_label={"slow": damp},
        by_name={"X": damp, "MEASURE": dephase},
        by_site={0: damp},
    )
    rho, kraus = oracle.zero(3), lambda c: np.asarray(c.kraus())
    for site in range(3):
        rho = oracle.apply(oracle.apply(rho, [numpy_gate("H", [])], (site,)), kraus(dephase), (site,))
        rho = oracle.apply(rho, kraus(damp), (0,)) if site == 0 else rho
    rho = oracle.apply(oracle.apply(rho, [numpy_gate("CX", [])], (0, 1)), oracle.depolarising_kraus(0.05, 2), (0, 1))
    for site in (0, 1, 0):  # the label on both, then site 0
        rho = oracle.apply(rho, kraus(damp), (site,))
    rho = oracle.apply(rho, [numpy_gate("CX", [])], (1, 2))
    rho = oracle.apply(oracle.apply(rho, [oracle.PAULIS[1]], (2,)), kraus(damp), (2,))
    rho = oracle.apply(oracle.apply(rho, [np.diag([1.0, 0]), np.diag([0, 1.0])], (1,)), kraus(dephase), (1,))
    np.testing.assert_allclose(dense(run(program, model)[0]).matrix, rho, atol=1e-13)


def test_numbers_sites_and_order_compile_nothing_new():
    def bricks(seed, n):
        angles = np.random.default_rng(seed).normal(size=4)
        return circuit(n, [gate("RZZ", [(k, k + 1) for k in range(seed % 2, n - 1, 2)], angles)])

    run(bricks(0, 9))
    before = _execute._cache_size()
    for seed in (2, 1, 3):
        run(bricks(seed, 9))
    assert _execute._cache_size() == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: circuit(2, [gate("H", 2)]), r"Operation 0 \(H\) acts on site 2, but sites are 0..1"),
        (lambda: circuit(0, []), "`num_sites` must be a whole number >= 1, but is 0"),
        (lambda: gate("CNOT", (0, 1)), "`name` must be one of I, X.*but is 'CNOT'"),
        (lambda: gate("RX", 0), "RX takes 1 angles, but 0 are given"),
        (lambda: gate("CX", (1, 1)), r"CX acts on 2 different site\(s\) at a time, but is given \(1, 1\)"),
        (lambda: gate("RX", [0, 1], [0.1, 0.2, 0.3]), r"takes one angle or 2, but the shape is \(3,\)"),
        (lambda: unitary(np.ones((2, 2)), 0), "`matrix` must be unitary"),
        (lambda: unitary(np.eye(3), 0), r"`matrix` must be \(..., 2, 2\) or"),
        (lambda: channel(2 * np.eye(4), 0), "`noise` must"),
        (lambda: project(0, 2), "`outcomes` must hold 0 or 1, but is 2"),
        (
            lambda: run(circuit(2, [gate("H", 0)]), state=zeros(3)),
            "`state` must have 2 sites like the circuit, but has 3",
        ),
        (
            lambda: run(circuit(3, [gate("CX", (0, 1))]), state=ghz(3), max_bond=1),
            "at least the bond 2 of the state, but is 1",
        ),
        (lambda: run(circuit(2, [gate("H", 0)]), max_bond=0), "`max_bond` must be a whole number >= 1, but is 0"),
        (lambda: noise_model(by_name={"CNOT": None}), "must use names of operations, but holds 'CNOT'"),
        (lambda: noise_model(by_label={"ideal": None}), "that label keeps noise away"),
        (lambda: noise_model(one_qubit=channels.depolarising(0.1, 2)), "`one_qubit` must be a one-qubit channel"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="double precision"):
        run(circuit(2, [gate("H", 0)]))


def test_from_amplitudes_round_trip():
    vector = np.random.default_rng(0).normal(size=16) + 0j
    np.testing.assert_allclose(amplitudes(from_amplitudes(jnp.asarray(vector))), vector, atol=1e-14)
