"""One declaration a number: units, ranges, derivatives, costs, names and the JSON Schema follow from it."""

from typing import Annotated, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import Field, ValidationError

from qtn import _ranges as ranges
from qtn.hardware.fibre import travel_time
from qtn.links.abstract import abstract_link
from qtn.problem import cost
from qtn.problem import number as unit
from qtn.problem.chain.chain import Chain
from qtn.problem.chain.link_numbers import AttemptTime
from qtn.problem.chain.link_table import LinkTable
from qtn.problem.chain.links import AbstractLink
from qtn.problem.circuit_noise import AmplitudeDamping, CircuitNoise, Dephasing, Depolarising
from qtn.problem.load import loads
from qtn.problem.messages import from_validation
from qtn.problem.names import bounds, expand, numeric_leaves, with_values
from qtn.problem.number import Number, Unit
from qtn.problem.objective import objective_of, parameters_of
from qtn.problem.problem import Problem
from qtn.problem.schema import Config, TreeNumbers
from qtn.problem.structures import unit_of
from qtn.problem.table import broken, declared
from qtn.schedules.text import parse
from qtn.schedules.tree import NUMBERS
from tests.problem.declared import declared_numbers

ALL = list(declared_numbers(Config))
UNITS = [each for each in vars(unit).values() if isinstance(each, Unit)]


@pytest.mark.parametrize(("table", "key", "number"), [row[1:] for row in ALL if row[1] is not TreeNumbers])
def test_the_end_of_a_key_is_its_unit(table, key, number):
    ends = [each.ending for each in UNITS if key.endswith(each.ending)]
    assert number.unit.ending == max(ends, key=len)
    assert number.name(key) + number.unit.ending == key


def test_models_agree_on_what_a_key_means():
    """A dotted name leaves the model open, so that all models must mean the same number."""
    found = {}
    for name, _, _, number in ALL:
        found.setdefault(name, set()).add((number.range, number.unit, number.better, number.traced, number.whole))
    assert {name for name, kinds in found.items() if len(kinds) > 1} == set()


@pytest.mark.parametrize(("table", "key", "number"), [row[1:] for row in ALL])
def test_whole_numbers_are_declared_as_such(table, key, number):
    assert number.whole == ("int" in str(table.model_fields[key].annotation) and number.traced)


def test_the_numbers_of_a_tree_are_those_of_a_schedule():
    assert tuple(TreeNumbers.model_fields) == NUMBERS
    assert {name: unit_of(f"schedule.{name}.0") for name in NUMBERS} == {
        "cutoff_times": "s", "wait_times": "s", "cutoff_widths": "s", "min_fidelities": "",
    }  # fmt: skip


