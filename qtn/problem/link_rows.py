"""What each link of a chain offers, as rows of numbers for reports."""

from collections.abc import Mapping
from typing import Any

from qtn.links.satellite import Satellite, downlinks
from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.merit.key_rate import delivered_pair
from qtn.problem.build import arm_losses, build_link, is_fibre, link_length


def link_rows(chain: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each link of a [chain] table (plain dictionaries, concrete numbers).

    Returns:
        rows: {"link": position, "model", "length_km" or None, "eta" of the channel from end to end without the devices
            or None, "p_success" of an attempt, "attempt_time_s", "rate_hz" = p_success / attempt_time_s, "fidelity",
            "qber_x", "qber_z"}.
    """
    count = len(chain["links"]) if "links" in chain else chain["num_links"]
    rows = []
    for position in range(count):
        table = chain["links"][position] if "links" in chain else chain["link"]
        link = build_link(table)
        offer = link.heralded()
        pair = delivered_pair(offer)
        p_success, attempt_time = float(offer.p_success), float(offer.attempt_time)
        rows.append(
            {
                "link": position,
                "model": table["model"],
                "length_km": None if table["model"] == "abstract" else float(link_length(table)),
                "eta": channel_transmissivity(table, link),
                "p_success": p_success,
                "attempt_time_s": attempt_time,
                "rate_hz": p_success / attempt_time,
                "fidelity": float(fidelity(pair)),
                "qber_x": float(qber_x(pair)),
                "qber_z": float(qber_z(pair)),
            }
        )
    return rows


def channel_transmissivity(table: Mapping[str, Any], link: Any) -> float | None:
    """Return the probability that light passes the whole channel, both arms; None for an abstract link."""
    if is_fibre(table):
        return float(10 ** (-sum(arm_losses(table)) / 10))
    link = getattr(link, "link", link)  # inside of multiplexed memories
    if isinstance(link, Satellite):
        left, right = downlinks(link)
        return float(left * right)
    return None
