"""Sessions of a key protocol: sample, compare, abort above a threshold, discard and start again."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.merit.key_rate import flipped
from qtn.qkd.assumptions import Assumptions
from qtn.qkd.attacks import Attack, Basis, error_rate, require_attack
from qtn.qkd.best_test import Setting, trial
from qtn.qkd.blocks import shortest_block
from qtn.qkd.detection import detection_sentence, honest_sentence, p_accepted
from qtn.qkd.finite_key import CORRECTION
from qtn.qkd.given_test import given_test
from qtn.qkd.security import Security, checked
from qtn.qkd.tails import Tail

NEVER = 1e-100
"""Probability of being accepted that counts as none."""

Test = tuple[Array, Array]
"""Compared bits, and errors that are tolerated."""

Wanted = tuple[Array | None, Array | None]
"""Part of the bits that is compared, and threshold of the error rate; None = as it gives most."""


@pytree
class Session:
    """One session and its repetitions: how it is tested, what it gives and what it costs."""

    throughput: Float[Array, ""]
    """Secret bits per signal, aborted sessions counted."""
    key_bits: Float[Array, ""]
    """Secret bits of a session that is not aborted, to be rounded down."""
    p_abort: Float[Array, ""]
    """Probability that an honest session is aborted."""
    restarts: Float[Array, ""]
    """Expected number of aborted sessions before the first key, p / (1 - p)."""
    signals_to_key: Float[Array, ""]
    """Expected number of signals until there is a key."""
    num_signals: Float[Array, ""]
    """M, of one session."""
    num_raw: Float[Array, ""]
    """n, bits that become the key."""
    num_test: Float[Array, ""]
    """k, compared bits."""
    max_errors: Float[Array, ""]
    """j, errors at which a session is still accepted."""
    phase_error: Float[Array, ""]
    """Bound on the rate of phase errors of the raw key."""
    leak_bits: Float[Array, ""]
    """Bits that error correction reveals."""
    p_undetected: Float[Array, ""]
    """Probability that the test accepts a session under attack; without an attack, that it accepts an honest one."""
    security: Security
    """What the key is secure to; the distances of several keys add (`Security.composed`)."""
    attack: Any = None
    """Against whom the test is judged."""
    assumptions: Assumptions = static(default=Assumptions())

    def sentences(self) -> list[str]:
        """Say in plain words how surely the attack is caught, and what is assumed."""
        threshold = float(self.max_errors) / float(self.num_test)
        if self.attack is None:
            told = honest_sentence(float(self.p_abort), float(self.num_test), threshold)
        else:
            told = detection_sentence(float(self.p_undetected), float(self.num_test), threshold)
        return [told, *self.assumptions.sentences()]


def session(
    error_rate: Any = 0.01,
    raw_bits: Any = None,
    *,
    signals: Any = None,
    security: Security = Security(),
    tail: Tail | str = Tail.EXACT,
    num_test: Any = None,
    max_errors: Any = None,
    test_fraction: Any = None,
    abort_above: Any = None,
    raw_error_rate: Any = None,
    correction: Any = CORRECTION,
    attack: Attack | None = None,
    assumptions: Assumptions = Assumptions(),
) -> Session:
    """Return what sessions with single photons or pairs give: BB84 or BBM92 with a finite block.

        throughput = (1 - p_abort) l / M,   M = (sqrt n + sqrt k)^2,   p_abort = P(more than j of k bits wrong)

    Each signal is sent and measured in the key basis with probability 1/(1 + sqrt(k/n)), else in the test basis; k bits
    of the test basis are compared. With more than j errors all is discarded and a new session begins.

    Args:
        error_rate: probability that an honest bit is wrong, in [0, 1/2).
        raw_bits: n, bits that become the key; 10,000 if `signals` is not given either.
        signals: M, instead of `raw_bits`.
        security: secrecy and correctness of each key.
        tail: which bound the phase error comes from; a `Tail` or its word.
        num_test: k, whole; None = both numbers of the test as they give the largest throughput.
        max_errors: j, whole; given together with `num_test`.
        test_fraction: k/(n + k) instead, in (0, 1), rounded down to whole k; None = as it gives most.
        abort_above: j/k instead, in [0, 1/2), rounded down to whole j; None = as it gives most.
        raw_error_rate: error rate in the key basis, where it differs from that of compared bits.
        correction: f >= 1, inefficiency of error correction.
        attack: eavesdropper against whom the test is judged, by the errors in X.
        assumptions: that the result carries.

    Returns:
        found: all numbers of the session.

    Raises:
        ValueError: if a number lies outside its range, or no test gives a key (it then says which block would do).

    Note:
        Exact for independent errors; differentiable to first order in error rates, block, security and correction.
        The numbers of the test are whole, so their derivative is that at the fixed best test (envelope theorem).

    References:
        Tomamichel, Lim, Gisin, Renner, Nat. Commun. 3, 634 (2012), arXiv:1103.4130.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> found = session(error_rate=0.01, raw_bits=10_000, security=Security(secrecy=1e-10, correctness=1e-10))
        >>> round(float(found.throughput), 4), int(found.num_test), int(found.max_errors)
        (0.2533, 1738, 25)
    """
    kind = _checks.choice("tail", tail, Tail)
    setting = _setting(error_rate, raw_bits, signals, security, raw_error_rate, correction)
    require_attack(attack)
    if (num_test is None) != (max_errors is None):
        raise ValueError("Arguments `num_test` and `max_errors` must be given together, or neither.")
    wanted = _wanted(test_fraction, abort_above)
    if num_test is not None and wanted != (None, None):
        raise ValueError("Arguments `num_test` and `max_errors` say what `test_fraction` and `abort_above` do.")
    test = None if num_test is None else _test(setting, num_test, max_errors)
    found = _session(setting, kind, test, wanted, attack, assumptions)
    _require_a_key(found, setting, kind, test, wanted)
    return found


def _setting(
    error_rate: Any, raw_bits: Any, signals: Any, security: Security, raw_error_rate: Any, correction: Any
) -> Setting:
    """Check the numbers of a session."""
    if raw_bits is not None and signals is not None:
        raise ValueError("Arguments `raw_bits` and `signals` must not both be given: each says how long a block is.")
    of_signals: Any = np.asarray(signals is not None)
    name, block = ("signals", signals) if of_signals else ("raw_bits", 10_000 if raw_bits is None else raw_bits)
    below_half = "lie in [0, 1/2)", lambda v: (v >= 0) & (v < 0.5)
    rate = _checks.require("error_rate", error_rate, below_half[1], below_half[0])
    raw = rate if raw_error_rate is None else raw_error_rate
    excess = _checks.require("raw_error_rate", raw, below_half[1], below_half[0]) - rate
    return Setting(
        block=_checks.require(name, block, lambda v: (v >= 4) & np.isfinite(v), "be finite and at least 4"),
        of_signals=of_signals,
        error_rate=rate,
        excess=excess,
        security=checked(security),
        correction=_checks.require(
            "correction", correction, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite"
        ),
    )


def _wanted(test_fraction: Any, abort_above: Any) -> Wanted:
    """Check the rates of a test."""
    share, rate = test_fraction, abort_above
    if share is not None:
        share = _checks.require("test_fraction", share, lambda v: (v > 0) & (v < 1), "lie in (0, 1)")
    if rate is not None:
        rate = _checks.require("abort_above", rate, lambda v: (v >= 0) & (v < 0.5), "lie in [0, 1/2)")
    return share, rate


def _test(setting: Setting, num_test: Any, max_errors: Any) -> Test:
    """Check the numbers of a test."""
    k = _checks.require("num_test", num_test, lambda v: (v >= 1) & (v == np.floor(v)), "be a positive whole number")
    j = _checks.require("max_errors", max_errors, lambda v: (v >= 0) & (v == np.floor(v)), "be a whole number >= 0")
    _checks.require("max_errors", j - k, lambda v: v < 0, "be below `num_test`: their difference must be negative")
    if bool(setting.of_signals):
        _checks.require("num_test", k - setting.block, lambda v: v < 0, "be below `signals`: their difference negative")
    return k, j


def _session(
    setting: Setting, tail: Tail, test: Test | None, wanted: Wanted, attack: Attack | None, assumptions: Assumptions
) -> Session:
    """Return a session with the given test, or the best one."""
    chosen = jax.lax.stop_gradient(given_test(setting, *wanted, tail)) if test is None else test
    seen = setting.error_rate if attack is None else flipped(setting.error_rate, error_rate(attack, Basis.X))
    return dataclasses.replace(_tested(setting, chosen, seen, tail), attack=attack, assumptions=assumptions)


@partial(jax.jit, static_argnames="tail")
def _tested(setting: Setting, test: Test, seen: Array, tail: Tail) -> Session:
    """Return a session with a test; `seen` is the error rate that it compares under attack."""
    k, j = (jnp.asarray(x, dtype=float) for x in test)
    found = trial(setting, k, j, tail)
    tries = 1 / jnp.maximum(found.p_accept, NEVER)
    return Session(
        throughput=found.throughput,
        key_bits=found.key.key_bits,
        p_abort=1 - found.p_accept,
        restarts=tries - 1,
        signals_to_key=found.num_signals * tries,
        num_signals=found.num_signals,
        num_raw=found.num_raw,
        num_test=k,
        max_errors=j,
        phase_error=found.key.phase_error,
        leak_bits=found.key.leak_bits,
        p_undetected=p_accepted(seen, k, j),
        security=jax.tree.map(jnp.asarray, setting.security),
    )


def _require_a_key(found: Session, setting: Setting, tail: Tail, test: Test | None, wanted: Wanted) -> None:
    """Raise unless a session gives a key, as far as that is known."""
    bits = _checks.known(found.key_bits)
    if bits is None or bits > 0:
        return
    known = jax.tree.map(np.asarray, setting)
    name = "signals" if known.of_signals else "raw_bits"
    said = (
        f"Argument `{name}` is {float(known.block):,g}, of which no key remains at an error rate of {known.error_rate}"
    )
    if test is not None:
        raise ValueError(f"{said} with this test: leave out `num_test` and `max_errors` to get the best one.")

    def gives(block: float) -> bool:
        longer = Setting(**{**vars(known), "block": np.asarray(block)})
        return float(_session(longer, tail, None, wanted, None, Assumptions()).key_bits) > 0

    block = shortest_block(gives, float(known.block))
    cure = "no block is long enough: the errors leave no key" if block is None else f"{block:,.0f} would do"
    if block is None and wanted != (None, None):
        cure = "no block is long enough with this test: leave out `test_fraction` and `abort_above` to get the best one"
    raise ValueError(f"{said}: {cure}.")
