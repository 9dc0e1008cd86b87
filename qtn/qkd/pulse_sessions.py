"""Sessions with weak pulses and two decoys: blocks whose errors are compared, discarded or turned into a key."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.merit.key_rate import flipped
from qtn.qkd.assumptions import Assumptions
from qtn.qkd.attacks import Attack, InterceptResend, error_rate, require_attack
from qtn.qkd.blocks import shortest_block
from qtn.qkd.decoy_key import CORRECTION, DecoyKey, decoy_key, require_decoys
from qtn.qkd.detection import p_below
from qtn.qkd.pulses import Counts, Pulses, Receiver, expected_counts
from qtn.qkd.security import Security, checked
from qtn.qkd.sessions import NEVER, Session
from qtn.qkd.tails import Tail
from qtn.qkd.timed import TimedKey

HIGHEST = 0.499
"""Threshold above which none is looked for."""

POINTS, ROUNDS, SPREAD = 25, 4, 8.0
"""Thresholds that are tried at once, how often, and up to how many standard deviations above the honest error rate."""


def pulse_key(
    sent: Pulses,
    receive: Receiver,
    pulse_rate: Any,
    *,
    num_pulses: Any = None,
    seconds: Any = None,
    security: Security = Security(),
    tail: Tail | str = Tail.EXACT,
    abort_above: Any = None,
    correction: Any = CORRECTION,
    attack: Attack | None = None,
    assumptions: Assumptions = Assumptions(),
) -> TimedKey:
    """Return the keys of blocks of weak pulses with two decoys: tested, aborted and started again (BB84).

        rate = (1 - p_abort) l(a) / block time,   p_abort = P(more than a k of k compared bits wrong)

    All k bits of the test basis are compared, of all intensities together. The length l(a) of the key is fixed before:
    that of `decoy_key` where the error rate of each intensity is higher by what the threshold a allows.

    Args:
        sent: three intensities, falling, the first above the sum of the others.
        receive: line and detectors; where they change during a block, numbers for each stretch of time.
        pulse_rate: pulses per second [Hz].
        num_pulses: of a block, or of each of its stretches.
        seconds: length of a block [s], instead.
        security: secrecy and correctness of each key.
        tail: which bounds; a `Tail` or its word.
        abort_above: a, error rate above which a block is discarded, in [0, 1/2); None = as it gives the most.
        correction: f >= 1, inefficiency of error correction.
        attack: `InterceptResend` against whom the test is judged; it treats all photons of a pulse alike and sends on
            as many as came.
        assumptions: that the result carries.

    Returns:
        found: rate [Hz], time to the first key [s] and the session: signals are pulses, raw and compared bits are
            expected numbers, and so is a k.

    Raises:
        ValueError: if a number lies outside its range, the attack acts on single qubits, or there is no key (it then
            says which block would do).

    Note:
        Detections count at their means, and errors above the mean as spread over the intensities like detections; the
        key of a block that was counted is that of `decoy_key`. A threshold below the honest error rate gives the key
        at that rate. Differentiable to first order; a best threshold counts as constant (envelope theorem).

    References:
        Lim, Curty, Walenta, Xu, Zbinden, Phys. Rev. A 89, 022307 (2014), arXiv:1311.7129.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.qkd import pulses, receiver
        >>> sent = pulses([0.48, 0.12, 2e-4], [0.6, 0.3, 0.1], 0.9)
        >>> found = pulse_key(sent, receiver(10.0, 0.1, 6e-7, 5e-3), 1e9, seconds=10.0)
        >>> round(float(found.rate), -4), round(float(found.session.max_errors / found.session.num_test), 4)
        (1310000.0, 0.0056)
    """
    kind = _checks.choice("tail", tail, Tail)
    if (num_pulses is None) == (seconds is None):
        raise ValueError("One of the arguments `num_pulses` and `seconds` must be given: how long a block is.")
    require_decoys(sent)
    attacked_receiver(receive, attack)
    rate = _checks.positive_finite("pulse_rate", pulse_rate)
    block = _checks.positive_finite("num_pulses", num_pulses) if seconds is None else None
    if block is None:
        block = _checks.positive_finite("seconds", seconds) * rate
    if abort_above is not None:
        abort_above = _checks.require("abort_above", abort_above, lambda v: (v >= 0) & (v < 0.5), "lie in [0, 1/2)")
    factor = _checks.require("correction", correction, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite")
    demand = checked(security)
    found = _session(sent, receive, block, demand, abort_above, factor, attack, kind, assumptions)
    bits = _checks.known(found.key_bits)
    if bits is not None and not bits > 0:
        size, shape = float(np.sum(block)), block / np.sum(block)

        def gives(longer: float) -> bool:
            trial = _session(sent, receive, longer * shape, demand, abort_above, factor, None, kind, assumptions)
            return float(trial.key_bits) > 0

        enough = shortest_block(gives, size, MOST_PULSES)
        cure = "no block is long enough: the errors leave no key" if enough is None else f"{enough:,.0f} would do"
        raise ValueError(f"Argument `num_pulses` is {size:,g}, of which no key remains: {cure}.")
    return TimedKey.of(found, 1 / rate)


MOST_PULSES = 1e18
"""Pulses up to which a block is looked for that gives a key."""


def attacked_receiver(receive: Receiver, attack: Attack | None) -> Receiver:
    """Return what a line and its detectors are for pulses that met an attack on their way.

    Raises:
        ValueError: if the attack acts on single qubits, as a pulse may hold several photons.
    """
    require_attack(attack)
    if attack is None:
        return receive
    if not isinstance(attack, InterceptResend):
        raise ValueError(
            f"Argument `attack` must be `intercept_resend(...)`, but is a {type(attack).__name__}: that acts on one "
            "qubit on its way, and a pulse may hold several photons."
        )
    return dataclasses.replace(receive, misalignment=flipped(receive.misalignment, error_rate(attack)))


def raised(counts: Counts, more: Array) -> Counts:
    """Return counts with an error rate that is higher by a number, in both bases, up to 1/2."""

    def errors(wrong: Array, detections: Array) -> Array:
        return jnp.maximum(wrong, jnp.minimum(wrong + more * detections, detections / 2))

    return dataclasses.replace(
        counts,
        key_errors=errors(counts.key_errors, counts.key_detections),
        test_errors=errors(counts.test_errors, counts.test_detections),
    )


def _session(
    sent: Pulses,
    receive: Receiver,
    num_pulses: Any,
    security: Security,
    threshold: Any,
    correction: Any,
    attack: Attack | None,
    tail: Tail,
    assumptions: Assumptions,
) -> Session:
    """Return a session with the given threshold, or the best one."""
    block = Block(
        sent=sent, receive=receive, num_pulses=jnp.asarray(num_pulses), security=security, correction=correction
    )
    if threshold is None:
        threshold = _best_threshold(block, tail)
    found = _tested(block, jnp.asarray(threshold), attacked_receiver(receive, attack), tail)
    return dataclasses.replace(found, attack=attack, assumptions=assumptions)


@pytree
class Block:
    """What a block of pulses is made of, but for its threshold."""

    sent: Pulses
    receive: Receiver
    num_pulses: Float[Array, "..."]
    """Of each stretch of time, as the numbers of `receive`."""
    security: Security
    correction: Float[Array, ""]

    @property
    def size(self) -> Float[Array, ""]:
        """Return how many pulses there are."""
        return jnp.sum(self.num_pulses)

    def compared(self, receive: Receiver) -> tuple[Counts, Array, Array]:
        """Return counts, the number of compared bits, and the part of them that is wrong."""
        counts = expected_counts(self.sent, receive, self.num_pulses)
        number = jnp.sum(counts.test_detections)
        return counts, number, jnp.sum(counts.test_errors) / jnp.where(number > 0, number, 1.0)

    def key(self, threshold: Array, tail: Tail) -> DecoyKey:
        """Return the key of errors up to a threshold."""
        counts, _, honest = self.compared(self.receive)
        higher = raised(counts, jnp.maximum(threshold - honest, 0.0))
        return decoy_key(self.sent, higher, self.security, tail=tail, correction=self.correction)


@partial(jax.jit, static_argnames="tail")
def _tested(block: Block, threshold: Array, attacked: Receiver, tail: Tail) -> Session:
    """Return a session with a threshold; `attacked` is what receives under attack."""
    counts, number, honest = block.compared(block.receive)
    found, accepted = block.key(threshold, tail), p_below(honest, number, threshold)
    _, seen_number, seen = block.compared(attacked)
    tries = 1 / jnp.maximum(accepted, NEVER)
    return Session(
        throughput=accepted * found.key_bits / jnp.where(block.size > 0, block.size, 1.0),
        key_bits=found.key_bits,
        p_abort=1 - accepted,
        restarts=tries - 1,
        signals_to_key=block.size * tries,
        num_signals=block.size,
        num_raw=jnp.sum(counts.key_detections),
        num_test=number,
        max_errors=threshold * number,
        phase_error=found.phase_error,
        leak_bits=found.leak_bits,
        p_undetected=p_below(seen, seen_number, threshold),
        security=found.security,
    )


@partial(jax.jit, static_argnames="tail")
def _best_threshold(block: Block, tail: Tail) -> Array:
    """Return the threshold that gives most, a constant for derivatives: on grids, each finer than the one before."""
    block = jax.lax.stop_gradient(block)
    _, number, honest = block.compared(block.receive)
    spread = jnp.sqrt(honest * (1 - honest) / jnp.maximum(number, 1.0)) + 1 / jnp.maximum(number, 1.0)

    def value(step: Array) -> Array:
        threshold = jnp.minimum(honest + step * spread, HIGHEST)
        bits = block.key(threshold, tail).key_bits
        return jnp.where(bits > 0, bits * p_below(honest, number, threshold), bits)

    def look(_: Array, found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, _ = found
        steps = jnp.linspace(low, high, POINTS)
        best = jnp.argmax(jax.vmap(value)(steps))
        return steps[jnp.maximum(best - 1, 0)], steps[jnp.minimum(best + 1, POINTS - 1)], steps[best]

    start = jnp.zeros(()), jnp.asarray(SPREAD), jnp.zeros(())
    step = jax.lax.fori_loop(0, ROUNDS, look, start)[2]
    return jnp.minimum(honest + step * spread, HIGHEST)
