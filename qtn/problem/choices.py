"""Closed sets of choices that only files know by a word; others, such as `Restart`, are those of the library."""

import enum

from qtn.merit.key_rate import Fraction, bb84_fraction, chsh_fraction, hashing_fraction, six_state_fraction
from qtn.steps.distill import PROTOCOLS
from qtn.steps.level import LEVELS


class Distillation(enum.StrEnum):
    """Distillation protocols, by the names of `PROTOCOLS`."""

    _ignore_ = "word"
    for word in PROTOCOLS:
        vars()[word.upper()] = word


class StateLevel(enum.StrEnum):
    """Which Pauli coefficients describe a pair, by the names of `LEVELS`."""

    _ignore_ = "word"
    for word in LEVELS:
        vars()[word.upper()] = word


class KeyProtocol(enum.StrEnum):
    """Key protocols, each with its secret fraction of a pair and of the probability of a flipped raw bit."""

    fraction: Fraction

    BB84 = "bb84", bb84_fraction
    SIX_STATE = "six_state", six_state_fraction
    BBM92 = "bbm92", bb84_fraction
    CHSH_DI = "chsh_di", chsh_fraction
    HASHING = "hashing", hashing_fraction

    def __new__(cls, word: str, fraction: Fraction) -> "KeyProtocol":
        """Return the member of a word."""
        member = str.__new__(cls, word)
        member._value_, member.fraction = word, fraction
        return member


class EvaluatorName(enum.StrEnum):
    """How a schedule is evaluated: `Renewal`, `Asap`, `Sampled`, or `FullState` averaged over samples."""

    RENEWAL = "renewal"
    ASAP = "asap"
    SAMPLED = "sampled"
    FULL_STATE = "full_state"


class Latency(enum.StrEnum):
    """What swaps and distillations take time for, besides meeting."""

    NONE = "none"
    GATES = "gates"
    MESSAGES = "messages"


class Swaps(enum.StrEnum):
    """In which order the links of a path of a network are joined."""

    NESTED = "nested"
    """Halves of the path, and of these in turn."""

    SEQUENTIAL = "sequential"
    """From the first user of the pair to the second."""

    BEST = "best"
    """The order with the highest secret-key rate, searched for each path."""


class Order(enum.StrEnum):
    """Whether a search may change the swaps of the tree of the file."""

    FREE = "free"
    FIXED = "fixed"


class JobKind(enum.StrEnum):
    """What a sweep does at each point."""

    EVALUATE = "evaluate"
    GRADIENT = "gradient"
    OPTIMISE = "optimise"
