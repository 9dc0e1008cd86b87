"""How secret and how correct a key is to be."""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree


@pytree
class Security:
    """Largest distances from an ideal key: they add, over both demands and over all keys that are made.

    Example:
        >>> Security(secrecy=1e-10, correctness=1e-12).secrecy
        1e-10
    """

    secrecy: Float[Array, ""] | float = 1e-10
    """Trace distance from a key of which Eve knows nothing, including that of a session that aborts."""

    correctness: Float[Array, ""] | float = 1e-10
    """Probability that the parties end with different keys."""

    @property
    def total(self) -> Any:
        """Return the distance of one key from an ideal one: secrecy + correctness."""
        return self.secrecy + self.correctness

    def composed(self, num_keys: int) -> Any:
        """Return the distance of so many keys, used together, from as many ideal ones."""
        return num_keys * self.total


def checked(security: Security) -> Security:
    """Return a demand with numbers as arrays.

    Raises:
        ValueError: unless both lie in (0, 1).
    """
    numbers = {name: getattr(security, name) for name in ("secrecy", "correctness")}
    for name, value in numbers.items():
        numbers[name] = _checks.require(
            f"security.{name}", value, lambda v: (v > 0) & (v < 1), "lie in (0, 1); no key of finite length reaches 0"
        )
    return Security(**numbers)
