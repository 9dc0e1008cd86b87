"""All benchmarks of kernels: `python -m qtn_kernels.bench [--runs 5] [--chains N] [--links N]`."""

import argparse

import jax

from qtn_kernels.chain_product import bench as chain_product


def main() -> None:
    """Print one table an operation."""
    parser = argparse.ArgumentParser(prog="python -m qtn_kernels.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="calls of which the fastest counts")
    parser.add_argument("--chains", type=int, help="chains of one call")
    parser.add_argument("--links", type=int, help="links of a chain")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}")
    chain_product.main(arguments.runs, arguments.chains, arguments.links)


if __name__ == "__main__":
    main()
