"""Numbers with their sources, and what a platform consists of."""

import dataclasses
from typing import Any

from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import Node, node


@dataclasses.dataclass(frozen=True)
class Quantity:
    """One number of a preset."""

    value: float
    source: str
    """Where it was measured; or "assumed: ..." with the reason."""

    @property
    def cited(self) -> bool:
        """Whether the value comes from a publication."""
        return not self.source.startswith("assumed")


@dataclasses.dataclass(frozen=True)
class Preset:
    """A node that emits single photons and stores qubits, with its half of a click link. SI units."""

    efficiency: Quantity
    """Emission into the mode, collection and detection, without fibre."""
    visibility: Quantity
    """Hong-Ou-Mandel visibility of photons of two nodes."""
    dark_count_probability: Quantity
    """Per detector and window."""
    phase_std: Quantity
    """Standard deviation of the optical phase between two arms [rad]."""
    emission_time: Quantity
    """Time to reset, emit and rotate before the photon travels [s]."""
    coherence_time: Quantity
    """T2 of the memory qubit [s]."""
    two_qubit: Quantity
    """p2 of the two-qubit gate."""
    readout: Quantity
    """Probability of a right readout, averaged over both outcomes."""

    def node(self, p_swap: float = 1.0) -> Node:
        """Return a node with a dephasing memory and these gates."""
        memory = dephasing_memory(self.coherence_time.value)
        return node(memory, gates(self.two_qubit.value, self.readout.value), p_swap)

    def link_options(self) -> dict[str, Any]:
        """Return the keyword arguments of `single_click` that belong to nodes and detectors."""
        names = ("efficiency", "visibility", "dark_count_probability", "phase_std", "emission_time")
        return {name: getattr(self, name).value for name in names}
