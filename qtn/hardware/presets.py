"""Platforms by name: what each consists of, every number cited, or marked as an assumption.

COLOUR_CENTRE_2018       nitrogen-vacancy centres as demonstrated, without telecom conversion; all values cited
COLOUR_CENTRE_IMPROVED   what a repeater over a hundred kilometres asks of them; beyond today's where marked
TRAPPED_ION_2023         two ions in cavities, 230 m apart: the efficiency is that of the published success probability
NEUTRAL_ATOM_2022        single rubidium atoms in tweezers with photons converted to telecom wavelengths
ATOMIC_ENSEMBLE          a cold ensemble that emits one photon in many attempts (Duan, Lukin, Cirac, Zoller 2001)
QUANTUM_DOT_2016         hole spins 5 m apart, single clicks at 2300 pairs per second
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
KRUTYANSKIY = "Krutyanskiy et al., Phys. Rev. Lett. 130, 050803 (2023), arXiv:2208.14907"
VAN_LEENT = "van Leent et al., Nature 607, 69 (2022), arXiv:2111.15526"
DELTEIL = "Delteil et al., Nat. Phys. 12, 218 (2016), arXiv:1507.00465"

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

TRAPPED_ION_2023 = Preset(
    efficiency=Quantity(8.9e-3, f"{KRUTYANSKIY}: success probability 4e-5 = efficiency^2 / 2, fibre of 520 m included"),
    visibility=Quantity(0.76, f"{KRUTYANSKIY}: fidelity 0.882 = (1 + V)/2, with all errors of the pair in V"),
    dark_count_probability=Quantity(1e-5, "assumed: 1 count per second in a window of 10 us"),
    phase_std=Quantity(0.0, "assumed: polarisation qubits and two clicks do not see the optical phase"),
    emission_time=Quantity(1e-3, "assumed: cooling and preparation dominate an attempt"),
    coherence_time=Quantity(0.06, "assumed: tens of milliseconds, optical qubit with refocusing"),
    two_qubit=Quantity(0.99, "assumed: a Moelmer-Soerensen gate of good fidelity"),
    readout=Quantity(0.999, "assumed: electron shelving"),
)

NEUTRAL_ATOM_2022 = Preset(
    efficiency=Quantity(2.5e-3, "assumed: collection by an objective of 1 %, conversion 57 % and detection"),
    visibility=Quantity(0.9, "assumed: photons of two atoms after conversion"),
    dark_count_probability=Quantity(1e-5, "assumed: tens of counts per second in a window of 0.2 us, with pump noise"),
    phase_std=Quantity(0.0, "assumed: polarisation qubits and two clicks do not see the optical phase"),
    emission_time=Quantity(1e-5, "assumed: optical pumping and excitation"),
    coherence_time=Quantity(7e-3, "Zhou et al., PRX Quantum 5, 020307 (2024), arXiv:2308.08892: long-lived encoding"),
    two_qubit=Quantity(0.995, "assumed: a Rydberg gate"),
    readout=Quantity(0.97, "assumed: state-selective ionisation or fluorescence"),
)
"""The conversion efficiency of 57 % is cited by van Leent et al. for their converters."""

ATOMIC_ENSEMBLE = Preset(
    efficiency=Quantity(0.2, "assumed: cavity-enhanced emission, conversion and detection"),
    visibility=Quantity(0.95, "assumed: bandwidths of two ensembles match"),
    dark_count_probability=Quantity(1e-6, "assumed: 10 counts per second in a window of 100 ns"),
    phase_std=Quantity(0.2, "assumed: stabilised fibre, as single clicks need it"),
    emission_time=Quantity(1e-5, "assumed: write pulse and pumping"),
    coherence_time=Quantity(0.1, "assumed: an optical lattice, limited by retrieval"),
    two_qubit=Quantity(1.0, "assumed: swaps are optical, give `optics`"),
    readout=Quantity(0.99, "assumed: retrieval into detectors"),
)

QUANTUM_DOT_2016 = Preset(
    efficiency=Quantity(3e-3, "assumed: from the dot to a click"),
    visibility=Quantity(0.9, "assumed: photons of two dots, filtered"),
    dark_count_probability=Quantity(1e-7, "assumed: 100 counts per second in a window of 1 ns"),
    phase_std=Quantity(0.3, "assumed: stabilised interferometer"),
    emission_time=Quantity(1e-7, "assumed: spin pumping and excitation"),
    coherence_time=Quantity(1e-6, "assumed: a hole spin with an echo"),
    two_qubit=Quantity(0.9, "assumed: no two-qubit gate between such memories has been shown in a network"),
    readout=Quantity(0.95, "assumed: resonance fluorescence"),
)

PRESETS: dict[str, Preset] = {
    "colour_centre_2018": COLOUR_CENTRE_2018,
    "colour_centre_improved": COLOUR_CENTRE_IMPROVED,
    "trapped_ion_2023": TRAPPED_ION_2023,
    "neutral_atom_2022": NEUTRAL_ATOM_2022,
    "atomic_ensemble": ATOMIC_ENSEMBLE,
    "quantum_dot_2016": QUANTUM_DOT_2016,
}
"""By name, as problem files call them."""
