"""The tables of a node: memory, gates, swap."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.hardware import memory as memories
from qtn.hardware import node as nodes
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.problem import number as unit
from qtn.problem.chain.link_numbers import DarkCounts, Visibility
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, Number
from qtn.problem.table import Built, Document, Table

CoherenceTime = Annotated[
    float, Number("Coherence time T2 of e^(-t/T2), relaxation included", within.POSITIVE_OR_INF, LARGER, unit.S)
]
RelaxationTime = Annotated[float, Number("Relaxation time T1 of e^(-t/T1)", within.POSITIVE_OR_INF, LARGER, unit.S)]
TimeConstant = Annotated[float, Number("T of e^(-t/T) rho + (1 - e^(-t/T))/2", within.POSITIVE_OR_INF, LARGER, unit.S)]
GateTime = Annotated[float, Number("Duration of the two-qubit gate", within.NON_NEGATIVE, SMALLER, unit.S)]
ReadoutTime = Annotated[float, Number("Duration of a readout", within.NON_NEGATIVE, SMALLER, unit.S)]
Retrieval = Annotated[
    float, Number("Chance that the photon of a qubit is detected", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
]


class PerfectMemory(Built):
    """No decay."""

    builder = memories.PerfectMemory

    model: Literal["perfect"]


class DepolarisingMemory(Built):
    """All Paulis decay with one time constant."""

    builder = memories.depolarising_memory

    model: Literal["depolarising"]
    time_constant_s: TimeConstant


class DephasingMemory(Built):
    """X and Y decay with T2."""

    builder = memories.dephasing_memory

    model: Literal["dephasing"]
    t2_s: CoherenceTime


def relaxation_destroys_coherence(table: Document) -> Iterator[tuple[str, str]]:
    """T2 is at most 2 T1."""
    t1, t2 = table.get("t1_s"), table.get("t2_s")
    if isinstance(t1, (int, float)) and isinstance(t2, (int, float)) and t1 > 0 and t2 > 2 * t1:
        yield (
            "t2_s",
            f"must be at most 2 t1_s = {2 * t1:g}, but is {t2:g}: relaxation destroys coherence as well; "
            "lower t2_s, or raise t1_s",
        )


class RelaxingMemory(Built):
    """Relaxation T1 and coherence T2."""

    builder = memories.relaxing_memory
    rules = (relaxation_destroys_coherence,)

    model: Literal["t1t2"]
    t1_s: RelaxationTime
    t2_s: CoherenceTime


class Gates(Built):
    """Two-qubit gate and readout of a node."""

    builder = gates

    two_qubit: Annotated[
        float,
        Number(
            "p2 of the gate: p2 rho + (1 - p2)/4 (average gate fidelity (1 + 3 p2)/4)", within.PROBABILITY, TOWARDS_ONE
        ),
    ] = 1.0
    readout: Annotated[float, Number("Chance that a readout is right", within.PROBABILITY, TOWARDS_ONE)] = 1.0
    two_qubit_time_s: GateTime | None = None
    readout_time_s: ReadoutTime | None = None


def optics_by_name(table: Document) -> Iterator[tuple[str, str]]:
    """Numbers of linear optics come with that model."""
    if table.get("model", "gates") == "gates":
        for key in ("efficiency", "visibility", "dark_count_probability"):
            if key in table:
                yield key, 'belongs to `model = "linear_optics"`; add that, or remove it'


class Swap(Table):
    """Entanglement swap of a node: by its gates, or by linear optics, whose own success comes on top."""

    rules = (optics_by_name,)

    p_success: Annotated[
        float, Number("Chance that a swap succeeds, that of optics apart", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
    ] = 1.0
    model: Literal["gates", "linear_optics"] = Field(default="gates", description="What measures in the Bell basis")
    efficiency: Retrieval | None = None
    visibility: Visibility | None = None
    dark_count_probability: DarkCounts | None = None


Memory = Annotated[PerfectMemory | DepolarisingMemory | DephasingMemory | RelaxingMemory, Field(discriminator="model")]


class Node(Table):
    """One node; perfect unless said otherwise."""

    memory: Memory = Field(default=PerfectMemory(model="perfect"), description="How qubits decay while they are stored")
    gates: Gates = Gates()
    swap: Swap = Swap()

    @classmethod
    def build(cls, table: Document) -> nodes.Node:
        """Build a node from a table without None, whose numbers may be traced; what is absent is perfect."""
        memory, swap = table.get("memory", {"model": "perfect"}), dict(table.get("swap", {}))
        p_swap, optics = swap.pop("p_success", 1.0), swap.pop("model", "gates") == "linear_optics"
        return nodes.node(
            cls.part("memory", memory).build(memory),
            Gates.build(table.get("gates", {})),
            p_swap,
            linear_optics(**Swap.in_si(swap)) if optics else None,
        )
