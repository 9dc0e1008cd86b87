"""The tables of codes. A new one is one class, with its keys and its builder, in a union of those that fit a link."""

from typing import Annotated, Any, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn import codes
from qtn.problem.number import Number
from qtn.problem.table import Built, Choice, Document

Children = Annotated[
    int, Number("Photons below each one of a level, from the first level down", within.COUNT, traced=False)
]
Branching = Annotated[list[Children], Field(min_length=1, description="Photons below each one, level by level")]


class CodeTable(Built):
    """What every code has; it may not fit although each key is right by itself."""

    @classmethod
    def build(cls, table: Document) -> Any:
        """Build a code from all keys but `model`."""
        return cls.builder(**{key: value for key, value in table.items() if key != "model"})


class TreeTable(CodeTable):
    """A tree code."""

    builder = staticmethod(codes.tree_code)

    model: Literal["tree"]
    branching: Branching
    choice: Choice[codes.Choice] = codes.Choice.BLIND


class ParityTable(CodeTable):
    """A quantum parity code."""

    builder = staticmethod(codes.parity_code)

    model: Literal["parity"]
    num_blocks: Annotated[int, Number("Blocks of the code", within.COUNT, traced=False)]
    block_size: Annotated[int, Number("Photons of a block", within.COUNT, traced=False)]


class StabiliserTable(CodeTable):
    """A code by the generators of its stabiliser."""

    builder = staticmethod(codes.stabiliser_code)

    model: Literal["stabiliser"]
    generators: list[str] = Field(min_length=1, description="Pauli strings such as XZZXI, one photon less than photons")
    logical_x: str | None = Field(default=None, description="Pauli string of the logical X, if it matters which")
    logical_z: str | None = Field(default=None, description="Pauli string of the logical Z, likewise")


class NamedTable(CodeTable):
    """A code that has a name; "plain" is one photon."""

    model: Literal["plain", "five_qubit", "steane", "shor"] = Field(description="Which code this is")

    @classmethod
    def build(cls, table: Document) -> Any:
        """Return the code of that name."""
        return getattr(codes, table["model"].upper())


class GraphStateTable(CodeTable):
    """A repeater graph state, its inner photons plain or in trees."""

    builder = staticmethod(codes.repeater_graph_state)

    model: Literal["repeater_graph_state"]
    num_arms: Annotated[int, Number("Arms to either side", within.COUNT, traced=False)]
    branching: Branching | None = None


Code = Annotated[TreeTable | ParityTable | StabiliserTable | NamedTable, Field(discriminator="model")]
"""Codes in which a qubit travels one way."""

AnyCode = Annotated[
    TreeTable | ParityTable | StabiliserTable | NamedTable | GraphStateTable, Field(discriminator="model")
]
"""All codes."""
