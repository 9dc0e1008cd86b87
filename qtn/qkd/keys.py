"""Keys of whatever delivers signals: pairs of a chain, entangled light, weak pulses; never an error without a key."""

import dataclasses
from enum import StrEnum
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.outcome import Result, Summary
from qtn.qkd.assumptions import Assumptions
from qtn.qkd.blocks import LONGEST_BLOCK, shortest_block
from qtn.qkd.decoy_key import CORRECTION as OF_PULSES
from qtn.qkd.finite_key import CORRECTION as OF_PAIRS
from qtn.qkd.lines import PulseLine
from qtn.qkd.night_keys import NightUse, nightly
from qtn.qkd.overpasses import PulsePasses, Stations
from qtn.qkd.pairs import pair_key
from qtn.qkd.pulse_sessions import MOST_PULSES, attacked_receiver, pulse_key
from qtn.qkd.security import Security
from qtn.qkd.tails import Tail
from qtn.qkd.timed import TimedKey


class Protocol(StrEnum):
    """Protocols whose finite keys are known here."""

    BBM92 = "bbm92"
    """Both measure a pair in Z or X."""
    DECOY_BB84 = "decoy_bb84"
    """Weak pulses of three intensities, in Z or X."""


@pytree
class Keys:
    """Makes keys; see `pair_key` and `pulse_key`. One of `signals` (pairs or pulses) and `seconds` is given.

    Of `Stations` neither is: every pass is one block.
    """

    security: Security
    signals: Float[Array, ""] | float | None = None
    seconds: Float[Array, ""] | float | None = None
    test_fraction: Float[Array, ""] | float | None = None
    """None = as it gives the most; pulses have none, as it follows from their bases."""
    abort_above: Float[Array, ""] | float | None = None
    """None = as it gives the most."""
    correction: Float[Array, ""] | float | None = None
    """None = 1.1 of pairs, 1.16 of pulses."""
    attack: Any = None
    tail: Tail = static(default=Tail.EXACT)
    assumptions: Assumptions = static(default=Assumptions())

    def arguments(self, *, pulsed: bool) -> dict[str, Any]:
        """Return what `pulse_key` or `pair_key` is told, but for the block."""
        usual = OF_PULSES if pulsed else OF_PAIRS
        given: dict[str, Any] = {"security": self.security, "tail": self.tail, "abort_above": self.abort_above}
        given |= {"attack": self.attack, "assumptions": self.assumptions}
        given |= {"correction": usual if self.correction is None else self.correction}
        return given if pulsed else given | {"test_fraction": self.test_fraction}

    def run(self, result: Result | Summary, source: Any) -> "KeyUse | NightUse":
        """Return what that gives.

        Args:
            result: mean delivered pair and mean waiting time [s].
            source: what delivered it: a `PulseLine` is asked itself, and so are `Stations`, whose passes are blocks.

        Raises:
            ValueError: if the attack does not apply to pulses.
        """
        if isinstance(source, Stations):
            for each in source.passes:
                if isinstance(each, PulsePasses):
                    attacked_receiver(each.receive, self.attack)
            return nightly(self, source)
        line = source if isinstance(source, PulseLine) else None
        if line is not None:
            attacked_receiver(line.receive, self.attack)
        means = Summary(mean_time=result.mean_time, state=result.state, info=None)
        return KeyUse(key=_made(self, means, line), keys=self, result=means, line=line)


@pytree
class KeyUse:
    """Keys, and of what they were made."""

    key: TimedKey
    keys: Keys
    result: Summary
    line: PulseLine | None

    def sentences(self) -> list[str]:
        """Say in plain words how surely an attack is caught, if there is a key, and what is assumed."""
        if not float(self.key.session.key_bits) > 0:
            return self.keys.assumptions.sentences()
        return self.key.sentences()

    def warnings(self) -> list[str]:
        """Say which block would give a key, where this one does not; all numbers are concrete."""
        if float(self.key.session.key_bits) > 0:
            return []
        name = "signals" if self.keys.signals is not None else "seconds"
        block = float(np.asarray(getattr(self.keys, name)))
        signal_time = float(self.key.session_time / self.key.session.num_signals)
        longest = (MOST_PULSES if self.line is not None else LONGEST_BLOCK) * (signal_time if name == "seconds" else 1)

        def gives(longer: float) -> bool:
            keys = dataclasses.replace(self.keys, **{name: np.asarray(longer)}, attack=None)
            return float(_made(keys, self.result, self.line).session.key_bits) > 0

        enough = shortest_block(gives, block, longest)
        if enough is not None:
            return [f"No key remains of a block of {block:,.6g} {name}: {enough:,.6g} {name} would do."]
        given = [key for key in ("test_fraction", "abort_above") if getattr(self.keys, key) is not None]
        which = f" with this {' and '.join(given)}" if given else ""
        return [
            f"No key remains of a block of {block:,.6g} {name}, nor of a longer one{which}: there are too many errors."
        ]


@jax.jit
def _made(keys: Keys, result: Summary, line: PulseLine | None) -> TimedKey:
    """Return the keys; numbers are traced, so that there is an answer without a key too."""
    block, given = {"seconds": keys.seconds}, keys.arguments(pulsed=line is not None)
    if line is not None:
        return pulse_key(line.sent, line.receive, line.pulse_rate, num_pulses=keys.signals, **block, **given)
    return pair_key(result, signals=keys.signals, **block, **given)
