"""Hand-written kernels of qtn: one folder per operation, each with a pure-JAX reference.

Empty until a profile shows a measured factor that XLA leaves on the table.
"""
