"""What a first call costs: python experiments/benchmarks/compile_times.py [PART OF A NAME ...] [--programs].

Every entry point on a small workload, each in a fresh process: first with an empty compilation cache, then with the one
that this left. CPU seconds are those that the whole process spent as a user, from its start to the end of the first
call: imports, loading, building, tracing, compiling and computing, on all cores. A compiled program counts once for
every time that it was asked for, whether it was in the cache or not.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__)
DELFT = HERE.parents[1] / "delft_eindhoven" / "problem.toml"
COMPILED = "/jax/core/compile/backend_compile_duration"

SWEEP = """
[sweep]
job = "gradient"
[sweep.axes]
"chain.link.length_km" = { start = 20, stop = 60, num = 4 }
"chain.node.memory.t2_s" = [1.0, 10.0]
"""


def line(num_links: int, werner: Any = 0.98, p_swap: float = 1.0) -> Any:
    """Return a chain of equal links, an attempt a second."""
    import qtn

    link = qtn.abstract_link(p_success=0.1, attempt_time=1.0, werner=werner)
    return qtn.chain(link, qtn.node(qtn.depolarising_memory(1e4), p_swap=p_swap), num_links)


def distilled() -> Any:
    import qtn

    return qtn.nested(3, rounds=(1, 0, 0, 0), protocol=qtn.DEJMPS)


def evaluated(num_links: int, schedule: Any, evaluator: Any) -> Any:
    import qtn

    return qtn.evaluate(line(num_links), schedule, evaluator=evaluator).mean_time


def judged(chain: Any, schedule: Any, evaluator: Any) -> Any:
    import qtn

    return qtn.fidelity(evaluator.summarise(chain, schedule).bell_diagonal)


def slope(function: Callable[..., Any], *args: Any) -> Any:
    import jax

    return jax.value_and_grad(function)(*args)


def tree_of_four(of: Callable[..., Any]) -> Any:
    import qtn

    return of(line(4), qtn.nested(2), qtn.Sampled(1000))


def failing() -> Any:
    import qtn

    return judged(line(4, p_swap=0.5), qtn.swap_asap(), qtn.Sampled(1000))


def asap(of: Callable[..., Any]) -> Any:
    import qtn

    return of(line(64), qtn.swap_asap(), qtn.Asap())


def full(werner: Any = 0.98) -> Any:
    import qtn
    from qtn.evaluators.full_state import timeline_of

    outcome = qtn.FullState().run(line(4, werner), timeline_of(qtn.nested(2), [1.0, 3.0, 2.0, 5.0]))
    return outcome.correlations([(0, 0), (4, 0)])[3, 3]


def ising() -> Any:
    """Return two Trotter steps on 16 qubits."""
    import qtn

    step = [qtn.gate("RX", range(16), 0.2), qtn.gate("RZZ", [(k, k + 1) for k in range(15)], 0.2)]
    return qtn.circuit(16, step * 2)


def noise(p: Any = 0.01) -> Any:
    from qtn import channels, noise_model

    return noise_model(two_qubit=channels.depolarising(p, 2), one_qubit=channels.amplitude_damping(p))


def circuit(name: str, *args: Any, **options: Any) -> Any:
    import qtn

    return getattr(qtn, name)(ising(), *args, **options)


def sites(p: Any) -> Any:
    import qtn

    return qtn.states.expect(qtn.run(ising(), noise(p), max_bond=8)[0], {8: "Z"})


def drawn(name: str, **options: Any) -> Any:
    import jax

    return circuit(name, noise(), num_trajectories=64, max_bond=8, key=jax.random.key(0), **options)


def cluster(werner: Any) -> Any:
    from qtn import networks

    return networks.graph_fidelity(networks.grid(3, 3, networks.werner_links(werner), graph_links=range(12)))


def tuned() -> Any:
    import qtn

    tuning = qtn.Tuning(lambda x: (line(2, x["w"]), qtn.nested(1)), {"w": qtn.Interval(0.9, 0.99)}, qtn.Objective())
    return qtn.tune(tuning, {"w": 0.95}).value


def searched() -> Any:
    import qtn

    return qtn.search(line(3, p_swap=0.5), qtn.SearchSpace(max_rounds=1)).best.score


def purified() -> Any:
    import jax

    import qtn

    inputs = qtn.states.pairs(qtn.states.werner_pair(0.8), 2)
    key = jax.random.key(0)
    return qtn.train_purification(qtn.PurificationCircuit(2), inputs, num_starts=2, num_steps=20, key=key).fidelity


def swept(of: Callable[..., Any] = lambda function, x: function(x)) -> Any:
    import qtn

    tree = qtn.nested(2)
    evaluator = qtn.Renewal().planned(line(4), tree)
    axes = {"w": [0.9, 0.92, 0.94, 0.96, 0.98]}
    return qtn.sweep(lambda w: of(lambda x: judged(line(4, x), tree, evaluator), w), axes, progress=False)


def gradient() -> Any:
    import qtn

    return qtn.gradient(line(8), distilled()).value


def optimised() -> Any:
    import qtn

    return qtn.optimise(qtn.load(DELFT)).value


def command(name: str, *options: str, file: Path | None = None, table: str = "") -> None:
    """Run a command of qtn on a file, by default on the one that `qtn new` writes; all files are removed again."""
    from qtn.cli.app import run
    from qtn.problem.template import TEMPLATE

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("problem.toml").write_text(TEMPLATE + table if file is None else file.read_text())
        if run([name, "problem.toml", *options]) != 0:
            raise SystemExit(f"qtn {name} failed")


def renewal(of: Callable[..., Any]) -> Any:
    import qtn

    return of(8, distilled(), qtn.Renewal())


def eyes() -> Any:
    import jax

    import qtn

    return qtn.teleportation_fidelity(jax.numpy.eye(4), qtn.node())


def sweep_command() -> None:
    command("sweep", "--out", "points.zarr", table=SWEEP)


CASES: dict[str, Callable[[], Any]] = {
    "qtn check": lambda: command("check"),
    "qtn evaluate": lambda: command("evaluate"),
    "qtn gradient": lambda: command("gradient"),
    "qtn sweep, 8 points, derivatives": sweep_command,
    "qtn evaluate, Delft-Eindhoven": lambda: command("evaluate", file=DELFT),
    "qtn gradient, Delft-Eindhoven": lambda: command("gradient", file=DELFT),
    "qtn optimise, Delft-Eindhoven": lambda: command("optimise", "--out", "report", file=DELFT),
    "Renewal, 8 links, DEJMPS: evaluate": lambda: renewal(evaluated),
    "Renewal, 8 links, DEJMPS: gradient": gradient,
    "Asap, 64 links: value": lambda: asap(judged),
    "Asap, 64 links: value and gradient": lambda: asap(lambda *args: slope(judged, *args)),
    "Sampled, tree of 4 links: value": lambda: tree_of_four(judged),
    "Sampled, tree of 4 links: value and gradient": lambda: tree_of_four(lambda *args: slope(judged, *args)),
    "Sampled, swap-asap, 4 links, failures": failing,
    "FullState, 4 links: value": full,
    "FullState, 4 links: value and gradient": lambda: slope(full, 0.98),
    "run, MPS, 16 qubits": lambda: circuit("run", max_bond=8),
    "run, MPDO, 16 qubits": lambda: circuit("run", noise(), max_bond=8),
    "run, MPDO, 16 qubits: value and gradient": lambda: slope(sites, 0.01),
    "run_on_demand, 16 qubits": lambda: circuit("run_on_demand", tolerance=1e-4, start_bond=2),
    "trajectories, 16 qubits, 64 of them": lambda: drawn("trajectories", observables=[{8: "Z"}]),
    "sampled_states, 16 qubits, 64 of them": lambda: drawn("sampled_states"),
    "networks, grid 3 x 3: value": lambda: cluster(0.95),
    "networks, grid 3 x 3: value and gradient": lambda: slope(cluster, 0.95),
    "teleportation_fidelity": eyes,
    "optimise, Delft-Eindhoven": optimised,
    "tune, 2 links, one number": tuned,
    "search, 3 links, 1 round": searched,
    "train_purification, 2 to 1, 20 steps": purified,
    "sweep, 4 links, 5 points": swept,
    "sweep, 4 links, 5 points, derivative": lambda: swept(slope),
}


def child(name: str, programs: bool) -> None:
    """Print what the first call of an entry point costs, and what the second takes, as JSON."""
    import jax

    from qtn.cli.session import use_cache

    jax.config.update("jax_enable_x64", True)
    use_cache()
    asked: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration_secs, **told: (
            asked.append(f"{told.get('fun_name')} {caller()}") if event == COMPILED else None
        )
    )
    with contextlib.redirect_stdout(io.StringIO()):
        jax.block_until_ready(CASES[name]())
    found = {"programs": len(asked), "cpu": resource.getrusage(resource.RUSAGE_SELF).ru_utime}
    if programs:
        print(*asked, sep="\n", file=sys.stderr)
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        jax.block_until_ready(CASES[name]())
    print(json.dumps(found | {"second": time.perf_counter() - began}))


def caller() -> str:
    """Return the innermost lines of qtn that ask for a program, as file:line."""
    own = [frame for frame in traceback.extract_stack() if f"{os.sep}qtn{os.sep}" in frame.filename]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in own[:-4:-1])


def fresh(name: str, folder: str, *options: str) -> dict[str, float]:
    """Return what `child` measures in a process of its own, with its cache in a folder."""
    command = [sys.executable, str(HERE), "--child", name, *options]
    done = subprocess.run(command, env=os.environ | {"QTN_CACHE": folder}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    if options:
        print(done.stderr, file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one row for each entry point whose name contains any of the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[""], help="parts of names; all by default")
    parser.add_argument("--programs", action="store_true", help="also list the programs, with the lines that ask")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.programs)
        return
    if not any(part.lower() in name.lower() for part in options.parts for name in CASES):
        parser.error(f"no entry point has {' or '.join(options.parts)} in its name; there are: {', '.join(CASES)}")
    print("| entry point | programs | cold, CPU [s] | warm, CPU [s] | second call [s] |", flush=True)
    print("|---|---|---|---|---|", flush=True)
    for name in CASES:
        if any(part.lower() in name.lower() for part in options.parts):
            with tempfile.TemporaryDirectory() as folder:
                cold, warm = fresh(name, folder, *["--programs"] * options.programs), fresh(name, folder)
            times = f"{cold['programs']:.0f} | {cold['cpu']:.2f} | {warm['cpu']:.2f}"
            print(f"| {name} | {times} | {warm['second']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
