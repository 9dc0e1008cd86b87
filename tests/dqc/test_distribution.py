"""Circuits over several processors: counts by hand and by brute force, and the same state with perfect pairs."""

import itertools
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.circuits import circuit, gate, measure, unitary
from qtn.circuits.gates import GATES
from qtn.circuits.qasm import load_qasm
from qtn.dqc import close_copy, distribute, open_copy
from qtn.dqc.distributed import Close, Gate, Local, Move, Open, Remote, Through, single, train_places
from qtn.hardware.node import node
from qtn.states.basis import ptm

PERFECT, IDEAL = [1.0, 0.0, 0.0, 0.0], node()


def qft(n, backwards=False):
    steps = []
    for j in range(n):
        steps.append(gate("H", j))
        pairs = [(k, j) if backwards else (j, k) for k in range(j + 1, n)]
        steps += [gate("CP", pairs, np.pi / 2.0 ** np.arange(1, n - j))] if pairs else []
    return circuit(n, steps)


@pytest.mark.parametrize("backwards", [False, True], ids=["control first", "control last"])
@pytest.mark.parametrize(("sharing", "count"), [("in_order", 29), ("fewest", 25), ("none", 121)])
def test_qft_on_four_processors(sharing, count, backwards):
    found = distribute(qft(18, backwards), qpus=[5, 5, 4, 4], sharing=sharing)
    assert (found.num_pairs, found.num_pairs_unshared) == (count, 121)
    assert found.links == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def ghz(n):
    return circuit(n, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(n - 1)])])


COUNTED = {  # circuit, processors, pairs, one a gate
    "one processor": (qft(6), [6], 0, 0),
    "a chain of CX": (ghz(9), [3, 3, 3], 2, 2),
    "fan-out": (circuit(6, [gate("H", 0), gate("CX", [(0, k) for k in range(1, 6)])]), [2, 2, 2], 2, 4),
    "fan-in shares the target": (circuit(6, [gate("CX", [(k, 5) for k in range(5)])]), [5, 1], 1, 5),
    "H on the control ends sharing": (
        circuit(4, [gate("CX", (0, 2)), gate("H", 0), gate("CX", [(0, 3), (0, 1)])]),
        [2, 2],
        2,
        2,
    ),
    "Z on the control does not": (
        circuit(4, [gate("CX", (0, 2)), gate("RZ", 0, 0.3), gate("CX", (0, 3))]),
        [2, 2],
        1,
        2,
    ),
    "X on the target does not": (circuit(4, [gate("CX", (0, 2)), gate("X", 2), gate("CX", (1, 2))]), [2, 2], 1, 2),
    "measurement does not": (circuit(4, [gate("CZ", (0, 2)), measure(0), gate("CZ", (0, 3))]), [2, 2], 1, 2),
    "RXX and CX share X": (circuit(4, [gate("RXX", (0, 2), 0.2), gate("CX", (3, 0))]), [2, 2], 1, 2),
    "SWAP visits": (circuit(2, [gate("SWAP", (0, 1))]), [1, 1], 1, 2),
    "and comes back": (circuit(3, [gate("SWAP", (0, 2)), gate("SWAP", (0, 1)), gate("SWAP", (2, 1))]), [2, 1], 1, 4),
    "both visit": (circuit(4, [gate("SWAP", (0, 2)), gate("SWAP", (0, 1)), gate("SWAP", (2, 3))]), [2, 2], 2, 2),
    "one visitor at a time": (
        circuit(5, [s for k in range(3) for s in (gate("ISWAP", (k, 4)), gate("ISWAP", (k, 3)))]),
        [3, 2],
        5,
        12,
    ),
    "moving spares pairs": (
        circuit(3, [s for _ in range(4) for s in (gate("CX", (0, 2)), gate("H", 0), gate("RX", 2, 0.2))]),
        [2, 1],
        1,
        4,
    ),
}


@pytest.mark.parametrize("case", COUNTED)
def test_pairs_that_can_be_counted_by_hand(case):
    given, qpus, shared, unshared = COUNTED[case]
    found = distribute(given, qpus=qpus)
    assert (found.num_pairs, found.num_pairs_unshared) == (shared, unshared)
    assert sum(sum(layer.pairs.values()) for layer in found.layers) == shared


