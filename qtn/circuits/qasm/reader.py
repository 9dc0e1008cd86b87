"""Walk through the syntax tree and list what the program does."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from qtn import _budget
from qtn.circuits.qasm.calls import Gates
from qtn.circuits.qasm.conditions import Condition, both, negated, picked, read_condition, span
from qtn.circuits.qasm.expressions import number, whole, words
from qtn.circuits.qasm.instructions import Gate, Listing, Measure, Reset
from qtn.circuits.qasm.source import Source

CURES = {
    "WhileLoop": ("`while`", "unroll it with `for` over a fixed range"),
    "SwitchStatement": ("`switch`", "write it as a sequence of `if`"),
    "SubroutineDefinition": ("`def`", "write it as a `gate`, or write its statements out"),
    "ExternDeclaration": ("`extern`", "give its result as `input` or `const`"),
    "DelayInstruction": ("`delay`", "put an `id` gate there and give its noise in the noise model"),
    "Box": ("`box`", "remove it: timing has no meaning here"),
    "ClassicalAssignment": ("assigning to a variable", "only measurements write bits; use `const` for numbers"),
    "CalibrationGrammarDeclaration": ("`defcalgrammar`", "pulses have no meaning here; remove it"),
    "CalibrationStatement": ("`cal`", "pulses have no meaning here; remove it"),
    "CalibrationDefinition": ("`defcal`", "pulses have no meaning here; remove it"),
    "BreakStatement": ("`break`", "choose the range of the `for` loop instead"),
    "ContinueStatement": ("`continue`", "choose the range of the `for` loop instead"),
    "EndStatement": ("`end`", "remove what follows it"),
    "ReturnStatement": ("`return`", "only measurements give results"),
    "ExpressionStatement": ("an expression as a statement", "remove it"),
}
STANDARD_FILES = ("qelib1.inc", "stdgates.inc")


def snake_case(kind: str) -> str:
    """Return the name of a node of the tree as Python writes functions: IODeclaration -> io_declaration."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()


