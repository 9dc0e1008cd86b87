"""A state of few users, written out: all of its Pauli coefficients as a train without cuts."""

from collections.abc import Callable

import numpy as np

from qtn._array import Array
from qtn.states.trains import MPDO, mpdo

MOST_DENSE = 7
"""Users whose 4^n coefficients are written out."""


def dense_train(means: Callable[[np.ndarray], Array], num_users: int) -> MPDO:
    """Return the train of all Pauli coefficients: both ends pass their indices on to the site in the middle.

    Args:
        means: of strings (s, n), 0 .. 3 for I, X, Y, Z.
        num_users: n, at most `MOST_DENSE`.

    Note:
        Exact; derivatives are those of the coefficients, as nothing is decomposed.
    """
    strings = np.indices((4,) * num_users).reshape(num_users, -1).T
    left = (num_users - 1) // 2
    centre = means(strings).reshape(4**left, 4, -1)
    sites = [np.eye(4 ** (k + 1)).reshape(4**k, 4, -1) for k in range(left)]
    right = [np.eye(4**k).reshape(4**k, 4, -1) for k in range(num_users - left - 1, 0, -1)]
    return mpdo([*sites, centre, *right])
