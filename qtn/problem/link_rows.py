"""What each link of a chain offers, as rows of numbers for reports."""

from collections.abc import Mapping
from typing import Any

from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.merit.key_rate import delivered_pair
from qtn.problem.chain.chain import Chain


def link_rows(chain: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each link of a [chain] table (plain dictionaries, concrete numbers).

    Returns:
        rows: {"link": position, "model", "length_km" or None, "eta" of the channel from end to end without the devices
            or None, "p_success" of an attempt, "attempt_time_s", "rate_hz" = p_success / attempt_time_s, "fidelity",
            "qber_x", "qber_z"}.
    """
    rows = []
    for position, (kind, table) in enumerate(Chain.link_tables(chain)):
        offer, eta = kind.build(table).heralded(), kind.transmissivity(table)
        pair = delivered_pair(offer)
        p_success, attempt_time = float(offer.p_success), float(offer.attempt_time)
        rows.append(
            {
                "link": position,
                "model": table["model"],
                "length_km": None if kind.way is None else float(kind.way(table)),
                "eta": None if eta is None else float(eta),
                "p_success": p_success,
                "attempt_time_s": attempt_time,
                "rate_hz": p_success / attempt_time,
                "fidelity": float(fidelity(pair)),
                "qber_x": float(qber_x(pair)),
                "qber_z": float(qber_z(pair)),
            }
        )
    return rows
