"""What a gathering delivers: when all users hold their state, and the state."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.gather.dense import MOST_DENSE, dense_train
from qtn.evaluators.gather.held import Held, require_memory
from qtn.evaluators.gather.joining import GhzJoining, GraphJoining, Joining
from qtn.evaluators.gather.products import product_means
from qtn.evaluators.gather.strings import string_means
from qtn.evaluators.gather.train import ghz_train
from qtn.evaluators.outcome import quantiles_on_grid
from qtn.hardware.gates import Gates
from qtn.states.measures import letters_of
from qtn.states.trains import MPDO

MOST_STABILISERS = 12
"""Users whose 2^n stabilisers are summed, in a graph state or along a tree."""

MOST_LOST = 1e-6
"""What cuts may change of a Pauli coefficient before `GroupOutcome.state` is refused."""


@pytree
class WaitingTime:
    """When the users hold their state."""

    probability: Float[Array, "t"]
    """Probability that it is delivered after 0, 1, 2, ... steps, restarts included."""

    step: Float[Array, ""]
    """[s]."""

    mean: Float[Array, ""]
    """[s], exact also where the distribution outlasts the grid."""

    @property
    def times(self) -> Float[Array, "t"]:
        """Return the times of the grid [s]."""
        return self.step * np.arange(self.probability.shape[0], dtype=float)

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return the times [s] by which it has been delivered with the given probabilities.

        Beyond the grid the distribution continues as the exponential that it has become by then.
        """
        return quantiles_on_grid(self.probability, self.times, levels, False)


