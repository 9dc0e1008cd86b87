"""Light that goes straight from source to detectors: weak pulses, or continuous-wave entangled light, as a result."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import ArrayLike, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.outcome import Outcome, Summary
from qtn.qkd.entangled_light import Coincidences, entangled_light
from qtn.qkd.pulses import Pulses, Receiver, expected_counts
from qtn.states.pair import bell_from_pauli

CROWDED = 0.05
"""Clicks in a coincidence window from which on what is left out matters."""


@pytree
class ClosedForm:
    """Errors of a result that stands on no grid and no samples."""

    grid_error: Any = 0.0
    tail_mass: Any = 0.0
    crowded: Any = 0.0
    """Clicks of a party in one coincidence window: accidental coincidences count to first order in it."""

    def numbers(self) -> dict[str, float | int]:
        """Return nothing: there is nothing to say."""
        return {}

    def warnings(self) -> list[str]:
        """Say where coincidences are too many for what is left out."""
        if not float(self.crowded) > CROWDED:
            return []
        return [
            f"A party has {float(self.crowded):.2g} clicks in one coincidence window, and accidental coincidences "
            "count to first order in that: shorten line.detector.window_s or lower line.source.pair_rate_hz."
        ]


@pytree
class Clicks:
    """Bits, or pairs, that come one by one at random times (`qtn.evaluators.outcome.Result`)."""

    mean_time: Float[Array, ""]
    """Mean time from one to the next [s]."""
    state: Float[Array, "4 4"]
    """Pauli coefficients of a Werner pair that shows the same errors."""
    info: ClosedForm = ClosedForm()

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi-."""
        return bell_from_pauli(self.state)

    @property
    def summary(self) -> Summary:
        """Return the means alone."""
        return Summary(mean_time=self.mean_time, state=self.state, info=self.info)

    @property
    def in_time(self) -> Outcome | None:
        """Return None: there is no time grid."""
        return None

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return the times [s] by which the first has come with the given probabilities: -mean ln(1 - level)."""
        return -self.mean_time * jnp.log1p(-jnp.asarray(levels, dtype=float))

    def standard_error(self, of: Callable[[Summary], Float[Array, ""]]) -> Float[Array, ""] | None:
        """Return None: nothing was sampled."""


@pytree
class PulseLine:
    """Weak pulses through a line."""

    sent: Pulses
    receive: Receiver
    pulse_rate: Float[Array, ""]
    """Pulses per second [Hz]."""

    def clicks(self) -> Clicks:
        """Return when bits of the key basis come, and how many are wrong, over all intensities."""
        counts = expected_counts(self.sent, self.receive, self.pulse_rate)
        rate = jnp.sum(counts.key_detections)
        wrong = jnp.sum(counts.key_errors) / jnp.where(rate > 0, rate, 1.0)
        return Clicks(mean_time=1 / rate, state=werner_of(jnp.where(rate > 0, wrong, 0.5)))


@pytree
class LightLine:
    """A continuous-wave source of entangled pairs, and what finds their coincidences; as in `entangled_light`.

    Numbers of any shape are many lines.
    """

    pair_rate: Float[Array, "..."]
    efficiencies: tuple[Float[Array, "..."], Float[Array, "..."]]
    window: Float[Array, "..."]
    jitter: Float[Array, "..."]
    dark_count_rate: Float[Array, "..."]
    """Of either party."""
    dead_time: Float[Array, "..."]
    polarisation_error: Float[Array, "..."]

    def coincidences(self) -> Coincidences:
        """Return what two parties find."""
        return entangled_light(
            self.pair_rate,
            self.efficiencies,
            window=self.window,
            jitter=self.jitter,
            dark_count_rates=(self.dark_count_rate, self.dark_count_rate),
            dead_time=self.dead_time,
            polarisation_error=self.polarisation_error,
        )

    def clicks(self) -> Clicks:
        """Return when coincidences come, and the pair that they show: polarisation errors as of white noise."""
        found = self.coincidences()
        dark = self.dark_count_rate
        clicks = [self.pair_rate * eta + dark for eta in self.efficiencies]
        most = jnp.maximum(*(each / (1 + each * self.dead_time) for each in clicks)) * self.window
        return Clicks(mean_time=1 / found.rate, state=werner_of(found.error_rate), info=ClosedForm(crowded=most))


def light_line(
    pair_rate: Any,
    efficiencies: tuple[Any, Any],
    *,
    window: Any,
    jitter: Any = 0.0,
    dark_count_rate: Any = 0.0,
    dead_time: Any = 0.0,
    polarisation_error: Any = 0.0,
) -> LightLine:
    """Return a source of entangled light with its detectors; see `entangled_light`.

    Args:
        pair_rate: brightness [Hz].
        efficiencies: from source to click, of both parties, in [0, 1].
        window: in which two clicks coincide [s].
        jitter: full width at half maximum of the time between the clicks of a pair [s].
        dark_count_rate: of either party, all its detectors together [Hz].
        dead_time: of either party [s].
        polarisation_error: errors of pairs without accidental coincidences, in [0, 1/2].

    Raises:
        ValueError: if a number lies outside its range.
    """
    left, right = (_checks.probability("efficiencies", value) for value in efficiencies)
    return LightLine(
        pair_rate=_checks.positive_finite("pair_rate", pair_rate),
        efficiencies=(left, right),
        window=_checks.positive_finite("window", window),
        jitter=_checks.non_negative_finite("jitter", jitter),
        dark_count_rate=_checks.non_negative_finite("dark_count_rate", dark_count_rate),
        dead_time=_checks.non_negative_finite("dead_time", dead_time),
        polarisation_error=_checks.require(
            "polarisation_error", polarisation_error, lambda v: (v >= 0) & (v <= 0.5), "lie in [0, 1/2]"
        ),
    )


def werner_of(error_rate: Any) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients of the Werner pair with an error rate: w = 1 - 2 e."""
    werner = 1 - 2 * jnp.asarray(error_rate)
    return jnp.diag(jnp.stack([jnp.ones_like(werner), werner, -werner, werner]))


class Light:
    """Evaluates a line; see `qtn.evaluators.evaluate.Evaluator`."""

    def evaluate(self, line: PulseLine | LightLine, /) -> Clicks:
        """Return when bits or pairs come, and their errors."""
        return _clicks(line)

    def summarise(self, line: PulseLine | LightLine, /) -> Summary:
        """Return the means alone."""
        return self.evaluate(line).summary


_clicks = jax.jit(lambda line: line.clicks())
