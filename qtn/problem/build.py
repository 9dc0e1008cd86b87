"""From checked tables to chains and schedules: units and names stop here, numbers may be traced."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from qtn import units
from qtn.hardware.fibre import travel_time
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.memory import Memory, PerfectMemory, dephasing_memory, depolarising_memory, relaxing_memory
from qtn.hardware.node import Node, node
from qtn.links.abstract import abstract_link
from qtn.links.chain import Chain, chain
from qtn.links.direct_transmission import direct_transmission
from qtn.links.double_click import double_click
from qtn.links.link import Link
from qtn.links.midpoint_source import midpoint_source
from qtn.links.multiplexed import multiplexed_link
from qtn.links.satellite import satellite
from qtn.links.single_click import single_click
from qtn.links.spdc_source import spdc_source

Table = Mapping[str, Any]


def build_chain(table: Table) -> Chain:
    """Build the chain of a [chain] table (plain dictionaries without None, numbers concrete or traced)."""
    links = build_link(table["link"]) if "link" in table else [build_link(link) for link in table["links"]]
    nodes = [build_node(entry) for entry in table["nodes"]] if "nodes" in table else build_node(table.get("node", {}))
    return chain(links, nodes, num_links=table.get("num_links"))


RENAMED = {
    "attempt_time_s": ("attempt_time", 1.0),
    "emission_time_s": ("emission_time", 1.0),
    "phase_std_rad": ("phase_std", 1.0),
    "phase_offset_rad": ("phase_offset", 1.0),
    "repetition_rate_hz": ("repetition_rate", 1.0),
    "altitude_km": ("altitude", units.km),
    "beam_waist_m": ("beam_waist", 1.0),
    "receiver_radius_m": ("receiver_radius", 1.0),
    "wavelength_nm": ("wavelength", 1e-9),
    "minimum_elevation_deg": ("minimum_elevation", math.pi / 180),
}
"""Key of a link -> argument of its builder, and what its unit is in SI."""

CHANNEL = ("length", "loss", "distance", "attenuation")
"""How the keys that describe the channel begin: they are read together."""


def build_link(table: Table) -> Link:
    """Build one link."""
    arguments: dict[str, Any] = {}
    for key, value in table.items():
        if key not in ("model", "num_memories") and not key.startswith(CHANNEL):
            name, unit = RENAMED.get(key, (key, 1.0))
            arguments[name] = value if unit == 1.0 else value * unit
    link = BUILDERS[table["model"]](table, arguments)
    return multiplexed_link(link, table["num_memories"]) if "num_memories" in table else link


def over_arms(build: Callable[..., Link], *, timed: bool = True) -> Callable[[Table, dict[str, Any]], Link]:
    """Return a builder that is given two arms of fibre; without lengths where travel takes no part."""

    def over(table: Table, arguments: dict[str, Any]) -> Link:
        left, right = arm_losses(table)
        if timed:
            lengths = sides(table, "length", "km")
            arguments |= {"length_left": lengths[0] * units.km, "length_right": lengths[1] * units.km}
        return build(loss_left=left, loss_right=right, **arguments)

    return over


def over_fibre(table: Table, arguments: dict[str, Any]) -> Link:
    """Build a link over one fibre."""
    return direct_transmission(length=table["length_km"] * units.km, loss=sum(arm_losses(table)), **arguments)


def over_sky(table: Table, arguments: dict[str, Any]) -> Link:
    """Build a link through a satellite."""
    left, right = sides(table, "distance", "km")
    return satellite(distance_left=left * units.km, distance_right=right * units.km, **arguments)


BUILDERS: dict[str, Callable[[Table, dict[str, Any]], Link]] = {
    "abstract": lambda table, arguments: abstract_link(**arguments),
    "single_click": over_arms(single_click),
    "double_click": over_arms(double_click),
    "midpoint_source": over_arms(midpoint_source),
    "spdc_source": over_arms(spdc_source, timed=False),
    "direct_transmission": over_fibre,
    "satellite": over_sky,
}
"""Model of a link -> how it is built from its table and the renamed arguments."""


def sides(table: Table, quantity: str, unit: str) -> tuple[Any, Any]:
    """Return a quantity of both arms: given per arm, or as a total that the midpoint halves."""
    if f"{quantity}_{unit}" in table:
        half = table[f"{quantity}_{unit}"] / 2
        return half, half
    return table[f"{quantity}_left_{unit}"], table[f"{quantity}_right_{unit}"]


def arm_losses(table: Table) -> tuple[Any, Any]:
    """Return the fibre loss of both arms [dB]; of one fibre, half each."""
    if "attenuation_db_per_km" in table:
        left, right = sides(table, "length", "km")
        return table["attenuation_db_per_km"] * left, table["attenuation_db_per_km"] * right
    return sides(table, "loss", "db")


def build_node(table: Table) -> Node:
    """Build one node; what is absent is perfect."""
    gate_set = gates(**{key.removesuffix("_s"): value for key, value in table.get("gates", {}).items()})
    swap = dict(table.get("swap", {}))
    model, p_swap = swap.pop("model", "gates"), swap.pop("p_success", 1.0)
    optics = linear_optics(**swap) if model == "linear_optics" else None
    return node(build_memory(table.get("memory", {"model": "perfect"})), gate_set, p_swap, optics)


def build_memory(table: Table) -> Memory:
    """Build one memory."""
    if table["model"] == "depolarising":
        return depolarising_memory(table["time_constant_s"])
    if table["model"] == "dephasing":
        return dephasing_memory(table["t2_s"])
    if table["model"] == "t1t2":
        return relaxing_memory(t1=table["t1_s"], t2=table["t2_s"])
    return PerfectMemory()


def message_times(table: Table) -> list[Any]:
    """Return how long a classical message over each link of a [chain] table takes [s], by fibre along its length."""
    listed = table["links"] if "links" in table else [table["link"]] * table["num_links"]
    return [travel_time(link_length(link) * units.km) for link in listed]


def link_length(table: Table) -> Any:
    """Return the length of a link [km]: of its fibre, or along the ground below a satellite.

    Raises:
        ValueError: if it has none.
    """
    if table["model"] == "abstract":
        raise ValueError('schedule.latency: "messages" needs the length of each link, and an abstract link has none')
    if table["model"] == "direct_transmission":
        return table["length_km"]
    left, right = sides(table, "distance" if table["model"] == "satellite" else "length", "km")
    return left + right


def is_fibre(table: Table) -> bool:
    """Whether the light of a link travels through fibre of known loss."""
    return table["model"] not in ("abstract", "satellite")
