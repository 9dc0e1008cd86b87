"""What a delivered pair is worth, by name: the one table that files, commands, searches, sweeps and reports read.

A quantity is declared here and nowhere else. Whatever prints, differentiates, optimises or stores quantities takes its
rows from this table, so a row more is all that a new one needs.
"""

import dataclasses
import enum
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn._ranges import Range
from qtn.evaluators.outcome import Summary
from qtn.merit.chsh import chsh_value
from qtn.merit.entanglement import coherent_information, hashing_yield, log_negativity
from qtn.merit.fidelity import fidelity, qber_x, qber_y, qber_z
from qtn.merit.key_rate import Fraction, bb84_fraction, level_of_fraction
from qtn.steps.level import BELL_DIAGONAL, PAULI, PauliLevel


@pytree
class Setting:
    """Where pairs are delivered, and what for."""

    chain: Any = None
    """Links and nodes; or what else delivers, as the root of the file builds it."""

    application: Any = None
    """What the pairs are used for: `run(result, chain)` returns a pytree; None = nothing but pairs and key."""


@pytree
class Delivered:
    """What quantities are functions of."""

    result: Any
    """What an evaluator returned: has `mean_time`, `state` and `bell_diagonal`."""

    setting: Setting | None = None
    """Only for quantities that say so."""

    use: Any = None
    """What the application makes of it."""

    fraction: Fraction = static(default=bb84_fraction)
    """Key protocol."""

    def used(self) -> "Delivered":
        """Return this with what the application makes of it, where there is one and it is not known yet."""
        if self.use is not None or self.setting is None or self.setting.application is None:
            return self
        return dataclasses.replace(self, use=self.setting.application.run(self.result, self.setting.chain))


class Better(enum.StrEnum):
    """In which direction a quantity is wanted."""

    MORE = "more"
    LESS = "less"


@dataclasses.dataclass(frozen=True)
class Quantity:
    """One number that a delivered pair is worth.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import Renewal, abstract_link, chain, parse
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=1)
        >>> found = Delivered(result=Renewal().evaluate(line, parse("0")))
        >>> {name: round(float(value), 6) for name, value in values_of(QUANTITIES.values(), found, clip=True).items()
        ...  if name in ("mean_time_s", "fidelity")}
        {'mean_time_s': 2.0, 'fidelity': 0.925}
    """

    name: str
    """As in files and JSON, with the unit at its end if it is SI: "rate_hz"."""

    unit: str
    """For people; "" = none."""

    words: str
    """For people: "pair rate"."""

    of: Callable[[Delivered], Float[Array, ""]]
    """Unclipped, differentiable."""

    _: dataclasses.KW_ONLY

    level: PauliLevel | None = BELL_DIAGONAL
    """State level it needs: `BELL_DIAGONAL` if twirling a pair changes nothing; None = that of the key protocol."""

    in_use: bool = False
    """Whether it depends on `Delivered.setting`: quantities of applications do."""

    clipped: bool = False
    """Whether people read max(value, 0)."""

    better: Better | None = None
    """`MORE`: it can be maximised and have a lower limit."""

    most: float | None = None
    """Largest value, which a lower limit must stay below; None = there is none."""

    per_pair: float | None = None
    """Largest value x mean time; None = slow delivery does not bound it."""

    useless: float = 0.0
    """Value up to which nobody wants pairs: fronts begin above it."""

    @property
    def limits(self) -> Range:
        """Return what may be asked of it at least."""
        upper = math.inf if self.most is None else self.most
        return Range(0.0, upper, lower_closed=False, upper_closed=False)

    @property
    def short(self) -> str:
        """Return the name without its unit."""
        return self.name.removesuffix("_hz").removesuffix("_s")

    @property
    def label(self) -> str:
        """Return words and unit, for the head of a column."""
        return f"{self.words} [{self.unit}]" if self.unit else self.words

    def depends_on(self, fraction: Fraction) -> PauliLevel:
        """Return the state level that it needs with a key protocol."""
        return level_of_fraction(fraction) if self.level is None else self.level


