"""Repeater graph states: a source whose photons connect two neighbours if one of m tries on either side succeeds."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import real
from qtn._pytree import pytree, static
from qtn.codes.logical import Logical, decoded, noise, require_photons, signs, unharmed, whole
from qtn.codes.tree import checked_branching, indirect, photons_of, readings


@pytree
class RepeaterGraphState:
    """2 m photons that are all entangled with each other, each with an arm: one more photon for a Bell measurement.

    Where a Bell measurement succeeded the inner photon is measured in X, on either side once; all others are measured
    in Z, which cuts them off. A plain inner photon must arrive; one that is encoded in a tree is read in X by any of
    its children (with their children), in Z by all of them:

        plain: P_X = P_Z = 1 - mu            tree: P_X = R_0, P_Z = (1 - mu + mu R_1)^b_0      (R: `TreeCode`)
        p = P_X^2 P_Z^(2m-2)

    An error of a reading in X flips one correlation of the pair that is left, one of a reading in Z flips two.

    Note:
        Exact, differentiable in loss and errors; the Pauli channel is that of the inner photons alone.

    References:
        Azuma, Tamaki, Lo, Nat. Commun. 6, 6787 (2015), arXiv:1309.7207.
    """

    num_arms: int = static()
    """m, arms to either side."""

    branching: tuple[int, ...] = static(default=())
    """Tree in which each inner photon is encoded, see `TreeCode`; () = plain."""

    @property
    def num_photons(self) -> int:
        """Photons of one state: 2 m arms, and 2 m inner photons or trees."""
        return 2 * self.num_arms * (1 + (photons_of(self.branching) or 1))

    def logical(self, loss: Any = 0.0, pauli: Any = None) -> Logical:
        """Return what the inner photons leave once there is a connection on either side.

        Args:
            loss: mu of an inner photon, in [0, 1].
            pauli: (4,), probabilities of I, X, Y, Z on a photon that arrives; None = no error, also for derivatives.
        """
        lost, errors = noise(loss, pauli)
        if errors is None:
            p_x, p_z = self.readable(lost)
            return unharmed(p_x**2 * p_z ** (2 * self.num_arms - 2))
        return decoded(graph_characters(self, lost, errors))

    def readable(self, loss: Any) -> tuple[Any, Any]:
        """Return the probabilities that an inner photon can be read in X, and in Z."""
        if not self.branching:
            return 1 - loss, 1 - loss
        found = indirect(self.branching, loss)
        return found[0], (1 - loss + loss * found[1]) ** self.branching[0]

    def p_connect(self, p_bell: Any) -> Any:
        """Return the probability that one of m Bell measurements succeeds: 1 - (1 - p_bell)^m."""
        return 1 - (1 - p_bell) ** self.num_arms

    def generation_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return 2 m (emission_time (1 + a) + gate_time (1 + i)) [s].

        a photons stand for one inner photon (1 if it is plain), i of them have children: a gate between emitters joins
        each of those, and each arm. This count is ours.
        """
        return real(graph_time(self.num_arms, self.branching, emission_time, gate_time))

    def end_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return m (2 emission_time + gate_time) [s]: the pairs of a node at the end, all there is without a source."""
        return real(end_time(self.num_arms, emission_time, gate_time))


def repeater_graph_state(num_arms: Any, branching: Any = ()) -> RepeaterGraphState:
    """Build a repeater graph state.

    Args:
        num_arms: m, arms to either side, at least 1.
        branching: tree in which each inner photon is encoded, see `qtn.codes.tree_code`; () = plain.

    Raises:
        ValueError: if a number is not a whole one of at least 1, the tree is too large, or there are too many photons.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{repeater_graph_state(2).logical(loss=0.1).p_success:.4f}")
        0.6561
    """
    state = RepeaterGraphState(num_arms=whole("num_arms", num_arms), branching=checked_branching(branching))
    require_photons(state.num_photons)
    return state


def graph_time(num_arms: Any, branching: Sequence[Any], emission_time: Any, gate_time: Any) -> Any:
    """Return the generation time [s] of a graph state, or of many at once; see `RepeaterGraphState`."""
    emissions, gates = 1 + (photons_of(branching) if branching else 1), 1 + photons_of(branching[:-1])
    return 2 * num_arms * (emission_time * emissions + gate_time * gates)


def end_time(num_arms: Any, emission_time: Any, gate_time: Any) -> Any:
    """Return the time [s] in which a node at the end makes its pairs; see `RepeaterGraphState`."""
    return num_arms * (2 * emission_time + gate_time)


def graph_characters(state: RepeaterGraphState, loss: Float[Array, ""], pauli: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return the unnormalised characters of what the inner photons leave of a pair, up to a Hadamard gate."""
    _, x, _, z = signs(pauli)
    others = 2 * state.num_arms - 2
    p_x, p_z = state.readable(loss)
    if state.branching:
        root, top, *_ = readings(state.branching, loss, pauli)
        s_x, s_z = root.lost, top.of(loss) ** state.branching[0]
    else:
        s_x, s_z = p_x * x, p_z * z
    one = p_x * s_x * s_z**others
    return library(loss, pauli).stack([p_x**2 * p_z**others, one, s_x**2 * p_z**others, one])
