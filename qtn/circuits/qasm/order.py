"""In which order qubits stand in the train: those that gates join near each other."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from qtn.circuits.qasm.instructions import Gate, Listing

WORTH = 0.9
"""Another order is taken where gates then span less than this fraction of what they span in that of declaration."""


def arranged(listing: Listing) -> list[int]:
    """Return the qubits in the order in which gates between them span least, of those that are tried.

    Tried are the order of declaration and that of reverse Cuthill-McKee on the graph of the gates, from the heaviest
    couples of qubits on: with all of them, and with those above the median weight.

    References:
        Cuthill, McKee 1969, Proc. 24th Nat. Conf. ACM, 157; George, Liu 1981 (reversed).
    """
    joined = Counter(couple for gate in listing.instructions if isinstance(gate, Gate) for couple in couples(gate))
    plain = list(range(listing.num_qubits))
    if not joined:
        return plain
    heavy = [pair for pair, weight in joined.items() if weight >= float(np.median(list(joined.values())))]
    tried = [_banded(listing.num_qubits, pairs) for pairs in (joined, heavy)]
    best = min(tried, key=lambda order: span(order, joined))
    return best if span(best, joined) < WORTH * span(plain, joined) else plain


def couples(gate: Gate) -> list[tuple[int, int]]:
    """Return the two qubits of each step of a gate that has two."""
    pairs = (sorted(part.wires) for part in gate.steps if len(part.wires) == 2)
    return [(first, second) for first, second in pairs]


def span(order: list[int], joined: Counter[tuple[int, int]]) -> int:
    """Return how far apart the ends of all gates are, added up."""
    place = {qubit: position for position, qubit in enumerate(order)}
    return sum(weight * abs(place[first] - place[second]) for (first, second), weight in joined.items())


def _banded(num_qubits: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the order that keeps pairs near the diagonal."""
    rows, columns = np.array(list(pairs)).T
    graph = scipy.sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(num_qubits, num_qubits))
    return reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True).tolist()