def random_circuit(seed, n=6, length=24):
    rng = np.random.default_rng(seed)
    one, two = ["H", "RZ", "RX", "T", "S", "Y"], ["CX", "CZ", "CP", "RXX", "RYY", "CY", "CRZ", "SWAP", "ISWAP"]
    steps = []
    for _ in range(length):
        if rng.random() < 0.35:
            name = one[rng.integers(len(one))]
            steps.append(gate(name, int(rng.integers(n)), *[rng.normal()] * (name in ("RZ", "RX"))))
        else:
            name, (a, b) = two[rng.integers(len(two))], rng.choice(n, 2, replace=False)
            steps.append(gate(name, (int(a), int(b)), *[rng.normal()] * (name in ("CP", "RXX", "RYY", "CRZ"))))
    return circuit(n, steps)


def coefficients(steps, num_places):
    """Pauli coefficients (4,) * n of |0...0> after transfer matrices on places; NumPy."""
    vector = np.ones(())
    for _ in range(num_places):
        vector = np.multiply.outer(vector, [1.0, 0.0, 0.0, 1.0])
    for matrix, places in steps:
        k = len(places)
        moved = np.tensordot(np.asarray(matrix).reshape((4,) * (2 * k)), vector, (range(k, 2 * k), places))
        vector = np.moveaxis(moved, range(k), places)
    return vector


def matrices(given, place, where):
    one = single(given, place)
    matrix = GATES[one.name].matrix(*(angle[0] for angle in one.parameters))
    return ptm(np.asarray(matrix)), [where(site) for site in one.sites[0]]


def lowered(found):
    """Transfer matrices with perfect pairs; a move does nothing to the state of its site."""
    sites, slots, size = train_places(found)
    steps = []
    for action in (action for layer in found.layers for action in layer.actions):
        copy = found.copies[action.copy] if isinstance(action, (Open, Through, Close)) else None
        slot = None if copy is None else slots[copy.target, copy.slot]
        if isinstance(action, (Local, Remote)):
            steps.append(matrices(found.circuit, action.gate, sites.__getitem__))
        elif isinstance(action, Through):
            steps.append(
                matrices(found.circuit, action.gate, lambda s, c=copy, x=slot: x if s == c.qubit else sites[s])
            )
        elif isinstance(action, Open):
            steps.append((open_copy(PERFECT, IDEAL, IDEAL, letter=copy.letter), [sites[copy.qubit], slot]))
        elif isinstance(action, Close):
            steps.append((close_copy(IDEAL, IDEAL, letter=copy.letter), [sites[copy.qubit], slot]))
    return steps, sites, size


def require_local(found):
    """Check that every gate acts within one processor: on qubits that are there, or on copies that are open there."""
    where, opened = list(found.placement), set()
    for layer in found.layers:
        used = dict.fromkeys(layer.pairs, 0)
        for action in layer.actions:
            if (ends := found.ends(action)) is not None:
                used[ends] += 1
            if isinstance(action, Move):
                assert where[action.qubit] == action.source
                where[action.qubit] = action.target
                visitors = [qubit for qubit in range(len(where)) if where[qubit] != found.placement[qubit]]
                assert len({where[qubit] for qubit in visitors}) == len(visitors)
            elif isinstance(action, Open):
                copy = found.copies[action.copy]
                assert where[copy.qubit] == copy.source != copy.target
                assert not any(
                    found.copies[k].target == copy.target and found.copies[k].slot == copy.slot for k in opened
                )
                opened.add(action.copy)
            elif isinstance(action, Close):
                opened.remove(action.copy)
            else:
                sites = single(found.circuit, action.gate).sites[0]
                qpus = [where[site] for site in sites]
                if isinstance(action, Through):
                    assert action.copy in opened and found.copies[action.copy].qubit == sites[action.operand]
                    qpus[action.operand] = found.copies[action.copy].target
                if isinstance(action, Remote):
                    assert qpus[action.copied] == action.source and qpus[1 - action.copied] == action.target
                else:
                    assert len(set(qpus)) == 1
        assert used == layer.pairs
    assert not opened


@pytest.mark.parametrize("sharing", ["in_order", "fewest", "none"])
@pytest.mark.parametrize("seed", range(12))
def test_every_gate_is_local_once_pairs_are_used(sharing, seed):
    found = distribute(random_circuit(seed, 9, 60), qpus=[3, 2, 2, 2], sharing=sharing)
    require_local(found)
    done = sorted(a.gate for layer in found.layers for a in layer.actions if isinstance(a, (Local, Remote, Through)))
    assert done == sorted((number, 0) for number in range(60))


