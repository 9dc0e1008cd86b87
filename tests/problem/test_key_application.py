"""Keys of finite blocks from the file: on chains, weak pulses and entangled light, to every reader of numbers."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from qtn.cli.app import run
from qtn.planning.pulses import best_pulses
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import expand, numeric_leaves
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate, report_numbers
from qtn.problem.sweep import SweepTask
from qtn.qkd import (
    Keys,
    Security,
    entangled_light,
    expected_counts,
    intercept_resend,
    pair_key,
    pulse_key,
    pulses,
    receiver,
    session,
)

CHAIN = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.01, attempt_time_s = 1e-4, werner = 0.98 }
node = { memory = { model = "dephasing", t2_s = 0.2 } }
[schedule]
tree = "swap(0, 1, cutoff_time=0.01)"
"""
KEY = '[application]\nmodel = "key"\nblock = { seconds = 600.0 }\n'
ATTACK = 'attack = { model = "entangling_probe", angle_rad = 0.3 }\n'
PULSES = """
schema = 1
[line.source]
model = "weak_pulses"
pulse_rate_hz = 1e8
intensities = [0.48, 0.12, 2e-4]
probabilities = [0.6, 0.3, 0.1]
p_key_basis = 0.9
[line.channel]
length_km = 50.0
attenuation_db_per_km = 0.2
[line.detector]
efficiency = 0.1
dark_count_probability = 6e-7
misalignment = 5e-3
after_pulse_probability = 0.04
dead_time_s = 1e-7
"""
LIGHT = """
schema = 1
[line]
source = { model = "entangled_light", pair_rate_hz = 1e7 }
channel = { loss_left_db = 10.0, loss_right_db = 17.0 }
[line.detector]
efficiency = 0.1
misalignment = 0.01
dark_count_rate_hz = 250.0
dead_time_s = 2e-8
jitter_s = 1.5e-10
window_s = 3e-10
"""
NAMES = ["finite_key_rate_hz", "key_bits", "p_abort", "restarts", "time_to_key_s", "p_undetected", "phase_error"]
NAMES += ["leak_bits"]
SENT, LINE = pulses([0.48, 0.12, 2e-4], [0.6, 0.3, 0.1], 0.9), receiver(10.0, 0.1, 6e-7, 5e-3, 0.04, 10.0)


def numbers_of(text, *overrides):
    problem = loads(text, list(overrides))
    return {name: float(x) for name, x in merits(problem, evaluated(problem).result, clip=True).items()}


def rows(key):
    """Return what an application shows of a key, by the names of its fields."""
    s = key.session
    fields = [key.rate, s.key_bits, s.p_abort, s.restarts, key.time_to_key, s.p_undetected, s.phase_error, s.leak_bits]
    return dict(zip(NAMES, map(float, fields), strict=True))


def test_a_chain_gets_the_keys_of_its_pairs():
    text = CHAIN + KEY + ATTACK + "test_fraction = 0.2\nabort_above = 0.05\n"
    found = numbers_of(text)
    problem = loads(text)
    attack = problem.config.application.build(problem.document["application"]).attack
    alone = pair_key(evaluated(problem).result, seconds=600.0, test_fraction=0.2, abort_above=0.05, attack=attack)
    assert {name: found[name] for name in NAMES} == pytest.approx(rows(alone), rel=1e-9)
    assert found["rate_hz"] > found["finite_key_rate_hz"] > 0 and "fidelity" in found
    best = numbers_of(CHAIN + KEY)
    assert best["finite_key_rate_hz"] > found["finite_key_rate_hz"] and "p_undetected" not in best


def test_pulses_get_the_keys_of_their_decoys():
    attack = 'attack = { model = "intercept_resend", fraction = 0.02 }\n'
    found = numbers_of(PULSES + KEY.replace("600", "10") + attack + "abort_above = 0.03\n")
    alone = pulse_key(SENT, LINE, 1e8, seconds=10.0, abort_above=0.03, attack=intercept_resend(0.02))
    assert {name: found[name] for name in NAMES} == pytest.approx(rows(alone), rel=1e-9)
    counts = expected_counts(SENT, LINE, 1e8)
    assert found["rate_hz"] == pytest.approx(float(jnp.sum(counts.key_detections)), rel=1e-12)
    wrong = float(jnp.sum(counts.key_errors) / jnp.sum(counts.key_detections))
    assert (found["qber_x"], found["qber_z"]) == (pytest.approx(wrong), pytest.approx(wrong))
    assert not {"fidelity", "secret_key_rate_hz", "chsh"} & found.keys()


