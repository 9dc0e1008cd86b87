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
from qtn.qkd.detection import bits_to_detect, exact_bits, p_accepted, sequential_test
from qtn.qkd.finite_key import FiniteKey, finite_key
from qtn.qkd.security import Security
from qtn.qkd.sessions import Session, session
from qtn.qkd.tails import Tail, highest_rate

__all__ = [
    "Assumptions",
    "Authentication",
    "Basis",
    "Cloner",
    "EntanglingProbe",
    "FiniteKey",
    "InterceptResend",
    "Security",
    "Session",
    "Tail",
    "attacked",
    "bits_to_detect",
    "entangling_probe",
    "error_rate",
    "eve_states",
    "exact_bits",
    "finite_key",
    "guessing_probability",
    "highest_rate",
    "holevo_information",
    "intercept_resend",
    "p_accepted",
    "sequential_test",
    "session",
]