class Reader:
    """The state of the walk: names, and the listing so far."""

    def __init__(self, source: Source, inputs: Mapping[str, Any]) -> None:
        self.source, self.inputs = source, inputs
        self.listing = Listing()
        self.names: dict[str, Any] = {}
        self.gates = Gates(source, {})
        self.asked: set[str] = set()
        self.num_steps = self.num_passes = 0

    def read(self, statements: list[Any], condition: Condition | None = None) -> None:
        """Read statements in order; all gates in them depend on `condition`."""
        for statement in statements:
            kind = type(statement).__name__
            method = getattr(self, f"_{snake_case(kind)}", None)
            if method is None:
                what, cure = CURES.get(kind, (words(kind), "remove it"))
                raise self.source.error(statement, f"{what} is not supported; {cure}.")
            method(statement, condition)

    def _include(self, node: Any, condition: Condition | None) -> None:
        if node.filename not in STANDARD_FILES:
            raise self.source.error(node, f"only {' and '.join(STANDARD_FILES)} can be included: paste the file in.")
        self.gates.included = True

    def _pragma(self, node: Any, condition: Condition | None) -> None:
        """Pragmas are for other programs."""

    def _quantum_barrier(self, node: Any, condition: Condition | None) -> None:
        """Gates are not reordered across each other anyway."""

    def _compound_statement(self, node: Any, condition: Condition | None) -> None:
        self.read(node.statements, condition)

    def _qubit_declaration(self, node: Any, condition: Condition | None) -> None:
        size = 1 if node.size is None else whole(node.size, self.names, self.source)
        self._new(node, node.qubit.name, size)
        start = self.listing.num_qubits
        self.source.require(node, _budget.QUBITS, start + size)
        self.listing.qubits[node.qubit.name] = list(range(start, start + size))

    def _classical_declaration(self, node: Any, condition: Condition | None) -> None:
        if type(node.type).__name__ not in ("BitType", "BoolType"):
            what = words(type(node.type).__name__)
            raise self.source.error(node, f"a variable of {what} is not supported; declare it `const` or `input`.")
        size = getattr(node.type, "size", None)
        count = 1 if size is None else whole(size, self.names, self.source)
        name = node.identifier.name
        self._new(node, name, count)
        start = self.listing.num_bits
        self.source.require(node, _budget.BITS, start + count)
        bits = self.listing.bits[name] = list(range(start, start + count))
        if type(node.init_expression).__name__ == "QuantumMeasurement":
            self._record(node, self._qubits(node.init_expression.qubit), list(bits), condition)
        elif node.init_expression is not None:
            self._initial(node, bits)

    def _initial(self, node: Any, bits: list[int]) -> None:
        given = node.init_expression
        literal = type(given).__name__ in ("BitstringLiteral", "BooleanLiteral")
        value = int(given.value) if literal else whole(given, self.names, self.source)
        if not 0 <= value < 2 ** len(bits):
            raise self.source.error(node, f"{value} does not fit into {len(bits)} bit(s).")
        self.listing.initial |= {bit: 1 for place, bit in enumerate(bits) if value >> place & 1}

    def _constant_declaration(self, node: Any, condition: Condition | None) -> None:
        self._new(node, node.identifier.name)
        self.names[node.identifier.name] = number(node.init_expression, self.names, self.source)

    def _io_declaration(self, node: Any, condition: Condition | None) -> None:
        name = node.identifier.name
        self._new(node, name)
        if node.io_identifier.name == "output":
            raise self.source.error(node, "`output` is not supported; every bit is reported, so declare it plainly.")
        if name not in self.inputs:
            raise self.source.error(node, f"the input `{name}` has no value: give --input {name}=VALUE.")
        self.asked.add(name)
        self.names[name] = self.inputs[name]

    def _alias_statement(self, node: Any, condition: Condition | None) -> None:
        name = node.target.name
        self._new(node, name)
        self.listing.qubits[name] = self._qubits(node.value)
        self.listing.aliases.add(name)

    def _quantum_gate_definition(self, node: Any, condition: Condition | None) -> None:
        if node.name.name == "U":
            raise self.source.error(node, "`U` is built in and cannot be defined again.")
        self.gates.define(node, self.names)

    def _quantum_gate(self, node: Any, condition: Condition | None) -> None:
        if node.duration is not None:
            raise self.source.error(node, "a gate with a duration is not supported: remove the [...].")
        applications = list(self._broadcast(node))
        self.source.require(node, _budget.STEPS, self.num_steps + len(applications) * self.gates.size(node.name.name))
        for wires in applications:
            for steps in self.gates.groups(node, wires, self.names):
                self._gate(node, tuple(steps), condition)

    def _quantum_phase(self, node: Any, condition: Condition | None) -> None:
        for steps in self.gates.phase(node, [q for item in node.qubits for q in self._qubits(item)], self.names):
            self._gate(node, tuple(steps), condition)

    def _gate(self, node: Any, steps: tuple[Any, ...], condition: Condition | None) -> None:
        kept = tuple(part for part in steps if part.name != "GPHASE")
        self.num_steps += len(kept)
        self.source.require(node, _budget.STEPS, self.num_steps)
        if kept:
            self.listing.instructions.append(Gate(kept, condition))

    def _quantum_reset(self, node: Any, condition: Condition | None) -> None:
        self.listing.instructions += [Reset(qubit, condition) for qubit in self._qubits(node.qubits)]

    def _quantum_measurement_statement(self, node: Any, condition: Condition | None) -> None:
        qubits = self._qubits(node.measure.qubit)
        bits: list[int | None] = [None] * len(qubits)
        if node.target is not None:
            bits = list(self._bits(node.target))
        self._record(node, qubits, bits, condition)

    def _record(self, node: Any, qubits: list[int], bits: Any, condition: Condition | None) -> None:
        if condition is not None:
            raise self.source.error(
                node, "a measurement inside `if` is not supported: measure always, and let gates depend on both bits."
            )
        if len(qubits) != len(bits):
            raise self.source.error(node, f"{len(qubits)} qubit(s) are measured into {len(bits)} bit(s).")
        self.listing.instructions += [Measure(qubit, bit) for qubit, bit in zip(qubits, bits, strict=True)]

    def _branching_statement(self, node: Any, condition: Condition | None) -> None:
        met = read_condition(node.condition, self.listing.bits, self.names, self.source)
        self.read(node.if_block, both(condition, met))
        self.read(node.else_block, both(condition, negated(met)))

    def _for_in_loop(self, node: Any, condition: Condition | None) -> None:
        name, outer = node.identifier.name, dict(self.names)
        given = node.set_declaration
        if type(given).__name__ == "RangeDefinition":
            values = span(given, None, self.names, self.source)
        elif type(given).__name__ == "DiscreteSet":
            values = [number(item, self.names, self.source) for item in given.values]
        else:
            raise self.source.error(node, "a loop may run over a range [a:b] or a set {a, b} of numbers.")
        self.num_passes += len(values)
        self.source.require(node, _budget.PASSES, self.num_passes)
        for value in values:
            self.names = {**outer, name: value}
            self.read(node.block, condition)
        self.names = outer

    def _new(self, node: Any, name: str, size: int = 1) -> None:
        taken = name in self.listing.qubits or name in self.listing.bits or name in self.names
        if taken:
            raise self.source.error(node, f"`{name}` is declared twice: declare it once, before any loop.")
        if size < 1:
            raise self.source.error(node, f"`{name}` needs a size of at least 1, but has {size}.")

    def _broadcast(self, node: Any) -> Iterator[list[int]]:
        """Return the qubits of each application: registers are applied element by element."""
        given = [self._qubits(item) for item in node.qubits]
        sizes = {len(found) for found in given if len(found) > 1}
        if len(sizes) > 1:
            raise self.source.error(node, f"registers of different sizes {sorted(sizes)} cannot be combined.")
        for place in range(max(sizes, default=1)):
            wires = [found[place] if len(found) > 1 else found[0] for found in given]
            if len(set(wires)) < len(wires):
                raise self.source.error(node, f"`{node.name.name}` acts on the same qubit twice.")
            yield wires

    def _qubits(self, node: Any) -> list[int]:
        if type(node).__name__ == "Concatenation":
            return self._qubits(node.lhs) + self._qubits(node.rhs)
        return self._register(node, self.listing.qubits, "qubit", "qubit[n]")

    def _bits(self, node: Any) -> list[int]:
        return self._register(node, self.listing.bits, "bit", "bit[n]")

    def _register(self, node: Any, registers: Mapping[str, list[int]], what: str, declared: str) -> list[int]:
        """Return what `q`, `q[i]` or `q[a:b]` names."""
        kind = type(node).__name__
        name = node.collection if kind == "IndexExpression" else node.name
        name = name.name if hasattr(name, "name") else name
        if name.startswith("$"):
            raise self.source.error(node, f"physical qubits such as `{name}` are not supported: declare `qubit[n] q;`.")
        if name not in registers:
            raise self.source.error(node, f"there is no {what} `{name}` here: declare it as `{declared} {name};`.")
        found = registers[name]
        indices = [node.index] if kind == "IndexExpression" else getattr(node, "indices", [])
        for index in indices:
            found = picked(found, index, node, self.names, self.source)
        return found
