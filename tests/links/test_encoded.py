"""Links of codes: one-way repeaters and repeater graph states, against closed forms and chains of single stations."""

import dataclasses
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import codes
from qtn.evaluators.renewal import Renewal
from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import node
from qtn.links.chain import chain
from qtn.links.encoded import Ends, causes, repeated
from qtn.links.graph_state import graph_state
from qtn.links.link import herald
from qtn.links.one_way import one_way
from qtn.schedules.text import parse
from qtn.states.pair import CHARACTERS_FROM_BELL

TREE = codes.tree_code([4, 14, 4])
PUBLISHED = {
    "length": 501.18723362727246e3,
    "num_stations": 151,
    "attenuation_length": 20e3,
    "efficiency": 0.95,
    "reencoding_error": 1e-3,
    "emission_time": 1e-9,
    "gate_time": 1e-7,
}
SMALL = {
    "tree": codes.tree_code([2, 3]),
    "adaptive": codes.tree_code([2, 3], choice="adaptive"),
    "parity": codes.parity_code(2, 2),
    "five_qubit": codes.FIVE_QUBIT,
    "plain": codes.PLAIN,
}
NUMBERS = {
    "length": 9e3,
    "attenuation_length": 20e3,
    "efficiency": 0.97,
    "photon_error": 0.01,
    "reencoding_error": 2e-3,
}


def test_published_chain():
    pair = one_way(code=TREE, **PUBLISHED).heralded()
    spacing = PUBLISHED["length"] / 151
    eta_e = TREE.logical(loss=1 - 0.95 * np.exp(-spacing / 20e3)).p_success
    assert pair.p_success == pytest.approx(eta_e**151, rel=1e-13)
    assert pair.attempt_time == pytest.approx(4 * (1e-7 * 17 + 1e-9 * 170), rel=1e-14)
    error = 0.75 * (1 - (1 - 4e-3 / 3) ** 151)
    np.testing.assert_allclose(pair.bell_diagonal, [1 - error, error / 3, error / 3, error / 3], atol=1e-14)


@pytest.mark.parametrize("code", SMALL.values(), ids=SMALL)
def test_stations_multiply(code):
    """Three stations are three links of one station that are swapped perfectly: probabilities and channels multiply."""
    numbers = NUMBERS | {"attempt_time": 1.0}
    whole = one_way(code=code, num_stations=3, **numbers).heralded()
    one = one_way(code=code, num_stations=1, ends="stored", **numbers | {"length": 3e3})
    assert whole.p_success == pytest.approx(one.heralded().p_success ** 3, rel=1e-13)
    swapped = Renewal().evaluate(chain(one, num_links=3), parse("swap(swap(0, 1), 2)"))
    np.testing.assert_allclose(whole.bell_diagonal, swapped.bell_diagonal, atol=1e-12)


@pytest.mark.parametrize("code", SMALL.values(), ids=SMALL)
def test_positions(code):
    equal = one_way(code=code, num_stations=3, attempt_time=1.0, **NUMBERS)
    placed = one_way(code=code, station_positions=[6e3, 3e3], attempt_time=1.0, **NUMBERS)
    for link in (placed, jax.tree.map(jnp.asarray, placed)):
        a, b = equal.heralded(), link.heralded()
        np.testing.assert_allclose(a.p_success, b.p_success, rtol=1e-13)
        np.testing.assert_allclose(a.state, b.state, atol=1e-13)


def test_slope_in_errors_of_photons_where_there_are_none():
    code = codes.stabiliser_code(["ZZI", "IZZ"])
    options = {"length": 10e3, "attenuation_length": 20e3, "num_stations": 5, "efficiency": 0.95}

    def fidelity(error):
        link = one_way(code=code, photon_error=error, emission_time=1e-9, **options)
        return link.heralded().bell_diagonal[0]

    a, b, c = map(fidelity, (0.0, 1e-5, 2e-5))
    assert float(jax.grad(fidelity)(0.0)) == pytest.approx((-3 * a + 4 * b - c) / 2e-5, rel=1e-5)


