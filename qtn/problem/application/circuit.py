"""A circuit over several processors: `model = "circuit"`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from qtn import _ranges as within
from qtn.circuits.qasm import observable
from qtn.dqc.averages import WaitModel
from qtn.dqc.over_chain import Alternative, CircuitOverChain, CircuitUse
from qtn.dqc.placement import Placing
from qtn.dqc.sampling import Sampled
from qtn.dqc.sharing import Sharing
from qtn.merit.quantities import Quantity
from qtn.problem.application.application import Application, Needs
from qtn.problem.application.circuit_reading import (
    are,
    can_be_distributed,
    measures,
    of_alternative,
    prepared,
    sampled_apart,
)
from qtn.problem.application.circuit_rows import BASIC, CAUSES, alternative_rows, cause_row, observable_row
from qtn.problem.application.circuit_sentences import sentences
from qtn.problem.application.circuit_tables import (
    AlternativeTable,
    PairsTable,
    Placed,
    ProcessorTable,
    Sizes,
    chain_of,
    write_out_pairs,
)
from qtn.problem.number import Number
from qtn.problem.table import Choice, Document

Bond = Annotated[int, Number("Largest bond of the trains of a circuit", within.COUNT, traced=False)]
NodeCount = Annotated[int, Number("Nodes of the quadrature of each wait", within.Range(1.0, 64.0), traced=False)]
Trajectories = Annotated[
    int,
    Number("Trajectories in place of the mixed state, for wide circuits", within.Range(4.0, 2.0**20), traced=False),
]
Shots = Annotated[int, Number("How often all qubits are measured at the end", within.Range(1.0, 2.0**20), traced=False)]
Seed = Annotated[int, Number("Seed of shots and trajectories", within.SEED, traced=False)]
Input = Annotated[float, Number("Value of an `input` of the circuit, in the order of their declarations")]


class DistributedCircuit(Application):
    """A circuit over several processors, every two of which are joined by a copy of the chain; see `qtn.dqc`."""

    rules = (can_be_distributed, sampled_apart)
    needs: ClassVar = Needs.OUTCOME
    quantities: ClassVar = BASIC

    model: Literal["circuit"]
    file: str = Field(description="OpenQASM 2 or 3 program; a relative path starts at the folder of this file")
    qpus: Sizes
    placement: Placed = None
    sharing: Choice[Sharing] = Sharing.IN_ORDER
    observables: list[str] = Field(default_factory=list, description="Pauli strings over the qubits: ZZII or Z0 X3")
    inputs: list[Input] = Field(default_factory=list)
    waits: Choice[WaitModel] = WaitModel.CORRELATED
    num_nodes: NodeCount | None = None
    max_bond: Bond = 64
    causes: bool = Field(default=False, description="Whether to run thrice more, with one cause of errors less")
    alternatives: list[AlternativeTable] = Field(
        default_factory=list, description="Other processors on which the circuit is run too, to be compared"
    )
    trajectories: Trajectories | None = None
    shots: Shots | None = None
    seed: Seed = 0
    processor: ProcessorTable = ProcessorTable()
    pairs: PairsTable | None = Field(default=None, description="Short form of a [chain] of one link and its schedule")

    @classmethod
    def complete(cls, document: dict[str, Any], folder: Path) -> list[str]:
        """Let paths start at a folder, and write pairs out as a chain of one link."""
        whole = document["application"]
        others = whole.get("alternatives")
        for table in (whole, *(others if are(others, dict) else ())):
            for key in ("file", "placement"):
                given = table.get(key)
                if isinstance(given, str) and (key == "file" or given not in list(Placing)):
                    table[key] = str((folder / given).resolve())
        sloped = [f"[{key}]" for key in ("optimise", "sweep") if key in document and "trajectories" in whole]
        told = "application.trajectories: give estimates without slopes, at one point; remove it, or {}"
        return [*write_out_pairs(document), *([told.format(" and ".join(sloped))] if sloped else [])]

    @property
    def written_out(self) -> tuple[str, ...]:
        """Return what [application.pairs] stands for."""
        return () if self.pairs is None else ("chain", "schedule")

    @classmethod
    def settle(cls, root: dict[str, Any], table: Document) -> None:
        """Let numbers of [application.pairs] act on the chain that it stands for."""
        if "pairs" in table:
            for key, part in chain_of(table["pairs"]).items():
                root[key] = root[key] | part if isinstance(part, dict) else part

    @classmethod
    def build(cls, table: Document) -> CircuitOverChain:
        """Build what runs the circuit."""
        program, distributed = prepared(table)
        strings = [observable(program, text) for text in table.get("observables", ())]
        return CircuitOverChain(
            distributed=distributed,
            processor=ProcessorTable.build(table.get("processor", {})),
            observables=tuple(tuple(sorted(each.items())) for each in strings),
            waits=WaitModel(table.get("waits", WaitModel.CORRELATED)),
            num_nodes=table.get("num_nodes"),
            max_bond=table.get("max_bond", 64),
            causes=table.get("causes", False),
            alternatives=tuple(cls._alternative(table, other) for other in table.get("alternatives", ())),
            num_trajectories=table.get("trajectories", 0),
            num_shots=table.get("shots", 0),
            seed=table.get("seed", 0),
        )

    @classmethod
    def _alternative(cls, table: Document, other: Document) -> Alternative:
        _, distributed = prepared(of_alternative(table, other))
        own = ProcessorTable.build(other.get("processor", table.get("processor", {})))
        return Alternative(distributed=distributed, processor=own)

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return its quantities, with rows for each observable, cause of errors and alternative."""
        texts: Any = table.get("observables")
        seen = tuple(observable_row(k, text) for k, text in enumerate(texts if are(texts, str) else ()))
        if measures(table):  # there is no pure state to compare with
            return (*BASIC[1:], *seen)
        others: Any = table.get("alternatives")
        sizes = [tuple(each["qpus"]) for each in (others if are(others, dict) else ()) if are(each.get("qpus"), int)]
        compared = [row for place, own in enumerate(sizes) for row in alternative_rows(place, own)]
        return (*BASIC, *seen, *(map(cause_row, CAUSES) if table.get("causes") is True else ()), *compared)

    @classmethod
    def warnings(cls, use: CircuitUse) -> list[str]:
        """Say what was cut, and what was taken as independent."""
        return [line.replace("`max_bond`", "application.max_bond") for line in use.warnings()]

    @classmethod
    def draws(cls, built: CircuitOverChain, use: CircuitUse) -> dict[str, Any]:
        """Return counts of shots, and standard errors of trajectories."""
        bits, found = built.drawn(use), use.computation
        counted = Counter("".join(map(str, row)) for row in ([] if bits is None else bits.tolist()))
        drawn: dict[str, Any] = {"counts": dict(counted.most_common())} if built.num_shots else {}
        if isinstance(found, Sampled):
            errors = {f"circuit_observable_{k}": float(each) for k, each in enumerate(found.standard_error)}
            errors |= {} if np.isnan(found.fidelity_error) else {"circuit_fidelity": float(found.fidelity_error)}
            drawn |= {"standard_errors": errors, "trajectories": found.num_waits * found.num_trajectories}
        return drawn

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Say how long it waits, what to improve first, and on which processors it does best."""
        return sentences(numbers)
