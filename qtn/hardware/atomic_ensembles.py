"""Atomic ensembles: every number cited, or marked as an assumption.

ATOMIC_ENSEMBLE   a cold ensemble that emits one photon in many attempts (Duan, Lukin, Cirac, Zoller 2001)
"""

from qtn.hardware.quantity import Preset, Quantity

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
