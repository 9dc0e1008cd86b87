"""From checked tables to chains and schedules: units and names stop here, numbers may be traced."""

from collections.abc import Mapping
from typing import Any

from qtn import units
from qtn.hardware.gates import gates
from qtn.hardware.memory import Memory, PerfectMemory, dephasing_memory, depolarising_memory, relaxing_memory
from qtn.hardware.node import Node, node
from qtn.links.abstract import abstract_link
from qtn.links.chain import Chain, chain
from qtn.links.double_click import double_click
from qtn.links.link import Link
from qtn.links.single_click import single_click

Table = Mapping[str, Any]


def build_chain(table: Table) -> Chain:
    """Build the chain of a [chain] table (plain dictionaries without None, numbers concrete or traced)."""
    links = build_link(table["link"]) if "link" in table else [build_link(link) for link in table["links"]]
    nodes = [build_node(entry) for entry in table["nodes"]] if "nodes" in table else build_node(table.get("node", {}))
    return chain(links, nodes, num_links=table.get("num_links"))


def build_link(table: Table) -> Link:
    """Build one link."""
    numbers = {key: value for key, value in table.items() if key != "model"}
    if table["model"] == "abstract":
        return abstract_link(attempt_time=numbers.pop("attempt_time_s"), **numbers)
    lengths, losses = sides(table, "length", "km"), arm_losses(table)
    options: dict[str, Any] = dict(
        length_left=lengths[0] * units.km,
        length_right=lengths[1] * units.km,
        loss_left=losses[0],
        loss_right=losses[1],
        efficiency=table["efficiency"],
        visibility=table["visibility"],
        dark_count_probability=table["dark_count_probability"],
        emission_time=table["emission_time_s"],
        refractive_index=table["refractive_index"],
        num_modes=table["num_modes"],
        attempt_time=table.get("attempt_time_s"),
    )
    if table["model"] == "double_click":
        return double_click(**options)
    return single_click(bright_state=table["bright_state"], phase_std=table["phase_std_rad"], **options)


def sides(table: Table, quantity: str, unit: str) -> tuple[Any, Any]:
    """Return a quantity of both arms: given per arm, or as a total that the midpoint halves."""
    if f"{quantity}_{unit}" in table:
        half = table[f"{quantity}_{unit}"] / 2
        return half, half
    return table[f"{quantity}_left_{unit}"], table[f"{quantity}_right_{unit}"]


def arm_losses(table: Table) -> tuple[Any, Any]:
    """Return the fibre loss of both arms [dB]."""
    if "attenuation_db_per_km" in table:
        left, right = sides(table, "length", "km")
        return table["attenuation_db_per_km"] * left, table["attenuation_db_per_km"] * right
    return sides(table, "loss", "db")


def build_node(table: Table) -> Node:
    """Build one node; what is absent is perfect."""
    gate_set = gates(**table.get("gates", {}))
    p_swap = table.get("swap", {}).get("p_success", 1.0)
    return node(build_memory(table.get("memory", {"model": "perfect"})), gate_set, p_swap)


def build_memory(table: Table) -> Memory:
    """Build one memory."""
    if table["model"] == "depolarising":
        return depolarising_memory(table["time_constant_s"])
    if table["model"] == "dephasing":
        return dephasing_memory(table["t2_s"])
    if table["model"] == "t1t2":
        return relaxing_memory(t1=table["t1_s"], t2=table["t2_s"])
    return PerfectMemory()


def direct_loss(table: Table) -> Any:
    """Return the fibre loss from end to end [dB], or None if a link is not a fibre."""
    listed = table["links"] if "links" in table else [table["link"]] * table["num_links"]
    if any(link["model"] == "abstract" for link in listed):
        return None
    return sum(sum(arm_losses(link)) for link in listed)
