"""Qubits that are teleported through the pairs: `model = "teleportation"`."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from qtn.dqc.teleportation import CLASSICAL_FIDELITY, Side, Teleporter
from qtn.merit.quantities import Better, Quantity
from qtn.problem.application.application import Application
from qtn.problem.table import Choice, Document


class Teleportation(Application):
    """One end sends a qubit through each pair; see `qtn.dqc.teleportation`."""

    quantities: ClassVar = (
        Quantity(
            "teleportation_fidelity",
            "",
            "teleportation fidelity",
            lambda delivered: delivered.use.fidelity,
            in_use=True,
            better=Better.MORE,
            most=1.0,
        ),
        Quantity(
            "teleportation_rate_hz",
            "Hz",
            "teleportation rate",
            lambda delivered: delivered.use.rate,
            in_use=True,
            better=Better.MORE,
            per_pair=1.0,
        ),
    )

    model: Literal["teleportation"]
    sender: Choice[Side] = Field(default=Side.LEFT, description="End that holds the qubit, and measures")

    @classmethod
    def build(cls, table: Document) -> Teleporter:
        """Build what teleports."""
        return Teleporter(sender=Side(table["sender"]))

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Say whether the pairs beat measuring the qubit."""
        beats = "above" if numbers["teleportation_fidelity"] > CLASSICAL_FIDELITY else "not above"
        return [f"Teleportation is {beats} what measuring the qubit and preparing it again reaches (fidelity 2/3)."]
