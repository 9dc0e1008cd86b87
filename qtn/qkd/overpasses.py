"""Keys from satellites: every pass is one block; sums over a night, a day, a year; keys that the satellite relays."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.outcome import Summary
from qtn.orbits import Passes
from qtn.qkd.entangled_light import Coincidences
from qtn.qkd.lines import Clicks, ClosedForm, LightLine, PulseLine, werner_of
from qtn.qkd.pulses import Counts, Pulses, Receiver, expected_counts


@pytree
class PulsePasses:
    """Weak pulses during k passes over one station, each of q stretches of time; a `PulseLine` of one stretch."""

    sent: Pulses
    receive: Receiver
    """Its numbers are scalars, or (k, q): what stretches of passes meet."""
    pulse_rate: Float[Array, ""]
    """Pulses per second [Hz]."""
    dwell: Float[Array, "*k q"]
    """How long each stretch is [s]; 0 in passes that do not take place."""

    def numbered(self) -> "PulsePasses":
        """Return this with all numbers that may change along a pass written out, (k, q)."""
        shape = jnp.shape(self.dwell)
        return dataclasses.replace(self, receive=jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, shape), self.receive))

    @property
    def reaching(self) -> Float[Array, "*k q"]:
        """Return the probability that a photon meets a detector that would click, in each stretch."""
        return jnp.broadcast_to(self.receive.transmissivity, jnp.shape(self.dwell))

    def counts(self) -> Counts:
        """Return what is counted in each pass: (k, i)."""
        full = self.numbered()
        pulses = jnp.asarray(self.pulse_rate * self.dwell)
        return jax.vmap(lambda receive, number: expected_counts(self.sent, receive, number))(full.receive, pulses)

    def sifted(self) -> tuple[Array, Array]:
        """Return the bits of the key basis of each pass (k,) before decoys say which are secret, and wrong ones."""
        found = self.counts()
        return jnp.sum(found.key_detections, -1), jnp.sum(found.key_errors, -1)


@pytree
class LightPasses:
    """Entangled light to two stations that see a satellite at once, during k passes of q stretches of time."""

    line: LightLine
    """Its efficiencies, or any other numbers, may be (k, q)."""
    dwell: Float[Array, "*k q"]
    """How long each stretch is [s]."""

    @property
    def reaching(self) -> Float[Array, "*k q"]:
        """Return the probability that both photons of a pair make a click, in each stretch."""
        left, right = self.line.efficiencies
        return jnp.broadcast_to(left * right, jnp.shape(self.dwell))

    def coincidences(self) -> Coincidences:
        """Return what is found in each stretch, (k, q)."""
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, jnp.shape(self.dwell)), self.line.coincidences())

    def sifted(self) -> tuple[Array, Array]:
        """Return the pairs that are found in each pass (k,), in all bases, and how many are wrong."""
        found = self.coincidences()
        pairs = found.rate * self.dwell
        return jnp.sum(pairs, -1), jnp.sum(pairs * found.error_rate, -1)


Passed = PulsePasses | LightPasses


@pytree
class Stations:
    """What stations share with a satellite in some time, weather included."""

    passes: tuple[Passed, ...]
    """Of one station or of two to which the satellite relays keys; or one of entangled light to two of them."""
    clear: Float[Array, "n"]
    """Probability of a clear sky in each pass, for each of `passes`."""
    seen: tuple[Passes, ...]
    """When and where these passes take place."""
    start: float = static(default=0.0)
    """Of what is looked at [s]."""
    span: float = static(default=86_400.0)
    """In which the passes take place [s], such as a day."""

    @property
    def num_passes(self) -> Float[Array, ""]:
        """Return how many passes there are, of all stations together."""
        return jnp.asarray(sum(jnp.sum(jnp.sum(each.dwell, -1) > 0) for each in self.passes), float)

    @property
    def contact_time(self) -> Float[Array, ""]:
        """Return how long all passes last together [s]."""
        return jnp.asarray(sum(jnp.sum(each.dwell) for each in self.passes))

    @property
    def least_loss(self) -> Float[Array, ""]:
        """Return the loss where most arrives, detectors included [dB]; infinite without passes."""
        most = jnp.stack([jnp.max(jnp.where(each.dwell > 0, each.reaching, 0.0)) for each in self.passes]).max()
        return jnp.where(most > 0, -10 * jnp.log10(jnp.where(most > 0, most, 1.0)), jnp.inf)

    def clicks(self) -> "PassClicks":
        """Return when sifted bits (of entangled light: pairs) come on average, and how many are wrong; all passes."""
        counted = [each.sifted() for each in self.passes]
        share = list(jnp.asarray(self.clear))
        number, wrong = (sum(p * jnp.sum(each[i]) for p, each in zip(share, counted, strict=True)) for i in (0, 1))
        some = jnp.asarray(number) > 0
        safe = jnp.where(some, number, 1.0)
        time = jnp.where(some, self.span / safe, jnp.inf)
        means = Clicks(mean_time=time, state=werner_of(jnp.where(some, wrong / safe, 0.5)))
        moments = jnp.concatenate([jnp.ravel(each.time) for each in self.seen])
        stretched = [p * in_stretches(each).sifted()[0] for p, each in zip(share, self.passes, strict=True)]
        order = jnp.argsort(moments)
        come = jnp.cumsum(jnp.concatenate(stretched)[order])
        return PassClicks(means=means, times=moments[order] - self.start, numbers=come)


@pytree
class PassClicks:
    """Bits, or pairs, that come during passes (`qtn.evaluators.outcome.Result`); means are those of the whole time."""

    means: Clicks
    times: Float[Array, "n"]
    """Of stretches of passes, in order, from the start [s]."""
    numbers: Float[Array, "n"]
    """How many have come by then on average."""

    @property
    def mean_time(self) -> Float[Array, ""]:
        """Return the mean time from one to the next, passes or not [s]."""
        return self.means.mean_time

    @property
    def state(self) -> Float[Array, "4 4"]:
        """Return the Pauli coefficients of a Werner pair that shows the same errors."""
        return self.means.state

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi-."""
        return self.means.bell_diagonal

    @property
    def info(self) -> ClosedForm:
        """Return how exact this is."""
        return self.means.info

    @property
    def summary(self) -> Summary:
        """Return the means alone."""
        return self.means.summary

    @property
    def in_time(self) -> None:
        """Return None: there is no time grid."""
        return None

    def quantiles(self, levels: Any) -> Float[Array, "n"]:
        """Return the times [s] from the start by which the first has come, to a stretch; else infinity."""
        wanted = -jnp.log1p(-jnp.asarray(levels, dtype=float))
        return jnp.interp(wanted, self.numbers, self.times, left=self.times[0], right=jnp.inf)

    def standard_error(self, of: Any) -> None:
        """Return None: nothing was sampled."""