def test_one_station_of_graph_states_waits_for_the_pairs_of_a_node():
    """Without a source nobody makes a graph state."""
    options = {"length": 10e3, "attenuation_length": 20e3, "emission_time": 1e-9, "gate_time": 1e-7}
    code = codes.repeater_graph_state(3, [2, 2])
    one, two = (graph_state(code=code, num_stations=count, **options).heralded() for count in (1, 2))
    assert one.attempt_time == pytest.approx(3 * (2e-9 + 1e-7), rel=1e-14)
    assert two.attempt_time == code.generation_time(1e-9, 1e-7)


def test_equal_spacings_are_best():
    def score(positions):
        link = one_way(code=TREE, station_positions=positions, attempt_time=1.0, **NUMBERS | {"length": 12e3})
        return jnp.log(link.heralded().p_success)

    places = jnp.array([2e3, 9e3, 10e3])
    slope = jax.jit(jax.grad(score))
    for _ in range(300):
        places = places + 4e7 * slope(places)
    np.testing.assert_allclose(np.sort(places), [3e3, 6e3, 9e3], rtol=1e-4)


def fields_of(link):
    numbers = [f.name for f in dataclasses.fields(link) if f.name not in ("code", "ends")]
    return [name for name in numbers if getattr(link, name) is not None]


GRAPH = {"code": codes.repeater_graph_state(3, [2, 2]), "num_stations": 4.0, "p_bell": 0.5}
LINKS = {
    **{
        name: one_way(code=code, num_stations=3.0, emission_time=1e-9, gate_time=1e-7, **NUMBERS)
        for name, code in SMALL.items()
    },
    "positions": one_way(code=TREE, station_positions=[3e3, 5e3], emission_time=1e-9, gate_time=1e-7, **NUMBERS),
    "stored": one_way(
        code=SMALL["parity"], num_stations=3.0, emission_time=1e-9, gate_time=1e-7, ends="stored", **NUMBERS
    ),
    "graph_state": graph_state(emission_time=1e-9, gate_time=1e-7, **GRAPH, **NUMBERS),
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_gradients(link):
    """Every field of a link has a slope, as differences say; also where nothing is lost and no error happens."""

    def numbers(link):
        pair = link.heralded()
        return jnp.array([jnp.log(pair.p_success), jnp.log(pair.attempt_time), *pair.bell_diagonal, *pair.held])

    slopes = jax.jit(jax.jacfwd(numbers))
    found = slopes(link)
    for name in fields_of(link):
        value = np.asarray(getattr(link, name))
        step = 1e-5 * (1.0 if not value.any() else np.abs(value).max())
        moved = [
            numbers(
                dataclasses.replace(
                    link, **{name: value + sign * step * (np.arange(value.size) == 0).reshape(value.shape)}
                )
            )
            for sign in (1, -1)
        ]
        own = getattr(found, name).reshape(8, -1)[:, 0]
        np.testing.assert_allclose(own * step, (moved[0] - moved[1]) / 2, atol=1e-9, err_msg=name)
    perfect = {
        "length": 0.0,
        "efficiency": 1.0,
        "photon_error": 0.0,
        "reencoding_error": 0.0,
        "station_positions": [0.0, 0.0],
    }
    at_edge = dataclasses.replace(
        link, **{name: np.array(perfect[name]) for name in fields_of(link) if name in perfect}
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes(at_edge)))


def test_herald_is_compiled_and_the_same():
    for link in LINKS.values():
        plain, compiled = link.heralded(), herald(link)
        np.testing.assert_allclose(plain.p_success, compiled.p_success, rtol=1e-13)
        np.testing.assert_allclose(plain.state, compiled.state, atol=1e-14)


