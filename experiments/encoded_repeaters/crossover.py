"""Where two designs deliver the same key, and how far each hardware number moves that distance, by gradient."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import memories
import numpy as np
from designs import ATTENUATION_KM, EFFICIENCY, EMISSION_S, GATE_S

import qtn
from qtn import codes

Numbers = dict[str, Any]
Rate = Callable[[Any, Numbers], Any]
"""Length [m] and hardware -> secret key by time [bit/s]."""

HARDWARE: Numbers = {
    "efficiency": EFFICIENCY,
    "attenuation_length": 1e3 * ATTENUATION_KM,
    "error": 1e-4,
    "emission_time": EMISSION_S,
    "gate_time": GATE_S,
    "t2": memories.T2_S,
    "initialisation": memories.INITIALISATION_S,
}


def one_way(code: codes.Code, stations: int) -> Rate:
    """Return the key of a one-way chain."""
    return lambda length, numbers: of_link(qtn.one_way, code, stations, length, numbers)


def graph_state(code: codes.RepeaterGraphState, stations: int) -> Rate:
    """Return the key of a chain of repeater graph states."""
    return lambda length, numbers: of_link(qtn.graph_state, code, stations, length, numbers)


def of_link(build: Callable[..., Any], code: Any, stations: int, length: Any, numbers: Numbers) -> Any:
    """Return the key of one link."""
    kept = ("efficiency", "attenuation_length", "emission_time", "gate_time")
    options = {name: numbers[name] for name in kept}
    link = build(code=code, length=length, num_stations=stations, reencoding_error=numbers["error"], **options)
    pair = link.heralded()
    return qtn.six_state_fraction(pair.bell_diagonal) * pair.p_success / pair.attempt_time


def memory_chain(num_links: int, length_km: float) -> Rate:
    """Return the key of the chain of memories, on the time grids that suit a length."""
    plan = qtn.Renewal().planned(memories.chain(1e3 * length_km, num_links, 1e-4), memories.schedule(num_links))

    def rate(length: Any, numbers: Numbers) -> Any:
        options = {name: numbers[name] for name in ("efficiency", "attenuation_length", "t2", "initialisation")}
        return memories.key_rate(plan, memories.chain(length, num_links, numbers["error"], **options))

    return rate


def plob(length: Any, numbers: Numbers) -> Any:
    """Return the bound of direct transmission of one photon each emission time, without loss in devices."""
    return qtn.plob_rate(jnp.exp(-length / numbers["attenuation_length"]), jnp.asarray(1 / numbers["emission_time"]))


def crossover(first: Rate, second: Rate, low_km: float, high_km: float) -> dict[str, Any]:
    """Return where both deliver the same key between two lengths.

    Returns:
        {"km", "km_per_percent": by how much that grows if a number grows by one per cent, the largest first}.
    """

    def gap(length: Any, numbers: Numbers) -> Any:
        return jnp.log(first(length, numbers)) - jnp.log(second(length, numbers))

    slopes = jax.jit(jax.value_and_grad(gap, argnums=(0, 1)))
    sign = float(slopes(1e3 * low_km, HARDWARE)[0]) > 0
    low, high = low_km, high_km
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (float(slopes(1e3 * middle, HARDWARE)[0]) > 0) == sign else (low, middle)
    _, (by_length, by_number) = slopes(1e3 * low, HARDWARE)
    moves = {
        name: float(-0.01 * value * by_number[name] / by_length / 1e3)
        for name, value in HARDWARE.items()
        if float(by_number[name]) != 0
    }
    return {"km": low, "km_per_percent": dict(sorted(moves.items(), key=lambda item: -abs(item[1])))}


def checked(rate: Rate, expected: float, length_km: float) -> None:
    """Raise unless a table and the library agree on a key."""
    found = float(rate(1e3 * length_km, HARDWARE))
    if not np.isclose(found, expected, rtol=1e-9):
        raise AssertionError(f"the table says {expected}, the library {found}")
