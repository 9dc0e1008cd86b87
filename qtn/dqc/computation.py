"""What a distributed run gives."""

from typing import Any

from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.circuits.run import RunInfo
from qtn.dqc.averages import WaitModel
from qtn.dqc.run_time import RunTime
from qtn.states.trains import MPDO

ROUNDING = 1e-9
"""How far beyond its range rounding takes an expectation value."""

DEPENDENT = "Pairs are made ahead during other waits: these were taken as independent of each other."


@pytree
class Computation:
    """What a distributed run gives; numbers are averages over all waits and outcomes."""

    fidelity: Float[Array, ""]
    """<psi| rho |psi> with what the circuit gives without noise; nan where that is no pure state, as it measures."""

    observables: Float[Array, "o"]
    """Expectation values of the Pauli strings that were asked for."""

    mean_time: Float[Array, ""]
    """Mean run time: waits for pairs, gates, readouts and messages [s]."""

    waiting_time: Float[Array, ""]
    """The part of it that is spent on waits for pairs [s]."""

    time: RunTime
    """Its distribution."""

    wait_error: Float[Array, ""]
    """Estimate of how far Pauli coefficients may be off, as waits are averaged with few nodes, or independently."""

    state: MPDO | None
    """All sites of the circuit in the order `sites`; None where many runs of many qubits were averaged."""

    info: RunInfo
    """How accurate the trains are; where several runs were averaged, that of the worst."""

    target_info: RunInfo | None = None
    """How accurate the state without noise is, with which it is compared; None where there is none."""

    sites: tuple[int, ...] = static()
    """Site of the circuit of each site of the state."""

    owners: tuple[int, ...] = static()
    """Processor of each site of the state at the end; -1 of what is no qubit."""

    num_pairs: int = static()
    """Pairs that were used."""

    num_runs: int = static()
    """Runs that were averaged."""

    waits: WaitModel = static()
    """How waits were averaged."""

    ahead: bool = static()
    """Whether waits that depend on each other were taken as independent: pairs are made ahead during other waits."""

    num_nodes: int = static(default=4)
    """Nodes of the wait of each round."""

    decays: bool = static(default=True)
    """Whether waits do anything to qubits or to pairs that come before others."""

    @property
    def kept(self) -> Float[Array, ""]:
        """Return the fraction of the squared norm that cut bonds kept."""
        return self.info.fidelity_estimate

    def quantiles(self, levels: Any) -> Float[Array, "n"]:
        """Return the times [s] within which a run ends with the given probabilities."""
        return self.time.quantiles(levels)

    def sentences(self) -> list[str]:
        """Describe what was done and what deserves attention, with a cure."""
        how = {
            WaitModel.BATCH: f"averaged over {self.num_runs} runs",
            WaitModel.BOND: f"carried by a classical site with {self.num_nodes} nodes",
            WaitModel.INDEPENDENT: "averaged for each qubit alone",
        }[self.waits]
        if not self.decays:
            how = "not averaged, as no qubit decays while it waits"
        lines = [f"Waits were {how}: Pauli coefficients are off by up to about {float(self.wait_error):.1e}."]
        kept, *cut = self.info.sentences()
        found = self.warnings()
        return [*lines, *([] if cut else [kept]), *found]

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with a concrete run."""
        lines = []
        if self.ahead:
            lines.append(DEPENDENT)
        kept, *cut = self.info.sentences()
        lines += [kept, *cut] if cut else []
        if self.target_info is not None and len(cut := self.target_info.sentences()) > 1:
            lines.append(f"The state without noise, with which it is compared, is not exact either: {' '.join(cut)}")
        if is_outside(float(self.fidelity)):
            lines.append(
                f"The fidelity came out as {float(self.fidelity):.6g}, outside [0, 1]: it means nothing. Increase "
                "`max_bond` until it stops changing."
            )
        for place, value in enumerate(self.observables):
            if is_outside(float(value), -1.0):
                lines.append(
                    f"Observable {place} came out as {float(value):.6g}, outside [-1, 1]: it means nothing. Increase "
                    "`max_bond` until it stops changing."
                )
        return lines


def is_outside(value: Any, lower: float = 0.0) -> Any:
    """Tell whether a number, which may be traced, lies outside [lower, 1] by more than rounding."""
    return (value < lower - ROUNDING) | (value > 1 + ROUNDING)