def random_phases(seed, n=4, length=12):
    """Runs that are diagonal in one basis, so that copies are shared."""
    rng = np.random.default_rng(seed)
    steps = [gate("RY", list(range(n)), rng.normal(size=n))]
    for _ in range(length):
        name = ["CP", "CX", "RXX", "CZ", "CY", "T"][rng.integers(6)]
        a, b = (int(x) for x in rng.choice(n, 2, replace=False))
        steps.append(gate(name, a if name == "T" else (a, b), *[rng.normal()] * (name in ("CP", "RXX"))))
    return circuit(n, steps)


@pytest.mark.parametrize("sharing", ["in_order", "fewest"])
@pytest.mark.parametrize("seed", [2, 4, 6, 7])
def test_perfect_pairs_give_the_state_of_the_plain_circuit(sharing, seed):
    given = random_phases(seed)
    found = distribute(given, qpus=[2, 2], placement=[0, 1, 1, 0], sharing=sharing)
    assert found.copies
    steps, sites, size = lowered(found)
    state = np.moveaxis(coefficients(steps, size), sites, range(4))
    plain = [matrices(given, Gate(k, p), int) for k, op in enumerate(given.operations) for p in range(len(op.sites))]
    wanted = coefficients([(m, places) for m, places in plain], 4)
    assert np.allclose(state[(..., *[0] * (size - 4))], wanted, rtol=0, atol=1e-12)


def fewest_by_hand(found, given):
    """Over all choices of which operand is copied: the least number of different (qubit, run, processor)."""
    from qtn.dqc.distribution import _items
    from qtn.dqc.sharing import options, runs_of

    items, _ = _items(given, set(range(given.num_sites)))
    where = [tuple(found.placement[site] for site in item.sites) for item in items]
    spans = [tuple(o.values()) for o in options(items, where, runs_of(items, where)).values()]
    return min(len(set(choice)) for choice in itertools.product(*spans))


def test_visits_of_an_empty_processor_are_possible():
    found = distribute(circuit(4, [gate("SWAP", [(0, 2), (1, 3), (0, 3), (1, 2)])]), [2, 2])
    require_local(found)
    assert found.num_pairs <= 6 and found.num_pairs_unshared == 8


@pytest.mark.parametrize("seed", range(8))
def test_fewest_is_the_least_over_all_choices(seed):
    rng = np.random.default_rng(seed)
    names = ["CX", "CZ"]
    steps = [
        gate("H", int(rng.integers(6)))
        if rng.random() < 0.2
        else gate(names[rng.integers(2)], tuple(int(x) for x in rng.choice(6, 2, replace=False)))
        for _ in range(18)
    ]
    given = circuit(6, steps)
    found = distribute(given, qpus=[2, 2, 2], sharing="fewest")
    least = fewest_by_hand(found, given)
    moves = sum(isinstance(action, Move) for layer in found.layers for action in layer.actions)
    assert found.num_pairs == least if not moves else found.num_pairs < least


@pytest.mark.parametrize("seed", range(10))
def test_sharing_takes_no_more_pairs(seed):
    given = random_circuit(seed, 8, 50)
    count = {s: distribute(given, qpus=[3, 3, 2], sharing=s).num_pairs for s in ("fewest", "in_order", "none")}
    assert count["fewest"] <= count["in_order"] <= count["none"]


def test_operations_that_do_not_commute_keep_their_order():
    found = distribute(qft(6), qpus=[2, 2, 2])
    order = [a.gate for layer in found.layers for a in layer.actions if isinstance(a, (Local, Remote, Through))]
    hadamard = {op.sites[0][0]: k for k, op in enumerate(found.circuit.operations) if op.name == "H"}
    for number, op in enumerate(found.circuit.operations):
        for place, sites in enumerate(op.sites if op.name == "CP" else ()):
            assert order.index((hadamard[sites[0]], 0)) < order.index((number, place))
            assert order.index((number, place)) < order.index((hadamard[sites[1]], 0))