def test_entangled_light_gets_the_keys_of_its_coincidences():
    found = numbers_of(LIGHT + KEY)
    seen = entangled_light(
        1e7, (1e-2, 10**-2.7), window=3e-10, jitter=1.5e-10, dark_count_rates=(250.0, 250.0), dead_time=2e-8,
        polarisation_error=0.01,
    )  # fmt: skip
    alone = session(seen.error_rate, signals=seen.rate * 600.0)
    assert found["rate_hz"] == pytest.approx(float(seen.rate), rel=1e-12)
    assert found["finite_key_rate_hz"] == pytest.approx(float(alone.throughput * seen.rate), rel=1e-9)
    assert found["qber_x"] == pytest.approx(float(seen.error_rate), rel=1e-12)
    assert found["secret_key_rate_hz"] > found["finite_key_rate_hz"]


def test_half_of_the_loss_is_on_either_side():
    total = LIGHT.replace("loss_left_db = 10.0, loss_right_db = 17.0", "length_km = 100.0, attenuation_db_per_km = 0.2")
    sides = LIGHT.replace("17.0", "10.0")
    assert numbers_of(total) == pytest.approx(numbers_of(sides), rel=1e-12)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = '[optimise]\nmaximise = "finite_key_rate_hz"\n'
    moved = 'parameters = ["line.source.intensities", "line.source.probabilities", "line.source.p_key_basis"]\n'
    (tmp_path / "pulses.toml").write_text(PULSES + KEY + wanted + moved)
    (tmp_path / "chain.toml").write_text(CHAIN + KEY + ATTACK)
    return tmp_path


def printed(capsys, *arguments):
    assert run(list(arguments)) == 0
    out, err = capsys.readouterr()
    return json.loads(out) if "--json" in arguments else out + err


def test_commands_print_it_with_its_assumptions(folder, capsys):
    found = printed(capsys, "evaluate", "chain.toml", "--json")
    said = found["application"]["sentences"]
    assert said[0].startswith("At a threshold of ") and "this attack is caught" in said[0] and len(said) == 5
    text = printed(capsys, "evaluate", "chain.toml", "--set", "application.assumptions.pure_source=false")
    assert f"{'finite-key rate':32s} {found['finite_key_rate_hz']:.10g} bit/s" in text
    assert text.count("NOT SECURE by these numbers") == 1 and "authenticated with a key shared before" in text
    assert "line.toml" not in text and "good: weak pulses" in printed(capsys, "check", "pulses.toml")
    text = printed(capsys, "evaluate", "pulses.toml")
    assert "sifted bits" in text and "fidelity" not in text and "Bell weights" not in text


def test_a_block_without_a_key_says_which_would_do(folder, capsys):
    for name, setting in (("chain", "application.block.seconds=5.0"), ("pulses", "application.block.seconds=1e-3")):
        found = printed(capsys, "evaluate", f"{name}.toml", "--json", "--set", setting)
        assert found["finite_key_rate_hz"] == 0 and found["time_to_key_s"] is None
        (warning,) = found["application"]["warnings"]
        assert warning.startswith("application.block: No key remains of a block of ")
        enough = warning.split("seconds: ")[1].split(" ")[0].replace(",", "")
        more = printed(capsys, "evaluate", f"{name}.toml", "--json", "--set", f"application.block.seconds={enough}")
        assert more["finite_key_rate_hz"] > 0 and not more["application"]["warnings"]
        assert len(found["application"]["sentences"]) == 4
    never = loads(CHAIN.replace("0.98", "0.7") + KEY)
    (warning,) = report_numbers(evaluated(never))["application"]["warnings"]
    assert "nor of a longer one: there are too many errors" in warning


