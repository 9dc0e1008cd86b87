"""Shapes for tests and benchmarks, and random parameters that fit them."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qtn_kernels.chain_product.builders import dense, noise, noisy_rotation
from qtn_kernels.chain_product.entries import Build


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One case: which matrices, how many links and chains."""

    build: Build
    num_parameters: int
    num_links: int
    num_chains: int
    most: float = 0.3
    """Parameters are uniform between 0 and this."""

    def parameters(self, dtype: str = "float64", seed: int = 0) -> Array:
        """Return random parameters, (links, parameters, chains)."""
        shape = (self.num_links, self.num_parameters, self.num_chains)
        return jnp.asarray(self.most * np.random.default_rng(seed).random(shape), dtype)

    def resized(self, num_links: int, num_chains: int) -> "Spec":
        """Return the same matrices for other numbers of links and chains."""
        return replace(self, num_links=num_links, num_chains=num_chains)


TESTS = {
    "noise": Spec(build=noise, num_parameters=3, num_links=9, num_chains=8),
    "dense": Spec(build=dense(2), num_parameters=4, num_links=4, num_chains=5),
    "one link, one chain": Spec(build=noise, num_parameters=3, num_links=1, num_chains=1),
    "rotations, a prime number of links": Spec(build=noisy_rotation, num_parameters=6, num_links=7, num_chains=3),
    "more chains than lanes": Spec(build=dense(2), num_parameters=4, num_links=3, num_chains=131),
}

BENCHMARKS = {
    "noise": Spec(build=noise, num_parameters=3, num_links=1000, num_chains=4096, most=1e-3),
    "rotations": Spec(build=noisy_rotation, num_parameters=6, num_links=1000, num_chains=4096, most=1e-3),
}
"""Chains of one chunk on a CPU; `bench` takes more on a GPU."""