def test_graph_states_are_the_published_formula():
    link = graph_state(attempt_time=1.0, **GRAPH, **NUMBERS)
    eta = 0.97 * np.exp(-9 / 8 / 20)
    mu, m = 1 - eta, 3
    r1 = 1 - mu**2  # R_1 of [2, 2]: one of two leaves
    p_x, p_z = 1 - (1 - eta * (1 - mu) ** 2) ** 2, (1 - mu + mu * r1) ** 2
    expected = (1 - (1 - eta**2 / 2) ** m) ** 4 * (p_x**2 * p_z ** (2 * m - 2)) ** 3
    assert link.heralded().p_success == pytest.approx(expected, rel=1e-12)


def test_errors_of_graph_states_multiply():
    """With no error of inner photons left over: two photons a station and one source between any two stations."""
    numbers = NUMBERS | {"photon_error": 0.0, "reencoding_error": 0.03}
    signs = CHARACTERS_FROM_BELL @ graph_state(attempt_time=1.0, **GRAPH, **numbers).heralded().bell_diagonal
    np.testing.assert_allclose(signs, [1, *3 * [0.96**3]], atol=1e-14)
    plain = {"code": codes.repeater_graph_state(1), "num_stations": 2}
    signs = CHARACTERS_FROM_BELL @ graph_state(attempt_time=1.0, **plain, **NUMBERS).heralded().bell_diagonal
    photon, source = 1 - 0.04 / 3, 1 - 0.008 / 3
    arms = photon**4 * source
    np.testing.assert_allclose(signs, [1, arms * photon, arms * photon**2, arms * photon], atol=1e-14)


def test_stored_ends_wait_for_each_other():
    """Light passes the link, an answer comes back; graph states wait for what the farthest station says."""
    way = 9e3 * 1.5 / 299_792_458
    options = {"emission_time": 1e-9, "gate_time": 1e-7, "ends": "stored", "refractive_index": 1.5, **NUMBERS}
    link = one_way(code=SMALL["parity"], num_stations=3, **options)
    pair, made = link.heralded(), link.code.generation_time(1e-9, 1e-7)
    np.testing.assert_allclose(pair.held, [2 * way, way], rtol=1e-13)
    assert pair.attempt_time == pytest.approx(made + 2 * way)
    measured = dataclasses.replace(link, ends=Ends.MEASURED).heralded()
    assert not measured.holds and measured.attempt_time == made
    found = Renewal().evaluate(chain(link, node(memory=dephasing_memory(way)), num_links=1), parse("0"))
    signs = CHARACTERS_FROM_BELL @ measured.bell_diagonal * [1, np.exp(-3), np.exp(-3), 1]
    np.testing.assert_allclose(found.bell_diagonal, signs @ CHARACTERS_FROM_BELL / 4, atol=1e-12)
    pair = graph_state(**GRAPH, **options).heralded()
    np.testing.assert_allclose(pair.held, [way, way], rtol=1e-13)
    assert pair.attempt_time == pytest.approx(GRAPH["code"].generation_time(1e-9, 1e-7) + way)


def test_nodes_between_links_store():
    with pytest.raises(ValueError, match="measured at its ends, but nodes between links hold"):
        chain(LINKS["tree"], num_links=2)
    assert chain(LINKS["stored"], num_links=2).num_links == 2
    with pytest.raises(ValueError, match="`ends` must be 'measured' or 'stored', but is 'kept'"):
        one_way(code=TREE, **PUBLISHED, ends="kept")


def test_causes_add_up_to_all():
    link = one_way(code=TREE, **PUBLISHED)
    alone = {name: each.heralded() for name, each in causes(link).items()}
    assert alone["devices"].p_success < 1 and alone["fibre"].p_success < 1
    assert alone["photons"].p_success == alone["re-encoding"].p_success == 1
    assert alone["re-encoding"].bell_diagonal[0] == pytest.approx(link.heralded().bell_diagonal[0])
    assert alone["fibre"].bell_diagonal[0] == pytest.approx(1)
    graph = {name: each.heralded() for name, each in causes(LINKS["graph_state"]).items()}
    assert list(graph) == ["fibre", "devices", "Bell measurements", "photons", "re-encoding"]
    assert graph["Bell measurements"].p_success == pytest.approx((1 - 0.5**3) ** 4)
    assert graph["photons"].p_success == graph["re-encoding"].p_success == 1
    placed = causes(LINKS["positions"])
    assert placed["devices"].heralded().p_success == pytest.approx(TREE.logical(loss=0.03).p_success ** 3)