def in_stretches(passed: Passed) -> Passed:
    """Return every stretch of time as a pass of its own, (k q, 1)."""
    shape = jnp.shape(passed.dwell)
    return jax.tree.map(lambda leaf: jnp.reshape(leaf, (-1, 1)) if jnp.shape(leaf) == shape else leaf, passed)


class Nights:
    """Evaluates what satellites bring; see `qtn.evaluators.evaluate.Evaluator`."""

    def evaluate(self, stations: Stations, /) -> PassClicks:
        """Return when sifted bits come, and their errors."""
        return _clicks(stations)

    def summarise(self, stations: Stations, /) -> Summary:
        """Return the means alone."""
        return self.evaluate(stations).summary


_clicks = jax.jit(lambda stations: stations.clicks())


def along(line: PulseLine, transmissivity: Any, dwell: Any, *, noise: Any = None) -> PulsePasses:
    """Return passes of weak pulses, from a line without loss and what changes along the passes.

    Args:
        line: source, receiver and detectors; what it loses itself counts as well.
        transmissivity: (k, q), probability that a photon arrives at the receiver.
        dwell: (k, q), how long each stretch of time is [s].
        noise: (k, q) or a number, background per detector and pulse besides dark counts [1]; None = none.

    Returns:
        passes: of one station.

    Raises:
        ValueError: if a probability lies outside [0, 1], a time is negative, or shapes differ.

    Note:
        Photons count at mean transmissivities: exact where a pulse is rarely detected, as counts are then linear in
        them, so that fading changes nothing. Differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.qkd import PulseLine, pulses, receiver
        >>> sent, rate = pulses([0.8, 0.1, 0.0], [0.5, 0.25, 0.25]), jnp.asarray(1e8)
        >>> line = PulseLine(sent=sent, receive=receiver(0.0, 0.08), pulse_rate=rate)
        >>> passed = along(line, [[1e-3, 2e-3, 1e-3]], [[60.0, 120.0, 60.0]])
        >>> round(float(passed.sifted()[0][0]))
        305985
    """
    eta = _checks.probability("transmissivity", transmissivity)
    time = _checks.non_negative_finite("dwell", dwell)
    if np.ndim(time) != 2 or np.shape(eta) != np.shape(time):
        raise ValueError(
            f"Arguments `transmissivity` and `dwell` must have one shape (passes, stretches), but have {np.shape(eta)} "
            f"and {np.shape(time)}."
        )
    dark = line.receive.dark_count_probability
    if noise is not None:
        dark = dark + _checks.probability("noise", noise)
        rule = "leave dark counts and background below .1 together: two dark counts in one pulse are left out"
        _checks.require("noise", dark, lambda v: v <= 0.1, rule)
    seen = dataclasses.replace(
        line.receive, transmissivity=line.receive.transmissivity * eta, dark_count_probability=dark
    )
    return PulsePasses(sent=line.sent, receive=seen, pulse_rate=line.pulse_rate, dwell=time).numbered()


def relayed(first: Any, second: Any) -> Float[Array, "..."]:
    """Return the key that two stations share through a satellite that both trust: the shorter one.

    The satellite shares a key with either and tells both keys' XOR to everyone; who has one key then has the other.

    Args (shapes broadcast):
        first: bits of the key with the first station.
        second: ... with the second station.

    Returns:
        bits: min(first, second), not below 0; nobody but the satellite knows them.

    Note:
        Exact; where both are equal its derivative is the mean of both.

    References:
        Liao et al., Phys. Rev. Lett. 120, 030501 (2018), arXiv:1801.04418.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(relayed(300_000.0, 120_000.0))
        120000.0
    """
    return jnp.maximum(jnp.minimum(jnp.asarray(first, float), jnp.asarray(second, float)), 0.0)


def yearly(bits: Any, span: Any, *, days: Any = 365.25) -> Float[Array, "..."]:
    """Return the bits of a year of such spans: bits / span x days of 86,400 s.

    Args (shapes broadcast):
        bits: of one span, weather included.
        span: [s].
        days: of the year on which it is repeated.

    Raises:
        ValueError: if the span is not positive.
    """
    return jnp.asarray(bits) * (86_400.0 * _checks.non_negative_finite("days", days)) / _checks.positive("span", span)
