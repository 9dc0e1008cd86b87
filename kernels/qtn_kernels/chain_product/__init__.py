"""Ordered products of many small matrices that are built from a few parameters a link."""

from qtn_kernels.chain_product.api import chain_product
from qtn_kernels.chain_product.builders import dense, noise, noisy_rotation

__all__ = ["chain_product", "dense", "noise", "noisy_rotation"]
