"""What reports say of a link of a code: the code itself, and what is lost and disturbed by which cause."""

import dataclasses
from typing import Any

from qtn.codes.graph_state import RepeaterGraphState
from qtn.codes.logical import Code
from qtn.codes.parity import ParityCode
from qtn.codes.tree import TreeCode
from qtn.links.encoded import causes
from qtn.links.link import Link
from qtn.merit.fidelity import fidelity

MODELS = {TreeCode: "tree", ParityCode: "parity", RepeaterGraphState: "repeater_graph_state"}
"""What files call the codes; all others are given by generators."""

ROUNDING = 1e-12
"""What products of many numbers are off by."""


def code_rows(link: Any) -> dict[str, Any]:
    """Return what is known of a link of a code by the names of `qtn evaluate --json`.

    Returns:
        {"code": its structure with "model" and "num_photons", "num_stations", "num_spacings" of fibre, "causes"}, the
        last of which are rows {"cause", "loss": probability that an attempt fails if nothing else disturbs, "error":
        infidelity of the pair likewise}, and all causes together.
    """
    return {
        "code": code_row(link.code),
        "num_stations": float(stations_of(link)),
        "num_spacings": float(link.segments),
        "causes": [cause_row(name, each) for name, each in (causes(link) | {"together": link}).items()],
    }


def stations_of(link: Any) -> Any:
    """Return the number of stations: those that re-encode or measure, the right node of a one-way link included."""
    return link.segments if link.num_stations is None else link.num_stations


def code_row(code: Code) -> dict[str, Any]:
    """Return the structure of a code as plain values."""
    fields: Any = code
    numbers = {field.name: getattr(code, field.name) for field in dataclasses.fields(fields)}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in numbers.items()}
    return {"model": MODELS.get(type(code), "stabiliser"), **listed, "num_photons": code.num_photons}


def cause_row(name: str, link: Link) -> dict[str, Any]:
    """Return how often an attempt fails, and the infidelity of its pair."""
    pair = link.heralded()
    return {"cause": name, "loss": chance(1 - pair.p_success), "error": chance(1 - fidelity(pair.bell_diagonal))}


def chance(value: Any) -> float:
    """Return a probability without what rounding left of 0."""
    return float(value) if value > ROUNDING else 0.0
