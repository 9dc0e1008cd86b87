"""What a key rate is good for: re-keying, one-time pads, buffers, the first key; of a bank, a hospital, a ministry."""

import fractions
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.services.outage import buffer_for, stock
from qtn.services.secrecy import Secrecy, secrecy

KEY_BITS = 256
"""Of one key of AES-256."""

FINEST = 12
"""Units of the buffer in which users' consumption of a period is counted, at most."""


@pytree
class KeyBudget:
    """What a key rate is good for; see `key_budget`."""

    rate: Float[Array, ""]
    """Secret bits by time, aborted blocks counted [bit/s]."""

    keys_rate: Float[Array, ""]
    """Keys of AES-256 by time [1/s]; channels that get a new one every second."""

    rekey_interval: Float[Array, ""]
    """How often each channel gets a new key [s]."""

    first_key_time: Float[Array, ""]
    """Mean time until the first key is there [s]."""

    buffer_bits: Float[Array, ""]
    """Key that must be kept so that users rarely find too little [bit]; NaN if nobody asked."""

    p_outage: Float[Array, ""]
    """Part of the periods in which they do, with this buffer."""

    mean_stored_bits: Float[Array, ""]
    """Key in the buffer, on average [bit]."""

    channels: int = static()
    secrecy: Secrecy = static()

    @property
    def pad_rate(self) -> Float[Array, ""]:
        """Return the traffic that a one-time pad can carry, both directions together [bit/s]."""
        return self.rate

    @property
    def num_channels(self) -> int:
        """Return how many channels get a new key every second."""
        return math.floor(float(self.keys_rate) + 1e-9)

    def key_delivery(self, source: str, target: str) -> dict[str, Any]:
        """Return plain data with the fields of the status of a key-delivery interface (ETSI GS QKD 014), for JSON.

        Args:
            source: name of the key management of one side.
            target: of the other side.

        References:
            ETSI GS QKD 014 V1.1.1 (2019), 6.1 (Status).
        """
        if math.isnan(float(self.buffer_bits)):
            stored = most = 0
        else:
            stored, most = (int(float(x) // KEY_BITS) for x in (self.mean_stored_bits, self.buffer_bits))
        return {
            "source_KME_ID": source,
            "target_KME_ID": target,
            "key_size": KEY_BITS,
            "stored_key_count": stored,
            "max_key_count": most,
            "max_key_per_request": max(most, 1),
            "max_key_size": KEY_BITS,
            "min_key_size": KEY_BITS,
            "max_SAE_ID_count": 0,
            "status_extension": {
                "key_rate_bit_per_s": float(self.rate),
                "first_key_time_s": float(self.first_key_time),
                "p_outage": None if math.isnan(float(self.p_outage)) else float(self.p_outage),
                "assumptions": self.secrecy.sentences(),
            },
        }

    def sentences(self) -> list[str]:
        """Return what the numbers mean, one sentence each."""
        said = [
            f"{self.num_channels:,} channels of AES-256 can get a new key every second; {self.channels:,} channels get "
            f"one every {_time(float(self.rekey_interval))}.",
            f"A one-time pad carries {float(self.pad_rate):,.4g} bit/s, both directions together.",
            f"The first key is there after {_time(float(self.first_key_time))} on average.",
        ]
        if not math.isnan(float(self.buffer_bits)):
            said.append(
                f"A buffer of {float(self.buffer_bits):,.0f} bit leaves {float(self.p_outage):.3g} of the periods "
                "without key."
            )
        return [*said, *self.secrecy.sentences()]


def _time(seconds: float) -> str:
    """Return a time in a unit that suits it."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} s"


def key_budget(
    rate: Any,
    *,
    channels: int = 1,
    block_time: Any = None,
    p_abort: Any = 0.0,
    consume_rate: float | None = None,
    wanted_outage: float = 1e-3,
    secret: Secrecy | None = None,
) -> KeyBudget:
    """Return what a key rate is good for.

        keys = rate / 256,   re-key interval = 256 channels / rate,
        first key = blocks that hold 256 bits x their time / (1 - p_abort)

    Args:
        rate: secret bits by time with aborted blocks counted, as `qtn.qkd.session` and its like give them [bit/s].
        channels: of AES-256 that share it.
        block_time: of one block, aborted or not [s]; None = key comes bit by bit.
        p_abort: probability that a block is aborted, in [0, 1).
        consume_rate: key that users take [bit/s], once in every `block_time`; None = no buffer is asked for.
        wanted_outage: largest part of the periods in which users may find too little key.
        secret: what keeps traffic secret for how long, of `qtn.services.secrecy`; None = AES-256, no relays.

    Returns:
        found: numbers, sentences, and the fields of a key-delivery interface.

    Raises:
        ValueError: if a number lies outside its range, or users take more than there is.

    Note:
        Differentiable in `rate`, `block_time` and `p_abort` but for the buffer, whose size is whole. The buffer is
        counted in at most 12 units a period, blocks rounded down: it is never too small. Exact for blocks that are
        aborted independently.

    References:
        JPMorgan Chase, Toshiba, Ciena, arXiv:2202.07764 (2022): 66.16 kbit/s, 258 channels at one key a second.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> found = key_budget(66.16e3, channels=100)
        >>> found.num_channels, round(float(found.rekey_interval), 6)
        (258, 0.386941)
        >>> key_budget(4.0 * 0.8, block_time=1.0, p_abort=0.2, consume_rate=3.0, wanted_outage=0.01).buffer_bits.item()
        17.0
    """
    given = _checks.non_negative_finite("rate", rate)
    if isinstance(channels, bool) or not isinstance(channels, int) or channels < 1:
        raise ValueError(f"Argument `channels` must be a positive whole number, but is {channels!r}.")
    aborted = _checks.require("p_abort", p_abort, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)")
    if block_time is None and (consume_rate is not None or np.any(_checks.known(aborted) != 0.0)):
        raise ValueError("Argument `block_time` must be given with `p_abort` or `consume_rate`: it is one period.")
    flow = jnp.asarray(given)
    there = flow > 0
    per_key = jnp.where(there, KEY_BITS / jnp.where(there, flow, 1.0), jnp.inf)
    first = per_key
    if block_time is not None:
        period = _checks.positive_finite("block_time", block_time)
        blocks = jnp.ceil(per_key * (1 - aborted) / period * (1 - 1e-12))
        first = jnp.where(there, jnp.maximum(jnp.where(there, blocks, 1.0), 1.0) * period / (1 - aborted), jnp.inf)
    nan: Any = np.asarray(math.nan)
    buffer, p_outage, mean = (nan, nan, nan)
    if consume_rate is not None:
        each: tuple[Any, ...] = given, block_time, aborted, consume_rate
        rate_known, time, chance, takes = map(float, each)
        buffer, p_outage, mean = _buffer(rate_known, time, chance, takes, wanted_outage)
    return KeyBudget(
        rate=given,
        keys_rate=flow / KEY_BITS,
        rekey_interval=channels * per_key,
        first_key_time=first,
        buffer_bits=buffer,
        p_outage=p_outage,
        mean_stored_bits=mean,
        channels=channels,
        secrecy=secrecy() if secret is None else secret,
    )


def _buffer(rate: float, period: float, p_abort: float, consume_rate: float, wanted: float) -> tuple[Any, ...]:
    """Return the smallest buffer [bit] with which outages are rare enough, how rare, and its mean level [bit]."""
    takes = float(_checks.positive_finite("consume_rate", consume_rate))
    if takes >= rate:
        raise ValueError(
            f"Argument `consume_rate` is {takes:g} bit/s, but there are {rate:g} bit/s: a buffer helps only if "
            "users take less than there is."
        )
    block, consume = _units(rate / (1 - p_abort) / takes)
    unit = takes * period / consume
    size = buffer_for(wanted, block, 1 - p_abort, consume, most=150 * consume)
    kept = stock(block, 1 - p_abort, consume, size)
    return np.asarray(size * unit), kept.p_outage, kept.mean * unit


def _units(ratio: float) -> tuple[int, int]:
    """Return whole units of a block and of what users take in a period: the best ratio that is not above theirs."""
    ratio = min(ratio, 100.0)
    options = [(math.floor(ratio * takes * (1 + 1e-12)), takes) for takes in range(1, FINEST + 1)]
    best = max(fractions.Fraction(*each) for each in options)
    return best.numerator, best.denominator
