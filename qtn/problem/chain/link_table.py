"""What every model of a link has."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from qtn.links import link as links
from qtn.links.multiplexed import multiplexed_link
from qtn.problem.chain.link_numbers import (
    NumMemories,
)
from qtn.problem.table import Built, Document
from qtn.problem.together import TotalOrSides

STATIONS = "station_positions_km"
"""The key of places along a link."""


class LinkTable(Built):
    """What every model of a link has."""

    sides: ClassVar[tuple[TotalOrSides, ...]] = ()
    """What the builder wants for both sides."""

    way: ClassVar[Callable[[Document], Any] | None] = None
    """How far a classical message between the nodes travels [km]; None = unknown."""

    loss: ClassVar[Callable[[Document], Any] | None] = None
    """Loss of the whole channel without the devices [dB]; None = unknown."""

    num_memories: NumMemories | None = None
    between: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Names of its left and its right node; only in a network"
    )

    @classmethod
    def build(cls, table: Document) -> links.Link:
        """Build a link, of several memories where the table says so."""
        link = cls.builder(**cls.arguments(table))
        return multiplexed_link(link, table["num_memories"]) if "num_memories" in table else link

    @classmethod
    def arguments(cls, table: Document) -> dict[str, Any]:
        """Return what the builder is given."""
        others = ("num_memories", "between", *(each.total for each in cls.sides))
        given = {key: value for key, value in table.items() if key not in others}
        return cls.in_si(given | {key: value for each in cls.sides for key, value in each.of(table).items()})

    @classmethod
    def transmissivity(cls, table: Document) -> Any:
        """Return the probability that light passes the whole channel; None = unknown."""
        return None if cls.loss is None else 10 ** (-cls.loss(table) / 10)

    @classmethod
    def details(cls, table: Document) -> dict[str, Any]:
        """Return what reports say of such a link besides what every link offers."""
        return {}
