"""Choose the intensities of weak pulses, how often each is sent, and the bases, for the largest key of a block."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn.optimisation.bounded import Interval
from qtn.optimisation.constrained import climb_subject_to
from qtn.optimisation.settings import ConstrainedSettings
from qtn.qkd.decoy_key import decoy_key
from qtn.qkd.pulses import Pulses, Receiver, expected_counts
from qtn.qkd.security import Security, checked
from qtn.qkd.tails import Tail

BOUNDS = {
    "intensity": Interval(0.05, 1.0),
    "decoy_part": Interval(0.01, 0.9),
    "p_signal": Interval(0.02, 0.98),
    "decoy_share": Interval(0.02, 0.98),
    "p_key_basis": Interval(0.3, 0.995),
}
"""The signal, the decoy over the signal, the probability of the signal, that of the decoy among the rest, the basis."""

START = {"intensity": 0.35, "decoy_part": 0.3, "p_signal": 0.12, "decoy_share": 0.65, "p_key_basis": 0.45}
"""Settings that give a key also where a block is short: most of it goes into decoys and tests."""


def best_pulses(
    receive: Receiver,
    num_pulses: Any = None,
    security: Security = Security(),
    *,
    key_detections: Any = None,
    tail: Tail | str = Tail.EXACT,
    weakest: float = 2e-4,
    correction: float = 1.16,
) -> Pulses:
    """Return the signal, the decoy, their probabilities and the bases with the largest key of a block, found together.

    Args:
        receive: line and detectors.
        num_pulses: of a block.
        security: secrecy and correctness.
        key_detections: expected detections of a block in the key basis, instead of `num_pulses`.
        tail: which bounds; a `Tail` or its word.
        weakest: mean photon number of the weakest decoy, below a hundredth of the least signal.
        correction: f >= 1, inefficiency of error correction.

    Returns:
        sent: three intensities, their probabilities and the probability of the key basis.

    Raises:
        ValueError: unless one length of the block is given, or if a number lies outside its range.

    Note:
        A local optimum by second-order steps from two starts, in the slopes of `decoy_key`; where no setting gives a
        key, the one that misses it by least.

    References:
        Lim, Curty, Walenta, Xu, Zbinden, Phys. Rev. A 89, 022307 (2014), arXiv:1311.7129, section IV.
    """
    kind = _checks.choice("tail", tail, Tail)
    _checks.require("weakest", weakest, lambda v: (v >= 0) & (v < 5e-4), "lie in [0, 5e-4)")
    if (num_pulses is None) == (key_detections is None):
        raise ValueError("One of the arguments `num_pulses` and `key_detections` must be given: how long a block is.")
    name, block = ("num_pulses", num_pulses) if key_detections is None else ("key_detections", key_detections)
    length = _checks.positive_finite(name, block), key_detections is not None
    fixed = (receive, length, checked(security), weakest, correction)

    names = tuple(START)

    def evaluate(numbers: Any) -> tuple[np.ndarray, np.ndarray]:
        value, slopes = _key_and_slopes(dict(zip(names, numbers, strict=True)), *fixed, tail=kind)
        return np.array([[slopes[name] for name in names]], float), np.array([value], float)

    fit = climb_subject_to([], evaluate, START, BOUNDS, settings=ConstrainedSettings(num_starts=2, max_evaluations=120))
    return _sent(jax.tree.map(np.asarray, fit.parameters), weakest)


def _sent(free: Mapping[str, Any], weakest: Any) -> Pulses:
    """Return the pulses of some free numbers."""
    first = free["p_signal"]
    second = (1 - first) * free["decoy_share"]
    signal = free["intensity"]
    return Pulses(
        intensities=jnp.stack([signal, signal * free["decoy_part"], jnp.asarray(weakest)]),
        probabilities=jnp.stack([first, second, 1 - first - second]),
        p_key_basis=jnp.asarray(free["p_key_basis"]),
    )


@partial(jax.jit, static_argnames="tail")
def _key_and_slopes(
    free: Mapping[str, Any],
    receive: Receiver,
    length: tuple[Any, Any],
    security: Security,
    weakest: Any,
    correction: Any,
    tail: Tail,
) -> tuple[Any, Any]:
    """Return the key per million pulses and its slopes."""

    def value(free: Mapping[str, Any]) -> Any:
        sent = _sent(free, weakest)
        share = jnp.sum(expected_counts(sent, receive, 1.0).key_detections)
        num_pulses = jnp.where(length[1], length[0] / share, length[0])
        found = decoy_key(sent, expected_counts(sent, receive, num_pulses), security, tail=tail, correction=correction)
        return found.key_bits / num_pulses * 1e6

    return jax.value_and_grad(value)(free)
