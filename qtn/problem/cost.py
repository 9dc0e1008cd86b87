"""What better hardware costs: the sum of improvement factors over the file, as in requirement studies.

References:
    da Silva et al., Quantum Sci. Technol. 6, 035007 (2021), arXiv:2010.16373;
    Avis et al., npj Quantum Inf. 9, 100 (2023), arXiv:2207.10579.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

PROBABILITIES = ("efficiency", "visibility", "two_qubit", "readout", "p_success", "werner", "fidelity", "p_source")
"""Better towards 1: k times better means base^(1/k), the same error in k uses as before in one."""

ERRORS = ("dark_count_probability",)
"""Better towards 0: 1 - x is such a probability."""

LARGER = ("t2_s", "t1_s", "time_constant_s", "num_modes", "num_memories")
"""k times better means k times as much."""

SMALLER = (
    "phase_std_rad",
    "attenuation_db_per_km",
    "loss_left_db",
    "loss_right_db",
    "emission_time_s",
    "attempt_time_s",
)
"""k times better means a kth."""

HARDWARE = (*PROBABILITIES, *ERRORS, *LARGER, *SMALLER)
"""Last parts of the names that cost; other numbers, such as cut-offs, are settings and free."""

BEST = 1e4
"""Largest improvement that is considered."""


def costs(name: str) -> bool:
    """Whether a number is hardware that can be improved."""
    return name.rpartition(".")[2] in HARDWARE


def improvement(name: str, base: float, value: Any) -> Any:
    """Return the factor by which a number is better than `base`; 1 = the same.

    Example:
        >>> round(float(improvement("chain.link.efficiency", 0.25, 0.5)), 6)
        2.0
    """
    key = name.rpartition(".")[2]
    if key in PROBABILITIES:
        return jnp.log(base) / jnp.log(value)
    if key in ERRORS:
        return jnp.log1p(-base) / jnp.log1p(-value)
    return value / base if key in LARGER else base / value


def improved(name: str, base: float, factor: Any) -> Any:
    """Return the number that is so many times better; the factor may be traced."""
    key = name.rpartition(".")[2]
    if key in PROBABILITIES:
        return base ** (1 / factor)
    if key in ERRORS:
        return -jnp.expm1(jnp.log1p(-base) / factor)
    return base * factor if key in LARGER else base / factor


def hardware_cost(baseline: Mapping[str, float], numbers: Mapping[str, Any]) -> Any:
    """Return the sum of improvement factors of the hardware among `numbers`."""
    return sum(improvement(name, baseline[name], value) for name, value in numbers.items() if costs(name))


@dataclasses.dataclass(frozen=True)
class Factors:
    """Improvement factors in place of the numbers that cost: the cost is their sum, and all vary on one scale."""

    baseline: Mapping[str, float]
    """Name -> number of the file, of the hardware; other numbers stay what they are."""

    def of(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return factors in place of numbers."""
        return {
            name: float(improvement(name, self.baseline[name], value)) if name in self.baseline else value
            for name, value in numbers.items()
        }

    def numbers(self, factors: Mapping[str, Any]) -> dict[str, Any]:
        """Return numbers in place of factors."""
        return {
            name: improved(name, self.baseline[name], value) if name in self.baseline else value
            for name, value in factors.items()
        }

    def cost(self, factors: Mapping[str, Any]) -> Any:
        """Return their sum."""
        return sum(factors[name] for name in self.baseline)


def require_imperfect(name: str, base: float) -> None:
    """Check that hardware can be improved.

    Raises:
        ValueError: if it is perfect already, or so bad that factors mean nothing.
    """
    if base == 0 or base == float(improved(name, base, BEST)):
        raise ValueError(f"{name}: is {base:g}, which no factor improves; give a baseline, or leave it out")