def test_pairs_are_asked_for_together_where_nothing_comes_before():
    steps = [gate("CX", [(0, 2), (1, 3)]), gate("H", [0, 1, 3]), gate("CX", [(0, 3), (0, 1), (2, 3)])]
    layers = distribute(circuit(4, steps), qpus=[2, 2]).layers
    assert [layer.pairs for layer in layers] == [{}, {(0, 1): 2}, {(0, 1): 1}]
    assert [type(action).__name__ for action in layers[1].actions] == ["Remote", "Remote", "Local", "Local", "Local"]
    assert [type(action).__name__ for action in layers[2].actions] == ["Remote", "Local", "Local"]


QASM2 = """OPENQASM 2.0; include "qelib1.inc"; qreg a[2]; qreg b[2]; creg c[1];
h a[0]; cu1(0.3) a[0],b[0]; cu1(0.2) a[0],b[1]; cu3(0.1,0.2,0.3) a[1],b[0]; measure a[0] -> c[0]; if (c==1) x b[1]; h b[1];
"""
QASM3 = """OPENQASM 3; include "stdgates.inc"; qubit[2] a; qubit[2] b; bit c;
h a[0]; cp(0.3) a[0],b[0]; cp(0.2) a[0],b[1]; ctrl @ U(0.1,0.2,0.3) a[1],b[0]; c = measure a[0]; if (c) x b[1]; h b[1];
"""


@pytest.mark.parametrize("text", [QASM2, QASM3], ids=["OpenQASM 2", "OpenQASM 3"])
def test_programs_share_phases_and_conditions_cost_nothing(text, tmp_path):
    found = distribute(load_qasm(text), qpus=[2, 2])
    assert (found.num_pairs, found.num_pairs_unshared, len(found.qubits)) == (2, 3, 4)
    assert found.circuit.num_sites > 4
    (tmp_path / "program.qasm").write_text(text)
    assert distribute(tmp_path / "program.qasm", qpus=[2, 2]).num_pairs == 2


def test_placements_of_numbers_names_lists_and_files_agree(tmp_path):
    program = load_qasm(QASM3)
    wanted = distribute(program, [2, 2], [0, 1, 1, 0])
    file = tmp_path / "placement.json"
    file.write_text(json.dumps({"0": 0, "a[1]": 1, "2": 1, "b[1]": 0}))
    for given in ({0: 0, 1: 1, 2: 1, 3: 0}, {"a[0]": 0, "a[1]": 1, "b[0]": 1, "b[1]": 0}, file, str(file)):
        assert distribute(program, [2, 2], given).placement == wanted.placement


def test_numbers_of_numpy_are_numbers():
    wanted = distribute(qft(4), [2, 2], [0, 1, 1, 0])
    for placement in (
        np.array([0, 1, 1, 0]),
        [np.int64(0), 1, 1, np.int64(0)],
        {np.int64(k): np.int64(k in (1, 2)) for k in range(4)},
    ):
        assert distribute(qft(4), np.array([2, 2]), placement).placement == wanted.placement
        assert distribute(qft(4), [np.int64(2), 2], placement).qpus == (2, 2)


@pytest.mark.parametrize("placement", [None, "cut"])
def test_processors_may_be_larger_than_any_memory(placement):
    assert distribute(circuit(4, [gate("CZ", (0, 3))]), [2, 10**12], placement).num_pairs == (placement is None)


def test_visits_that_are_not_tried_are_told(monkeypatch):
    steps = [gate(name, (0, 2)) for _ in range(4) for name in ("CX", "SWAP")] + [gate("H", 0)]
    whole = distribute(circuit(4, steps), [2, 2])
    assert whole.num_visits_untried == 0 and len(whole.sentences()) == 2
    monkeypatch.setattr("qtn.dqc.visits.MOST_TRIED", len(steps))  # one of them
    found = distribute(circuit(4, steps), [2, 2])
    require_local(found)
    assert found.num_visits_untried > 0
    assert found.num_pairs >= whole.num_pairs
    assert f"{found.num_visits_untried} were not tried" in found.sentences()[-1]


def test_the_cut_puts_together_what_meets():
    pairs = [(0, 5), (1, 4), (2, 3), (0, 5), (1, 4), (2, 3)]
    steps = [s for pair in pairs for s in (gate("CZ", pair), gate("H", list(pair)))]
    assert distribute(circuit(6, steps), [2, 2, 2]).num_pairs > 0
    found = distribute(circuit(6, steps), [2, 2, 2], "cut")
    assert found.num_pairs == 0 and sorted(found.placement) == [0, 0, 1, 1, 2, 2]
    assert distribute(circuit(4, [gate("CZ", (0, 3))]), [3, 4], "cut").num_pairs == 0  # into a free place


