"""Distribute a circuit over several processors."""

from collections import Counter
from pathlib import Path
from typing import Any

from qtn import _checks
from qtn.circuits.circuit import Circuit
from qtn.circuits.qasm import Program, load_qasm
from qtn.dqc.distributed import Distributed, Gate
from qtn.dqc.layers import Plan, schedule
from qtn.dqc.letters import letters_of
from qtn.dqc.placement import Placing, contiguous, cut, read_placement, require_qpus
from qtn.dqc.sharing import Item, Sharing, options, runs_of, shared
from qtn.dqc.visits import num_pairs, pairs_taken, plan_visits, positions


def distribute(
    circuit: Any,
    qpus: Any,
    placement: Any = None,
    *,
    sharing: Sharing | str = Sharing.IN_ORDER,
) -> Distributed:
    """Distribute a circuit over several processors, with few pairs between them.

    A gate between two processors takes a pair: it copies one operand to the processor of the other in a basis in
    which the gate is diagonal on it. While everything that acts on a qubit is diagonal in one basis, all its gates with
    qubits of one processor share a copy: give controlled phases whole, not decomposed into CX. A gate that is diagonal
    on neither operand (SWAP, ISWAP, any other matrix) makes a qubit visit the other processor; so does a run of gates
    where that takes fewer pairs, one visitor at a time. Gates with classical bits take none.

    Args:
        circuit: a `Circuit`, or a `Program` or the `Path` of an OpenQASM 2 or 3 program, whose bits are not qubits.
        qpus: how many qubits each processor holds; copies and visitors stand in communication qubits beside them.
        placement: {qubit: processor}, a processor for each qubit, the path of a JSON file that holds one of the two;
            "contiguous" (also None), or "cut" for few gates between processors, found by networkx.
        sharing: "in_order", "fewest" or "none".

    Returns:
        distributed: layers with the pairs that each needs, `num_pairs`, and `num_pairs_unshared`.

    Raises:
        ValueError: if processors are too small, by how many, a qubit has no processor, or a placement is that of
            another circuit.

    Note:
        The compiler reads structure only: angles may be traced, matrices should be known. With "fewest" the number of
        pairs is the least for this placement without moves. In circuits of thousands of operations not every visit is
        tried, see `num_visits_untried`. Order of operations: exactly that of the circuit, up to
        operations that commute.

    References:
        Andres-Martinez, Heunen 2019, Phys. Rev. A 100, 032308, arXiv:1811.10972 (distribution by hypergraphs);
        Wu et al. 2022, arXiv:2207.11674 (AutoComm: sharing pairs between gates).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import circuit, gate
        >>> distribute(circuit(4, [gate("H", 0), gate("CX", [(0, 1), (0, 2), (0, 3)])]), qpus=[2, 2]).num_pairs
        1
    """
    rule = _checks.choice("sharing", sharing, Sharing)
    built, qubits, names = _read(circuit)
    items, classical = _items(built, set(qubits))
    sizes = require_qpus(qpus, len(qubits))
    home = _home(placement, sizes, names, qubits, items, classical, built.num_sites, rule)
    unshared = pairs_taken(items, positions(items, home, ()), Sharing.NONE)
    visits, untried = plan_visits(items, home, rule)
    where = positions(items, home, visits)
    runs = runs_of(items, where)
    spans = options(items, where, runs)
    layers, copies = schedule(Plan(items, where, visits, home, runs, spans, shared(spans, rule), rule))
    return Distributed(
        circuit=built,
        qubits=qubits,
        qpus=sizes,
        placement=home,
        copies=copies,
        schedule=layers,
        num_pairs_unshared=unshared,
        num_visits_untried=untried,
    )


def _read(given: Any) -> tuple[Circuit, tuple[int, ...], list[str]]:
    """Return a circuit, the sites of its qubits, and their names."""
    if isinstance(given, Path):
        given = load_qasm(given)
    if isinstance(given, Program):
        return given.circuit, tuple(site for _, site in given.qubits), [name for name, _ in given.qubits]
    if not isinstance(given, Circuit):
        raise ValueError(
            "Argument `circuit` must be a `Circuit`, a `Program` or the `Path` of an OpenQASM file, but is "
            f"{type(given).__name__}."
        )
    return given, tuple(range(given.num_sites)), [str(site) for site in range(given.num_sites)]


def _items(circuit: Circuit, qubits: set[int]) -> tuple[list[Item], dict[int, int]]:
    """Return all places of all operations in order, and for each classical site the first qubit that it meets."""
    items, partner = [], {}
    for number, operation in enumerate(circuit.operations):
        for place, sites in enumerate(operation.sites):
            bits = [site for site in sites if site not in qubits]
            for bit in bits if len(bits) < len(sites) else ():
                partner.setdefault(bit, next(site for site in sites if site in qubits))
            joins = len(sites) == 2 and not bits
            items.append(Item(Gate(number, place), sites, letters_of(operation, place), joins))
    return items, partner


def _home(
    placement: Any,
    sizes: tuple[int, ...],
    names: list[str],
    qubits: tuple[int, ...],
    items: list[Item],
    classical: dict[int, int],
    num_sites: int,
    sharing: Sharing,
) -> tuple[int, ...]:
    """Return the processor of each site."""

    def of_sites(of_qubits: Any) -> tuple[int, ...]:
        known = dict(zip(qubits, of_qubits, strict=True))
        return tuple(known.get(site, known.get(classical.get(site, -1), 0)) for site in range(num_sites))

    words = [word.value for word in Placing]
    if placement is not None and not (isinstance(placement, str) and placement in words):
        return of_sites(read_placement(placement, names, sizes))
    first = contiguous(sizes, len(qubits))
    if placement != Placing.CUT:
        return of_sites(first)
    number = {site: qubit for qubit, site in enumerate(qubits)}
    meetings = (sorted(number[site] for site in item.sites) for item in items if item.joins)
    weights = Counter((first_qubit, second) for first_qubit, second in meetings)
    candidates = [of_sites(first), of_sites(cut(weights, sizes, first))]
    return min(candidates, key=lambda home: num_pairs(items, home, plan_visits(items, home, sharing)[0], sharing))
