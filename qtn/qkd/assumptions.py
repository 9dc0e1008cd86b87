"""What a key is secret under: assumptions that travel with every result, and what breaks where one is false."""

import dataclasses
from enum import StrEnum

from qtn import _checks


class Authentication(StrEnum):
    """How the parties know that their messages come from each other."""

    PRE_SHARED = "pre_shared"
    """With a key that they had before: secure against any computer."""
    POST_QUANTUM_SIGNATURE = "post_quantum_signature"
    """With signatures that no known quantum algorithm forges."""
    NONE = "none"
    """Not at all."""


BREAKS = {
    "trusted_nodes": "Whoever controls a node between the ends reads the whole key.",
    "characterised_detectors": "Eve may choose with bright light or by timing which detector clicks, and know the key "
    "without an error.",
    "pure_source": "What else tells the signals apart (timing, spectrum, unsuspected photons) tells Eve the bits "
    "without an error.",
    "authentication": "Eve may sit between the parties and share one key with either.",
}
"""What happens where an assumption is false."""

HELD = {
    "trusted_nodes": "Nodes between the ends are trusted",
    "characterised_detectors": "Detectors behave as they were characterised",
    "pure_source": "Sources emit the states of the protocol and nothing else",
}

AUTHENTICATED = {
    Authentication.PRE_SHARED: "Messages are authenticated with a key shared before (each session uses some of it up)",
    Authentication.POST_QUANTUM_SIGNATURE: "Messages are authenticated with post-quantum signatures (to be unbroken "
    "only while the session lasts)",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is assumed of nodes, devices and messages; numbers of a key hold if all of it is true.

    Example:
        >>> for sentence in Assumptions(trusted_nodes=False).sentences()[:2]:
        ...     print(sentence)
        Nodes between the ends are not trusted: right for pairs that are swapped, wrong for keys that nodes relay.
        Detectors behave as they were characterised. If not: Eve may choose with bright light or by timing which \
detector clicks, and know the key without an error.
    """

    trusted_nodes: bool = True
    """Whether nodes between the ends are trusted; keys from pairs that were swapped do not need it."""
    characterised_detectors: bool = True
    """Whether detectors are as they were measured to be."""
    pure_source: bool = True
    """Whether sources emit the states of the protocol and nothing besides."""
    authentication: Authentication | str = Authentication.PRE_SHARED
    """How messages are authenticated; a member or its word."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "authentication", _checks.choice("authentication", self.authentication, Authentication)
        )

    def sentences(self) -> list[str]:
        """Return one sentence for each assumption: what is assumed and what breaks if it is false, or that it is."""
        found = [self._trust()]
        for name in ("characterised_detectors", "pure_source"):
            text = f"{HELD[name]}. If not: {BREAKS[name]}"
            found.append(text if getattr(self, name) else f"NOT SECURE by these numbers. {BREAKS[name]}")
        if self.authentication is Authentication.NONE:
            return [*found, f"NOT SECURE: messages are not authenticated. {BREAKS['authentication']}"]
        return [*found, f"{AUTHENTICATED[Authentication(self.authentication)]}. If not: {BREAKS['authentication']}"]

    @property
    def hold(self) -> bool:
        """Whether all that the numbers of a key need is assumed."""
        authenticated = self.authentication is not Authentication.NONE
        return self.characterised_detectors and self.pure_source and authenticated

    def _trust(self) -> str:
        """Return the sentence about nodes."""
        if self.trusted_nodes:
            return f"{HELD['trusted_nodes']}. If not: {BREAKS['trusted_nodes']}"
        return (
            "Nodes between the ends are not trusted: right for pairs that are swapped, wrong for keys that nodes relay."
        )