def test_cut_is_never_worse_than_contiguous():
    for seed in range(5):
        given = random_circuit(seed, 8, 40)
        assert distribute(given, [3, 3, 2], "cut").num_pairs <= distribute(given, [3, 3, 2]).num_pairs


def test_the_only_leaves_are_those_of_the_circuit():
    found = distribute(qft(4), [2, 2])
    assert len(jax.tree.leaves(found)) == len(jax.tree.leaves(found.circuit))
    doubled = jax.tree.map(lambda x: 2 * x, found)
    assert doubled.layers == found.layers

    def pairs(angle):
        return distribute(circuit(2, [gate("H", 0), gate("CP", (0, 1), angle)]), [1, 1]).num_pairs * angle

    assert jax.jit(pairs)(0.5) == 0.5


def test_unknown_matrices_visit_and_known_ones_are_copied():
    matrix = jnp.diag(jnp.exp(1j * jnp.array([0.1, 0.2, 0.3, 0.9])))
    assert distribute(circuit(2, [unitary(matrix, (0, 1))]), [1, 1]).copies == ()
    assert isinstance(distribute(circuit(2, [unitary(matrix, (0, 1))]), [1, 1]).layers[1].actions[0], Remote)


WRONG = {
    "too small": ([2, 2], None, r"6 qubits of the circuit, but \[2, 2\] hold 4: 2 too few"),
    "no sizes": ([], None, "must list how many qubits each processor holds"),
    "one number": (6, None, "must list how many qubits .* but is '?6"),
    "a size of zero": ([6, 0], None, "must list how many qubits"),
    "no processor": ([3, 3], {0: 0, 1: 0, 3: 1, 5: 1}, "no processor is given for qubit 2, 4"),
    "another circuit": (
        [3, 3],
        dict.fromkeys(range(9), 0),
        "no qubit 6, 7, 8 in this circuit.*that of another circuit",
    ),
    "shorter list": ([3, 3], [0, 0, 1], "no processor is given for qubit 3, 4, 5"),
    "a processor too small": (
        [4, 2],
        [0, 0, 1, 1, 1, 1],
        "processor 1 holds 2 qubits, but 4 are placed on it: 2 too many",
    ),
    "no such processor": (
        [3, 3],
        [0, 0, 0, 1, 1, 2],
        r"qubit 5 is placed on processor '?2'?, but the processors are 0..1",
    ),
    "not a number": ([3, 3], [0, 0, 0, 1, 1, "a"], "qubit 5 is placed on processor"),
    "no such file": ([3, 3], "plan.json", "there is no such placement; give 'contiguous' or 'cut'"),
    "twice": ([3, 3], {0: 0, "0": 1, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1}, "qubit 0 is placed twice"),
    "a truth": ([3, 3], [0, 0, 0, 1, 1, True], "qubit 5 is placed on processor"),
    "no map": ([3, 3], 3, "must map qubits to processors"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_says_what_is_wrong(case):
    qpus, placement, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        distribute(qft(6), qpus, placement)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ('{"0": 0, "0": 1}', "qubit 0 is given twice"),
        ('"a"', "must map qubits"),
        ("[" * 100000, "is not valid JSON"),
    ],
)
def test_wrong_files_say_what_is_wrong(text, message, tmp_path):
    (tmp_path / "placement.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        distribute(qft(4), [2, 2], tmp_path / "placement.json")


def test_other_wrong_arguments():
    with pytest.raises(ValueError, match="`sharing` must be 'none', 'in_order' or 'fewest', but is 'most'"):
        distribute(qft(4), [2, 2], sharing="most")
    with pytest.raises(ValueError, match="must be a `Circuit`, a `Program` or the `Path`"):
        distribute("program.qasm", [2, 2])


def test_cut_without_networkx_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ValueError, match="needs networkx: `pip install networkx`"):
        distribute(qft(4), [2, 2], "cut")


def test_a_cut_over_many_processors_tries_only_those_that_share_gates():
    """A ring on three of 3,000 processors: exchanges of all pairs of processors would take hours."""
    ring = circuit(6, [gate("CZ", [(0, 3), (3, 1), (1, 4), (4, 2), (2, 5), (5, 0)])])
    assert distribute(ring, [2] * 3000, "cut").num_pairs <= distribute(ring, [2] * 3000).num_pairs
