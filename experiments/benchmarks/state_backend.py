"""The state backend, measured: python experiments/benchmarks/state_backend.py [SECTION ...] [--peers PYTHON] [--slow].

Sections: ghz, werner, gradient, first, brickwork, depth (all by default). Times are minima of several runs; what to
compare are ratios within one run. `--peers` is a Python of a virtual environment with peers/requirements.txt;
`--slow` adds the gradient of quimb + jax (minutes to compile). One thread: start with OMP_NUM_THREADS=1 and
XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", under `taskset -c 0`.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from peer import PeerError, run_peer
from scipy.linalg import expm
from timing import working_memory

from qtn import channels
from qtn.circuits import circuit, gate, noise_model, run, unitary
from qtn.states import MPS, bell, expect, fidelity_to, ghz, mps, pairs, swap_all, weight, werner_pair

jax.config.update("jax_enable_x64", True)

MPS_PEERS = {
    "quimb CircuitMPS": ("quimb_mps.py",),
    "Aer": ("aer_mps.py",),
    "Aer, LAPACK": ("aer_mps.py", "lapack"),
    "tensorcircuit-ng tnalg": ("tnalg_mps.py",),
}
"""Script of each peer and what follows its usual arguments."""


def seconds(call: Callable[[], Any], repeats: int = 4) -> float:
    """Return the least time of several calls."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        best = min(best, time.perf_counter() - start)
    return best


def compiled(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return the compiled function and the seconds of tracing and compiling."""
    start = time.perf_counter()
    return jax.jit(function).lower(*arguments).compile(), time.perf_counter() - start


def noisy_ghz(p: Any, n: int) -> Any:
    """Return the fidelity of a noisy CNOT ladder with GHZ."""
    ladder = circuit(n, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(n - 1)])])
    return fidelity_to(run(ladder, noise_model(by_name={"CX": channels.depolarising(p, 2)}))[0], ghz(n))


def section_ghz(_options: argparse.Namespace) -> None:
    """Noisy GHZ preparation: published values, 1,000 qubits, 1,000 noise strengths."""
    for n, known in ((8, 0.9415819161925), (12, 0.9091233296651)):
        print(f"GHZ {n:5d} qubits, p = 0.01: fidelity {float(noisy_ghz(0.01, n)):.13f}, known {known:.13f}")
    call, first = compiled(jax.value_and_grad(partial(noisy_ghz, n=1000)), 1e-4)
    print(f"GHZ  1000 qubits, value and gradient: {seconds(lambda: call(1e-4)) * 1e3:.1f} ms (compile {first:.1f} s)")
    points = jnp.linspace(0.0, 0.05, 1000)
    both = jax.value_and_grad(partial(noisy_ghz, n=16))
    for name, over in (
        ("vmap", jax.vmap(both)),
        ("lax.map, 50 at a time", lambda q: jax.lax.map(both, q, batch_size=50)),
    ):
        call, first = compiled(over, points)
        used = seconds(partial(call, points))
        print(f"GHZ    16 qubits, 1,000 noise strengths, value and gradient, {name}: {used * 1e3:.0f} us a point")


def section_werner(_options: argparse.Namespace) -> None:
    """Two thousand Werner links swapped, feed-forward averaged exactly."""
    w, n = 0.999, 2000
    call, _first = compiled(lambda x: fidelity_to(swap_all(pairs(werner_pair(x), n)), bell()), w)
    error = abs(float(call(w)) - (1 + 3 * w**n) / 4)
    print(f"Werner {n} links swapped: {seconds(lambda: call(w)) * 1e3:.2f} ms, error {error:.1e}")


def layered(angles: Any, n: int, layers: int, bond: int, checkpoint: bool = False) -> Any:
    """Return <Z Z> in the middle after layers of RY, RZ, RZZ on even bonds, RZZ on odd bonds."""
    ops, k = [], 0
    even, odd = [(q, q + 1) for q in range(0, n - 1, 2)], [(q, q + 1) for q in range(1, n - 1, 2)]
    for _ in range(layers):
        for name, places in (("RY", range(n)), ("RZ", range(n)), ("RZZ", even), ("RZZ", odd)):
            ops.append(gate(name, places, angles[k : k + len(places)]))
            k += len(places)
    state, _ = run(circuit(n, ops), max_bond=bond, checkpoint=checkpoint)
    return expect(state, {n // 2 - 1: "Z", n // 2: "Z"})


def random_angles(n: int, layers: int) -> Any:
    """Return the angles of `layered`."""
    return jnp.asarray(np.random.default_rng(0).uniform(0, 2 * np.pi, layers * (3 * n - 1)))


def section_gradient(options: argparse.Namespace) -> None:
    """32 qubits, 570 angles, bond 16."""
    angles = random_angles(32, 6)
    forward, _ = compiled(partial(layered, n=32, layers=6, bond=16), angles)
    both, first = compiled(jax.value_and_grad(partial(layered, n=32, layers=6, bond=16)), angles)
    value, slope = both(angles)
    step, errors = 1e-4, []
    for k in range(0, 570, 30):
        f = [float(forward(angles.at[k].add(x * step))) for x in (1, -1, 2, -2)]
        errors.append(abs((8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * step) - float(slope[k])))
    alone, with_gradient = seconds(lambda: forward(angles)), seconds(lambda: both(angles))
    print(
        f"570 angles, bond 16: trace + compile {first:.1f} s, value {alone * 1e3:.0f} ms, with gradient "
        f"{with_gradient * 1e3:.0f} ms ({with_gradient / alone:.1f}x), NaN {int(np.isnan(slope).sum())}, largest "
        f"difference from finite differences {max(errors):.0e}, value {float(value):.12f}"
    )
    if options.peers and options.slow:
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/angles.npz", angles=np.asarray(angles))
            print("  ", run_peer(options.peers, "quimb_gradient.py", 32, 6, 16, f"{folder}/angles.npz"))


def brickwork(kind: str, n: int, depth: int, seed: int = 0) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Return sites and matrices: Haar random gates, or exp(-0.1 i H) after random one-qubit gates."""
    rng = np.random.default_rng(seed)
    sites = [(k, k + 1) for layer in range(depth) for k in range(layer % 2, n - 1, 2)]

    def haar(d: int) -> np.ndarray:
        q, r = np.linalg.qr(rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d)))
        return q * (np.diag(r) / np.abs(np.diag(r)))

    def weak() -> np.ndarray:
        h = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
        return expm(-0.05j * (h + h.conj().T)) @ np.kron(haar(2), haar(2))

    return sites, np.stack([haar(4) if kind == "haar" else weak() for _ in sites])


