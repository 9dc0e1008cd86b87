"""Run weakly entangled circuits through `qtn circuit` and in Aer: python compare.py --peer PYTHON.

PYTHON is an interpreter of an environment with qiskit and qiskit-aer. Every run is a fresh process; qtn runs with an
empty compilation cache, then once more with what it has kept. Writes results.json and seconds.png.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from generate import write

HERE = Path(__file__).parent
AER = HERE.parent / "public_circuits" / "aer_circuits.py"
TIMES = ("cold_cpu_s", "warm_cpu_s", "aer_cpu_s")
SHOTS = 100
"""Of Aer, where a measurement in the middle makes every shot another one."""


def timed(command: list[str], *, text: str = "", environment: dict[str, str] | None = None) -> tuple[Any, float, float]:
    """Run a process that answers in JSON; return the answer, and the time that it took and that it computed [s]."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as given:
        given.write(text)
        given.seek(0)
        process = subprocess.Popen(  # (waited for below, for its own times)
            command, stdin=given, stdout=told, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        told.seek(0)
        answer = told.read()
    seconds = time.perf_counter() - begun
    return json.loads(answer[answer.index("{") :]), seconds, used.ru_utime + used.ru_stime


def row(file: Path, observable: str, peer: str) -> dict[str, Any]:
    """Return the numbers of one circuit."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "qtn", "circuit", str(file), "--observable", observable, "--json"]
        (found, *cold), (_, *warm) = (timed(command, environment={"QTN_CACHE": cache}) for _ in range(2))
    request = {"file": str(file), "observables": [observable], "inputs": {}, "noisy": False, "noise": {}}
    request |= {"method": "matrix_product_state", "shots": SHOTS if "if(" in file.read_text() else 0}
    other, *aer = timed([peer, str(AER)], text=json.dumps(request))
    value = found["observables"][observable]
    return {
        "circuit": file.stem,
        "operations": found["num_operations"],
        "bond": found["info"]["bond"],
        "value": value,
        "difference": abs(value - other["values"][0]),
        "standard_error_of_aer": other["errors"][0],
        "aer_without_imports_s": other["seconds"],
        **{f"{name}_s": each[0] for name, each in (("cold", cold), ("warm", warm), ("aer", aer))},
        **{f"{name}_cpu_s": each[1] for name, each in (("cold", cold), ("warm", warm), ("aer", aer))},
        "cold_over_aer": cold[1] / aer[1],
        "warm_over_aer": warm[1] / aer[1],
    }


def draw(rows: list[dict[str, Any]]) -> None:
    """Write the figure."""
    figure, axis = plt.subplots(figsize=(9, 4.5))
    place = np.arange(len(rows))
    for shift, (key, label) in enumerate(
        zip(TIMES, ("qtn, empty cache", "qtn, again", "Aer, matrix product state"), strict=True)
    ):
        axis.bar(place + 0.27 * (shift - 1), [each[key] for each in rows], 0.25, label=label)
    axis.set_xticks(place, [each["circuit"] for each in rows], rotation=60, ha="right", fontsize=8)
    axis.set_ylabel("CPU time of a whole process [s]")
    axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "seconds.png", dpi=130)


def main() -> None:
    """Run all, print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    peer = parser.parse_args().peer
    rows = []
    heads = [
        "circuit",
        "operations",
        "bond",
        "difference",
        "cold [s]",
        "cold CPU [s]",
        "again",
        "Aer",
        "cold / Aer",
        "again / Aer",
    ]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    with tempfile.TemporaryDirectory() as folder:
        for name, observable in write(Path(folder)).items():
            each = row(Path(folder) / f"{name}.qasm", observable, peer)
            rows.append(each)
            difference = f"{each['difference']:.1e}"
            if each["standard_error_of_aer"] > 1e-9:
                difference += f" ({each['difference'] / each['standard_error_of_aer']:.1f} standard errors)"
            times = " | ".join(f"{each[key]:.1f}" for key in ("cold_s", *TIMES, "cold_over_aer", "warm_over_aer"))
            print(f"| {name} | {each['operations']} | {each['bond']} | {difference} | {times} |", flush=True)
    (HERE / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows)


if __name__ == "__main__":
    main()
