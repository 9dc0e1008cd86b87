"""How long stored traffic stays secret, and what that rests on: who stores it now may decrypt it later."""

import dataclasses
import math
from enum import StrEnum

from qtn import _checks


class Cipher(StrEnum):
    """What encrypts the traffic."""

    AES_256 = "aes_256"
    """AES with keys of 256 bits."""
    ONE_TIME_PAD = "one_time_pad"
    """A bit of key for every bit of traffic, used once."""


@dataclasses.dataclass(frozen=True)
class Secrecy:
    """What keeps stored traffic secret, with the years for which somebody vouches; see `secrecy`."""

    years: float
    """For which traffic that is stored today stays secret; inf = no known end."""
    cipher: Cipher
    cipher_years: float
    relays: tuple[str, ...]
    relay_years: float
    kem: str | None
    kem_years: float
    wanted_years: float | None

    @property
    def suffices(self) -> bool | None:
        """Return whether traffic stays secret as long as it must; None = nobody said how long."""
        return None if self.wanted_years is None else self.years >= self.wanted_years

    def sentences(self) -> list[str]:
        """Return what the years rest on, one sentence each."""
        return [
            self._exchange(),
            self._hybrid(),
            self._of_cipher(),
            *([] if self.wanted_years is None else [self._verdict()]),
        ]

    def _exchange(self) -> str:
        """Say what the quantum key rests on."""
        if not self.relays:
            return (
                "No relay reads the quantum key; what a listener stored today tells nothing about it later, if devices "
                "and authentication held while it was made."
            )
        names = ", ".join(self.relays)
        return (
            f"Trusted relays read the quantum key: {names}. It is secret if each of them erases it and none is "
            f"compromised, for which {_years(self.relay_years)} are assumed."
        )

    def _hybrid(self) -> str:
        """Say what a second exchange adds."""
        if self.kem is None:
            return "No post-quantum key encapsulation is mixed in: who breaks the quantum key has the traffic."
        return (
            f"{self.kem} is mixed in (assumed: unbroken for {_years(self.kem_years)}): secret if either holds, with a "
            "combiner that keeps the better of both keys."
        )

    def _of_cipher(self) -> str:
        """Say what the cipher rests on."""
        if self.cipher is Cipher.ONE_TIME_PAD:
            return "The one-time pad is secret as long as its key is; no computer breaks it."
        return f"AES-256 is assumed unbroken for {_years(self.cipher_years)}: stored traffic can be read from then on."

    def _verdict(self) -> str:
        """Say whether that is long enough."""
        said = "long enough" if self.suffices else "NOT long enough"
        asked = _years(self.wanted_years or 0.0)
        return f"Stored traffic stays secret for {_years(self.years)}; {asked} are asked: {said}."


def _years(count: float) -> str:
    """Return years in words."""
    return "all time" if math.isinf(count) else f"{count:g} years"


def secrecy(
    *,
    cipher: Cipher | str = Cipher.AES_256,
    cipher_years: float = math.inf,
    relays: tuple[str, ...] = (),
    relay_years: float = math.inf,
    kem: str | None = None,
    kem_years: float | None = None,
    wanted_years: float | None = None,
) -> Secrecy:
    """Return for how many years stored traffic stays secret, from what is assumed of each part.

        years = min(cipher, max(relays, KEM))

    Args:
        cipher: of the traffic; a `Cipher` or its word.
        cipher_years: for which AES is assumed unbroken; a one-time pad is never broken.
        relays: names of trusted nodes between the users, who read the key.
        relay_years: for which no relay is assumed to have kept and given away the key.
        kem: name of a post-quantum key encapsulation mixed into the key, as "ML-KEM-768"; None = none.
        kem_years: for which it is assumed unbroken; must be given with `kem`.
        wanted_years: how long traffic must stay secret.

    Raises:
        ValueError: if years are negative, or a KEM has none.

    Note:
        Assumptions in, assumptions out: none of these years is computed from physics.

    Example:
        >>> found = secrecy(relays=("hub",), relay_years=5.0, kem="ML-KEM-768", kem_years=20.0, wanted_years=30.0)
        >>> found.years, found.suffices
        (20.0, False)
    """
    if (kem is None) != (kem_years is None):
        raise ValueError("Arguments `kem` and `kem_years` must be given together: a KEM holds as long as you say.")
    kind = _checks.choice("cipher", cipher, Cipher)
    for name, value in (("cipher_years", cipher_years), ("relay_years", relay_years), ("kem_years", kem_years or 0.0)):
        _checks.non_negative(name, value)
    if wanted_years is not None:
        _checks.non_negative_finite("wanted_years", wanted_years)
    exchange = max(relay_years if relays else math.inf, kem_years or 0.0)
    cipher_holds = math.inf if kind is Cipher.ONE_TIME_PAD else float(cipher_years)
    return Secrecy(
        years=min(cipher_holds, exchange),
        cipher=kind,
        cipher_years=cipher_holds,
        relays=tuple(map(str, relays)),
        relay_years=float(relay_years),
        kem=kem,
        kem_years=float(kem_years or 0.0),
        wanted_years=wanted_years,
    )
