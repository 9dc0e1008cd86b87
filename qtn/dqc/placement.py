"""On which processor each qubit stands: read, contiguous, or with few gates between processors."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from qtn import _text

EXAMPLE = '{"0": 0, "1": 0, "2": 1}'


class Placing(StrEnum):
    """How qubits are placed where no placement is given."""

    CONTIGUOUS = "contiguous"
    """In order: the first processor is filled first."""
    CUT = "cut"
    """Starting there, pairs of processors exchange qubits while that leaves fewer gates between them (networkx)."""


def require_qpus(qpus: Any, num_qubits: int) -> tuple[int, ...]:
    """Return the sizes of the processors, checked to hold the qubits.

    Raises:
        ValueError: if one is no whole number >= 1, or they are too small, and by how much.
    """
    sizes = tuple(qpus) if isinstance(qpus, (list, tuple)) or np.ndim(qpus) == 1 else ()
    if not sizes or any(not _is_whole(size) or size < 1 for size in sizes):
        raise ValueError(
            "Argument `qpus` must list how many qubits each processor holds, as in [5, 5, 4, 4], but is "
            f"{_text.echoed(str(qpus))}."
        )
    if (missing := num_qubits - sum(sizes)) > 0:
        raise ValueError(
            f"Argument `qpus` must hold the {num_qubits} qubits of the circuit, but {list(sizes)} hold {sum(sizes)}: "
            f"{missing} too few. Make a processor larger, or add one."
        )
    return tuple(int(size) for size in sizes)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def contiguous(qpus: Sequence[int], num_qubits: int) -> tuple[int, ...]:
    """Return the processor of each qubit, filled in order.

    Example:
        >>> contiguous([2, 3], 4)
        (0, 0, 1, 1)
    """
    return tuple(islice((qpu for qpu, size in enumerate(qpus) for _ in range(size)), num_qubits))


def read_placement(given: Any, names: Sequence[str], qpus: Sequence[int]) -> tuple[int, ...]:
    """Return the processor of each qubit from a placement.

    Args:
        given: {qubit: processor} with numbers or names of qubits (3, "3", "q[3]"), a processor for each qubit in order,
            or the path of a JSON file that holds one of the two.
        names: of the qubits in order, as a program declares them.
        qpus: how many qubits each processor holds.

    Raises:
        ValueError: naming all qubits that have no processor or do not exist, and each processor that is too small, by
            how many.
    """
    source, content = "Argument `placement`", given
    if isinstance(given, (str, Path)):
        source, content = _text.one_line(str(given)), _content(Path(given))
    if isinstance(content, np.ndarray):
        content = content.tolist()
    if isinstance(content, Mapping):
        pairs = list(content.items())
    elif isinstance(content, Sequence) and not isinstance(content, str):
        pairs = list(enumerate(content))
    else:
        raise ValueError(
            f"{source}: must map qubits to processors, as in {EXAMPLE}, but is {_text.echoed(str(content))}."
        )
    placed = [(key, _qubit(key, names), qpu) for key, qpu in pairs]
    found = {qubit: int(qpu) for _, qubit, qpu in placed if qubit is not None and _exists(qpu, qpus)}
    if mistakes := _mistakes(placed, found, names, qpus):
        raise ValueError(f"{source}: " + "; ".join(mistakes) + ".")
    return tuple(found[qubit] for qubit in range(len(names)))


def _exists(qpu: Any, qpus: Sequence[int]) -> bool:
    return _is_whole(qpu) and bool(0 <= qpu < len(qpus))


def _mistakes(
    placed: Sequence[tuple[Any, int | None, Any]], found: Mapping[int, int], names: Sequence[str], qpus: Sequence[int]
) -> list[str]:
    """Return all that is wrong with a placement: (what was written, which qubit it is, its processor) each."""
    count, named = len(names), Counter(qubit for _, qubit, _ in placed if qubit is not None)
    told = [f"qubit {qubit} is placed twice" for qubit, times in named.items() if times > 1]
    told += [
        f"qubit {qubit} is placed on processor {_text.echoed(str(qpu))}, but the processors are 0..{len(qpus) - 1}"
        for _, qubit, qpu in placed
        if qubit is not None and not _exists(qpu, qpus)
    ]
    if unknown := [_text.one_line(str(key)) for key, qubit, _ in placed if qubit is None]:
        told.append(
            f"there is no qubit {_listed(unknown)} in this circuit, whose qubits are 0..{count - 1}; is the placement "
            "that of another circuit?"
        )
    if missing := [str(qubit) for qubit in range(count) if qubit not in named]:
        told.append(f"no processor is given for qubit {_listed(missing)}")
    return told + [
        f"processor {qpu} holds {qpus[qpu]} qubits, but {number} are placed on it: {number - qpus[qpu]} too many"
        for qpu, number in sorted(Counter(found.values()).items())
        if number > qpus[qpu]
    ]


def _content(path: Path) -> Any:
    name = _text.one_line(str(path))
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_unique)
    except FileNotFoundError:
        words = " or ".join(repr(word.value) for word in Placing)
        raise ValueError(f"{name}: there is no such placement; give {words}, or a JSON file as {EXAMPLE}.") from None
    except OSError as error:
        raise ValueError(f"{name}: cannot be read as a file: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:  # also text that is not UTF-8
        raise ValueError(f"{name}: is not valid JSON: {_text.one_line(str(error))}. It may hold {EXAMPLE}.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"qubit {twice[0]} is given twice")
    return dict(pairs)


def _qubit(key: Any, names: Sequence[str]) -> int | None:
    """Return the number of a qubit that is named or numbered; None if there is none."""
    if isinstance(key, str):
        if key in names:
            return names.index(key)
        key = int(key) if key.isdecimal() else -1
    return int(key) if _is_whole(key) and 0 <= key < len(names) else None


def _listed(words: Sequence[str]) -> str:
    """Return a few of many."""
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def cut(
    weights: Mapping[tuple[int, int], Any], qpus: Sequence[int], start: Sequence[int], rounds: int = 10
) -> tuple[int, ...]:
    """Return a placement with less weight between processors, by Kernighan-Lin exchanges between every two of them.

    Args:
        weights: {(qubit, qubit): number of gates}.
        qpus: how many qubits each processor holds; free places take part in the exchanges.
        start: processor of each qubit.
        rounds: over all pairs of processors, at most.

    Raises:
        ValueError: if networkx is not installed.

    References:
        Kernighan, Lin 1970, Bell Syst. Tech. J. 49, 291.

    Example:
        >>> cut({(0, 2): 1.0, (1, 3): 1.0}, [2, 2], [0, 0, 1, 1])
        (0, 1, 0, 1)
    """
    try:
        import networkx as nx
    except ImportError:
        raise ValueError('placement "cut" needs networkx: `pip install networkx`; or take "contiguous".') from None
    place: dict[Any, int] = dict(enumerate(start))
    for qpu, size in enumerate(qpus):  # free places
        free = min(size, len(start)) - list(start).count(qpu)  # more than all qubits need not fit
        place |= {(qpu, k): qpu for k in range(free)}
    for _ in range(rounds):
        before = dict(place)
        for a, b in sorted({(min(ends), max(ends)) for ends in _crossing(weights, place)}):
            sides = [[node for node, qpu in place.items() if qpu == side] for side in (a, b)]
            graph = nx.Graph()
            graph.add_nodes_from(node for side in sides for node in side)
            inside = {ends: weight for ends, weight in weights.items() if ends[0] in graph and ends[1] in graph}
            graph.add_weighted_edges_from((*ends, weight) for ends, weight in inside.items())
            if graph.number_of_edges():
                parts = nx.community.kernighan_lin_bisection(graph, partition=tuple(sides), seed=0)
                place = _better(graph, place, sides, parts, (a, b))
        if place == before:
            break
    return _in_order(tuple(place[qubit] for qubit in range(len(start))), qpus)


def _crossing(weights: Mapping[tuple[int, int], Any], place: Mapping[Any, int]) -> list[tuple[int, int]]:
    """Return the two processors of each weight between processors: others have nothing to exchange."""
    return [(place[a], place[b]) for a, b in weights if place[a] != place[b]]


def _better(graph: Any, place: dict[Any, int], sides: Any, parts: Iterable[set[Any]], ends: tuple[int, int]) -> Any:
    """Return the placement with an exchange, if it cuts less."""
    import networkx as nx

    first, second = sorted(parts, key=lambda part: -len(part & set(sides[0])))
    if nx.cut_size(graph, first, second, weight="weight") >= nx.cut_size(graph, *sides, weight="weight"):
        return place
    return place | dict.fromkeys(first, ends[0]) | dict.fromkeys(second, ends[1])


def _in_order(placement: tuple[int, ...], qpus: Sequence[int]) -> tuple[int, ...]:
    """Return the same groups, processors of equal size numbered by their first qubits."""
    order = {qpu: placement.index(qpu) if qpu in placement else len(placement) for qpu in range(len(qpus))}
    renamed = {}
    for size in set(qpus):
        same = [qpu for qpu in range(len(qpus)) if qpus[qpu] == size]
        renamed |= dict(zip(sorted(same, key=lambda qpu: order[qpu]), same, strict=True))
    return tuple(renamed[qpu] for qpu in placement)
