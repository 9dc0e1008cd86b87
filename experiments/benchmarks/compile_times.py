"""What a first call costs: python experiments/benchmarks/compile_times.py [PART OF A NAME ...].

Every entry point on a small workload, each in a fresh process: first with an empty compilation cache, then with the
one that this left. Time starts when all of qtn is imported, and includes that of building the chain or circuit.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)


import qtn  # noqa: E402
from qtn import networks  # noqa: E402
from qtn.cli.app import run  # noqa: E402
from qtn.cli.session import use_cache  # noqa: E402
from qtn.evaluators.full_state import timeline_of  # noqa: E402

DELFT = Path(__file__).parents[1] / "delft_eindhoven" / "problem.toml"
XLA = "/jax/core/compile/backend_compile_duration"


def line(num_links: int, werner: Any = 0.98, p_swap: float = 1.0) -> Any:
    """Return a chain of equal links, an attempt a second."""
    link = qtn.abstract_link(p_success=0.1, attempt_time=1.0, werner=werner)
    return qtn.chain(link, qtn.node(qtn.depolarising_memory(1e4), p_swap=p_swap), num_links)


def distilled() -> Any:
    return qtn.nested(3, rounds=(1, 0, 0, 0), protocol=qtn.DEJMPS)


def judged(chain: Any, schedule: Any, evaluator: Any) -> Any:
    return qtn.fidelity(evaluator.summarise(chain, schedule).bell_diagonal)


def full(werner: Any = 0.98) -> Any:
    outcome = qtn.FullState().run(line(4, werner), timeline_of(qtn.nested(2), [1.0, 3.0, 2.0, 5.0]))
    return outcome.correlations([(0, 0), (4, 0)])[3, 3]


def ising() -> Any:
    """Return two Trotter steps on 16 qubits."""
    step = [qtn.gate("RX", range(16), 0.2), qtn.gate("RZZ", [(k, k + 1) for k in range(15)], 0.2)]
    return qtn.circuit(16, step * 2)


def noise(p: Any = 0.01) -> Any:
    return qtn.noise_model(two_qubit=qtn.channels.depolarising(p, 2), one_qubit=qtn.channels.amplitude_damping(p))


def sites(p: Any) -> Any:
    return qtn.states.expect(qtn.run(ising(), noise(p), max_bond=8)[0], {8: "Z"})


def drawn(function: Any, **options: Any) -> Any:
    return function(ising(), noise(), num_trajectories=64, max_bond=8, key=jax.random.key(0), **options)


def cluster(werner: Any) -> Any:
    return networks.graph_fidelity(networks.grid(3, 3, networks.werner_links(werner), graph_links=range(12)))


def tuned() -> Any:
    tuning = qtn.Tuning(lambda x: (line(2, x["w"]), qtn.nested(1)), {"w": qtn.Interval(0.9, 0.99)}, qtn.Objective())
    return qtn.tune(tuning, {"w": 0.95}).value


def purified() -> Any:
    inputs = qtn.states.pairs(qtn.states.werner_pair(0.8), 2)
    key = jax.random.key(0)
    return qtn.train_purification(qtn.PurificationCircuit(2), inputs, num_starts=2, num_steps=20, key=key).fidelity


def swept() -> Any:
    tree = qtn.nested(2)
    evaluator = qtn.Renewal().planned(line(4), tree)
    return qtn.sweep(lambda w: judged(line(4, w), tree, evaluator), {"w": [0.9, 0.92, 0.94, 0.96, 0.98]})


def command(name: str, *options: str) -> None:
    """Run a command of qtn in this process; its files go to a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        if run([name, str(DELFT), "--json", *options]) != 0:
            raise SystemExit(f"qtn {name} failed")


slope = jax.value_and_grad(judged)

