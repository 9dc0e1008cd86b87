"""What a schedule is judged by: a quantity of what it delivers, and what must hold besides."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import at_hand, real
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Outcome, Summary
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.merit.key_rate import Fraction, bb84_fraction
from qtn.merit.quantities import QUANTITIES, Better, Delivered, Quantity, Setting, delivered, values_of
from qtn.states.basis import BELL_SIGNS
from qtn.steps.level import BELL_DIAGONAL, Level

TOLERANCE = 1e-6
"""Relative amount by which a limit may be missed, as optima lie on limits."""

OUTSIDE = -10.0
"""Score of a schedule that misses its limits by nothing; merits and margins are never as low."""

MOST_AT_ONCE = 32
"""Pairs that an application uses side by side."""

KEYLESS = "fidelity"
"""What is raised where there is no key yet."""

DEAREST = -1e12
"""The same where minus a cost is the score."""

MARGIN = "margin"
"""Another thing to maximise: by how much the tightest limit is kept, relative to it."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """Maximise one quantity, with lower limits on others.

    Raises:
        ValueError: if a name is unknown or a limit cannot be met by anything.
    """

    maximise: str = "secret_key_rate_hz"
    fraction: Fraction = bb84_fraction
    minimum: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Name of a quantity -> its least allowed value."""
    quantities: Mapping[str, Quantity] = dataclasses.field(default_factory=lambda: QUANTITIES, repr=False)
    """The registry that names refer to."""
    application: Any = None
    """What quantities of an application ask, with concrete numbers; see `Setting`."""
    in_time: bool = False
    """Whether they need what is delivered at each time: an `Outcome`, and not only its means."""

    def __post_init__(self) -> None:
        known = [name for name, each in self.quantities.items() if each.better is Better.MORE]
        for name in (self.maximise, *self.minimum):
            if name not in known and not (name == MARGIN == self.maximise and self.minimum):
                raise ValueError(f"merit {name!r} is not known; choose from {', '.join(known)}")
        for name, limit in self.minimum.items():
            if limit not in (limits := self.quantities[name].limits):
                raise ValueError(f"minimum.{name}: must {limits.rule()}, but is {limit:g}")

    @cached_property
    def named(self) -> tuple[Quantity, ...]:
        """Return the quantities that are maximised or have a limit."""
        return tuple(self.quantities[name] for name in (self.maximise, *self.minimum) if name != MARGIN)

    @property
    def used(self) -> tuple[str, ...]:
        """Return the words for the named quantities that belong to an application."""
        return tuple(each.words for each in self.named if each.in_use)

    @property
    def beyond_bell(self) -> tuple[str, ...]:
        """Return the words for the named quantities that depend on more of the state than its Bell weights."""
        return tuple(each.words for each in self.named if each.depends_on(self.fraction) != BELL_DIAGONAL)

    def on(self, chain: Chain) -> Setting:
        """Return a setting of concrete numbers."""
        return Setting(chain=chain, application=self.application)

    def evaluated(self, evaluator: Evaluator[Outcome], *system: Any) -> Summary | Outcome:
        """Return as much of a result as quantities need."""
        return (evaluator.evaluate if self.in_time else evaluator.summarise)(*system)

    def values(self, result: Summary | Outcome, setting: Callable[[], Setting]) -> dict[str, Float[Array, ""]]:
        """Return what `value` and limits need of one delivered pair, unclipped; all of it may be traced.

        Args:
            result: mean time and mean state.
            setting: builds where it is delivered and what for; called only if a quantity depends on that.
        """
        keyless = (self.quantities[name] for name in (KEYLESS,) if name in self.quantities)
        rows = tuple(dict.fromkeys((*self.named, *keyless)))
        return values_of(rows, delivered(rows, result, setting, self.fraction), clip=False)

    def merits_of(self, result: Summary | Outcome, setting: Setting) -> dict[str, np.ndarray]:
        """Return all quantities of one schedule, unclipped, from concrete numbers: name -> (1,)."""
        if not self.in_time:
            return self.merits(np.asarray(result.mean_time)[None], np.asarray(result.state)[None], lambda: setting)
        rows = tuple(self.quantities.values())
        found = _row(rows, delivered(rows, result, lambda: setting, self.fraction))
        return {name: np.asarray(value)[None] for name, value in found.items()}

    def merits(
        self, mean_time: np.ndarray, states: np.ndarray, setting: Callable[[], Setting]
    ) -> dict[str, np.ndarray]:
        """Return all quantities of many schedules, unclipped.

        Args:
            mean_time: (n,), [s].
            states: (n, 4, 4), mean delivered states: Pauli coefficients, as far as the state level holds them.
            setting: builds where they are delivered and what for; called only if a quantity depends on that.

        Returns:
            Name -> (n,).
        """
        count, rows = len(mean_time), tuple(self.quantities.values())
        index = np.minimum(np.arange(1 << (count - 1).bit_length()), count - 1)  # few sizes, each compiled once
        table = _table(rows, delivered(rows, None, setting, self.fraction), mean_time[index], states[index])
        return {name: np.asarray(values)[:count] for name, values in table.items()}

    def scores(self, merits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (n,), larger is better: feasible ones by the merit, then the others by how much they miss."""
        values = self.margin(merits) if self.maximise == MARGIN else np.asarray(self.value(merits))
        missed = self.violation(merits)
        return np.where(missed > 0, OUTSIDE - missed, values)

    def value(self, merits: Mapping[str, Any], keyless_time: Any = 1.0) -> Any:
        """Return what is maximised; where there is no key what the fidelity, if any, lacks, over a fixed time [s].

        Negative key over the mean time would rise by waiting for ever, and over a fixed time the secret fraction has
        a maximum without key at states with classical correlations alone.
        """
        quantity, value = self.quantities[self.maximise], merits[self.maximise]
        if not quantity.clipped or KEYLESS not in merits:
            return value
        keyless = (merits[KEYLESS] - 1) / (1.0 if quantity.per_pair is None else keyless_time)
        return library(value, keyless).where(value > 0, value, keyless)

    def violation(self, merits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (n,), the sum of the relative amounts by which limits are missed; 0 = feasible."""
        missed = np.zeros_like(next(iter(merits.values())))
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
        limits = dict(self.minimum) if score > OUTSIDE else {}  # else nothing feasible is known
        if score > 0 and self.maximise != MARGIN:
            limits[self.maximise] = score
        bounds = [(self.quantities[name].per_pair, limit) for name, limit in limits.items()]
        return min((bound / limit for bound, limit in bounds if bound is not None), default=math.inf)


@partial(jax.jit, static_argnames="quantities")
def _row(quantities: tuple[Quantity, ...], found: Delivered) -> dict[str, Array]:
    """Return quantities of one pair."""
    return values_of(quantities, found, clip=False)


@partial(jax.jit, static_argnames="quantities")
def _table(quantities: tuple[Quantity, ...], where: Delivered, mean_time: Any, states: Any) -> dict[str, Array]:
    """Return quantities of many pairs that are delivered on one chain."""

    def one(time: Array, state: Array) -> dict[str, Array]:
        result = Summary(mean_time=time, state=state, info=None)
        return values_of(quantities, dataclasses.replace(where, result=result), clip=False)

    if where.setting is None or where.setting.application is None:
        return jax.vmap(one)(mean_time, states)
    at_once = min(MOST_AT_ONCE, len(mean_time))  # an application may need much memory for each
    return jax.lax.map(lambda each: one(*each), (mean_time, states), batch_size=at_once)


def result_of(values: Float[Array, "17"] | Summary | Outcome) -> Summary | Outcome:
    """Return mean time and Pauli coefficients as a delivered pair; a result is one."""
    if isinstance(values, Summary | Outcome):
        return values
    numbers: Any = at_hand(values)
    return Summary(mean_time=numbers[0], state=numbers[1:].reshape(4, 4), info=None)


def pauli_states(level: Level, ends: tuple[Node, Node], states: np.ndarray) -> np.ndarray:
    """Return the Pauli coefficients (n, 4, 4) of vectors (n, k) of a level at two nodes."""
    basis = np.asarray(level.to_pauli(real(np.eye(level.num_components)), *ends))
    return np.einsum("nk,abk->nab", states, basis)


def characters(level: Level, ends: tuple[Node, Node], states: np.ndarray) -> np.ndarray:
    """Return the characters (n, 4), the trace first, of vectors (n, k) of a level at two nodes."""
    return np.diagonal(pauli_states(level, ends, states), axis1=1, axis2=2) * BELL_SIGNS


def twirled_states(characters: np.ndarray) -> np.ndarray:
    """Return the Pauli coefficients (n, 4, 4) of Bell-diagonal pairs with these characters (n, 4)."""
    return (characters * BELL_SIGNS)[:, :, None] * np.eye(4)
