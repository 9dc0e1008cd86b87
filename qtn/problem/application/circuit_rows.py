"""The quantities of a distributed circuit."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax.numpy as jnp

from qtn import _text
from qtn.dqc.computation import Computation, is_outside
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.steps.level import PAULI

MORE, LESS = Better.MORE, Better.LESS
Row = partial(Quantity, level=PAULI, in_use=True)


def _of_run(read: Callable[[Computation], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use.computation)


def _meant(value: Any, lower: float = 0.0) -> Any:
    """Return an expectation value, or nan where cut bonds have moved it out of its range."""
    return jnp.where(is_outside(value, lower), jnp.nan, value)


# fmt: off
BASIC = (
    Row("circuit_fidelity", "", "fidelity of the circuit", _of_run(lambda run: _meant(run.fidelity)),
        better=MORE, most=1.0),
    Row("circuit_rate_hz", "Hz", "runs of the circuit", _of_run(lambda run: 1 / run.mean_time), better=MORE,
        per_pair=1.0),
    Row("circuit_time_s", "s", "run time", _of_run(lambda run: run.mean_time), better=LESS),
    Row("circuit_waiting_s", "s", "waits for pairs in it", _of_run(lambda run: run.waiting_time), better=LESS),
    Row("circuit_time_95_s", "s", "run time, 95% quantile", _of_run(lambda run: run.quantiles([0.95])[0]), better=LESS),
    Row("circuit_pairs", "", "pairs of a run", _of_run(lambda run: 0.0 * run.mean_time + run.num_pairs), better=LESS),
    Row("circuit_wait_error", "", "error of averaged waits", _of_run(lambda run: run.wait_error), better=LESS),
    Row("circuit_kept", "", "squared norm kept by bonds", _of_run(lambda run: run.kept)),
)
# fmt: on
CAUSES = {
    "circuit_fidelity_without_waits": ("without waits", "faster pairs or longer memories"),
    "circuit_fidelity_with_perfect_pairs": ("with perfect pairs", "better pairs"),
    "circuit_fidelity_with_perfect_gates": ("with perfect gates", "better gates and readouts"),
}
"""Name -> (words, what to improve)."""


@cache
def cause_row(name: str) -> Quantity:
    """Return the row of a fidelity with one cause of errors less."""
    field = name.removeprefix("circuit_fidelity_")
    return Row(name, "", f"fidelity {CAUSES[name][0]}", lambda delivered: _meant(getattr(delivered.use.causes, field)))


@cache
def observable_row(place: int, text: str) -> Quantity:
    """Return the row of an observable."""
    name, words = f"circuit_observable_{place}", f"observable {_text.one_line(text)}"
    return Row(name, "", words, _of_run(lambda run: _meant(run.observables[place], -1.0)), better=MORE, most=1.0)


@cache
def alternative_rows(place: int, qpus: tuple[int, ...]) -> tuple[Quantity, Quantity]:
    """Return fidelity and run time of the circuit on other processors."""
    on = f"on processors of {', '.join(map(str, qpus))}"
    return (
        Row(
            f"circuit_fidelity_alternative_{place}",
            "",
            f"fidelity {on}",
            lambda delivered: _meant(delivered.use.alternatives[place].fidelity),
            better=MORE,
            most=1.0,
        ),
        Row(
            f"circuit_time_alternative_{place}_s",
            "s",
            f"run time {on}",
            lambda delivered: delivered.use.alternatives[place].mean_time,
            better=LESS,
        ),
    )