def test_gradients_agree_with_differences():
    text = PULSES + KEY.replace("600", "10") + "abort_above = 0.03\n"
    problem = loads(text)
    slopes = differentiate(problem, "finite_key_rate_hz")[0]["gradient"]
    assert slopes.keys() == numeric_leaves(problem).keys()
    for name, value in numeric_leaves(problem).items():
        step = 1e-5 * value
        sides = [{name: value + sign * step} for sign in (1, -1)]
        rates = [
            float(merits(problem, evaluated(problem, x).result, x, clip=False)["finite_key_rate_hz"]) for x in sides
        ]
        assert slopes[name] * value == pytest.approx((rates[0] - rates[1]) / 2e-5, rel=1e-3, abs=2.0), name


def test_pulses_are_optimised_as_well_as_by_hand(folder):
    problem = loads((folder / "pulses.toml").read_text())
    assert expand(problem, ["line.source.intensities"]) == [
        f"line.source.{name}" for name in ("intensity", "decoy_part", "weakest")
    ]
    found = optimise(loads((folder / "pulses.toml").read_text().replace("dead_time_s = 1e-7", "")))
    still = receiver(10.0, 0.1, 6e-7, 5e-3, 0.04)
    by_hand = pulse_key(best_pulses(still, 6e10), still, 1e8, seconds=600.0)
    assert found.value >= float(by_hand.rate) * (1 - 1e-3)
    again = [f"{name}={x}" for name, x in found.parameters.items() if name.startswith("line.source")]
    assert len(again) == 6 and "weakest" in str(again)


def test_the_best_cutoff_is_another_one_for_a_block():
    """The shorter a block the more an error costs, by the test and its threshold: brute force over cut-offs."""
    problem, best = loads(CHAIN + KEY), {}
    cutoffs = 1e-3 * np.arange(9, 23)
    results = [evaluated(problem, {"schedule.cutoff_times.0": float(x)}).result for x in cutoffs]
    for seconds in (100.0, 3_600.0):
        keys = Keys(security=Security(), seconds=seconds)
        best[seconds] = cutoffs[int(np.argmax([float(keys.run(each, None).key.rate) for each in results]))]
    endless = [merits(problem, each, names=["secret_key_rate_hz"], clip=True) for each in results]
    best[np.inf] = cutoffs[int(np.argmax([float(each["secret_key_rate_hz"]) for each in endless]))]
    assert best[100.0] < best[3_600.0] < best[np.inf]


@pytest.mark.slow
def test_a_schedule_is_optimised_for_the_key_of_a_block():
    text = CHAIN + KEY + '[optimise]\nmaximise = "%s"\nparameters = ["schedule.cutoff_times"]\n'
    finite, infinite = (optimise(loads(text % name)) for name in ("finite_key_rate_hz", "secret_key_rate_hz"))
    name = "schedule.cutoff_times.0"
    assert finite.parameters[name] < infinite.parameters[name] - 1e-3
    other = numbers_of(text % "rate_hz", f"{name}={infinite.parameters[name]}")
    assert finite.value > other["finite_key_rate_hz"]


def test_sweeps_store_it():
    axes = (
        '[sweep]\noutputs = ["finite_key_rate_hz", "p_abort"]\naxes = { "application.block.seconds" = [10.0, 600.0] }\n'
    )
    made = SweepTask(loads(PULSES + KEY + axes))
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    assert 0 < values["finite_key_rate_hz"][0] < values["finite_key_rate_hz"][1]
    assert {column.name: column.unit for column in made.job.columns}["finite_key_rate_hz"] == "bit/s"
    assert SweepTask(
        loads(PULSES + KEY + axes.replace('outputs = ["finite_key_rate_hz", "p_abort"]\n', ""))
    ).job.outputs


