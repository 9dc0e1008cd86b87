"""The tables of links of codes."""

from operator import itemgetter
from typing import Annotated, Any, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links.encoded import DECIBELS, Ends
from qtn.links.graph_state import graph_state
from qtn.links.one_way import one_way
from qtn.problem import number as unit
from qtn.problem.chain.code_rows import code_rows
from qtn.problem.chain.codes import Code, GraphStateTable
from qtn.problem.chain.link_numbers import (
    AttemptTime,
    Efficiency,
    EmitterGateTime,
    ErrorProbability,
    Length,
    NumStations,
    PhotonTime,
    RefractiveIndex,
)
from qtn.problem.chain.link_table import STATIONS, LinkTable
from qtn.problem.number import LARGER, TOWARDS_ONE, Number
from qtn.problem.table import Choice, Document
from qtn.problem.together import exactly_one


class EncodedLink(LinkTable):
    """Stations along the fibre pass a qubit on; exactly one of num_stations and station_positions_km where both are."""

    way = itemgetter("length_km")

    length_km: Length
    attenuation_length_km: Annotated[
        float, Number("Fibre over which light falls to 1/e (21.7 km = 0.2 dB/km)", within.POSITIVE, LARGER, unit.KM)
    ]
    efficiency: Efficiency = 1.0
    photon_error: ErrorProbability = 0.0
    reencoding_error: ErrorProbability = 0.0
    emission_time_s: PhotonTime = 0.0
    gate_time_s: EmitterGateTime = 0.0
    refractive_index: RefractiveIndex = DEFAULT_REFRACTIVE_INDEX
    attempt_time_s: AttemptTime | None = None
    ends: Choice[Ends] = Field(
        default=Ends.MEASURED, description="Whether the qubits at the nodes are measured at once, or stored"
    )

    @staticmethod
    def loss(table: Document) -> Any:
        """Return the loss of the fibre [dB]."""
        return DECIBELS * table["length_km"] / table["attenuation_length_km"]

    @classmethod
    def arguments(cls, table: Document) -> dict[str, Any]:
        """Return what the builder is given."""
        code = cls.part("code", table["code"]).build(table["code"])
        return super().arguments(table) | {"code": code, "ends": table["ends"]}

    @classmethod
    def details(cls, table: Document) -> dict[str, Any]:
        """Return the code, and loss and error by cause."""
        return code_rows(cls.builder(**cls.arguments(table)))


class OneWayLink(EncodedLink):
    """One-way repeaters: a qubit travels in code words, re-encoded at each station."""

    builder = one_way
    rules = (exactly_one("num_stations", STATIONS),)

    model: Literal["one_way"]
    code: Code = Field(description="The code that a qubit travels in")
    num_stations: NumStations | None = None
    station_positions_km: (
        Annotated[
            list[Annotated[float, Number("Way from the left node to a station", within.POSITIVE, unit=unit.KM)]],
            Field(min_length=1),
        ]
        | None
    ) = None


class GraphStateLink(EncodedLink):
    """All-photonic repeaters: sources of repeater graph states between stations that measure."""

    builder = graph_state

    model: Literal["graph_state"]
    code: GraphStateTable
    num_stations: NumStations
    p_bell: Annotated[
        float,
        Number(
            "Chance that a Bell measurement of two photons succeeds (1/2 with linear optics)",
            within.POSITIVE_PROBABILITY,
            TOWARDS_ONE,
        ),
    ] = 0.5
