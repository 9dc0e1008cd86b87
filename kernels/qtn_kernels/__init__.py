"""Hand-written kernels of qtn: one folder per operation, each with a pure-JAX reference that defines it.

    chain_product    ordered products of many small matrices, built from parameters inside the loop

What was measured, kept and left out: `kernels/README.md`. All benchmarks: `python -m qtn_kernels.bench`.
"""
