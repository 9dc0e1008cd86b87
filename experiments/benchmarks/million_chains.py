"""Multiply a million chains of 1,000 different matrices: `python experiments/benchmarks/million_chains.py`.

As data the parameters alone would be 24 or 48 GB, so they are made in each call of 16,384 chains; the time of making
them is measured by a pass that only sums them. The other formulation is the best of `python -m qtn_kernels.bench`.
"""

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))

import jax.numpy as jnp  # noqa: E402
from qtn_kernels.chain_product.bench import FORMULATIONS  # noqa: E402
from qtn_kernels.chain_product.specs import BENCHMARKS  # noqa: E402

CHAINS_OF_A_CALL = 16384
LARGEST = 1e-3
"""Parameters are below this."""
GOLDEN = 0.6180339887498949


def seconds(function: Any, num_calls: int) -> float:
    """Return the seconds of so many calls, each with numbers of its own, compilation apart."""
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(0.0))
    began = time.perf_counter()
    for call in range(num_calls):
        jax.block_until_ready(compiled(float(call)))
    return time.perf_counter() - began


def main() -> None:
    """Print a row for each kind of matrix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=1_000_000)
    parser.add_argument("--links", type=int, default=1000)
    parser.add_argument("--other", choices=list(FORMULATIONS)[1:], default="scan, arrays")
    given = parser.parse_args()
    num_calls = -(-given.chains // CHAINS_OF_A_CALL)
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}: {num_calls} calls of {CHAINS_OF_A_CALL:,} chains")
    kept = next(iter(FORMULATIONS))
    for name, spec in BENCHMARKS.items():
        shape = given.links, spec.num_parameters, CHAINS_OF_A_CALL

        def numbers(call: Any, shape: Any = shape) -> Any:
            """Return evenly spread numbers that are different in every call, link and chain."""
            place = jnp.arange(math.prod(shape)).reshape(shape) * GOLDEN + call / num_calls
            return LARGEST * (place - jnp.floor(place))

        making = seconds(lambda call, numbers=numbers: numbers(call).sum(), num_calls)
        whole, other = (
            seconds(
                lambda call, way=way, spec=spec, numbers=numbers: FORMULATIONS[way](spec, numbers(call)).sum(),
                num_calls,
            )
            for way in (kept, given.other)
        )
        print(
            f"{name}: {whole:.1f} s, {making:.1f} s of it making numbers: {whole - making:.1f} s; "
            f"{given.other}: {other - making:.1f} s, ratio {(other - making) / (whole - making):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
