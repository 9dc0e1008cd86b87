"""Run the circuits here and in Aer, print a Markdown table: python compare.py --peer PYTHON [--only NAME ...].

PYTHON is an interpreter of an environment with qiskit, qiskit-aer and qiskit-qasm3-import. Every circuit runs in a
fresh process on both sides.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from generate import CASES, FOLDER, Case

HERE = Path(__file__).parent
SHOTS = 20000
NOISE = {"one_qubit": 1e-3, "two_qubit": 1e-2}
"""Depolarising probabilities of the noisy rows."""
NOISY = ("ghz_8",)
BONDS = (64, 128, 256)
"""Tried in turn until nothing is lost; the last one stands whatever it loses."""


SURE = 1e-12
"""Standard error below which all shots agree."""


def ours(file: str, observables: list[str], inputs: dict[str, float], noisy: bool) -> dict[str, Any]:
    """Run in this process."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from qtn import channels
    from qtn.circuits import noise_model, run
    from qtn.circuits.qasm import expectation, load_qasm

    one, two = (channels.depolarising(NOISE[key], k) for k, key in ((1, "one_qubit"), (2, "two_qubit")))
    noise = noise_model(one_qubit=one, two_qubit=two) if noisy else None
    begun = time.perf_counter()
    program = load_qasm(Path(file), inputs)
    read = time.perf_counter()
    for bond in BONDS:
        state, info = run(program.circuit, noise, max_bond=bond, relative=1e-12)
        if float(info.fidelity_estimate) > 1 - 1e-10:
            break
    values = [float(expectation(program, state, text)) for text in observables]
    first = time.perf_counter()
    state, info = run(program.circuit, noise, max_bond=bond, relative=1e-12)
    float(expectation(program, state, observables[0]))
    return {
        "values": values,
        "sites": program.circuit.num_sites,
        "gates": sum(len(operation.sites) for operation in program.circuit.operations),
        "bond": state.bond,
        "fidelity": float(info.fidelity_estimate),
        "read": read - begun,
        "first": first - read,
        "again": time.perf_counter() - first,
    }


def ask(command: list[str], request: dict[str, Any]) -> dict[str, Any]:
    """Run a process that takes a request and answers on its last line, both as JSON."""
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def row(name: str, case: Case, peer: str, noisy: bool) -> str:
    """Return one line of the table."""
    request = {
        "file": str(FOLDER / f"{name}.qasm"),
        "observables": case.observables,
        "inputs": dict(case.inputs),
        "noisy": noisy,
        "noise": NOISE,
        "method": "density_matrix" if noisy else case.method.split(",")[0],
        "shots": SHOTS if case.method == "shots" else 10 if "shot" in case.method else 0,
    }
    found = ask([sys.executable, __file__, "--serve"], request)
    if case.plain is not None:
        request["file"] = str(FOLDER / f"{name}.plain.qasm")
    other = ask([peer, str(HERE / "aer_circuits.py")], request)
    pairs = list(zip(found["values"], other["values"], other["errors"], strict=True))
    difference = f"{max(abs(a - b) for a, b, _ in pairs):.1e}"
    if case.method == "shots":
        drawn = [abs(a - b) / error for a, b, error in pairs if error > SURE]
        same = max((abs(a - b) for a, b, error in pairs if error <= SURE), default=0.0)
        difference += f" ({max(drawn):.1f} standard errors; {same:.0e} where all shots agree)"
    method = "density_matrix" if noisy else case.method if case.method != "shots" else f"{SHOTS} shots"
    cells = [
        name + (", noisy" if noisy else ""),
        str(found["sites"]),
        str(found["gates"]),
        str(found["bond"]),
        f"{1 - found['fidelity']:.0e}",
        method,
        str(len(pairs)),
        difference,
        *(f"{found[key]:.2f}" for key in ("read", "first", "again")),
        f"{other['seconds']:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="Python with Aer")
    parser.add_argument("--only", nargs="*", default=list(CASES), help="names of circuits")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        given = json.loads(sys.stdin.read())
        print(json.dumps(ours(given["file"], given["observables"], given["inputs"], given["noisy"])))
        return
    if not options.peer:
        parser.error("--peer is needed")
    titles = "circuit, sites, operations, bond, lost, Aer, observables, largest difference, read, run, again, Aer"
    print(f"| {' | '.join(titles.split(', '))} |\n|{'---|' * 12}", flush=True)
    for name in options.only:
        for noisy in (False, True) if name in NOISY else (False,):
            print(row(name, CASES[name], options.peer, noisy), flush=True)


if __name__ == "__main__":
    main()