def values_of(quantities: Iterable[Quantity], found: Delivered, *, clip: bool) -> dict[str, Float[Array, ""]]:
    """Return quantities by name.

    Args:
        quantities: rows of a registry.
        found: what they are functions of.
        clip: whether those that people read from 0 on are cut there; optimisers want them uncut, for they have a slope.
    """
    rows = tuple(quantities)
    plain = tuple(each for each in rows if not each.in_use)
    own = _of_pair(plain, found.result.mean_time, found.result.state, found.fraction, clip) if plain else []
    values, used = dict(zip(plain, own, strict=True)), found.used() if len(plain) < len(rows) else found
    return {each.name: values[each] if each in values else _read(each, used, clip) for each in rows}


@partial(jax.jit, static_argnames=("quantities", "fraction", "clip"))
def _of_pair(
    quantities: tuple[Quantity, ...],
    mean_time: Float[Array, ""],
    state: Float[Array, "4 4"],
    fraction: Fraction,
    clip: bool,
) -> list[Float[Array, ""]]:
    """Return quantities that ask for nothing but mean time [s] and mean state, in one compiled function."""
    result = Summary(mean_time=mean_time, state=state, info=None)
    return [_read(each, Delivered(result=result, fraction=fraction), clip) for each in quantities]


def _read(quantity: Quantity, found: Delivered, clip: bool) -> Float[Array, ""]:
    value = quantity.of(found)
    return jnp.maximum(value, 0.0) if clip and quantity.clipped else value


def of_state(measure: Callable[[Array], Float[Array, ""]]) -> Callable[[Delivered], Float[Array, ""]]:
    """Return a measure of the mean delivered state as a function of what is delivered."""
    return lambda delivered: measure(delivered.result.state)


def delivered(
    quantities: Iterable[Quantity], result: Any, setting: Callable[[], Setting], fraction: Fraction
) -> Delivered:
    """Return what quantities are functions of; the setting is built only if one of them depends on it."""
    where = setting() if any(each.in_use for each in quantities) else None
    return Delivered(result=result, setting=where, fraction=fraction)


MORE, LESS, TSIRELSON = Better.MORE, Better.LESS, 2 * math.sqrt(2)

# fmt: off
QUANTITIES: dict[str, Quantity] = {each.name: each for each in (
    Quantity("mean_time_s", "s", "mean waiting time", lambda d: d.result.mean_time, better=LESS),
    Quantity("rate_hz", "Hz", "pair rate", lambda d: 1 / d.result.mean_time, better=MORE, per_pair=1.0),
    Quantity("fidelity", "", "fidelity", of_state(fidelity), better=MORE, most=1.0, useless=0.5),
    Quantity("qber_x", "", "QBER in X", of_state(qber_x), better=LESS),
    Quantity("qber_y", "", "QBER in Y", of_state(qber_y), better=LESS),
    Quantity("qber_z", "", "QBER in Z", of_state(qber_z), better=LESS),
    Quantity("log_negativity", "ebit", "log-negativity", of_state(log_negativity), level=PAULI, better=MORE, most=1.0),
    Quantity("coherent_information", "ebit", "coherent information", of_state(coherent_information), level=PAULI,
             better=MORE, most=1.0),
    Quantity("hashing_yield", "ebit", "hashing yield", of_state(hashing_yield), better=MORE, most=1.0),
    Quantity("chsh", "", "largest CHSH value", of_state(chsh_value), level=PAULI, better=MORE, most=TSIRELSON),
    Quantity("secret_fraction", "bit", "secret fraction", lambda d: d.fraction(d.result.state), level=None,
             clipped=True, better=MORE, most=1.0),
    Quantity("secret_key_rate_hz", "bit/s", "secret-key rate", lambda d: d.fraction(d.result.state) / d.result.mean_time,  # noqa: E501
             level=None, clipped=True, better=MORE, per_pair=1.0),
)}
# fmt: on
"""The quantities that every problem has, by name, in the order in which they are printed."""
