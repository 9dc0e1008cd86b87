"""All presets by name, as problem files call them."""

from qtn.hardware.atomic_ensembles import ATOMIC_ENSEMBLE
from qtn.hardware.colour_centres import COLOUR_CENTRE_2018, COLOUR_CENTRE_IMPROVED
from qtn.hardware.neutral_atoms import NEUTRAL_ATOM_2022
from qtn.hardware.quantity import Preset
from qtn.hardware.quantum_dots import QUANTUM_DOT_2016
from qtn.hardware.trapped_ions import TRAPPED_ION_2023

PRESETS: dict[str, Preset] = {
    "colour_centre_2018": COLOUR_CENTRE_2018,
    "colour_centre_improved": COLOUR_CENTRE_IMPROVED,
    "trapped_ion_2023": TRAPPED_ION_2023,
    "neutral_atom_2022": NEUTRAL_ATOM_2022,
    "atomic_ensemble": ATOMIC_ENSEMBLE,
    "quantum_dot_2016": QUANTUM_DOT_2016,
}
