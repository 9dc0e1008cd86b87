"""What better hardware costs: the sum of improvement factors over the file, as in requirement studies.

Which numbers are hardware, and in which sense they are better, their declarations say (`Sense`).

References:
    da Silva et al., Quantum Sci. Technol. 6, 035007 (2021), arXiv:2010.16373;
    Avis et al., npj Quantum Inf. 9, 100 (2023), arXiv:2207.10579.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from qtn.problem.number import Sense
from qtn.problem.schema import Config
from qtn.problem.table import declared

BEST = 1e4
"""Largest improvement that is considered."""

PER_CENT = 0.01


def sense(name: str) -> Sense | None:
    """Return in which sense a number is better; None = it is a setting, such as a cut-off, and free."""
    number = declared(name, Config)
    return None if number is None else number.better


def costs(name: str) -> bool:
    """Whether a number is hardware that can be improved."""
    return sense(name) is not None


def improvement(name: str, base: float, value: Any) -> Any:
    """Return the factor by which a number is better than `base`; 1 = the same.

    Example:
        >>> round(float(improvement("chain.link.efficiency", 0.25, 0.5)), 6)
        2.0
    """
    better = sense(name)
    if better is Sense.TOWARDS_ONE:
        return jnp.log(base) / jnp.log(value)
    if better is Sense.TOWARDS_ZERO:
        return jnp.log1p(-base) / jnp.log1p(-value)
    return value / base if better is Sense.LARGER else base / value


def improved(name: str, base: float, factor: Any) -> Any:
    """Return the number that is so many times better; the factor may be traced."""
    better = sense(name)
    if better is Sense.TOWARDS_ONE:
        return base ** (1 / factor)
    if better is Sense.TOWARDS_ZERO:
        return -jnp.expm1(jnp.log1p(-base) / factor)
    return base * factor if better is Sense.LARGER else base / factor


def gains(numbers: Mapping[str, float], slopes: Mapping[str, float]) -> dict[str, float]:
    """Return by how much a merit changes when one number is 1 % better, to first order, the largest first.

    1 % better is 1 % less error or loss, or 1 % more time: a step that exists however close to perfect a number is,
    and whose sign does not turn over where the merit is negative. What is perfect already, and settings, are left out.

    Args:
        numbers: dotted name -> value.
        slopes: dotted name -> derivative of the merit.

    Example:
        >>> gains({"chain.node.gates.readout": 0.998, "chain.link.bright_state": 0.1},
        ...       {"chain.node.gates.readout": 5.0, "chain.link.bright_state": 1.0})  # doctest: +ELLIPSIS
        {'chain.node.gates.readout': 9.98...e-05}
    """
    hardware = {name: x for name, x in numbers.items() if improvable(name, x)}
    found = {name: PER_CENT * slopes[name] * step_of_factor(name, x) + 0.0 for name, x in hardware.items()}  # no -0
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))


def improvable(name: str, value: float) -> bool:
    """Whether a number is hardware, and not perfect yet."""
    return costs(name) and math.isfinite(value) and step_of_factor(name, value) != 0


def step_of_factor(name: str, value: float) -> float:
    """Return the derivative of `improved` by the factor, where that is 1."""
    better = sense(name)
    if better is Sense.TOWARDS_ONE:
        return -value * math.log(value) if value > 0 else 0.0
    if better is Sense.TOWARDS_ZERO:
        return (1 - value) * math.log1p(-value) if value < 1 else 0.0
    return value if better is Sense.LARGER else -value


def hardware_cost(baseline: Mapping[str, float], numbers: Mapping[str, Any]) -> Any:
    """Return the sum of improvement factors of the hardware among `numbers`."""
    return sum(improvement(name, baseline[name], value) for name, value in numbers.items() if costs(name))


@dataclasses.dataclass(frozen=True)
class Factors:
    """Improvement factors in place of the numbers that cost: the cost is their sum, and all vary on one scale."""

    baseline: Mapping[str, float]
    """Name -> number of the file, of the hardware; other numbers stay what they are."""

    @classmethod
    def of_hardware(cls, numbers: Mapping[str, float]) -> "Factors":
        """Return those of the hardware among numbers."""
        return cls({name: value for name, value in numbers.items() if costs(name)})

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

    def improved(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return the factors of the hardware alone."""
        return {name: factor for name, factor in self.of(numbers).items() if name in self.baseline}

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
