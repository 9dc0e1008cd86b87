"""The same distributed circuit in Qiskit Aer, written out with all pairs and with measurements in the middle."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from programs import build

from qtn.dqc import Distributed, distribute, processor, run, steady_pairs
from qtn.dqc.distributed import Close, Copy, Local, Open, Remote, Through, single
from qtn.hardware.gates import gates

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from peer import PeerError, run_peer

BELL = (0.94, 0.02, 0.01, 0.03)
TWO_QUBIT, ONE_QUBIT, READOUT = 0.99, 0.999, 0.985
BOND = 64
OBSERVABLES = ("Z0", "Z7", "Z0 Z7", "Z3 Z4", "X0 X1", "Y3 Z4", "X0 X1 X2 X3 X4 X5 X6 X7")


class Case(NamedTuple):
    """A circuit, its processors, and how Aer runs it."""

    family: str
    num_qubits: int
    qpus: list[int]
    method: str
    shots: int


CASES = (
    Case("GHZ", 8, [4, 4], "statevector", 4000),
    Case("QAOA", 8, [4, 4], "statevector", 4000),
    Case("adder", 8, [4, 4], "statevector", 4000),
    Case("QFT", 8, [4, 4], "statevector", 4000),
    Case("GHZ", 32, [8, 8, 8, 8], "matrix_product_state", 1000),
)
Instruction = tuple[str, list[int], list[float]]


def expanded(split: Distributed) -> list[Instruction]:
    """Return the instructions of the whole protocol; qubits n, n + 1, ... are halves of pairs and copies."""
    half = split.circuit.num_sites
    slots = {key: half + 1 + k for k, key in enumerate(sorted({(c.target, c.slot) for c in split.copies}))}
    spare = half + 1 + len(slots)
    found: list[Instruction] = []
    for action in (action for layer in split.layers for action in layer.actions):
        if isinstance(action, Local):
            found += _gate(split, action.gate, None, -1)
        elif isinstance(action, Remote):
            site = single(split.circuit, action.gate).sites[0][action.copied]
            copy = Copy(site, action.letter, action.source, action.target, -1, ())
            found += _open(copy, half, spare)
            found += _gate(split, action.gate, action.copied, spare)
            found += _close(copy, spare)
        elif isinstance(action, Open):
            copy = split.copies[action.copy]
            found += _open(copy, half, slots[copy.target, copy.slot])
        elif isinstance(action, Through):
            copy = split.copies[action.copy]
            found += _gate(split, action.gate, action.operand, slots[copy.target, copy.slot])
        elif isinstance(action, Close):
            copy = split.copies[action.copy]
            found += _close(copy, slots[copy.target, copy.slot])
        else:
            site = action.qubit
            found += _pair(half, spare)
            found += [("CX", [site, half], []), ("two", [site, half], []), ("H", [site], []), ("one", [site], [])]
            found += [("read", [site], [0]), ("read", [half], [1]), ("X if 1", [spare], []), ("Z if 0", [spare], [])]
            found += [("one", [spare], []), ("swap", [site, spare], [])]  # only a name: the site is what moved
    return found


def _gate(split: Distributed, place: Any, operand: int | None, stands: int) -> list[Instruction]:
    one = single(split.circuit, place)
    sites = list(one.sites[0])
    if operand is not None:
        sites[operand] = stands
    name, angles = one.name, [float(angle[0]) for angle in one.parameters] if one.name != "UNITARY" else []
    return [(name, sites, angles), ("two" if len(sites) == 2 else "one", sites, [])]


def _pair(half: int, other: int) -> list[Instruction]:
    made: list[Instruction] = [("reset", [half], []), ("reset", [other], []), ("H", [half], [])]
    return [*made, ("CX", [half, other], []), ("bell", [other], [])]


def _open(copy: Copy, half: int, slot: int) -> list[Instruction]:
    turn, back = _turns(copy)
    steps = [*_pair(half, slot), *((name, [copy.qubit], []) for name in back)]
    steps += [("CX", [copy.qubit, half], []), ("two", [copy.qubit, half], []), *((n, [copy.qubit], []) for n in turn)]
    steps += [("read", [half], [0]), ("X if 0", [slot], []), ("one", [slot], [])]
    return steps + [(name, [slot], []) for name in turn]


def _close(copy: Copy, slot: int) -> list[Instruction]:
    _, back = _turns(copy)
    steps: list[Instruction] = [(name, [slot], []) for name in back]
    steps += [("H", [slot], []), ("one", [slot], []), ("read", [slot], [0]), (f"{copy.letter} if 0", [copy.qubit], [])]
    return [*steps, ("one", [copy.qubit], [])]


def _turns(copy: Copy) -> tuple[list[str], list[str]]:
    """Return gates that turn the eigenstates of Z into those of the letter, and back; noise follows none of them."""
    return {"Z": ([], []), "X": (["H"], ["H"]), "Y": (["H", "S"], ["SDG", "H"])}[copy.letter]


def compared(python: str) -> list[dict[str, Any]]:
    """Return both answers and times of each family."""
    return [_row(case, python) for case in CASES]


def _row(case: Case, python: str) -> dict[str, Any]:
    split = distribute(build(case.family, case.num_qubits), case.qpus)
    site = processor(gate_set=gates(TWO_QUBIT, READOUT), one_qubit=ONE_QUBIT)
    pairs = steady_pairs(np.array(BELL), 10.0)
    strings = [_pauli(text, case.num_qubits) for text in OBSERVABLES]
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        found = run(split, pairs, site, observables=strings, waits="independent", max_bond=BOND)
        ours = np.asarray(found.observables)
        seconds.append(time.perf_counter() - start)
    request = {
        "instructions": expanded(split),
        "num_qubits": case.num_qubits,
        "observables": strings,
        "noise": {"bell": BELL, "two": TWO_QUBIT, "one": ONE_QUBIT, "read": READOUT},
        "shots": case.shots,
        "method": case.method,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "request.json"
        file.write_text(json.dumps(request))
        try:
            theirs = run_peer(python, "aer_distributed.py", file)
        except PeerError as error:
            return {"family": case.family, "num_qubits": case.num_qubits, "pairs": split.num_pairs, "peer": str(error)}
    deviation = (np.array(theirs["means"]) - ours) / np.maximum(theirs["errors"], 1e-9)
    return {
        "family": case.family,
        "num_qubits": case.num_qubits,
        "pairs": split.num_pairs,
        "fidelity": float(found.fidelity),
        "kept": float(found.info.fidelity_estimate),
        "trace_drift": float(found.info.trace_drift),
        "observables": dict(zip(OBSERVABLES, ours.tolist(), strict=True)),
        "aer": dict(zip(OBSERVABLES, theirs["means"], strict=True)),
        "aer_errors": dict(zip(OBSERVABLES, theirs["errors"], strict=True)),
        "largest_deviation_in_errors": float(np.max(np.abs(deviation))),
        "first_s": seconds[0],
        "again_s": seconds[1],
        "aer_s": theirs["seconds"],
        "aer_method": case.method,
        "aer_shots": case.shots,
        "aer_over_again": theirs["seconds"] / seconds[1],
        "peer": theirs["peer"],
    }


def _pauli(text: str, num_qubits: int) -> str:
    letters = ["I"] * num_qubits
    for word in text.split():
        letters[int(word[1:])] = word[0]
    return "".join(letters)
