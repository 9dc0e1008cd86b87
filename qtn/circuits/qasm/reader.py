"""Walk through the syntax tree and list what the program does."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from qtn import _budget
from qtn.circuits.qasm import declarations, flow, operations, subroutines
from qtn.circuits.qasm.calls import Gates
from qtn.circuits.qasm.conditions import Condition, picked
from qtn.circuits.qasm.expressions import words
from qtn.circuits.qasm.instructions import PHYSICAL, Gate, Listing, Measure
from qtn.circuits.qasm.source import Source

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
            if kind not in STATEMENTS:
                what, cure = CURES.get(kind, (words(kind), "remove it"))
                raise self.source.error(statement, f"{what} is not supported; {cure}.")
            STATEMENTS[kind](self, statement, condition)

    def new(self, node: Any, name: str, size: int = 1) -> None:
        """Refuse a name that is taken, or a register without elements."""
        if any(name in known for known in (self.registers, self.listing.bits, self.names, self.variables)):
            cure = "declare it once" if self.source.version == 2 else "declare it once, before any loop"
            raise self.source.error(node, f"`{name}` is declared twice: {cure}.")
        if size < 1:
            raise self.source.error(node, f"`{name}` needs a size of at least 1, but has {size}.")

    def gate(self, node: Any, steps: tuple[Any, ...], condition: Condition | None) -> None:
        """List the steps of one gate, without global phases, which nothing can see any more."""
        kept = tuple(part for part in steps if part.name != "GPHASE")
        self.num_steps += len(kept)
        self.source.require(node, _budget.STEPS, self.num_steps)
        if kept:
            self.listing.instructions.append(Gate(kept, condition))

    def record(self, node: Any, qubits: list[int], bits: Any, condition: Condition | None) -> None:
        """List a measurement of each qubit into a bit, or into None."""
        if len(qubits) != len(bits):
            raise self.source.error(node, f"{len(qubits)} qubit(s) are measured into {len(bits)} bit(s).")
        self.listing.instructions += [Measure(qubit, bit, condition) for qubit, bit in zip(qubits, bits, strict=True)]

    def qubits(self, node: Any) -> list[int]:
        """Return the qubits that an expression names."""
        if type(node).__name__ == "Concatenation":
            return self.qubits(node.lhs) + self.qubits(node.rhs)
        return self._register(node, self.registers, "qubit")

    def bits(self, node: Any) -> list[int]:
        """Return the bits that an expression names."""
        return self._register(node, self.listing.bits, "bit")

    def _register(self, node: Any, registers: Mapping[str, list[int]], what: str) -> list[int]:
        """Return what `q`, `q[i]` or `q[a:b]` names."""
        kind = type(node).__name__
        name = node.collection if kind == "IndexExpression" else node.name
        name = name.name if hasattr(name, "name") else name
        if name.startswith("$") and what == "qubit":
            return [self._physical(node)[int(name[1:])]]
        if name not in registers:
            raise self.source.undeclared(node, what, name)
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


def include(reader: Reader, node: Any, condition: Condition | None) -> None:
    """Make the standard gates known."""
    if node.filename not in STANDARD_FILES:
        raise reader.source.error(node, f"only {' and '.join(STANDARD_FILES)} can be included: paste the file in.")
    reader.gates.included = True


def pragma(reader: Reader, node: Any, condition: Condition | None) -> None:
    """Pragmas are for other programs."""


def compound_statement(reader: Reader, node: Any, condition: Condition | None) -> None:
    """Read what stands in braces."""
    reader.read(node.statements, condition)


STATEMENTS: dict[str, Callable[[Reader, Any, Condition | None], None]] = {
    "Include": include,
    "Pragma": pragma,
    "CompoundStatement": compound_statement,
    "QubitDeclaration": declarations.qubit_declaration,
    "ClassicalDeclaration": declarations.classical_declaration,
    "ConstantDeclaration": declarations.constant_declaration,
    "IODeclaration": declarations.io_declaration,
    "AliasStatement": declarations.alias_statement,
    "QuantumGateDefinition": operations.quantum_gate_definition,
    "QuantumGate": operations.quantum_gate,
    "QuantumPhase": operations.quantum_phase,
    "QuantumReset": operations.quantum_reset,
    "QuantumMeasurementStatement": operations.quantum_measurement_statement,
    "QuantumBarrier": operations.quantum_barrier,
    "DelayInstruction": operations.delay_instruction,
    "SubroutineDefinition": subroutines.subroutine_definition,
    "ExpressionStatement": subroutines.expression_statement,
    "ClassicalAssignment": flow.classical_assignment,
    "BranchingStatement": flow.branching_statement,
    "WhileLoop": flow.while_loop,
    "ForInLoop": flow.for_in_loop,
}
"""What reads each kind of node of the tree."""
