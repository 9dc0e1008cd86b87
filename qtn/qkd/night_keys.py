"""What the passes of a night, or any other span of time, add up to: one finite key each, weather, relay, buffer."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.outcome import Summary
from qtn.orbits import Buffer, Passes, buffer
from qtn.qkd.blocks import shortest_block
from qtn.qkd.lines import werner_of
from qtn.qkd.overpasses import Passed, PulsePasses, Stations, relayed, yearly
from qtn.qkd.pairs import pair_key
from qtn.qkd.pulse_sessions import pulse_key
from qtn.qkd.timed import TimedKey

FEWEST = 4.0
"""Signals below which a pass is not worth a session."""

MOST_PASSES = 1e9
"""Passes that are put into one block to see which block would do."""


@pytree
class NightUse:
    """Keys of passes, and of what they were made."""

    each: tuple[TimedKey, ...]
    """Of every pass, (k,), of each of `stations.passes`; zeros where next to nothing arrives."""
    keys: Any
    """The `Keys` that made them."""
    stations: Stations

    @property
    def pass_bits(self) -> tuple[Float[Array, "k"], ...]:
        """Return the expected key of every pass in clear weather, aborted sessions counted; 0 without a key."""
        return tuple(jnp.maximum(each.session.throughput * each.session.num_signals, 0.0) for each in self.each)

    @property
    def station_bits(self) -> tuple[Float[Array, ""], ...]:
        """Return the expected key of each station in the whole span, weather counted."""
        share = list(jnp.asarray(self.stations.clear))
        return tuple(p * jnp.sum(bits) for p, bits in zip(share, self.pass_bits, strict=True))

    @property
    def total_bits(self) -> Float[Array, ""]:
        """Return the expected key of the whole span, weather counted; of two stations, what the satellite can relay.

        Without any key it is that of the best pass, which is negative, so that it has a slope.
        """
        found = []
        for bits, each, number in zip(self.station_bits, self.each, self.signals, strict=True):
            short = jnp.where(number >= FEWEST, each.session.key_bits, -jnp.inf)
            best = jnp.max(short, initial=-LEAST)
            found.append(jnp.where(bits > 0, bits, jnp.minimum(best, 0.0)))
        if len(found) == 1:
            return found[0]
        return jnp.where((found[0] > 0) & (found[1] > 0), relayed(*found), jnp.minimum(*found))

    @property
    def yearly_bits(self) -> Float[Array, ""]:
        """Return the key of a year of such spans."""
        return yearly(self.total_bits, self.stations.span)

    @property
    def signals(self) -> tuple[Float[Array, "k"], ...]:
        """Return the sifted bits, or pairs, of every pass."""
        return tuple(each.sifted()[0] for each in self.stations.passes)

    @property
    def key(self) -> TimedKey:
        """Return the best pass as a session; rate and time are those of all passes, weather counted."""
        place = [jnp.argmax(bits) if bits.size else None for bits in self.pass_bits]
        best = [jax.tree.map(lambda leaf, i=i: leaf[i], each) for i, each in zip(place, self.each, strict=True)]
        if len(best) == 2:
            first = best[0].session.key_bits < best[1].session.key_bits
            best = [jax.tree.map(lambda a, b: jnp.where(first, a, b), *best)]
        share = jnp.asarray(self.stations.clear)
        often = [
            p * jnp.sum(jnp.where(each.session.key_bits > 0, 1 - each.session.p_abort, 0.0))
            for p, each in zip(list(share), self.each, strict=True)
        ]
        number = jnp.min(jnp.stack(often))
        some = number > 0
        return dataclasses.replace(
            best[0],
            rate=self.total_bits / self.stations.span,
            time_to_key=jnp.where(some, self.stations.span / jnp.where(some, number, 1.0), jnp.nan),
        )

    def buffer(self) -> Buffer:
        """Return what must be stored so that the key can be used at a constant rate."""
        seen, bits = self.stations.seen, self.pass_bits
        share = list(jnp.asarray(self.stations.clear))
        if len(bits) == 1:
            return buffer(seen[0], share[0] * bits[0], self.stations.start, self.stations.span)
        both = _together(*seen)
        order = jnp.argsort(jnp.asarray(both.set))
        none = [jnp.zeros_like(each) for each in bits]
        first = jnp.cumsum(jnp.concatenate([share[0] * bits[0], none[1]])[order])
        second = jnp.cumsum(jnp.concatenate([none[0], share[1] * bits[1]])[order])
        gained = jnp.diff(jnp.minimum(first, second), prepend=0.0)
        return buffer(both, gained[jnp.argsort(order)], self.stations.start, self.stations.span)

    def sentences(self) -> list[str]:
        """Say in plain words which passes give a key, how surely an attack is caught, and what is assumed."""
        if not float(self.total_bits) > 0:
            return self.keys.assumptions.sentences()
        told = []
        for place, each in enumerate(self.each):
            worth = int(np.sum(np.asarray(each.session.key_bits) > 0))
            there = int(np.sum(np.asarray(self.stations.passes[place].dwell).sum(-1) > 0))
            where = f" over station {place + 1}" if len(self.each) > 1 else ""
            told.append(f"{worth} of {there} passes{where} give a key; each pass is one block.")
        if len(self.each) > 1:
            told.append("The satellite relays keys, and knows them: both stations must trust it.")
        return [*told, *self.key.sentences()]

    def warnings(self) -> list[str]:
        """Say how many passes in one block would give a key, where none does; all numbers are concrete."""
        found = []
        for place, (each, passed) in enumerate(zip(self.each, self.stations.passes, strict=True)):
            if np.any(np.asarray(each.session.key_bits) > 0):
                continue
            where = f" over station {place + 1}" if len(self.each) > 1 else ""
            number = np.asarray(passed.sifted()[0])
            if not np.any(number > 0):
                lowered = "lower overpass.mask_deg, or lengthen overpass.duration_s"
                found.append(f"Nothing arrives{where}: there is no pass in this time; {lowered}.")
                continue
            found.append(f"No key remains of any pass{where}{self._cure(passed, int(np.argmax(number)))}")
        return found

    def _cure(self, passed: Passed, best: int) -> str:
        """Say what would do in place of the best pass."""

        def gives(times: float) -> bool:
            one = jax.tree.map(np.asarray, taken(passed, best))
            more = dataclasses.replace(one, dwell=np.asarray(one.dwell) * times)
            return float(_made(dataclasses.replace(self.keys, attack=None), more).session.key_bits) > 0

        enough = shortest_block(gives, 1.0, MOST_PASSES)
        if enough is None:
            return ", nor of many together: there are too many errors."
        cure = "raise the rate of the source, the aperture or the loss budget accordingly"
        return f": a pass like the best one, but with {enough:.3g} times as many signals, would do; {cure}."


LEAST = 1e9
"""Secret bits that stand, negative, for passes of which nothing arrives."""


def nightly(keys: Any, stations: Stations) -> NightUse:
    """Return the keys of all passes.

    Args:
        keys: a `Keys`; its block is not used.
        stations: what passes there are, and of what.

    Note:
        Every pass is a block of the finite key: what is counted along it is added up first. Differentiable to first
        order, also where there is no key; never an error.
    """
    each = tuple(_all(dataclasses.replace(keys, signals=None, seconds=None), passed) for passed in stations.passes)
    return NightUse(each=each, keys=keys, stations=stations)


def taken(passed: Passed, place: int) -> Passed:
    """Return one pass (its numbers (q,), or scalars), of known numbers."""
    count = passed.dwell.shape

    def one(leaf: Any) -> Any:
        return leaf[place] if np.shape(leaf) == count else leaf

    return jax.tree.map(one, passed)


@jax.jit
def _all(keys: Any, passed: Passed) -> TimedKey:
    """Return the keys of all passes, (k,)."""
    shape = jnp.shape(passed.dwell)
    changing = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, shape), _changing(passed))

    def one(numbers: Any) -> TimedKey:
        alone = _with(passed, numbers)
        number = _signals(alone)
        blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), jax.eval_shape(lambda: _key(keys, alone)))
        return jax.lax.cond(number >= FEWEST, lambda: _key(keys, alone), lambda: blank)

    if not shape[0]:
        blank = jax.eval_shape(lambda: one(jax.tree.map(lambda leaf: jnp.zeros(shape[1:]), changing)))
        return jax.tree.map(lambda leaf: jnp.zeros((0, *leaf.shape)), blank)
    return jax.lax.map(one, changing)


_made = jax.jit(lambda keys, passed: _key(keys, passed))


def _changing(passed: Passed) -> Any:
    """Return the numbers that may change along a pass."""
    if isinstance(passed, PulsePasses):
        return passed.receive, passed.dwell
    return passed.line, passed.dwell


def _with(passed: Passed, numbers: Any) -> Passed:
    """Return one pass with such numbers, (q,)."""
    if isinstance(passed, PulsePasses):
        return dataclasses.replace(passed, receive=numbers[0], dwell=numbers[1])
    return dataclasses.replace(passed, line=numbers[0], dwell=numbers[1])


def _signals(passed: Passed) -> Array:
    """Return the sifted bits, or pairs, of one pass."""
    wide = jax.tree.map(lambda leaf: leaf[None], _changing(passed))
    return _with(passed, wide).sifted()[0][0]


def _key(keys: Any, passed: Passed) -> TimedKey:
    """Return the key of one pass, all in double precision."""
    found = _pulse_key(keys, passed) if isinstance(passed, PulsePasses) else _light_key(keys, passed)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, float), found)


def _pulse_key(keys: Any, passed: PulsePasses) -> TimedKey:
    """Return the key of one pass of pulses."""
    given = keys.arguments(pulsed=True)
    pulses = passed.pulse_rate * passed.dwell
    return pulse_key(passed.sent, passed.receive, passed.pulse_rate, num_pulses=pulses, **given)


def _light_key(keys: Any, passed: Any) -> TimedKey:
    """Return the key of one pass of entangled light; a session counts the pairs that were found."""
    found = passed.line.coincidences()
    pairs = jnp.sum(found.rate * passed.dwell)
    some = pairs > 0
    wrong = jnp.sum(found.rate * found.error_rate * passed.dwell) / jnp.where(some, pairs, 1.0)
    length = jnp.sum(passed.dwell)
    means = Summary(mean_time=length / jnp.where(some, pairs, 1.0), state=werner_of(wrong), info=None)
    return pair_key(means, signals=jnp.maximum(pairs, FEWEST), **keys.arguments(pulsed=False))


def _together(first: Passes, second: Passes) -> Passes:
    """Return the passes of two stations as one record."""
    names = ("time", "elevation", "slant_range", "dwell", "rise", "set")
    joined = {name: jnp.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    return Passes(**joined, satellite=(*first.satellite, *second.satellite))
