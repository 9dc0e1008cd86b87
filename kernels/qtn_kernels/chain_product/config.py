"""Sizes of blocks, apart from the algorithm."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """How `chain_product` is cut up; results do not depend on it."""

    lanes: int = 128
    """Chains of one program of the kernel, a power of two: one chain a thread at `warps` = lanes / 32."""
    warps: int = 4
    """Groups of 32 threads in a program."""


def group_size(num_links: int) -> int:
    """Return the links between two stored products of the reverse pass: the root of their number.

    Example:
        >>> group_size(1000)
        32
    """
    return max(1, -int(-(num_links**0.5) // 1))