CASES: dict[str, Callable[[], Any]] = {
    "Renewal, 8 links, DEJMPS: evaluate": lambda: qtn.evaluate(line(8), distilled()).mean_time,
    "Renewal, 8 links, DEJMPS: gradient": lambda: qtn.gradient(line(8), distilled()).value,
    "Asap, 64 links: evaluate": lambda: qtn.evaluate(line(64), qtn.swap_asap(), evaluator=qtn.Asap()).mean_time,
    "Asap, 64 links: value and gradient": lambda: slope(line(64), qtn.swap_asap(), qtn.Asap()),
    "Sampled, tree of 4 links: value": lambda: judged(line(4), qtn.nested(2), qtn.Sampled(1000)),
    "Sampled, tree of 4 links: value and gradient": lambda: slope(line(4), qtn.nested(2), qtn.Sampled(1000)),
    "Sampled, swap-asap, 4 links, failures": lambda: judged(line(4, p_swap=0.5), qtn.swap_asap(), qtn.Sampled(1000)),
    "FullState, 4 links: value": full,
    "FullState, 4 links: value and gradient": lambda: jax.value_and_grad(full)(0.98),
    "run, MPS, 16 qubits": lambda: qtn.run(ising(), max_bond=8),
    "run, MPDO, 16 qubits": lambda: qtn.run(ising(), noise(), max_bond=8),
    "run, MPDO, 16 qubits: value and gradient": lambda: jax.value_and_grad(sites)(0.01),
    "run_on_demand, 16 qubits": lambda: qtn.run_on_demand(ising(), tolerance=1e-4, start_bond=2),
    "trajectories, 16 qubits, 64 of them": lambda: drawn(qtn.trajectories, observables=[{8: "Z"}]),
    "sampled_states, 16 qubits, 64 of them": lambda: drawn(qtn.sampled_states),
    "networks, grid 3 x 3: value": lambda: cluster(0.95),
    "networks, grid 3 x 3: value and gradient": lambda: jax.value_and_grad(cluster)(0.95),
    "teleportation_fidelity": lambda: qtn.teleportation_fidelity(jax.numpy.eye(4), qtn.node()),
    "optimise, Delft-Eindhoven": lambda: qtn.optimise(qtn.load(DELFT)).value,
    "tune, 2 links, one number": tuned,
    "search, 3 links, 1 round": lambda: qtn.search(line(3, p_swap=0.5), qtn.SearchSpace(max_rounds=1)).best.score,
    "train_purification, 2 to 1, 20 steps": purified,
    "sweep, 4 links, 5 points": swept,
    "qtn evaluate, Delft-Eindhoven": lambda: command("evaluate"),
    "qtn gradient, Delft-Eindhoven": lambda: command("gradient"),
    "qtn optimise, Delft-Eindhoven": lambda: command("optimise", "--out", "report"),
}


def child(name: str) -> None:
    """Print the seconds of two calls, those of XLA in the first, and how many programs it asked for."""
    use_cache()
    for module in pkgutil.walk_packages(qtn.__path__, "qtn."):
        importlib.import_module(module.name)
    compiling: list[float] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration_secs, **_: compiling.append(duration_secs) if event == XLA else None
    )
    found: dict[str, float] = {}
    for call in ("first", "second"):
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            jax.block_until_ready(CASES[name]())
        found[call] = time.perf_counter() - began
        if call == "first":
            found |= {"xla": sum(compiling), "programs": len(compiling)}
    print(json.dumps(found))


def fresh(name: str, folder: str) -> dict[str, float]:
    """Return what `child` measures in a process of its own, with its cache in a folder."""
    command = [sys.executable, __file__, "--child", name]
    done = subprocess.run(command, env=os.environ | {"QTN_CACHE": folder}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one row for each entry point whose name contains any of the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[""], help="parts of names; all by default")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    if not any(part.lower() in name.lower() for part in options.parts for name in CASES):
        parser.error(f"no entry point has {' or '.join(options.parts)} in its name; there are: {', '.join(CASES)}")
    print("| entry point | cold [s] | of it XLA | programs | warm [s] | of it loading | second call [s] |", flush=True)
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in CASES:
        if any(part.lower() in name.lower() for part in options.parts):
            with tempfile.TemporaryDirectory() as folder:
                cold, warm = fresh(name, folder), fresh(name, folder)
            times = f"{cold['first']:.2f} | {cold['xla']:.2f} | {cold['programs']:.0f} | {warm['first']:.2f}"
            print(f"| {name} | {times} | {warm['xla']:.2f} | {warm['second']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
