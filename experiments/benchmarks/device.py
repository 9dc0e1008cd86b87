"""What a benchmark ran on: `python experiments/benchmarks/device.py` prints it as JSON."""

import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))

from qtn_kernels import floors  # noqa: E402
from table import Rates  # noqa: E402
from timing import process_memory  # noqa: E402

import qtn  # noqa: E402


def machine_class() -> str:
    """Return what results are kept for: device and number of cores."""
    device = jax.devices()[0]
    return f"{device.device_kind}, {platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    """Measure and print."""
    imported = process_memory()
    versions = {"Python": platform.python_version(), "qtn": qtn.__version__}
    versions |= {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy")}
    rates = Rates(copy=floors.copy_rate(5), matrix=floors.matrix_rate(5))
    found = {"class": machine_class(), "versions": versions, "rates": asdict(rates), "imported": imported}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