def section_first(_options: argparse.Namespace) -> None:
    """First call, compilation included, on caches that are empty."""
    for kind, n, depth, relative in (
        ("haar", 64, 16, 0.0),
        ("haar", 256, 16, 0.0),
        ("haar", 64, 64, 0.0),
        ("weak", 64, 16, 1e-7),
    ):
        sites, matrices = brickwork(kind, n, depth)
        call = partial(run, circuit(n, [unitary(matrices, sites)]), max_bond=32, relative=relative)
        jax.clear_caches()
        start = time.perf_counter()
        jax.block_until_ready(call())
        first, again = time.perf_counter() - start, seconds(call, 2)
        text = f"first call, {kind}, {n} qubits, depth {depth}, bond 32, threshold {relative:g}: {first:.1f} s"
        print(f"{text}, of which compiling {first - again:.1f} s")


def truncated(sites: list[tuple[int, int]], matrices: np.ndarray) -> Callable[[int], Any]:
    """Return a function of the bond that runs a circuit of 64 qubits and drops singular values below 1e-7."""
    program = circuit(64, [unitary(matrices, sites)])
    return lambda bond: run(program, max_bond=bond, relative=1e-7)


def section_brickwork(options: argparse.Namespace) -> None:
    """64 qubits, depth 16: ours and the peers in one run, singular values below 1e-7 of the largest dropped."""
    for kind in ("weak", "haar"):
        sites, matrices = brickwork(kind, 64, 16)
        ours = truncated(sites, matrices)
        exact = ours(256)[0] if kind == "weak" or options.slow else None
        for bond in (32, 64):
            state, info = ours(bond)
            own = seconds(partial(ours, bond))
            print(f"{kind} {bond}: qtn {own:.3f} s, norm^2 {float(info.weight):.12g}", end="")
            print(f", fidelity {float(fidelity_to(state, exact)):.10f}" if isinstance(exact, MPS) else "")
            if options.peers:
                compare(options.peers, sites, matrices, bond, own, exact)


def compare(python: str, sites: list[tuple[int, int]], matrices: np.ndarray, bond: int, own: float, exact: Any) -> None:
    """Print the time, the ratio and the fidelity of every peer."""
    for name in MPS_PEERS:
        try:
            used, state = peer_state(python, name, sites, matrices, bond)
        except PeerError as error:
            print(f"    {name}: {error}")
            continue
        text = f"    {name}: {used:.3f} s, qtn / peer {own / used:.2f}, norm^2 {float(weight(state)):.12g}"
        print(text + (f", fidelity {float(fidelity_to(state, exact)):.10f}" if isinstance(exact, MPS) else ""))


def peer_state(
    python: str, name: str, sites: list[tuple[int, int]], matrices: np.ndarray, bond: int
) -> tuple[float, MPS]:
    """Return the seconds and the state of a peer."""
    script, *extra = MPS_PEERS[name]
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/circuit.npz", sites=np.array(sites), matrices=matrices, num_sites=64)
        found = run_peer(python, script, f"{folder}/circuit.npz", bond, f"{folder}/out.npz", *extra)
        stored = np.load(f"{folder}/out.npz")
        return found["seconds"], mps([stored[f"tensor_{k}"] for k in range(64)])


def section_depth(_options: argparse.Namespace) -> None:
    """Time and memory of the gradient against depth, with and without checkpoints."""
    print("depth   value+gradient [ms]   memory [MB]   checkpointed [ms]   memory [MB]")
    for layers in (8, 16, 32):
        angles, cells = random_angles(16, layers), []
        for checkpoint in (False, True):
            both, _ = compiled(
                jax.value_and_grad(partial(layered, n=16, layers=layers, bond=8, checkpoint=checkpoint)), angles
            )
            cells += [seconds(partial(both, angles)) * 1e3, working_memory(both) / 1e6]
        print(f"{layers:5d} {cells[0]:21.0f} {cells[1]:13.1f} {cells[2]:19.0f} {cells[3]:13.1f}")


def main() -> None:
    """Print the sections that are asked for."""
    sections = {name[8:]: run_it for name, run_it in globals().items() if name.startswith("section_")}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(sections))
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    for name in options.sections or sections:
        if name not in sections:
            parser.error(f"there is no section {name!r}: choose from {', '.join(sections)}")
        sections[name](options)


if __name__ == "__main__":
    main()
