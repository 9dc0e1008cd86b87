"""Gate calls: standard gates, definitions of the user, modifiers."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import jax

from qtn import _budget
from qtn.circuits.qasm.expressions import number, whole
from qtn.circuits.qasm.library import OTHER_NAMES, STANDARD
from qtn.circuits.qasm.matrices import power_of
from qtn.circuits.qasm.source import Source
from qtn.circuits.qasm.steps import PI, Step, controlled_all, inverted, step

Group = list[Step]
"""The steps of one gate of the user: noise follows it once, if it acts on one or two qubits."""
MAX_DEPTH = 100
FEWEST = 15
"""Of many controls each gate takes more steps than this times the square of their number."""
MANY = 16


@dataclass
class Gates:
    """What gate names mean in a program."""

    source: Source
    definitions: dict[str, Any]
    """name -> (definition in the tree, the numbers that were known there)."""
    included: bool = False
    """The standard gates were included."""
    sizes: dict[str, int] = field(default_factory=dict)
    """At least how many gates each definition stands for, modifiers left out."""

    def define(self, node: Any, names: Mapping[str, Any]) -> None:
        """Keep a definition, and count the gates in it."""
        calls = (inner for inner in node.body if type(inner).__name__ == "QuantumGate")
        self.sizes[node.name.name] = sum(self.size(inner.name.name) for inner in calls)
        self.definitions[node.name.name] = (node, dict(names))

    def size(self, name: str) -> int:
        """Return at least how many gates a name stands for."""
        return self.sizes.get(name, 1)

    def groups(self, call: Any, wires: list[int], names: Mapping[str, Any], depth: int = 0) -> list[Group]:
        """Return the gates that a call stands for.

        Args:
            call: a gate call of the tree.
            wires: the qubits it acts on, controls first.
            names: numbers in scope.
            depth: of definitions within definitions.
        """
        if depth > MAX_DEPTH:
            raise self.source.error(call, f"`{call.name.name}` contains itself.")
        controls = sum(self._controls(modifier, names) for modifier in call.modifiers)
        found = self._plain(call, wires[controls:], names, depth)
        if not call.modifiers:
            return found
        return [self._modified(call.modifiers, [part for group in found for part in group], wires[:controls], names)]

    def phase(self, call: Any, wires: list[int], names: Mapping[str, Any]) -> list[Group]:
        """Return the gates that a global phase, possibly controlled, stands for."""
        steps = [step("GPHASE", (), number(call.argument, names, self.source))]
        return [self._modified(call.modifiers, steps, wires, names)] if wires else []

    def _plain(self, call: Any, wires: list[int], names: Mapping[str, Any], depth: int) -> list[Group]:
        """Return the gates of a call without its modifiers."""
        name = call.name.name
        angles = [number(argument, names, self.source) for argument in call.arguments]
        if name in self.definitions:
            return self._defined(name, call, angles, wires, depth)
        if name == "U":
            self._check(call, 3, 1, len(angles), len(wires))
            phase = [step("GPHASE", (), angles[0] / 2)] if self.source.version >= 3 else []
            return [[*phase, step("U", wires[0], *angles)]]
        if name not in STANDARD or (not self.included and name != "CX"):
            raise self.source.error(call, self._unknown(name))
        standard = STANDARD[name]
        self._check(call, standard.num_parameters, standard.num_qubits, len(angles), len(wires))
        steps = [Step(part.name, tuple(wires[k] for k in part.wires), part.angles) for part in standard.steps(*angles)]
        if self.source.version >= 3 and name in ("u2", "u3"):
            steps.append(step("GPHASE", (), -(angles[-2] + angles[-1]) / 2))
        return [steps]

    def _defined(self, name: str, call: Any, angles: list[Any], wires: list[int], depth: int) -> list[Group]:
        definition, known = self.definitions[name]
        self._check(call, len(definition.arguments), len(definition.qubits), len(angles), len(wires))
        names = known | {argument.name: angle for argument, angle in zip(definition.arguments, angles, strict=True)}
        inside = {qubit.name: wire for qubit, wire in zip(definition.qubits, wires, strict=True)}
        found: list[Group] = []
        for inner in definition.body:
            kind = type(inner).__name__
            if kind == "QuantumBarrier":
                continue
            if kind not in ("QuantumGate", "QuantumPhase"):
                raise self.source.error(inner, "the body of a gate may hold gates only.")
            places = [self._inner_wire(qubit, inside) for qubit in inner.qubits]
            if len(set(places)) < len(places):
                raise self.source.error(inner, "a gate acts on the same qubit twice.")
            found += (
                self.phase(inner, places, names)
                if kind == "QuantumPhase"
                else self.groups(inner, places, names, depth + 1)
            )
            if kind == "QuantumPhase" and not places:
                found.append([step("GPHASE", (), number(inner.argument, names, self.source))])
        return found

    def _inner_wire(self, qubit: Any, inside: Mapping[str, int]) -> int:
        name = getattr(qubit, "name", None)
        if isinstance(name, str) and name in inside:
            return inside[name]
        raise self.source.error(qubit, f"only {', '.join(inside)} can be used in the body of this gate.")

    def _controls(self, modifier: Any, names: Mapping[str, Any]) -> int:
        if modifier.modifier.name not in ("ctrl", "negctrl"):
            return 0
        count = 1 if modifier.argument is None else whole(modifier.argument, names, self.source)
        if count < 1:
            raise self.source.error(modifier, f"a gate needs at least one control, but this asks for {count}.")
        return count

    def _modified(self, modifiers: Any, steps: Group, wires: list[int], names: Mapping[str, Any]) -> Group:
        """Return steps under modifiers, the last of which acts first; controls that follow each other act at once."""
        used, controls, flips = len(wires), [], []
        for modifier in reversed(modifiers):
            name, count = modifier.modifier.name, self._controls(modifier, names)
            if count == 0:
                steps, controls, flips = self._controlled(modifier, steps, controls, flips), [], []
                power = None if name == "inv" else number(modifier.argument, names, self.source)
                steps = inverted(steps) if power is None else self._power(modifier, steps, power)
            used -= count
            own = wires[used : used + count]
            controls, flips = [*own, *controls], [*flips, *(own if name == "negctrl" else ())]
        return self._controlled(modifiers[0], steps, controls, flips) if modifiers else steps

    def _controlled(self, modifier: Any, steps: Group, controls: list[int], flips: list[int]) -> Group:
        if not controls:
            return steps
        if len(controls) >= MANY:
            self.source.require(modifier, _budget.STEPS, len(steps) * FEWEST * len(controls) ** 2)
        found = list(islice(controlled_all(steps, *controls), _budget.STEPS.most + 1))
        self.source.require(modifier, _budget.STEPS, len(found))
        turned = [step("X", wire) for wire in flips]
        return [*turned, *found, *turned]

    def _power(self, modifier: Any, steps: Group, power: Any) -> Group:
        if len(steps) == 1 and len(steps[0].angles) == 1:
            return [Step(steps[0].name, steps[0].wires, (steps[0].angles[0] * power,))]
        if isinstance(power, (int, float)) and float(power).is_integer():
            self.source.require(modifier, _budget.STEPS, len(steps) * abs(int(power)))
            return (steps if power >= 0 else inverted(steps)) * abs(int(power))
        found = self._root(steps, power) if isinstance(power, (int, float)) else None
        if found is None:
            raise self.source.error(
                modifier, f"`pow({power})` of this gate is not supported: use a whole number, or a gate on one qubit."
            )
        return found

    def _root(self, steps: Group, power: float) -> Group | None:
        """Return a broken power of known gates on one qubit, or of a named gate on two."""
        if any(isinstance(angle, jax.Array) for part in steps for angle in part.angles):
            return None
        wires = {part.wires for part in steps if part.wires}
        if len(wires) == 1 and len(*wires) == 1:
            return power_of(steps, power)
        if len(steps) > 1 or not wires:
            return None
        (given,) = steps
        (a, b), cx = given.wires, step("CX", given.wires[::-1])
        if given.name in ("CX", "CY", "CZ"):
            return list(controlled_all(power_of([step(given.name[1:], b)], power), a))
        if given.name == "SWAP":
            return [cx, *controlled_all(power_of([step("X", b)], power), a), cx]
        return [step("RXX", (a, b), -PI / 2 * power), step("RYY", (a, b), -PI / 2 * power)]  # ISWAP

    def _check(self, call: Any, parameters: int, qubits: int, given_parameters: int, given_qubits: int) -> None:
        name = call.name.name
        if parameters != given_parameters:
            raise self.source.error(
                call, f"`{name}` takes {parameters} parameter(s), but {given_parameters} are given."
            )
        if qubits != given_qubits:
            raise self.source.error(call, f"`{name}` acts on {qubits} qubit(s), but {given_qubits} are given.")

    def _unknown(self, name: str) -> str:
        if name in self.source.opaque:
            return f"`{name}` is opaque: it has no definition; write one as `gate {name} ... {{ ... }}`."
        if name in STANDARD:
            file = "qelib1.inc" if self.source.version == 2 else "stdgates.inc"
            return f'the gate `{name}` is not defined here: add `include "{file}";`.'
        known = [*self.definitions, *(STANDARD if self.included else ()), "U"]
        close = [OTHER_NAMES.get(name.lower(), ""), *difflib.get_close_matches(name.lower(), known, 1)]
        found = next((each for each in close if each in known), None)
        meant = f"did you mean `{found}`? Or " if found else ""
        return f"the gate `{name}` is not known; {meant}define it with `gate {name} ... {{ ... }}`."
