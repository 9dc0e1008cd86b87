"""Conference keys: one key of many users from the GHZ states that they share."""

import enum
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.gather import GroupOutcome
from qtn.merit.entropy import binary_entropy, entropy

MOST_PATTERNS = 12
"""Users of a state whose 2^n weights in the GHZ basis are summed."""


class ConferenceProtocol(enum.StrEnum):
    """What is known of the state when a key is made of it."""

    BB84 = "bb84"
    """N-BB84: the errors of X on all users, and of Z between the leader and each other one."""
    GHZ_DIAGONAL = "ghz_diagonal"
    """All weights in the GHZ basis (Devetak and Winter)."""


@pytree
class ConferenceKey:
    """What one key of all users gives."""

    rate: Float[Array, ""]
    """Secret bits per second that all users have; negative without a key [Hz]."""

    fraction: Float[Array, ""]
    """Secret bits per GHZ state, unclipped."""

    qber_x: Float[Array, ""]
    """(1 - <X .. X>) / 2."""

    qber_z: Float[Array, "n"]
    """Errors of Z between the leader and each other user, in order."""

    worst_z: Float[Array, ""]
    """The largest of them."""

    mean_time: Float[Array, ""]
    """Mean time to a GHZ state [s]."""


def conference_key(
    group: GroupOutcome,
    *,
    leader: int = 0,
    protocol: ConferenceProtocol | str = ConferenceProtocol.BB84,
    correction: Any = 1.0,
) -> ConferenceKey:
    """Return the key that n users make of gathered GHZ states, with many states (asymptotic).

        N-BB84:         r = 1 - h(Q_X) - f max_i h(Q_(A, Bi))
        GHZ-diagonal:   r = 1 - H(sign | pattern) - f max_i h(Q_(A, Bi))

    The key is the leader's bit of Z; the others correct theirs to it. `pattern` says which users differ from the
    leader, `sign` is that of the GHZ state.

    Args:
        group: of `qtn.gather`; a GHZ state.
        leader: user whose bit is the key.
        protocol: what is known of the state.
        correction: f >= 1, inefficiency of error correction.

    Returns:
        found: rate, fraction and errors.

    Raises:
        ValueError: if there is no such user, `group` holds a graph state, or `"ghz_diagonal"` is asked for more than 12
            users.

    Note:
        Exact, differentiable; the derivative of an entropy at an error of 0, infinite in truth, is taken as 0. For two
        users these are the BB84 and the hashing fraction of a pair.

    References:
        Grasselli, Kampermann, Bruss, New J. Phys. 20, 113014 (2018), arXiv:1802.10534 (N-BB84);
        Epping, Kampermann, Macchiavello, Bruss, New J. Phys. 19, 093012 (2017), arXiv:1612.05585;
        Devetak, Winter, Proc. R. Soc. A 461, 207 (2005), arXiv:quant-ph/0306078.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import gather
        >>> from qtn.dqc import steady_pairs
        >>> found = conference_key(gather([steady_pairs([0.98, 0, 0, 0.02], 100.0, p_success=1.0)] * 3))
        >>> round(float(found.qber_x), 9), round(float(found.fraction), 6)  # (1 - .96^3) / 2
        (0.057632, 0.682028)
    """
    require_user("leader", leader, group.num_users)
    correction = _checks.at_least_one("correction", correction)
    group.require_ghz()
    return _key(group, correction, leader, _checks.choice("protocol", protocol, ConferenceProtocol))


@partial(jax.jit, static_argnames=("leader", "protocol"))
def _key(group: GroupOutcome, correction: Array, leader: int, protocol: ConferenceProtocol) -> ConferenceKey:
    """Return the key, in one compiled function."""
    count = group.num_users
    strings = ["X" * count, *({leader: "Z", user: "Z"} for user in range(count) if user != leader)]
    errors = (1 - group.means(strings)) / 2
    known = protocol is ConferenceProtocol.BB84
    private = binary_entropy(errors[0]) if known else _sign_entropy(group, leader)
    fraction = 1 - private - correction * jnp.max(jax.vmap(binary_entropy)(errors[1:]))
    return ConferenceKey(
        rate=fraction / group.mean_time,
        fraction=fraction,
        qber_x=errors[0],
        qber_z=errors[1:],
        worst_z=jnp.max(errors[1:]),
        mean_time=group.mean_time,
    )


