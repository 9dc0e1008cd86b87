"""When the Pauli correction that follows from the outcome of a swap is applied."""

import enum


class Correction(enum.StrEnum):
    """When Pauli corrections of swaps are applied.

    It matters where memories relax (T1), and where linear optics, which tells two Bell states only, measures a qubit
    that is still to be corrected, of a pair that is not Bell-diagonal.
    """

    AT_SWAP = "at_swap"
    """At once, to the waiting qubit at the right end of the new pair."""

    TRACKED = "tracked"
    """At delivery; until then they are kept as classical bits."""
