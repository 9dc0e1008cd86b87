"""What a schedule is judged by: a merit of mean time and mean state, and what must hold besides."""

import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn._pytree import pytree
from qtn.hardware.node import Node
from qtn.merit.fidelity import fidelity
from qtn.merit.key_rate import Fraction, bb84_fraction
from qtn.states.basis import BELL_SIGNS
from qtn.states.pair import BELL_FROM_CHARACTERS, bell_from_pauli
from qtn.steps.level import Level

MERITS = ("secret_key_rate_hz", "secret_fraction", "rate_hz", "fidelity")
"""What can be maximised, and what can be asked for at least."""


TOLERANCE = 1e-6
"""Relative amount by which a limit may be missed, as optima lie on limits."""

OUTSIDE = -10.0
"""Score of a schedule that misses its limits by nothing; merits and margins are never as low."""

DEAREST = -1e12
"""The same where minus a cost is the score."""

MARGIN = "margin"
"""Another thing to maximise: by how much the tightest limit is kept, relative to it."""


@pytree
class Pair:
    """What merits are functions of."""

    mean_time: Float[Array, ""]
    """Mean waiting time [s]."""
    bell_diagonal: Float[Array, "4"]
    """Mean delivered state."""

    @classmethod
    def of(cls, values: Float[Array, "17"]) -> "Pair":
        """Return it from mean time and Pauli coefficients."""
        return cls(mean_time=values[0], bell_diagonal=bell_from_pauli(values[1:].reshape(4, 4)))


@dataclasses.dataclass(frozen=True)
class Objective:
    """Maximise one merit, with lower limits on others.

    Raises:
        ValueError: if a name is unknown or a limit cannot be met by anything.
    """

    maximise: str = "secret_key_rate_hz"
    fraction: Fraction = bb84_fraction
    minimum: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Merit -> its least allowed value."""

    def __post_init__(self) -> None:
        for name in (self.maximise, *self.minimum):
            if name not in MERITS and not (name == MARGIN == self.maximise and self.minimum):
                raise ValueError(f"merit {name!r} is not known; choose from {', '.join(MERITS)}")
        for name, limit in self.minimum.items():
            most = 1.0 if name in ("fidelity", "secret_fraction") else math.inf
            if not 0 < limit < most:
                upper = f" and below {most:g}" if math.isfinite(most) else " and finite"
                raise ValueError(f"minimum.{name}: must be above 0{upper}, but is {limit:g}")

    def merits(self, mean_time: np.ndarray, bell: np.ndarray) -> dict[str, np.ndarray]:
        """Return all merits of many schedules, unclipped.

        Args:
            mean_time: (n,), [s].
            bell: (n, 4), mean delivered states.

        Returns:
            Name -> (n,).
        """
        table = merit_table(jnp.asarray(mean_time), jnp.asarray(bell), self.fraction)
        return {name: np.asarray(values) for name, values in table.items()}

    def scores(self, merits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (n,), larger is better: feasible ones by the merit, then the others by how much they miss."""
        values = self.margin(merits) if self.maximise == MARGIN else np.asarray(self.value(merits))
        missed = self.violation(merits)
        return np.where(missed > 0, OUTSIDE - missed, values)

    def value(self, merits: Mapping[str, Any], keyless_time: Any = 1.0) -> Any:
        """Return what is maximised; where there is no key what the fidelity lacks, over a fixed time [s].

        Negative key over the mean time would rise by waiting for ever, and over a fixed time the secret fraction has
        a maximum without key at states with classical correlations alone.
        """
        if self.maximise not in ("secret_key_rate_hz", "secret_fraction"):
            return merits[self.maximise]
        keyless = (merits["fidelity"] - 1) / (keyless_time if self.maximise == "secret_key_rate_hz" else 1.0)
        return jnp.where(merits["secret_fraction"] > 0, merits[self.maximise], keyless)

    def violation(self, merits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (n,), the sum of the relative amounts by which limits are missed; 0 = feasible."""
        missed = np.zeros_like(merits["fidelity"])
        for name, limit in self.minimum.items():
            each = 1 - merits[name] / limit
            missed = missed + np.where(each > TOLERANCE, each, 0.0)
        return missed

    def cost_score(self, cost: float, violation: float) -> float:
        """Return the score where a cost is minimised: minus the cost, or where limits are missed less than any."""
        return -cost if violation == 0 else DEAREST * (1 + violation)

    def margin(self, merits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (n,), by how much the tightest limit is kept, relative to it; negative where it is missed."""
        return np.min([merits[name] / limit - 1 for name, limit in self.minimum.items()], axis=0)

    def longest(self, score: float) -> float:
        """Return the longest mean time [s] with which any state could reach a score.

        A part of a schedule is never faster than the whole, so this bounds all parts as well.
        """
        times = [math.inf]
        if score > 0 and self.maximise in ("secret_key_rate_hz", "rate_hz"):
            times.append(1 / score)
        if score > OUTSIDE:  # something feasible is known
            times.extend(1 / limit for name, limit in self.minimum.items() if name in ("secret_key_rate_hz", "rate_hz"))
        return min(times)


@partial(jax.jit, static_argnames="fraction")
def merit_table(mean_time: Array, bell: Array, fraction: Fraction) -> dict[str, Array]:
    """Return the merits of many schedules."""
    secret = jax.vmap(fraction)(bell)
    return {
        "secret_key_rate_hz": secret / mean_time,
        "secret_fraction": secret,
        "rate_hz": 1 / mean_time,
        "fidelity": jax.vmap(fidelity)(bell),
    }


def characters(level: Level, ends: tuple[Node, Node], states: np.ndarray) -> np.ndarray:
    """Return the characters (n, 4), the trace first, of vectors (n, k) of a level at two nodes."""
    basis = np.asarray(level.to_pauli(jnp.eye(level.num_components), *ends))
    return states @ (np.diagonal(basis) * BELL_SIGNS)


def bell_weights(characters: np.ndarray) -> np.ndarray:
    """Return the Bell weights (n, 4) of characters (n, 4)."""
    return characters @ BELL_FROM_CHARACTERS.T