def test_signs_of_powers():
    np.testing.assert_allclose(repeated(np.array([-0.5, 0.5, 0.0]), 3), [-0.125, 0.125, 0.0])
    np.testing.assert_allclose(repeated(jnp.array([-0.5, 0.5]), 2.0), [0.25, 0.25])


ERRORS = {
    "no_code": (
        {"code": "steane"},
        "`code` must be a code, such as `qtn.codes.tree_code([4, 14, 4])`, but is 'steane'",
    ),
    "graph_state": ({"code": codes.repeater_graph_state(2)}, "`code` must be a code, such as"),
    "no_stations": ({"num_stations": None}, "`num_stations` and `station_positions` must be given"),
    "both": ({"station_positions": [1e3]}, "`num_stations` and `station_positions` must be given"),
    "none_at_all": ({"num_stations": 0}, "`num_stations` must be at least 1 and finite, but is 0.0"),
    "spacing": ({"num_stations": None, "station_positions": [3e3, 3e3]}, "a spacing is 0 or less"),
    "no_spacing": (
        {"length": 0.0},
        "`length` must be positive and finite: stations cannot have spacings of 0, but is 0.0",
    ),
    "outside": ({"num_stations": None, "station_positions": [600e3]}, "between 0 and the length 501187 m"),
    "efficiency": ({"efficiency": 0.0}, "`efficiency` must lie in (0, 1], but is 0.0"),
    "error": ({"reencoding_error": 0.8}, "`reencoding_error` must lie in [0, 0.75]"),
    "instant": ({"emission_time": 0.0, "gate_time": 0.0}, "`attempt_time` must be positive, but comes out as 0"),
    "hopeless": ({"num_stations": 1, "code": codes.PLAIN, "length": 2e7}, "no attempt heralds a pair"),
}


@pytest.mark.parametrize(("change", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(change, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError) as error:
            one_way(**{"code": TREE} | PUBLISHED | change)
    assert message in str(error.value)


def test_errors_of_graph_states():
    with pytest.raises(ValueError, match="`code` must be a graph state"):
        graph_state(**GRAPH | {"code": TREE}, attempt_time=1.0, **NUMBERS)
    with pytest.raises(ValueError, match=r"`p_bell` must lie in \(0, 1\]"):
        graph_state(**GRAPH | {"p_bell": 0.0}, attempt_time=1.0, **NUMBERS)


def test_hints_at_kilometres():
    with pytest.warns(UserWarning, match="`attenuation_length` is 20 m of fibre"):
        one_way(code=TREE, **PUBLISHED | {"attenuation_length": 20.0, "length": 500.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one_way(code=TREE, **PUBLISHED | {"length": 2000e3, "num_stations": 700})


@pytest.mark.parametrize("name", ["tree", "five_qubit", "graph_state"])
def test_vmap_is_the_loop_and_compiles_once(name):
    traces = []

    @jax.jit
    def offer(efficiency, error):
        traces.append(name)
        link = dataclasses.replace(LINKS[name], efficiency=efficiency, photon_error=error)
        pair = link.heralded()
        return jnp.array([pair.p_success, *pair.bell_diagonal])

    points = np.array([[0.9, 0.0], [0.95, 0.01], [1.0, 0.2]])
    one_by_one = np.array([offer(*point) for point in points])
    assert len(traces) == 1
    np.testing.assert_allclose(jax.vmap(offer)(*points.T), one_by_one, rtol=1e-12, atol=1e-15)
