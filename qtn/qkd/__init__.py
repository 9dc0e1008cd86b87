"""Key distribution: signals, finite keys, sessions that abort, and an eavesdropper.

signals (pairs, photons, pulses) -> counts -> finite key -> sessions;   attack -> what is seen, what Eve knows
"""

from qtn.qkd.assumptions import Assumptions, Authentication
from qtn.qkd.attacks import (
    Basis,
    Cloner,
    EntanglingProbe,
    InterceptResend,
    attacked,
    entangling_probe,
    error_rate,
    eve_states,
    guessing_probability,
    holevo_information,
    intercept_resend,
)
from qtn.qkd.conference import (
    ConferenceKey,
    ConferenceProtocol,
    conference_key,
    ghz_weights,
    white_noise_fraction,
    white_noise_threshold,
)
from qtn.qkd.decoy_key import DecoyKey, decoy_key
from qtn.qkd.decoys import asymptotic_rate, rate_without_decoys, single_photons, splitting_limit, vacuum_and_weak
from qtn.qkd.detection import bits_to_detect, exact_bits, p_accepted, sequential_test
from qtn.qkd.down_conversion import PulsedPairs, down_conversion
from qtn.qkd.entangled_light import Coincidences, entangled_light
from qtn.qkd.finite_key import FiniteKey, finite_key
from qtn.qkd.group_states import Check, SharedSecret, anonymous_pair, secret_sharing
from qtn.qkd.keys import Keys, KeyUse, Protocol
from qtn.qkd.lines import Light, LightLine, PulseLine, light_line
from qtn.qkd.night_keys import NightUse, nightly
from qtn.qkd.overpasses import LightPasses, Nights, PulsePasses, Stations, along, relayed, yearly
from qtn.qkd.pairs import pair_key
from qtn.qkd.pairwise import Pairwise, PairwiseKey, pairwise_key
from qtn.qkd.pulse_sessions import pulse_key
from qtn.qkd.pulses import Counts, Pulses, Receiver, expected_counts, pulses, receiver, sampled_counts
from qtn.qkd.security import Security
from qtn.qkd.sessions import Session, session
from qtn.qkd.tails import Tail, highest_rate
from qtn.qkd.timed import TimedKey

__all__ = [
    "Assumptions",
    "Authentication",
    "Basis",
    "Check",
    "Cloner",
    "Coincidences",
    "ConferenceKey",
    "ConferenceProtocol",
    "Counts",
    "DecoyKey",
    "EntanglingProbe",
    "FiniteKey",
    "InterceptResend",
    "KeyUse",
    "Keys",
    "Light",
    "LightLine",
    "LightPasses",
    "NightUse",
    "Nights",
    "Pairwise",
    "PairwiseKey",
    "Protocol",
    "PulseLine",
    "PulsePasses",
    "PulsedPairs",
    "Pulses",
    "Receiver",
    "Security",
    "Session",
    "SharedSecret",
    "Stations",
    "Tail",
    "TimedKey",
    "along",
    "anonymous_pair",
    "asymptotic_rate",
    "attacked",
    "bits_to_detect",
    "conference_key",
    "decoy_key",
    "down_conversion",
    "entangled_light",
    "entangling_probe",
    "error_rate",
    "eve_states",
    "exact_bits",
    "expected_counts",
    "finite_key",
    "ghz_weights",
    "guessing_probability",
    "highest_rate",
    "holevo_information",
    "intercept_resend",
    "light_line",
    "nightly",
    "p_accepted",
    "pair_key",
    "pairwise_key",
    "pulse_key",
    "pulses",
    "rate_without_decoys",
    "receiver",
    "relayed",
    "sampled_counts",
    "secret_sharing",
    "sequential_test",
    "session",
    "single_photons",
    "splitting_limit",
    "vacuum_and_weak",
    "white_noise_fraction",
    "white_noise_threshold",
    "yearly",
]
