"""Every test computes in double precision, as the library demands."""

import jax

jax.config.update("jax_enable_x64", True)
