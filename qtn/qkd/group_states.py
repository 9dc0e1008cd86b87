"""Further uses of a GHZ state: a pair between two users whom nobody can tell, and a secret that only all can read."""

import enum
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.gather import GroupOutcome
from qtn.evaluators.outcome import Info, Summary
from qtn.merit.entropy import binary_entropy
from qtn.qkd.conference import require_user

LETTERS = "IXYZ"


def anonymous_pair(group: GroupOutcome, sender: int, receiver: int, *, readout: Any = 1.0) -> Summary:
    """Return the pair of two users after all others have measured X and told everybody what they found.

        r[a, b] = <P_a P_b prod_others X^x(a)>,      x = 1 for a = X, Y

    Sender and receiver tell random bits, so nobody learns who they are; the sender applies Z where the bits of the
    others are odd. What comes is a pair like any other: `fidelity`, `secret_key_rate`, `teleportation` take it.

    Args:
        group: of `qtn.gather`; a GHZ state.
        sender: user who applies Z; first qubit of the pair.
        receiver: second qubit of the pair.
        readout: eta of the users who measure.

    Returns:
        pair: mean time and state.

    Raises:
        ValueError: if there are no such users, they are the same, or the state is not a GHZ state.

    Note:
        Exact for any number of users, differentiable. Anonymity is perfect for a perfect GHZ state; with noise it
        is as good as the state is symmetric.

    References:
        Christandl, Wehner, ASIACRYPT 2005, arXiv:quant-ph/0409201;
        Lipinska, Murta, Wehner, Phys. Rev. A 98, 052320 (2018), arXiv:1806.10973.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.dqc import steady_pairs
        >>> from qtn.evaluators.gather import gather
        >>> found = anonymous_pair(gather([steady_pairs([0.98, 0, 0, 0.02], 100.0, p_success=1.0)] * 4), 1, 3)
        >>> [round(float(each), 9) for each in found.bell_diagonal]  # (1 + .96^4) / 2
        [0.92467328, 0.0, 0.0, 0.07532672]
    """
    require_user("sender", sender, group.num_users)
    if require_user("receiver", receiver, group.num_users) == sender:
        raise ValueError(f"Arguments `sender` and `receiver` must be two different users, but both are {sender}.")
    group.require_ghz()
    return _pair(group, _checks.probability("readout", readout), sender, receiver)


@partial(jax.jit, static_argnames=("sender", "receiver"))
def _pair(group: GroupOutcome, readout: Array, sender: int, receiver: int) -> Summary:
    """Return the pair, in one compiled function."""
    strings, told = [], []
    for a, b in np.ndindex(4, 4):
        ends = {sender: LETTERS[a], receiver: LETTERS[b]}
        told.append([user for user in range(group.num_users) if a in (1, 2) and user not in ends])
        strings.append(dict.fromkeys(told[-1], "X") | ends)
    factors = (2 * readout - 1) ** jnp.asarray([len(each) for each in told])
    law = group.time.probability
    info = Info(
        tail_mass=jnp.maximum(1 - law.sum(), 0.0),
        grid_error=jnp.zeros(()),
        step=group.time.step,
        num_steps=law.shape[0],
    )
    return Summary(mean_time=group.mean_time, state=(group.means(strings) * factors).reshape(4, 4), info=info)


class Check(enum.StrEnum):
    """What is measured in rounds that are compared, besides X of all users."""

    Y = "y"
    """Y of the dealer and of one other user, X of the rest (Hillery, Buzek, Berthiaume)."""
    Z = "z"
    """Z of the dealer and of one other user."""


@pytree
class SharedSecret:
    """What a secret gives that a dealer shares among the others, who can read it together only."""

    rate: Float[Array, ""]
    """Secret bits per second; negative without a secret [Hz]."""

    fraction: Float[Array, ""]
    """Secret bits per GHZ state, unclipped."""

    error: Float[Array, ""]
    """Chance that the parity of all others differs from the dealer's bit."""

    checked: Float[Array, "n"]
    """Errors of the compared rounds, with each other user in order."""


def secret_sharing(
    group: GroupOutcome, *, dealer: int = 0, check: Check | str = Check.Y, correction: Any = 1.0
) -> SharedSecret:
    """Return the secret bits that a dealer shares among the others: its outcome of X is the parity of all of theirs.

        r = 1 - f h(Q_X) - max_i h(Q_i),      Q_i = (1 + <Y_A Y_Bi X ..>) / 2  or  (1 - <Z_A Z_Bi>) / 2

    Args:
        group: of `qtn.gather`; a GHZ state.
        dealer: user who has the secret.
        check: what is compared besides.
        correction: f >= 1, inefficiency of error correction.

    Returns:
        found: rate, fraction and errors.

    Raises:
        ValueError: if there is no such user or the state is not a GHZ state.

    Note:
        Exact for any number of users, differentiable. Asymptotic, bases chosen with unequal frequency; against an
        outside eavesdropper, users tell the truth in compared rounds.

    References:
        Hillery, Buzek, Berthiaume, Phys. Rev. A 59, 1829 (1999), arXiv:quant-ph/9806063;
        Chen, Lo, Quantum Inf. Comput. 7, 689 (2007), arXiv:quant-ph/0404133.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.dqc import steady_pairs
        >>> from qtn.evaluators.gather import gather
        >>> group = gather([steady_pairs([0.98, 0, 0, 0.02], 100.0, p_success=1.0)] * 3)
        >>> [round(float(secret_sharing(group, check=each).fraction), 6) for each in ("y", "z")]
        [0.364056, 0.682028]
    """
    require_user("dealer", dealer, group.num_users)
    correction = _checks.at_least_one("correction", correction)
    group.require_ghz()
    return _secret(group, correction, dealer, _checks.choice("check", check, Check))


@partial(jax.jit, static_argnames=("dealer", "check"))
def _secret(group: GroupOutcome, correction: Array, dealer: int, check: Check) -> SharedSecret:
    """Return the secret, in one compiled function."""
    users = range(group.num_users)
    letters = dict.fromkeys(users, "X") if check is Check.Y else {}
    letter, sign = ("Y", -1) if check is Check.Y else ("Z", 1)
    compared = [letters | {dealer: letter, user: letter} for user in users if user != dealer]
    means = group.means([dict.fromkeys(users, "X"), *compared])
    error, checked = (1 - means[0]) / 2, (1 - sign * means[1:]) / 2
    fraction = 1 - correction * binary_entropy(error) - jnp.max(jax.vmap(binary_entropy)(checked))
    return SharedSecret(rate=fraction / group.mean_time, fraction=fraction, error=error, checked=checked)
