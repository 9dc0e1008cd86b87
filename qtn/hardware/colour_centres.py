"""Colour centres: every number cited, or marked as an assumption.

COLOUR_CENTRE_2018       nitrogen-vacancy centres as demonstrated, without telecom conversion; all values cited
COLOUR_CENTRE_IMPROVED   what a repeater over a hundred kilometres asks of them; beyond today's where marked
"""

from qtn.hardware.quantity import Preset, Quantity

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