NAMES = {
    "chain.link.length_km": "km",
    "chain.links.3.attenuation_db_per_km": "dB/km",
    "chain.nodes.0.memory.t2_s": "s",
    "chain.positions_km.1": "km",
    "chain.link.wavelength_nm": "nm",
    "chain.link.minimum_elevation_deg": "deg",
    "chain.link.bell_diagonal.2": "",
    "chain.node.swap.p_success": "",
    "chain.num_links": "",
    "schedule.cutoff_times_s.2": "s",
    "merit.direct_source_rate_hz": "Hz",
    "time.step_s": "s",
    "schedule.tree": "",
    "no.such.name": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_units_of_names(name):
    assert unit_of(name) == NAMES[name]


COSTS = [
    "chain.link.loss_db", "chain.link.repetition_rate_hz", "chain.node.gates.readout_time_s", "chain.node.memory.t1_s",
    "chain.link.attempt_time_s", "chain.link.loss_left_db", "chain.link.num_modes", "chain.node.swap.efficiency",
]  # fmt: skip
FREE = [
    "chain.link.bright_state", "chain.link.mean_pairs", "chain.link.length_km", "chain.positions_km.1",
    "chain.link.bell_diagonal.0", "chain.link.altitude_km", "schedule.cutoff_times.0", "schedule.cutoff_times_s",
]  # fmt: skip


@pytest.mark.parametrize("name", COSTS + FREE)
def test_what_costs(name):
    assert cost.costs(name) == (name in COSTS)


def test_whole_numbers_that_cost_stay_whole():
    link = 'link = { model = "midpoint_source", length_km = 20.0, attenuation_db_per_km = 0.2, num_modes = 2, num_memories = 4 }'
    wanted = 'parameters = ["chain.link.num_modes", "chain.link.num_memories"]\nminimise = "hardware_cost"\nminimum = { rate_hz = 1e3 }'
    text = f'schema = 1\n[chain]\nnum_links = 2\n{link}\n[schedule]\ntree = "swap(0, 1)"\n[optimise]\n{wanted}\n'
    problem = loads(text)
    moved = parameters_of(problem)
    lattice = moved.tuning(
        problem, moved.initial, objective_of(problem)
    ).lattice  # of factors: one more is 1/2, or 1/4, better
    assert lattice == {"chain.link.num_modes": 0.5, "chain.link.num_memories": 0.25}


def test_every_number_is_described():
    tables = {"Config": Config.model_json_schema()} | Config.model_json_schema()["$defs"]
    for _, table, key, number in ALL:
        if table.__name__ in tables:  # others name numbers that have no key
            told = tables[table.__name__]["properties"][key]
            assert told["description"] == number.about and len(number.about) > 9, key
            assert told["unit"] == (number.unit.symbol or "1"), key


def test_every_key_is_described():
    schema = Config.model_json_schema()
    defined = {f"#/$defs/{name}": table for name, table in schema["$defs"].items()}
    for table in (schema, *defined.values()):
        for key, told in table.get("properties", {}).items():
            inner = [told, *told.get("anyOf", ()), told.get("items", {})]
            words = [each.get("description") or defined.get(each.get("$ref"), {}).get("description") for each in inner]
            assert any(words), (table["title"], key)


CONVENTIONS = {
    "two_qubit": "average gate fidelity",
    "visibility": "V",
    "fidelity": "<Phi+|rho|Phi+>",
    "bright_state": "not amplitude",
    "dark_count_probability": "per detector",
    "phase_std_rad": "between the arms",
    "beam_waist_m": "1/e^2",
    "mean_pairs": "both polarisations",
    "attenuation_db_per_km": "power",
    "time_constant_s": "e^(-t/T)",
    "t1_s": "e^(-t/T1)",
    "t2_s": "e^(-t/T2)",
    "p": "p",
    "gamma": "sqrt(1 - gamma)",
    "p_one": "1 for 0",
    "p_zero": "0 for 1",
}
"""What tells apart the conventions of the field, for each key that has two."""


@pytest.mark.parametrize("root", [Config, CircuitNoise])
def test_keys_with_two_conventions_say_which(root):
    for name, table, key, number in declared_numbers(root):
        assert CONVENTIONS.get(key, "") in number.about, (name, table)
    known = {key for each in (Config, CircuitNoise) for _, _, key, _ in declared_numbers(each)}
    assert CONVENTIONS.keys() <= known


def test_depolarising_noise_replaces_by_the_mixed_state():
    """A chance of one of 15 Paulis would shrink every Pauli coefficient by 1 - 16 p / 15."""
    channel = Depolarising.build({"model": "depolarising", "p": 0.3})
    np.testing.assert_allclose(np.diag(channel.ptm()), [1.0, 0.7, 0.7, 0.7], atol=1e-15)
    both = (
        Dephasing.build({"model": "dephasing", "p": 0.3}),
        AmplitudeDamping.build({"model": "amplitude_damping", "gamma": 0.36}),
    )
    np.testing.assert_allclose([each.ptm()[1, 1] for each in both], [0.4, 0.8], atol=1e-15)


class Wire(LinkTable):
    """A made-up model: a wire that passes exp(-length / range)."""

    builder = staticmethod(
        lambda length, quality, attempt_time: abstract_link(
            p_success=jnp.exp(-length / 1e3) * quality, attempt_time=attempt_time, werner=0.9
        )
    )
    way = staticmethod(lambda table: table["length_km"])
    rules: ClassVar = (lambda table: iter([("quality", "is missing")] if "quality" not in table else []),)

    model: Literal["wire"]
    length_km: Annotated[float, Number("Length of the wire", ranges.POSITIVE, unit=unit.KM)]
    quality: Annotated[float, Number("How good it is", ranges.PROBABILITY, unit.TOWARDS_ONE)] = 1.0
    attempt_time_s: AttemptTime


class WiredChain(Chain):
    """A chain that knows wires."""

    link: Annotated[AbstractLink | Wire, Field(discriminator="model")] | None = None
    links: list[Annotated[AbstractLink | Wire, Field(discriminator="model")]] | None = None


class WiredConfig(Config):
    """A file that knows wires."""

    chain: WiredChain


WIRE = {"model": "wire", "length_km": 2.0, "quality": 0.5, "attempt_time_s": 1e-3}
FILE = {"schema": 1, "chain": {"num_links": 2, "link": WIRE, "node": {}}}


def wired():
    return Problem(name="wires", config=WiredConfig.model_validate(FILE), given_schedule=parse("swap(0, 1)"))


def test_a_new_model_is_one_class():
    """Nothing else knows it, but it has names, limits, units, a cost, patterns and a description."""
    problem = wired()
    leaves = numeric_leaves(problem)
    assert {leaves[f"chain.link.{key}"] for key in ("length_km", "quality", "attempt_time_s")} == {2.0, 0.5, 1e-3}
    limits = bounds(problem, "chain.link.quality")
    assert (limits.lower, limits.upper) == (0.0, 1.0)
    assert expand(problem, ["chain.links.*.quality"]) == ["chain.link.quality"]
    known = declared("chain.link.length_km", WiredConfig), declared("chain.link.quality", WiredConfig)
    assert (known[0].unit, known[0].better, known[1].better) == (unit.KM, None, unit.TOWARDS_ONE)
    told = WiredConfig.model_json_schema()["$defs"]["Wire"]["properties"]["length_km"]
    assert (told["description"], told["unit"], told["exclusiveMinimum"]) == ("Length of the wire", "km", 0.0)


def test_a_new_model_costs(monkeypatch):
    monkeypatch.setattr(cost, "Config", WiredConfig)
    assert cost.costs("chain.link.quality") and not cost.costs("chain.link.length_km")
    assert float(cost.improvement("chain.link.quality", 0.25, 0.5)) == pytest.approx(2.0)


def test_a_new_model_is_built_from_numbers_that_may_be_traced():
    problem = wired()
    np.testing.assert_allclose(problem.chain.links[0].p_success, 0.5 * np.exp(-2), rtol=1e-14)

    def success(length):
        return with_values(problem, {"chain.link.length_km": length})[0].links[0].p_success

    np.testing.assert_allclose(jax.grad(success)(2.0), -0.5 * np.exp(-2), rtol=1e-14)  # by km
    times = WiredChain.message_times({"num_links": 2, "link": WIRE})
    np.testing.assert_allclose(times, [travel_time(2e3)] * 2, rtol=1e-15)


def test_mistakes_in_a_new_model_are_told():
    file = {"schema": 1, "chain": {"num_links": 2, "link": {"model": "wire", "length_km": -2.0, "atempt_time_s": 1.0}}}
    assert list(broken(file, WiredConfig)) == ["chain.link.quality: is missing"]
    with pytest.raises(ValidationError) as raised:
        WiredConfig.model_validate(file)
    assert from_validation(raised.value, file, WiredConfig) == [
        "chain.link.length_km: must be positive and finite, but is -2.0",
        "chain.link.attempt_time_s: is missing; add `attempt_time_s = ...`",
        "chain.link.atempt_time_s: is an unknown key; did you mean `attempt_time_s`?",
    ]
