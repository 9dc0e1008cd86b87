"""Put a listing on the sites of a train: every recorded bit becomes a site next to its qubit.

A measurement that matters later copies the qubit onto a fresh |0> by CX and dephases the copy: qubit and record agree
and both are classical. `if` is a gate controlled by the record, averaged over it exactly. A condition on several bits
is first collected in a flag: it starts as 1 and each bit that does not fit clears it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn.circuits.circuit import Circuit, Operation, circuit
from qtn.circuits.noise import IDEAL
from qtn.circuits.qasm.conditions import All, Condition, Literal, Not
from qtn.circuits.qasm.instructions import Gate, Instruction, Listing, Measure, Reset
from qtn.circuits.qasm.matrices import cleared_unless, matrix_of, reset_if
from qtn.circuits.qasm.steps import Step, controlled, inverse, step

Flag = bool | tuple[int, int]
"""A condition as a constant, or as (wire, value that the wire must have)."""


@dataclass
class Layout:
    """Wires and operations so far. Wires 0..n-1 are the qubits, further ones are bits and flags."""

    listing: Listing
    rows: list[list[int]] = field(default_factory=list)
    """For each qubit, the wires that stand at its place in the train."""
    operations: list[tuple[Step, str]] = field(default_factory=list)
    """Steps with their label; MEASURE, RESET and CHANNEL as names too."""
    records: dict[int, int] = field(default_factory=dict)
    """Bit -> wire that holds its value."""
    home: dict[int, int] = field(default_factory=dict)
    """Wire of a bit or flag -> the qubit next to which it stands."""
    flags: dict[Condition, Flag] = field(default_factory=dict)
    """Conditions on several bits that are worked out and still hold."""
    spare: list[int] = field(default_factory=list)
    """Wires of flags that are not needed any more, in |0>."""

    def sites(self) -> dict[int, int]:
        """Return wire -> site."""
        return {wire: site for site, wire in enumerate(wire for row in self.rows for wire in row)}

    def wire(self, qubit: int) -> int:
        """Return a fresh wire in |0> next to a qubit."""
        wire = self.listing.num_qubits + len(self.home)
        self.rows[qubit].append(wire)
        self.home[wire] = qubit
        return wire

    def release(self, kept: set[Condition]) -> None:
        """Clear all flags but those of some conditions, so that their wires can be used again."""
        own = {flag[0] for flag in self.flags.values() if isinstance(flag, tuple)} - set(self.records.values())
        self.flags = {condition: flag for condition, flag in self.flags.items() if condition in kept}
        left = {flag[0] for flag in self.flags.values() if isinstance(flag, tuple)}
        for wire in sorted(own - left):
            self.emit("RESET", (wire,))
            self.spare.append(wire)

    def flag_wire(self, qubit: int) -> int:
        """Return a wire in |0> next to a qubit, a used one if there is one."""
        for wire in self.spare:
            if self.home[wire] == qubit:
                self.spare.remove(wire)
                return wire
        return self.wire(qubit)

    def emit(self, name: str, wires: tuple[int, ...], *angles: Any, label: str = IDEAL) -> None:
        """Add an operation, by default one without noise."""
        self.operations.append((Step(name, wires, angles), label))


def lay_out(listing: Listing) -> tuple[Circuit, Circuit | None, dict[int, int], dict[int, int]]:
    """Return the circuit, the measurements that end it, and the sites of qubits and of bits."""
    layout = Layout(listing, rows=[[qubit] for qubit in range(listing.num_qubits)])
    last = last_measurements(listing.instructions)
    for place, instruction in enumerate(listing.instructions):
        if place not in last:
            _instruction(layout, instruction)
    ends = [listing.instructions[place] for place in sorted(last)]
    layout.records |= {end.bit: end.qubit for end in ends if isinstance(end, Measure) and end.bit is not None}
    sites = layout.sites()
    built = circuit(len(sites), _operations(layout.operations, sites))
    final = [(step("MEASURE", end.qubit), "") for end in ends if isinstance(end, Measure)]
    readout = circuit(len(sites), _operations(final, sites)) if final else None
    qubits = {qubit: sites[qubit] for qubit in range(listing.num_qubits)}
    return built, readout, qubits, {bit: sites[wire] for bit, wire in layout.records.items()}


def last_measurements(instructions: list[Instruction]) -> set[int]:
    """Return the places of recorded measurements after which neither the qubit nor the bit is used."""
    qubits: set[int] = set()
    bits: set[int] = set()
    found = set()
    for place in reversed(range(len(instructions))):
        instruction = instructions[place]
        if isinstance(instruction, Measure) and instruction.condition is None:
            bit = instruction.bit
            if bit is not None and bit not in bits and instruction.qubit not in qubits:
                found.add(place)
            qubits.add(instruction.qubit)
            bits |= set() if bit is None else {bit}
            continue
        qubits |= set(instruction.qubits if isinstance(instruction, Gate) else (instruction.qubit,))
        bits |= {part.bit for part in _parts(instruction.condition) if isinstance(part, Literal)}
        if isinstance(instruction, Measure) and instruction.bit is not None:
            bits.add(instruction.bit)
    return found


def _parts(condition: Condition | None) -> Iterator[Condition]:
    """Return a condition and all conditions in it."""
    if condition is None:
        return
    yield condition
    inner = (
        () if isinstance(condition, Literal) else condition.parts if isinstance(condition, All) else (condition.part,)
    )
    for part in inner:
        yield from _parts(part)


def _instruction(layout: Layout, instruction: Instruction) -> None:
    if isinstance(instruction, Measure) and instruction.condition is None:
        return _measure(layout, instruction)
    layout.release(set(_parts(instruction.condition)))
    flag = True if instruction.condition is None else _flag(layout, instruction.condition)
    if flag is False:
        return None
    if isinstance(instruction, Measure):
        return _measure(layout, instruction) if flag is True else _measure_if(layout, instruction, *flag)
    if isinstance(instruction, Reset):
        return _reset(layout, instruction.qubit, flag)
    natives = native(instruction)
    if flag is not True:
        _conditional(layout, instruction, natives, *flag)
    for part in [] if flag is not True else natives:
        layout.emit(part.name, part.wires, *part.angles, label="")
    return None


def native(gate: Gate) -> list[Step]:
    """Return what the engine runs for a gate, each of which noise follows: one step for one or two qubits."""
    if len(gate.steps) > 1 and len(gate.qubits) <= 2:
        return [step("UNITARY", gate.qubits, matrix_of(gate.steps, gate.qubits))]
    return list(gate.steps)


def _conditional(layout: Layout, gate: Gate, natives: list[Step], wire: int, value: int) -> None:
    """Apply a gate where a classical wire has the value; its noise follows in either case, after an idle time."""
    flips = [] if value else [step("X", wire)]
    inside = [part for given in gate.steps for part in controlled(given, wire) if part.wires != (wire,)]
    undone = [part for given in reversed(natives) for part in inverse(given)]
    for part in (*flips, *inside, *flips, *undone):
        layout.emit(part.name, part.wires, *part.angles)
    for part in natives:
        layout.emit(part.name, part.wires, *part.angles, label="")


def _reset(layout: Layout, qubit: int, flag: Flag) -> None:
    if isinstance(flag, tuple):
        layout.emit("CHANNEL", (flag[0], qubit), reset_if(flag[1]))
    else:
        layout.emit("RESET", (qubit,), label="")


def _measure(layout: Layout, instruction: Measure) -> None:
    """Copy the qubit to its record and dephase; noise of MEASURE acts on the record, not on the qubit."""
    layout.release(set())
    if instruction.bit is None:
        return layout.emit("MEASURE", (instruction.qubit,))
    if instruction.bit in layout.records:
        layout.emit("RESET", (layout.records[instruction.bit],))
    else:
        layout.records[instruction.bit] = layout.wire(instruction.qubit)
    record = layout.records[instruction.bit]
    layout.emit("CX", (instruction.qubit, record))
    return layout.emit("MEASURE", (record,), label="")


def _measure_if(layout: Layout, instruction: Measure, wire: int, value: int) -> None:
    """Measure where a classical wire has the value: into a wire of its own, which then replaces the record."""
    drawn, flips = layout.flag_wire(instruction.qubit), [] if value else [step("X", wire)]
    inside = [*flips, *controlled(step("CX", (instruction.qubit, drawn)), wire), *flips]
    for part in inside:
        layout.emit(part.name, part.wires, *part.angles)
    layout.emit("MEASURE", (drawn,), label="")
    if instruction.bit is not None:
        if instruction.bit not in layout.records:
            layout.records[instruction.bit] = layout.wire(instruction.qubit)
            if layout.listing.initial.get(instruction.bit, 0):
                layout.emit("X", (layout.records[instruction.bit],))
        record = layout.records[instruction.bit]
        layout.emit("CHANNEL", (wire, record), reset_if(value))
        for part in [*flips, *controlled(step("CX", (drawn, record)), wire), *flips]:
            layout.emit(part.name, part.wires, *part.angles)
        layout.emit("MEASURE", (record,))
    layout.emit("RESET", (drawn,))
    layout.spare.append(drawn)


def _flag(layout: Layout, condition: Condition) -> Flag:
    """Return a condition as a constant or as one wire, working it out where it needs several bits."""
    if isinstance(condition, Literal):
        if condition.bit in layout.records:
            return layout.records[condition.bit], condition.value
        return layout.listing.initial.get(condition.bit, 0) == condition.value
    if isinstance(condition, Not):
        flag = _flag(layout, condition.part)
        return (flag[0], 1 - flag[1]) if isinstance(flag, tuple) else not flag
    if condition not in layout.flags:
        layout.flags[condition] = _collect(layout, [_flag(layout, part) for part in condition.parts])
    return layout.flags[condition]


def _collect(layout: Layout, parts: list[Flag]) -> Flag:
    if any(part is False for part in parts):
        return False
    wires = list(dict.fromkeys(part for part in parts if isinstance(part, tuple)))
    if len(wires) < 2:
        return wires[0] if wires else True
    flag = layout.flag_wire(layout.home[wires[-1][0]])
    layout.emit("X", (flag,))
    for wire, value in wires:
        layout.emit("CHANNEL", (wire, flag), cleared_unless(value))
    return flag, 1


def _operations(steps: list[tuple[Step, str]], sites: dict[int, int]) -> list[Operation]:
    """Return operations; neighbours in time of the same kind become one with many places."""
    found = []
    for (name, _, label), group in groupby(steps, lambda item: (item[0].name, len(item[0].wires), item[1])):
        parts = [part for part, _ in group]
        places = tuple(tuple(sites[wire] for wire in part.wires) for part in parts)
        columns = zip(*(part.angles for part in parts), strict=True)
        parameters = tuple(_stacked(column, complex if name == "UNITARY" else float) for column in columns)
        found.append(Operation(name=name, sites=places, label=label, parameters=parameters))
    return found


def _stacked(values: tuple[Any, ...], kind: type) -> Any:
    """Return numbers or matrices as one array; of known ones without compiling anything."""
    if any(isinstance(value, jax.Array) for value in values):
        return jnp.stack([jnp.asarray(value, dtype=kind) for value in values])
    return jnp.asarray(np.array(values, dtype=kind))