@pytree
class GroupOutcome:
    """The state that n users share, and the waiting time for it."""

    time: WaitingTime

    p_success: Float[Array, ""]
    """Probability that an attempt succeeds: no cut-off ends it, and all gates of the hub work."""

    held: Held
    """What the memories hold when it succeeds, for each kind of arm."""

    gates: Gates
    """Of the hub."""

    kinds: tuple[int, ...] = static()
    """Kind of each arm: equal arms are stored once."""

    joining: Joining = static()
    max_bond: int = static()

    @property
    def num_users(self) -> int:
        """Return the number of users."""
        return len(self.joining.users(len(self.kinds)))

    @property
    def mean_time(self) -> Float[Array, ""]:
        """Return the mean waiting time [s]."""
        return self.time.mean

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return the times [s] by which the state has been delivered with the given probabilities."""
        return self.time.quantiles(levels)

    @property
    def state(self) -> MPDO:
        """Return the mean state of the users, of trace 1; see `compressed`.

        Raises:
            ValueError: if cuts are known to have changed a Pauli coefficient by more than 1e-6.
        """
        state, lost = self.compressed()
        known = _checks.known(lost)
        if known is not None and known > MOST_LOST:
            raise ValueError(
                f"With `max_bond` = {self.max_bond} cuts may have changed a Pauli coefficient of the state by "
                f"{float(known):.1e}: raise `max_bond`, take it as it is from `compressed()`, or ask for `means`, "
                "which cut nothing."
            )
        return state

    def compressed(self) -> tuple[MPDO, Float[Array, ""]]:
        """Return the mean state of the users as a train, and a bound on what cuts have changed of a Pauli coefficient.

        Note:
            Nothing is cut, and the derivative is exact, for up to 7 users at the default `max_bond` of 64; for more
            users derivatives are those of the kept space (see `qtn.tensors.split`). Computed anew at each call.
        """
        total = self.raw_means(np.zeros((1, self.num_users), int))[0]
        if isinstance(self.joining, GhzJoining):
            rows = min(4 * self.max_bond, 4 ** ((self.num_users + 1) // 2))
            numbers = 6 * rows * 4 * self.held.weight.size
            require_memory(numbers, f"A cut of the state with `max_bond` = {self.max_bond}", "lower `max_bond`")
            state, lost = ghz_train(self.held, self.gates, np.array(self.kinds), bond=self.max_bond)
        else:
            _require_few(self.num_users)
            state, lost = dense_train(self.raw_means, self.num_users), jnp.zeros(())
        train = state.train.at[0].divide(total)
        return MPDO(train=train), lost / total

    def require_ghz(self) -> None:
        """Raise a ValueError unless the state is a GHZ state, but for noise."""
        if isinstance(self.joining, GraphJoining):
            raise ValueError(
                "The users hold a graph state, but a GHZ state is needed: leave `edges` out where it is gathered, or "
                "ask for `means` of strings of the graph state."
            )

    def raw_means(self, users: np.ndarray) -> Float[Array, "s"]:
        """Return means of Pauli strings (s, n), 0 .. 3 for I, X, Y, Z, times the probability of no cut-off."""
        return string_means(self.held, self.gates, np.array(self.kinds), self.joining.measured(users))

    def means(self, paulis: Sequence[Mapping[int, str] | str]) -> Float[Array, "s"]:
        """Return the mean values of Pauli strings of the users.

        Args:
            paulis: of each string "XXZ", one letter a user, or {user: "X"} for the others identity; users count from 0.

        Returns:
            (s,), in [-1, 1].

        Note:
            Exact for any number of users, differentiable.
        """
        users = np.array([letters_of(each, self.num_users) for each in paulis]).reshape(-1, self.num_users)
        found = self.raw_means(np.concatenate([np.zeros((1, self.num_users), int), users]))
        return _relative_to_first(found)

    def products(self, vectors: Any) -> Num[Array, "s"]:
        """Return mean values of products of one operator a user, of a GHZ-like state.

        Args:
            vectors: (s, n, 4): each operator is sum_k v_k P_k, with P = I, X, Y, Z; complex where it is not Hermitian.

        Note:
            Exact for any number of users, differentiable.
        """
        self.require_ghz()
        if not isinstance(self.joining, GhzJoining):
            raise ValueError("Products of operators are for one hub: ask for `means` of strings, or gather at one hub.")
        trace = np.tile([1.0, 0.0, 0.0, 0.0], (1, self.num_users, 1))
        given = jnp.concatenate([jnp.asarray(trace, complex), jnp.asarray(vectors, complex)])
        found = product_means(self.held, self.gates, np.array(self.kinds), given)
        return _relative_to_first(found)

    def fidelity(self) -> Float[Array, ""]:
        """Return the fidelity with what perfect pairs and gates would give: the GHZ state, or the graph state.

            F = 1/2 <prod (1 + Z)/2 + prod (1 - Z)/2> + Re <prod (X + iY)/2>        (GHZ at one hub)

        Else it is the mean of all stabilisers.

        Note:
            Exact, differentiable; GHZ states of any number of users at one hub, other states of up to 12.
        """
        if isinstance(self.joining, GhzJoining):
            rows = np.array([[1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1j, 0]]) / 2
            up, down, flip = self.products(np.repeat(rows[:, None], self.num_users, axis=1))
            return jnp.real(up + down) / 2 + jnp.real(flip)
        if self.num_users > MOST_STABILISERS:
            raise ValueError(
                f"The fidelity of {self.num_users} users, in a graph state or along a tree, has 2^{self.num_users} "
                f"terms: up to {MOST_STABILISERS} users are summed. Ask for `means` of generators, which bound it."
            )
        strings, signs = self.joining.stabilisers(self.num_users)
        found = self.raw_means(strings)
        return jnp.mean(signs * found) / found[0]

    def mean(self, paulis: Mapping[int, str] | str) -> Float[Array, ""]:
        """Return the mean value of one Pauli string; see `means`."""
        return self.means([paulis])[0]


@jax.jit
def _relative_to_first(found: Num[Array, "n"]) -> Num[Array, "_"]:
    """Return all but the first, which is a probability, divided by it."""
    return found[1:] / jnp.real(found[0])


def _require_few(num_users: int) -> None:
    if num_users > MOST_DENSE:
        raise ValueError(
            f"The state of {num_users} users is no train here unless it is a GHZ state of one hub: up to {MOST_DENSE} "
            "users are written out. Ask for `means` of Pauli strings or `fidelity`, which take more."
        )


def require_max_bond(value: Any) -> int:
    """Return a bond of at least 4."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 4:
        raise ValueError(f"Argument `max_bond` must be a whole number of at least 4, but is {value!r}.")
    return value
