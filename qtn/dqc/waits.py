"""How long a round of pairs takes: parallel links, pairs made ahead, a cut-off, and the slowest of several couples.

A couple of processors makes pairs in `buffer` lanes (one without buffer). A lane starts when its last pair was used,
or, without buffer, when the next one is asked for. It holds its pair until that is used, or older than the cut-off:
then it starts again. A round asks each of its couples for one pair and waits until all are there.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.tensors.recurrence import convolve, decay_scan, delay, padded_length


@pytree
class Supply:
    """How pairs of one couple arrive once they are asked for."""

    states: Float[Array, "16 t"]
    """Coefficients in the basis in which storage is diagonal, times the probability to arrive after t steps."""

    rates: Float[Array, "16"]
    """At which they decay while the pair is stored, per step."""


@pytree
class Round:
    """What a round of pairs takes."""

    probability: Float[Array, "t"]
    """Probability that the last of its pairs is there after t steps."""

    pairs: Float[Array, "c 16 t"]
    """Coefficients of the pair of each couple when the round ends at t, times that probability."""


def slowest_of(supplies: Sequence[Supply]) -> Round:
    """Wait until the slowest of several couples has its pair; pairs that came before are stored.

        P(T <= t) = prod_c P(T_c <= t)

    Args:
        supplies: of couples, independent of each other.

    Note:
        Exact: O(t).
    """
    if len(supplies) == 1:
        states = supplies[0].states
        return Round(probability=states[0], pairs=states[None])
    held = jnp.stack([decay_scan(each.states, each.rates) for each in supplies])
    older = jnp.pad(held, ((0, 0), (0, 0), (1, 0)))[..., :-1]
    older = older * jnp.exp(-jnp.stack([each.rates for each in supplies]))[..., None]
    there, before = held[:, 0], older[:, 0]
    pairs = []
    for couple in range(len(supplies)):
        others = jnp.asarray([other for other in range(len(supplies)) if other != couple])
        now, then = jnp.prod(there[others], axis=0), jnp.prod(before[others], axis=0)
        pairs.append(held[couple] * now - older[couple] * then)
    return Round(probability=pairs[0][0], pairs=jnp.stack(pairs))


def by_last(supplies: Sequence[Supply]) -> list[Round]:
    """Return the same, split by which couple is the last: given that and the wait, the pairs are independent."""
    if len(supplies) == 1:
        return [slowest_of(supplies)]
    held = [decay_scan(each.states, each.rates) for each in supplies]
    older = [
        jnp.pad(each, ((0, 0), (1, 0)))[:, :-1] * jnp.exp(-supply.rates)[:, None]
        for each, supply in zip(held, supplies, strict=True)
    ]
    rounds = []
    for last, own in enumerate(supplies):
        kept = [own.states if c == last else held[c] if c < last else older[c] for c in range(len(supplies))]
        whole = jnp.prod(jnp.stack([each[0] for each in kept]), axis=0)
        rest = [
            jnp.prod(jnp.stack([each[0] for d, each in enumerate(kept) if d != c]), axis=0) for c in range(len(kept))
        ]
        rounds.append(
            Round(probability=whole, pairs=jnp.stack([each * factor for each, factor in zip(kept, rest, strict=True)]))
        )
    return rounds


@jax.jit
def made_ahead(supply: Supply, lead: Float[Array, "t"], cutoff: Float[Array, ""]) -> Supply:
    """Return what arrives after a lane has had some time, in which its pair may have come already.

    With h(s) the chance that the lane starts to make a pair at s, and f(t) the one to need t steps:

        ready, age a:  sum_l L(l) sum_s h(s) f(l - s - a)  for a < cutoff
        wait w > 0:    sum_l L(l) sum_s h(s) f(w + l - s)
        h(s) = 1[s = 0] + sum_t f(t) h(s - t - cutoff)

    Args:
        supply: what arrives when the lane starts.
        lead: (t,), probability of how many steps ago that was.
        cutoff: age at which a pair is discarded and made again, in steps; inf = never. Between two whole numbers it is
            the mixture of both.

    Note:
        Exact on the grid; differentiable. Mass of `lead` beyond the grid must not matter.
    """
    length = lead.shape[0]
    ages = jnp.arange(length, dtype=float)
    never = ~jnp.isfinite(cutoff)
    finite = jnp.where(never, float(length), jnp.minimum(cutoff, float(length)))
    starts = _renewals(delay(supply.states[:1], finite)[0])
    kept = jnp.where(never, 1.0, jnp.clip(finite - ages, 0.0, 1.0))
    arrived = convolve(supply.states, starts)
    stored = kept * jnp.exp(-supply.rates[:, None] * ages)
    ready = convolve(arrived, stored) @ lead
    running = _correlate(lead, starts[::-1], length)
    later = _shifted_sum(supply.states, running)
    return Supply(states=later.at[:, 0].set(ready), rates=supply.rates)


def _renewals(again: Float[Array, "t"]) -> Float[Array, "t"]:
    """Return h = 1[t = 0] + again * h, the chance to start at each time."""
    length = again.shape[0]
    padded = 4 * padded_length(length)
    damping = jnp.log(1e14) / padded * jnp.arange(length)
    spectrum = 1 / (1 - jnp.fft.rfft(again * jnp.exp(-damping), n=padded))
    return jnp.fft.irfft(spectrum, n=padded)[:length] * jnp.exp(damping)


def _correlate(lead: Float[Array, "t"], mirrored: Float[Array, "t"], length: int) -> Float[Array, "t"]:
    """Return D(d) = sum_l L(l) h(l - d), for h given backwards."""
    padded = padded_length(length)
    product = jnp.fft.rfft(lead, n=padded) * jnp.fft.rfft(mirrored, n=padded)
    return jnp.fft.irfft(product, n=padded)[length - 1 : 2 * length - 1]


def _shifted_sum(states: Float[Array, "k t"], running: Float[Array, "t"]) -> Float[Array, "k t"]:
    """Return y(w) = sum_d D(d) f(w + d)."""
    length = states.shape[1]
    padded = padded_length(length)
    product = jnp.fft.rfft(states, n=padded) * jnp.fft.rfft(running[::-1], n=padded)
    return jnp.fft.irfft(product, n=padded)[:, length - 1 : 2 * length - 1]
