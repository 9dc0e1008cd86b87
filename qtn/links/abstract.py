"""A link given by its three numbers, whatever hardware they come from."""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.links.link import Heralded
from qtn.states import pair


@pytree
class AbstractLink:
    """A link that says directly how often, how fast and how well it heralds.

    Note:
        Exact, differentiable with respect to every field.
    """

    p_success: Float[Array, "..."]
    """Probability that one attempt heralds a pair, in (0, 1]."""

    attempt_time: Float[Array, "..."]
    """Duration of one attempt [s]."""

    bell_diagonal: Float[Array, "... 4"]
    """Weights of Phi+, Psi+, Psi-, Phi- of the heralded pair, sum 1."""

    def heralded(self) -> Heralded:
        """Return the three numbers as they are."""
        return Heralded(
            p_success=self.p_success, attempt_time=self.attempt_time, state=pair.pauli_from_bell(self.bell_diagonal)
        )


def abstract_link(
    *, p_success: Any, attempt_time: Any, werner: Any = None, fidelity: Any = None, bell_diagonal: Any = None
) -> AbstractLink:
    """Build a link from its numbers; the state is given in exactly one of three ways.

    Args:
        p_success: probability that one attempt heralds a pair, in (0, 1].
        attempt_time: duration of one attempt [s].
        werner: w in [-1/3, 1] of the Werner state w Phi+ + (1 - w) 1/4.
        fidelity: F in [0, 1] of a Werner state, F = (1 + 3 w)/4.
        bell_diagonal: (4,), weights of Phi+, Psi+, Psi-, Phi-, sum 1.

    Returns:
        link: the link.

    Raises:
        ValueError: if not exactly one state is given or a number lies outside its range.

    Note:
        Exact, differentiable with respect to every argument, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> link = abstract_link(p_success=0.1, attempt_time=1e-3, werner=0.8)
        >>> round(float(link.heralded().bell_diagonal[0]), 12)
        0.85
    """
    states = {
        "werner": (pair.werner, werner),
        "fidelity": (pair.from_fidelity, fidelity),
        "bell_diagonal": (pair.bell_diagonal, bell_diagonal),
    }
    given = [name for name, (_, value) in states.items() if value is not None]
    if len(given) != 1:
        raise ValueError(
            "Exactly one of the arguments `werner`, `fidelity` and `bell_diagonal` must be given, "
            f"but given are: {', '.join(given) or 'none'}."
        )
    build, value = states[given[0]]
    return AbstractLink(
        p_success=_checks.positive_probability("p_success", p_success),
        attempt_time=_checks.positive_finite("attempt_time", attempt_time),
        bell_diagonal=build(value),
    )
