"""Numbers of real and of hoped-for nodes: every one cited, or marked as an assumption.

COLOUR_CENTRE_2018       nitrogen-vacancy centres as demonstrated, without telecom conversion; all values cited
COLOUR_CENTRE_IMPROVED   what a repeater over a hundred kilometres asks of them; beyond today's where marked
"""

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


HUMPHREYS = "Humphreys et al., Nature 558, 268 (2018), arXiv:1712.07567"
BRADLEY = "Bradley et al., Phys. Rev. X 9, 031045 (2019), arXiv:1905.02094"

COLOUR_CENTRE_2018 = Preset(
    efficiency=Quantity(3.5e-4, f"{HUMPHREYS}: 2.8e-4 and 4.2e-4 from excitation to click"),
    visibility=Quantity(0.90, f"{HUMPHREYS}"),
    dark_count_probability=Quantity(5e-7, f"{HUMPHREYS}: 20 counts per second in a window of 25 ns"),
    phase_std=Quantity(0.26, f"{HUMPHREYS}: 15 degrees of residual phase noise"),
    emission_time=Quantity(5.5e-6, f"{HUMPHREYS}: reset and emission"),
    coherence_time=Quantity(1.0, f"{BRADLEY}, as used for networks in arXiv:2010.12535: 13C, decoupled"),
    two_qubit=Quantity(0.98, "Kalb et al., Science 356, 928 (2017), arXiv:1703.03244: reproduces its swap sequence"),
    readout=Quantity(0.9725, f"{HUMPHREYS}: 0.950 and 0.995 for the two states"),
)

COLOUR_CENTRE_IMPROVED = Preset(
    efficiency=Quantity(0.3, "assumed: cavity and telecom conversion, beyond today's"),
    visibility=Quantity(0.98, "assumed: beyond today's 0.90"),
    dark_count_probability=Quantity(1e-8, "assumed: 1 count per second in a window of 10 ns"),
    phase_std=Quantity(0.1, "assumed: better stabilisation than today's 0.26, over deployed fibre"),
    emission_time=Quantity(5.5e-6, f"{HUMPHREYS}: reset and emission"),
    coherence_time=Quantity(10.0, f"assumed under network activity; {BRADLEY} holds one 13C for a minute"),
    two_qubit=Quantity(0.995, "assumed: beyond today's 0.98"),
    readout=Quantity(0.995, "assumed: beyond today's 0.9725"),
)
