"""The root of light that goes straight from a source to detectors."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from qtn import _checks
from qtn._pytree import stack
from qtn.hardware.fibre import transmissivity
from qtn.merit.fidelity import qber_x, qber_z
from qtn.merit.quantities import QUANTITIES, Better, Quantity, of_state
from qtn.problem.line.tables import SHORT, Channel, Detector, EntangledLight, WeakPulses
from qtn.problem.root import Root
from qtn.problem.table import Document, is_model
from qtn.qkd.decoy_key import require_decoys
from qtn.qkd.lines import Light, LightLine, PulseLine, light_line
from qtn.qkd.pulses import pulses, receiver

OF_PULSES: dict[str, Quantity] = {
    each.name: each
    for each in (
        Quantity("mean_time_s", "s", "mean time between sifted bits", lambda d: d.result.mean_time, better=Better.LESS),
        Quantity("rate_hz", "Hz", "sifted bits", lambda d: 1 / d.result.mean_time, better=Better.MORE, per_pair=1.0),
        Quantity("qber_x", "", "QBER in X", of_state(qber_x), better=Better.LESS),
        Quantity("qber_z", "", "QBER in Z", of_state(qber_z), better=Better.LESS),
    )
}
"""What is true of weak pulses, which hold no pairs: bits of the key basis before decoys say which are secret."""

ONLY = {
    "weak_pulses": {"detector": ("dark_count_probability", "after_pulse_probability")},
    "entangled_light": {
        "detector": ("dark_count_rate_hz", "jitter_s", "window_s"),
        "channel": ("loss_left_db", "loss_right_db"),
    },
}
"""Model of a source -> table -> keys that go with no other source."""


def parts_fit(line: Document) -> Iterator[tuple[str, str]]:
    """Channel and detector have the keys that go with the source."""
    source = line.get("source")
    model = source.get("model") if isinstance(source, dict) else None
    for owner, tables in ONLY.items() if model in list(ONLY) else ():
        for name, keys in tables.items() if owner != model else ():
            part = line.get(name)
            for key in keys:
                if isinstance(part, dict) and key in part:
                    yield f"{name}.{key}", f'goes with source.model = "{owner}", but the source is "{model}"; remove it'
    detector = line.get("detector", {})
    if model == "entangled_light" and isinstance(detector, dict) and "window_s" not in detector:
        yield "detector.window_s", "is missing; add `window_s = ...`, in which two clicks coincide"


class Line(Root):
    """A source, what its light goes through, and the detectors behind."""

    rules = (parts_fit,)

    source: Annotated[WeakPulses | EntangledLight, Field(discriminator="model", description="What sends light")]
    channel: Channel
    detector: Detector = Detector()

    @classmethod
    def complete(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Write out lists of intensities and probabilities, and a detector, so that its numbers have derivatives."""
        table.setdefault("detector", {})
        source = table.get("source")
        if isinstance(source, dict) and is_model(WeakPulses, source.get("model")):
            return WeakPulses.complete(source, f"{key}.source")
        return []

    @classmethod
    def build(cls, table: Document) -> PulseLine | LightLine:
        """Build the line from a table without None, whose numbers may be traced."""
        source, seen = table["source"], Detector.in_si(table["detector"])
        if source["model"] == "weak_pulses":
            return pulse_line(source, Channel.total(table["channel"]), seen)
        left, right = Channel.sides(table["channel"])
        return light_line(
            source["pair_rate_hz"],
            (transmissivity(left) * seen["efficiency"], transmissivity(right) * seen["efficiency"]),
            polarisation_error=seen["misalignment"],
            **{key: seen[key] for key in ("window", "jitter", "dark_count_rate", "dead_time") if key in seen},
        )

    @classmethod
    def evaluator(cls, config: Any) -> Light:
        """Return what evaluates light."""
        return Light()

    @classmethod
    def title(cls, table: Document) -> str:
        """Name the source."""
        return str(table["source"]["model"]).replace("_", " ")

    @classmethod
    def quantities(cls, table: Document) -> Mapping[str, Quantity]:
        """Return those of pairs for entangled light, those of sifted bits for pulses."""
        source = table.get("source")
        return OF_PULSES if isinstance(source, dict) and source.get("model") == "weak_pulses" else QUANTITIES

    @classmethod
    def forms(cls, table: Document, pattern: str) -> list[str]:
        """Return the numbers that stand in place of a list of intensities or probabilities."""
        *path, last = pattern.removesuffix(".*").split(".")
        return [".".join([*path, key]) for key in SHORT.get(last, ())] if path == ["line", "source"] else []


def pulse_line(source: Document, loss: Any, seen: Mapping[str, Any]) -> PulseLine:
    """Build a line of weak pulses.

    Args:
        source: its table.
        loss: from end to end [dB].
        seen: the numbers of the detector, in the units of the library.
    """
    signal, first = source["intensity"], source["p_signal"]
    second = (1 - first) * source["decoy_share"]
    sent = pulses(
        stacked(signal, signal * source["decoy_part"], source["weakest"]),
        stacked(first, second, 1 - first - second),
        source["p_key_basis"],
    )
    require_decoys(sent)
    rate = source["pulse_rate_hz"]
    receive = receiver(
        loss,
        seen["efficiency"],
        seen.get("dark_count_probability", 0.0),
        seen["misalignment"],
        seen.get("after_pulse_probability", 0.0),
        seen["dead_time"] * rate,
    )
    return PulseLine(sent=sent, receive=receive, pulse_rate=_checks.positive_finite("pulse_rate", rate))


def stacked(*numbers: Any) -> Any:
    """Stack numbers, which may be traced, into a vector."""
    return stack([_checks.real(number) for number in numbers])