WRONG = [
    (CHAIN + KEY + '[merit]\nprotocol = "bb84"\n', "merit.protocol: is for infinite keys"),
    (CHAIN + KEY + 'protocol = "decoy_bb84"\n', 'application.protocol: must be "bbm92", because the signals are pairs'),
    (PULSES + KEY + 'protocol = "bbm92"\n', 'application.protocol: must be "decoy_bb84", because the signals are weak'),
    (PULSES + KEY + ATTACK, 'application.attack.model: "entangling_probe" acts on one qubit on its way'),
    (PULSES + KEY + "test_fraction = 0.1\n", "application.test_fraction: follows from line.source.p_key_basis"),
    (CHAIN + KEY + "test_fraction = 1.0\n", "application.test_fraction: must lie in (0, 1), but is 1.0"),
    (CHAIN + KEY + 'abort_above = "best"\n', "application.abort_above: must be a number or 'optimised', but is 'best'"),
    (CHAIN + KEY.replace("seconds", "hours"), "application.block: needs exactly one of signals, seconds"),
    (CHAIN + KEY.replace("600.0", "600.0, signals = 1e5"), "application.block: needs exactly one of signals, seconds"),
    (CHAIN + KEY + "security = { secrecy = 0.0 }\n", "application.security.secrecy: must lie in (0, 1), but is 0.0"),
    (CHAIN + KEY + 'tail = "gauss"\n', "application.tail: must be 'exact'"),
    (CHAIN + KEY + 'attack = { model = "intercept" }\n', "application.attack.model: must be one of"),
    (PULSES.replace("0.48, 0.12", "0.12, 0.48") + KEY, "line.source.intensities: must fall from one to the next"),
    (PULSES.replace("0.6, 0.3", "0.6, 0.4") + KEY, "line.source.probabilities: must sum to 1"),
    (PULSES.replace("0.6, 0.3, 0.1", "0.6, 0.4, 0.0") + KEY, "line.source.probabilities: must all be positive"),
    (PULSES.replace("[0.6, 0.3, 0.1]", "[0.6, 0.4]") + KEY, "line.source.probabilities: must hold three numbers"),
    (PULSES.replace("0.48, 0.12", "0.48, 0.4799") + KEY, "line: Argument `sent` must have a first intensity above"),
    (PULSES.replace("probabilities", "p_signal = 0.5\nprobabilities"), "line.source.probabilities: stands for p_signal"),
    (PULSES.replace("efficiency", "window_s = 1e-9\nefficiency"), 'line.detector.window_s: goes with source.model = "ent'),
    (LIGHT.replace("window_s", "after_pulse_probability"), "line.detector.window_s: is missing"),
    (PULSES.replace("length_km = 50.0", ""), "line.channel.length_km: is missing"),
    (PULSES.replace("length_km", "loss_db = 2.0\nlength_km"), "line.channel: needs loss_db, or length_km with"),
    (PULSES + '[application]\nmodel = "teleportation"\n', "application.model: uses pairs of [chain] or [network], but this file is"),
    (PULSES + '[merit]\nprotocol = "bb84"\n', "merit.protocol: is for pairs of a chain, and this [line] delivers none"),
    (LIGHT + "[merit]\ndeadline_s = 1.0\n", "merit.deadline_s: is for pairs of a chain"),
    (PULSES + KEY + '[optimise]\nparameters = ["line.source.intensity"]\n', "optimise.maximise: is missing; add `maximise ="),
    (CHAIN + '[optimise]\nmaximise = "finite_key_rate_hz"\nparameters = ["chain.link.werner"]\n', "optimise.maximise: 'finite"),
]  # fmt: skip


@pytest.mark.parametrize("text, message", WRONG, ids=[message[:40] for _, message in WRONG])
def test_wrong_files_say_so(text, message):
    with pytest.raises(ProblemError) as raised:
        loads(text)
    assert any(error.startswith(message) for error in raised.value.errors), raised.value.errors


@pytest.mark.slow
def test_schedules_are_searched_for_it():
    text = CHAIN.replace('tree = "swap(0, 1, cutoff_time=0.01)"\n', "").replace("p_success = 0.01", "p_success = 0.2")
    search = '[optimise]\nmaximise = "finite_key_rate_hz"\nsearch = { max_rounds = 1 }\n'
    found = optimise(loads(text + KEY.replace("600.0", "20.0") + search))
    values = [choice.merits["finite_key_rate_hz"] for choice in found.choices]
    assert values == sorted(values, reverse=True) and found.value == pytest.approx(values[0]) and found.value > 0
    best = loads(text + KEY.replace("600.0", "20.0") + search).with_schedule(found.best.schedule)
    again = merits(best, evaluated(best).result, names=["finite_key_rate_hz"], clip=True)
    assert float(again["finite_key_rate_hz"]) == pytest.approx(found.value, rel=1e-6)
