"""Walk through the syntax tree and list what the program does."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from qtn import _budget
from qtn.circuits.qasm.calls import Gates
from qtn.circuits.qasm.conditions import Condition, both, negated, picked, read_condition, span
from qtn.circuits.qasm.expressions import number, whole, words
from qtn.circuits.qasm.instructions import PHYSICAL, Gate, Listing, Measure, Reset
from qtn.circuits.qasm.source import Source
from qtn.circuits.qasm.steps import step
from qtn.circuits.qasm.subroutines import MAX_DEPTH, body, bound, is_call, result
from qtn.circuits.qasm.variables import NUMBERS, converted, names_any, truth, updated

CURES = {
    "SwitchStatement": ("`switch`", "write it as a sequence of `if`"),
    "ExternDeclaration": ("`extern`", "give its result as `input` or `const`"),
    "Box": ("`box`", "remove it: timing has no meaning here"),
    "CalibrationGrammarDeclaration": ("`defcalgrammar`", "pulses have no meaning here; remove it"),
    "CalibrationStatement": ("`cal`", "pulses have no meaning here; remove it"),
    "CalibrationDefinition": ("`defcal`", "pulses have no meaning here; remove it"),
    "BreakStatement": ("`break`", "choose the range of the `for` loop instead"),
    "ContinueStatement": ("`continue`", "choose the range of the `for` loop instead"),
    "EndStatement": ("`end`", "remove what follows it"),
    "ReturnStatement": ("`return`", "only measurements give results"),
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
        self.num_steps = self.num_passes = self.depth = 0
        self.variables: dict[str, str] = {}
        """Types of variables, whose values are among the names."""
        self.subroutines: dict[str, Any] = {}
        self.registers = self.listing.qubits
        """What names of qubits mean here: in a subroutine its arguments."""

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
        if type(node.type).__name__ in NUMBERS:
            return self._variable(node)
        if type(node.type).__name__ not in ("BitType", "BoolType"):
            what = words(type(node.type).__name__)
            raise self.source.error(node, f"a variable of {what} is not supported; use numbers and bits.")
        size = getattr(node.type, "size", None)
        count = 1 if size is None else whole(size, self.names, self.source)
        name = node.identifier.name
        self._new(node, name, count)
        start = self.listing.num_bits
        self.source.require(node, _budget.BITS, start + count)
        bits = self.listing.bits[name] = list(range(start, start + count))
        if type(node.init_expression).__name__ == "QuantumMeasurement":
            self._record(node, self._qubits(node.init_expression.qubit), list(bits), condition)
        elif is_call(node.init_expression, self.subroutines):
            self._called(node.init_expression, condition, bits)
        elif node.init_expression is not None:
            self._initial(node, bits)
        return None

    def _variable(self, node: Any) -> None:
        """Declare a number; it must be known before it is used."""
        kind, name = type(node.type).__name__, node.identifier.name
        self._new(node, name)
        self.variables[name] = kind
        if node.init_expression is not None:
            self.names[name] = converted(kind, node.init_expression, self.names, self.source)

    def _classical_assignment(self, node: Any, condition: Condition | None) -> None:
        name = getattr(node.lvalue, "name", None)
        if is_call(node.rvalue, self.subroutines):
            return self._called(node.rvalue, condition, self._bits(node.lvalue))
        if not isinstance(name, str) or name not in self.variables:
            raise self.source.error(node, "assigning to a bit is not supported; only measurements write bits.")
        if condition is not None:
            raise self.source.error(node, f"`{name}` would depend on a measurement; let gates depend on the bit.")
        if name not in self.names and node.op.name != "=":
            raise self.source.error(node, f"`{name}` has no value yet: give it one where it is declared.")
        value = updated(node, self.names.get(name), self.names, self.source)
        self.names[name] = value
        self.names[name] = converted(self.variables[name], node.lvalue, self.names, self.source)
        return None

    def _while_loop(self, node: Any, condition: Condition | None) -> None:
        if names_any(node.while_condition, self.listing.bits):
            raise self.source.error(node, "`while` is not supported for bits; unroll it with `for` over a fixed range.")
        while truth(node.while_condition, self.names, self.source):
            self.num_passes += 1
            self.source.require(node, _budget.PASSES, self.num_passes)
            self._pass(node.block, condition, {})

    def _pass(self, block: Any, condition: Condition | None, own: Mapping[str, Any]) -> None:
        """Read the body of a loop once; what is declared in it ends with it."""
        outer, variables = dict(self.names), set(self.variables)
        self.names |= own
        self.read(block, condition)
        ended = (self.names.keys() - outer.keys()) - variables
        kept = {name: value for name, value in self.names.items() if name not in ended}
        self.names = kept | {name: outer[name] for name in own if name in outer}
        self.variables = {name: kind for name, kind in self.variables.items() if name in variables}

    def _subroutine_definition(self, node: Any, condition: Condition | None) -> None:
        self.subroutines[node.name.name] = node

    def _expression_statement(self, node: Any, condition: Condition | None) -> None:
        if not is_call(node.expression, self.subroutines):
            raise self.source.error(node, "an expression as a statement is not supported; remove it.")
        self._called(node.expression, condition, None)

    def _called(self, call: Any, condition: Condition | None, bits: list[int] | None) -> None:
        """Read the body of a subroutine with its arguments in place."""
        definition = self.subroutines[call.name.name]
        if self.depth == MAX_DEPTH:
            raise self.source.error(call, f"`{call.name.name}` contains itself.")
        wires, numbers = bound(
            call,
            definition,
            self.source,
            self._qubits,
            lambda kind, node: converted(kind, node, self.names, self.source),
        )
        kept = self.names, self.variables, self.registers
        kinds = {argument.name.name: "FloatType" for argument in definition.arguments if argument.name.name in numbers}
        self.names, self.variables, self.registers = self.names | numbers, kinds, wires
        self.depth += 1
        self.read(body(definition), condition)
        measured = result(definition, self.source)
        if measured is not None:
            found = self._qubits(measured.qubit)
            self._record(call, found, [None] * len(found) if bits is None else bits, condition)
        elif bits is not None:
            raise self.source.error(call, f"`{call.name.name}` returns nothing: end it with `return measure ...;`.")
        self.depth -= 1
        self.names, self.variables, self.registers = kept

    def _delay_instruction(self, node: Any, condition: Condition | None) -> None:
        """Wait: the identity on its qubits, which the noise of `id` follows."""
        wires = [wire for item in node.qubits for wire in self._qubits(item)]
        for wire in wires or range(self.listing.num_qubits):
            self._gate(node, (step("I", wire),), condition)

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
        if len(qubits) != len(bits):
            raise self.source.error(node, f"{len(qubits)} qubit(s) are measured into {len(bits)} bit(s).")
        self.listing.instructions += [Measure(qubit, bit, condition) for qubit, bit in zip(qubits, bits, strict=True)]

    def _branching_statement(self, node: Any, condition: Condition | None) -> None:
        if not names_any(node.condition, self.listing.bits):
            known = truth(node.condition, self.names, self.source)
            return self.read(node.if_block if known else node.else_block, condition)
        met = read_condition(node.condition, self.listing.bits, self.names, self.source)
        self.read(node.if_block, both(condition, met))
        self.read(node.else_block, both(condition, negated(met)))
        return None

    def _for_in_loop(self, node: Any, condition: Condition | None) -> None:
        name = node.identifier.name
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
            self._pass(node.block, condition, {name: value})

    def _new(self, node: Any, name: str, size: int = 1) -> None:
        taken = any(name in known for known in (self.registers, self.listing.bits, self.names, self.variables))
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
        declared = "qreg {}[n]" if self.source.version == 2 else "qubit[n] {}"
        return self._register(node, self.registers, "qubit", declared)

    def _bits(self, node: Any) -> list[int]:
        declared = "creg {}[n]" if self.source.version == 2 else "bit[n] {}"
        return self._register(node, self.listing.bits, "bit", declared)

    def _register(self, node: Any, registers: Mapping[str, list[int]], what: str, declared: str) -> list[int]:
        """Return what `q`, `q[i]` or `q[a:b]` names."""
        kind = type(node).__name__
        name = node.collection if kind == "IndexExpression" else node.name
        name = name.name if hasattr(name, "name") else name
        if name.startswith("$") and what == "qubit":
            return [self._physical(node)[int(name[1:])]]
        if name not in registers:
            raise self.source.error(
                node, f"there is no {what} `{name}` here: declare it as `{declared.format(name)};`."
            )
        found = registers[name]
        indices = [node.index] if kind == "IndexExpression" else getattr(node, "indices", [])
        for index in indices:
            found = picked(found, index, node, self.names, self.source)
        return found

    def _physical(self, node: Any) -> list[int]:
        """Return all qubits of the machine, $0 to the last that the program names."""
        if PHYSICAL not in self.listing.qubits:
            count = 1 + max(int(digits) for digits in re.findall(r"\$(\d{1,9})", self.source.text))
            start = self.listing.num_qubits
            self.source.require(node, _budget.QUBITS, start + count)
            self.listing.qubits[PHYSICAL] = list(range(start, start + count))
        return self.listing.qubits[PHYSICAL]