def require_user(name: str, user: int, count: int) -> int:
    """Return a user that is there."""
    if isinstance(user, bool) or not isinstance(user, int) or not 0 <= user < count:
        raise ValueError(f"Argument `{name}` must be one of the users 0 .. {count - 1}, but is {user!r}.")
    return user


def ghz_weights(group: GroupOutcome, leader: int = 0) -> Float[Array, "patterns 2"]:
    """Return the weights of a state in the GHZ basis, (|0 s> + |1 s'>) / sqrt 2 and (|0 s> - |1 s'>) / sqrt 2.

    Args:
        group: a GHZ state of n users.
        leader: user whose bit comes first.

    Returns:
        (2^(n - 1), 2): by the bits s of the other users, first one slowest, s' the opposite ones; sign +, -.

    Raises:
        ValueError: if there are more than 12 users.
    """
    count = group.num_users
    if count > MOST_PATTERNS:
        raise ValueError(
            f"A state of {count} users has 2^{count} weights in the GHZ basis: up to {MOST_PATTERNS} users are summed. "
            'Use `protocol="bb84"`, which takes any number.'
        )
    bits = np.insert(np.indices((2,) * (count - 1)).reshape(count - 1, -1).T, leader, 0, axis=1)
    sign = 1 - 2.0 * bits
    zero, one = np.zeros_like(sign), np.ones_like(sign)
    same, opposite = (np.stack([one, zero, zero, k * sign], axis=-1) / 2 for k in (1, -1))
    flipped = np.stack([zero, one, 1j * sign, zero], axis=-1) / 2
    found = group.products(np.concatenate([same, opposite, flipped]))
    up, down, coherence = jnp.real(found).reshape(3, -1)
    return jnp.stack([(up + down) / 2 + coherence, (up + down) / 2 - coherence], axis=1)


def _sign_entropy(group: GroupOutcome, leader: int) -> Float[Array, ""]:
    """Return H(sign | pattern) [bit]."""
    weights = ghz_weights(group, leader)
    return entropy(weights.reshape(-1)) - entropy(weights.sum(axis=1))


def white_noise_fraction(
    num_users: int, error_rate: Any, protocol: ConferenceProtocol | str = ConferenceProtocol.BB84
) -> Float[Array, ""]:
    """Return the secret bits per GHZ state with white noise, v GHZ + (1 - v) / 2^n.

    Args:
        num_users: n.
        error_rate: Q = (1 - v) / 2, of X and of Z alike.
        protocol: what is known of the state.

    Note:
        Closed form, differentiable.
    """
    count = _at_least_two("num_users", num_users)
    error = _checks.require("error_rate", error_rate, lambda q: (q >= 0) & (q <= 0.5), "lie in [0, 0.5]")
    if _checks.choice("protocol", protocol, ConferenceProtocol) is ConferenceProtocol.BB84:
        return 1 - 2 * binary_entropy(jnp.asarray(error))
    rest = 2 * error / 2**count
    there = 1 - 2 * error + 2 * rest
    signs = there * binary_entropy(jnp.asarray(rest / there)) + 1 - there
    return 1 - signs - binary_entropy(jnp.asarray(error))


def white_noise_threshold(num_users: int, protocol: ConferenceProtocol | str = ConferenceProtocol.BB84) -> float:
    """Return the error rate up to which white noise leaves a key.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> [round(white_noise_threshold(n, "ghz_diagonal"), 7) for n in (2, 3, 4, 5)]
        [0.1261931, 0.1398104, 0.1503354, 0.157853]
    """
    fraction = jax.jit(lambda error: white_noise_fraction(num_users, error, protocol))
    root: Any = brentq(lambda error: float(fraction(error)), 1e-3, 0.4, xtol=1e-14)
    return float(root)


def _at_least_two(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 2:
        raise ValueError(f"Argument `{name}` must be a whole number of at least 2, but is {value!r}.")
    return value
