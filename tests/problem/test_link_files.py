"""Every kind of link, preset, key protocol and merit from a problem file, and what is said where they do not fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.cli.text import evaluation_text
from qtn.hardware.presets import PRESETS
from qtn.links.direct_transmission import direct_transmission
from qtn.links.midpoint_source import midpoint_source
from qtn.links.multiplexed import multiplexed_link
from qtn.links.satellite import satellite
from qtn.links.spdc_source import spdc_source
from qtn.merit.key_rate import bb84_fraction, chsh_fraction, hashing_fraction
from qtn.merit.preprocessing import preprocessed
from qtn.merit.quantities import QUANTITIES
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves
from qtn.problem.run import report_numbers

ONE = 'schema = 1\n[chain]\nnum_links = 1\n[chain.link]\n%s\n[schedule]\ntree = "0"\n'
MIDPOINT = 'model = "midpoint_source"\nlength_km = 20.0\nattenuation_db_per_km = 0.2\np_source = 0.5\nfidelity = 0.95'
DIRECT = 'model = "direct_transmission"\nlength_km = 20.0\nloss_db = 4.5\nbell_diagonal = [0.9, 0.05, 0.03, 0.02]'
LIGHT = 'model = "spdc_source"\nlength_km = 20.0\nloss_left_db = 2.0\nloss_right_db = 3.0\nmean_pairs = 0.05\nrepetition_rate_hz = 1e6'
SKY = (
    'model = "satellite"\ndistance_km = 1000.0\naltitude_km = 500.0\nbeam_waist_m = 0.1\nreceiver_radius_m = 0.5\n'
    "wavelength_nm = 810.0\nzenith_transmissivity = 0.6\nminimum_elevation_deg = 20.0\np_source = 0.5\n"
    "repetition_rate_hz = 1e6"
)
ARMS = {"length_left": 10e3, "length_right": 10e3, "loss_left": 2.0, "loss_right": 2.0}
KINDS = {
    "midpoint_source": (MIDPOINT, midpoint_source(**ARMS, p_source=0.5, fidelity=0.95)),
    "direct_transmission": (DIRECT, direct_transmission(length=20e3, loss=4.5, bell_diagonal=[0.9, 0.05, 0.03, 0.02])),
    "spdc_source": (LIGHT, spdc_source(loss_left=2.0, loss_right=3.0, mean_pairs=0.05, repetition_rate=1e6)),
    "satellite": (
        SKY,
        satellite(
            distance_left=500e3,
            distance_right=500e3,
            altitude=500e3,
            beam_waist=0.1,
            receiver_radius=0.5,
            wavelength=810e-9,
            zenith_transmissivity=0.6,
            minimum_elevation=np.radians(20.0),
            p_source=0.5,
            repetition_rate=1e6,
        ),
    ),
    "memories": (
        f"{DIRECT}\nnum_memories = 4",
        multiplexed_link(direct_transmission(length=20e3, loss=4.5, bell_diagonal=[0.9, 0.05, 0.03, 0.02]), 4),
    ),
}


@pytest.mark.parametrize(("text", "expected"), KINDS.values(), ids=KINDS)
def test_a_file_builds_what_python_builds(text, expected):
    own, wanted = loads(ONE % text).chain.links[0], expected
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    assert jax.tree.structure(own) == jax.tree.structure(wanted)


@pytest.mark.parametrize("text", [case[0] for case in KINDS.values()], ids=KINDS)
def test_every_number_of_a_link_has_a_name(text):
    given = {line.split(" = ")[0] for line in text.splitlines()} - {"model", "bell_diagonal"}
    assert given <= {name.removeprefix("chain.link.") for name in numeric_leaves(loads(ONE % text))}


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    """A preset fills in what the file leaves open; every number says where it is from."""
    text = (
        'schema = 1\n[chain]\nlengths_km = [10.0, 20.0]\n[chain.link]\nmodel = "single_click"\n'
        f'attenuation_db_per_km = 0.2\nbright_state = 0.05\nvisibility = 0.5\npreset = "{name}"\n[chain.node]\n'
        f'preset = "{name}"\ngates = {{ readout = 0.9 }}\n[schedule]\ntree = "swap(0, 1)"\n'
    )
    preset, chain = PRESETS[name], loads(text).document["chain"]
    assert [link["length_km"] for link in chain["links"]] == [10.0, 20.0]
    assert chain["links"][1]["efficiency"] == preset.efficiency.value
    assert chain["links"][1]["visibility"] == 0.5
    assert chain["node"]["memory"] == {"model": "dephasing", "t2_s": preset.coherence_time.value}
    assert chain["node"]["gates"] == {"two_qubit": preset.two_qubit.value, "readout": 0.9}
    assert all(quantity.cited or len(quantity.source) > len("assumed: ") for quantity in vars(preset).values())


LINE = (
    'schema = 1\n[chain]\nnum_links = 2\nlink = { model = "abstract", p_success = 0.5, attempt_time_s = 1.0, '
    'werner = 0.95 }\n[schedule]\ntree = "swap(0, 1)"\n[merit]\n'
)
PROTOCOLS = {
    "bbm92": ('protocol = "bbm92"', bb84_fraction),
    "chsh_di": ('protocol = "chsh_di"', chsh_fraction),
    "hashing": ('protocol = "hashing"', hashing_fraction),
    "fixed_flips": ("preprocessing = 0.1", preprocessed(bb84_fraction, 0.1)),
    "best_flips": ('preprocessing = "optimised"', preprocessed(bb84_fraction)),
}


@pytest.mark.parametrize(("text", "fraction"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_key_protocols(text, fraction):
    pair = jnp.array([0.85, 0.04, 0.06, 0.05])
    np.testing.assert_allclose(loads(LINE + text).fraction(pair), fraction(pair), rtol=1e-12)


@pytest.fixture(scope="module")
def numbers():
    problem = loads(LINE + "deadline_s = 2.0\nages = true\ndirect_loss_db = 10.0\ndirect_source_rate_hz = 1e3\n")
    return report_numbers(evaluated(problem))


def test_bounds_of_a_channel_that_is_only_known_by_its_loss(numbers):
    np.testing.assert_allclose(numbers["plob_bits_per_use"], -np.log2(0.9), rtol=1e-13)
    np.testing.assert_allclose(numbers["repeater_rate_hz"], -1e3 * np.log2(1 - 10**-0.5), rtol=1e-13)


def test_bounds_through_the_sky():
    problem = loads(ONE % SKY)
    found = report_numbers(evaluated(problem))
    np.testing.assert_allclose(found["plob_bits_per_use"], -np.log2(1 - found["links"][0]["eta"]), rtol=1e-12)


def test_deadline_and_ages(numbers):
    """Two links, p = 1/2: P(T <= 2) = (3/4)^2, E[min(T, 2)] = 1/4 + 2 (3/4), E|T1 - T2| = 4/3."""
    deadline = numbers["deadline"]
    np.testing.assert_allclose([deadline["probability"], deadline["mean_time_s"]], [9 / 16, 28 / 9], rtol=1e-12)
    np.testing.assert_allclose(deadline["fidelity"], (1 + 3 * 0.95**2) / 4, rtol=1e-12)
    np.testing.assert_allclose(numbers["storage_times_s"], [2 / 3, 4 / 3, 2 / 3], rtol=1e-9)


def test_nothing_by_the_deadline():
    problem = loads(LINE + "deadline_s = 0.5\n")
    found = report_numbers(evaluated(problem))["deadline"]
    assert (found["fidelity"], found["mean_time_s"]) == (None, None)
    assert found["probability"] < 1e-12


def test_everything_is_printed(numbers):
    text = evaluation_text(numbers, QUANTITIES)
    for words in ("PLOB bound", "bound with ideal repeaters", "pair by 2 s", "mean age", "abstract", "swap(0, 1)"):
        assert words in text


def test_an_unknown_channel_is_said():
    problem = loads(LINE)
    assert "add merit.direct_loss_db" in evaluation_text(report_numbers(evaluated(problem)), QUANTITIES)


def test_ages_of_distilled_pairs():
    problem = loads(LINE.replace("swap(0, 1)", "swap(distill(0), 1)") + "ages = true\n")
    with pytest.raises(ValueError, match=r"merit\.ages: .*distils"):
        report_numbers(evaluated(problem))


SEARCH = "[optimise]\nsearch = { slots = %d }\n"
BAD = {
    "no channel": (ONE % MIDPOINT.replace("attenuation_db_per_km = 0.2\n", ""), "chain.link: needs attenuation_db_per_km, or loss_left_db and loss_right_db"),
    "two losses": (ONE % f"{DIRECT}\nattenuation_db_per_km = 0.2", "chain.link: needs exactly one of attenuation_db_per_km, loss_db, but has attenuation_db_per_km and loss_db"),
    "two states": (ONE % f"{DIRECT}\nfidelity = 0.9", "chain.link: has both fidelity and bell_diagonal; keep one of them"),
    "two periods": (ONE % f"{LIGHT}\nattempt_time_s = 1e-6", "chain.link: has both repetition_rate_hz and attempt_time_s"),
    "no period": (ONE % LIGHT.replace("repetition_rate_hz = 1e6", ""), "chain.link: needs repetition_rate_hz or attempt_time_s"),
    "two sources": (ONE % f"{SKY}\nmean_pairs = 0.1", "chain.link: has both mean_pairs and p_source"),
    "state of light": (ONE % SKY.replace("p_source = 0.5", "mean_pairs = 0.1\nfidelity = 0.9"), "chain.link: has fidelity with mean_pairs; give visibility instead"),
    "visibility of a pair": (ONE % f"{SKY}\nvisibility = 0.9", "chain.link: has visibility with p_source; give fidelity or bell_diagonal instead"),
    "too low": (ONE % SKY.replace("1000.0", "3000.0"), "the elevation is 10.96 degrees, below the minimum of 20 degrees"),
    "elevation": (ONE % SKY.replace("20.0", "90.0"), "chain.link.minimum_elevation_deg: must lie in [0, 90), but is 90.0"),
    "no memories": (ONE % f"{DIRECT}\nnum_memories = 0", "chain.link.num_memories: must be at least 1, but is 0"),
    "half a memory": (ONE % f"{DIRECT}\nnum_memories = 1.5", "chain.link.num_memories: must be a whole number, but is 1.5"),
    "more memories than slots": (LINE.replace("werner = 0.95", "werner = 0.95, num_memories = 3") + SEARCH % 4, "optimise.search.slots: 4 slots cannot hold the 6 memories (num_memories) of the links at node 1; raise slots"),
    "unknown preset": (ONE % f'{MIDPOINT}\npreset = "magic"', "chain.link.preset: must be one of colour_centre_2018, "),
    "preset of another kind": (ONE % f'{MIDPOINT}\npreset = "atomic_ensemble"', "chain.link.preset: belongs to links of model single_click or double_click, but the model is 'midpoint_source'"),
    "lengths twice": (ONE.replace("num_links = 1", "lengths_km = [1.0]") % MIDPOINT, "chain.lengths_km: gives the lengths, so leave chain.link.length_km out"),
    "no lengths": (ONE.replace("num_links = 1", "lengths_km = []") % MIDPOINT, "chain.lengths_km: must be an array of at least one length"),
    "flips": (LINE + "preprocessing = 0.5\n", "merit.preprocessing: must lie in [0, 0.5), but is 0.5"),
    "text for flips": (LINE + 'preprocessing = "best"\n', "merit.preprocessing: must be a number or 'optimised'"),
    "deadline": (LINE + "deadline_s = 0.0\n", "merit.deadline_s: must be positive and finite, but is 0.0"),
    "ages": (LINE + "ages = 1\n", "merit.ages: must be true or false, but is 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_file(case):
    text, expected = BAD[case]
    with pytest.raises(ProblemError) as raised:
        loads(text)
    assert expected in str(raised.value)
