"""Sweeps of problem files: every point equals what the problem gives alone; structures, failures and mistakes."""

import numpy as np
import pytest

from qtn.evaluators import renewal as renewal_module
from qtn.problem import points as points_module
from qtn.problem.evaluation import evaluated, merits, outcome
from qtn.problem.load import changed, loads
from qtn.problem.messages import ProblemError
from qtn.problem.run import differentiate, report_numbers
from qtn.problem.structures import override
from qtn.problem.sweep import SweepTask, sweep_shard
from qtn.sweeps.dataset import open_dataset

LINE = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "depolarising", time_constant_s = 0.5 }, swap = { p_success = 0.5 } }
[schedule]
tree = "swap(0, 1, cutoff_time=0.02)"
"""

GRID = """
[time]
step_s = 1e-3
num_steps = 1024
"""
"""Compiles one program where a chosen grid compiles several."""

FIBRE = """
schema = 1
[chain]
num_links = 2
link = { model = "double_click", length_km = 20, attenuation_db_per_km = 0.2, efficiency = 0.5, visibility = 0.95 }
node = { memory = { model = "dephasing", t2_s = 0.5 } }
[schedule]
tree = "swap(0, 1)"
"""


def task(text, table):
    return SweepTask(loads(f"{text}\n[sweep]\n{table}"))


def alone(of, index):
    """Return the problem of one point."""
    point = of.grid.point(int(index))
    return changed(of.problem, [override(name, value) for name, value in point.items()])


GRADIENTS = 'job = "gradient"\noutputs = ["secret_key_rate_hz", "fidelity"]\n[sweep.axes]\n'
WERNER = '"chain.link.werner" = [0.9, 0.99]\n'


@pytest.fixture(scope="module")
def gradients():
    made = task(LINE + GRID, GRADIENTS + WERNER + '"schedule.cutoff_times.0" = [0.004, 0.0205, inf]\n')
    return made, *made(np.arange(6))


def test_values_and_derivatives_equal_those_of_each_point_alone(gradients):
    made, values, reasons = gradients
    assert reasons == [""] * 6
    for i in range(6):
        right, _ = differentiate(alone(made, i), "secret_key_rate_hz")
        assert values["secret_key_rate_hz"][i] == pytest.approx(right["value"], rel=1e-9)
        for by in ("chain.link.werner", "schedule.cutoff_times.0"):
            found = values[f"d_secret_key_rate_hz_d_{by}"][i]
            assert found == pytest.approx(right["gradient"][by], rel=1e-8, abs=1e-12)


def test_derivatives_equal_finite_differences(gradients):
    made, values, _ = gradients
    step = 1e-5
    for i in (1, 4):
        here = made.grid.point(i)
        sides = []
        for sign in (1, -1):
            moved = {**here, "chain.link.werner": here["chain.link.werner"] + sign * step}
            problem = changed(made.problem, [override(name, value) for name, value in moved.items()])
            sides.append(float(merits(problem, outcome(problem), clip=True)["fidelity"]))
        slope = (sides[0] - sides[1]) / (2 * step)
        assert values["d_fidelity_d_chain.link.werner"][i] == pytest.approx(slope, rel=1e-6)


def test_any_part_of_the_points_gives_the_same_numbers(gradients):
    made, values, _ = gradients
    for some in ([3], [5, 0, 2]):
        found, _ = made(np.array(some))
        for name, column in found.items():
            np.testing.assert_allclose(column, values[name][some], rtol=1e-12, err_msg=name)


def test_structures_are_built_once_and_side_by_side(monkeypatch):
    table = """
[sweep.axes]
"chain.node.memory.time_constant_s" = [0.1, 1.0, 10.0]
"chain.num_links" = [2, 3]
"schedule.tree" = ["swap(0, 1)", "swap(swap(0, 1), 2)"]
"""
    built = []
    original = points_module.Points.__init__
    monkeypatch.setattr(
        points_module.Points, "__init__", lambda self, *a, **k: (built.append(a[0]), original(self, *a, **k))[1]
    )
    made = task(LINE + GRID, 'outputs = ["fidelity"]\n' + table)
    order = made.structures.order
    keys = [made.structures.key(int(i)) for i in order]
    assert keys == sorted(keys, key=keys.index), "equal structures stand side by side"
    values, reasons = made(np.arange(12))
    assert len(built) == 2
    for i in range(12):
        links, tree = made.grid.point(i)["chain.num_links"], made.grid.point(i)["schedule.tree"]
        if (links == 3) == ("2" in str(tree)):
            found = alone(made, i)
            assert values["fidelity"][i] == pytest.approx(float(merits(found, outcome(found), clip=True)["fidelity"]))
        else:
            assert "schedule.tree" in reasons[i]
            assert np.isnan(values["fidelity"][i])


def test_levels_are_chosen_for_each_point():
    memory = 'memory = { model = "t1t2", t1_s = inf, t2_s = 0.5 }'
    text = LINE.replace('memory = { model = "depolarising", time_constant_s = 0.5 }', memory) + GRID
    made = task(text, 'outputs = ["fidelity"]\n[sweep.axes]\n"chain.node.memory.t1_s" = [0.5, inf]\n')
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    for i in range(2):
        found = alone(made, i)
        assert values["fidelity"][i] == pytest.approx(
            float(merits(found, outcome(found), clip=True)["fidelity"]), rel=1e-9
        )


def test_a_given_level_that_is_not_exact_fails_with_its_reason():
    memory = 'memory = { model = "t1t2", t1_s = inf, t2_s = 0.5 }'
    text = LINE.replace('memory = { model = "depolarising", time_constant_s = 0.5 }', memory) + GRID
    text += '[evaluate]\nlevel = "bell_diagonal"\n'
    made = task(text, 'outputs = ["fidelity"]\n[sweep.axes]\n"chain.node.memory.t1_s" = [0.5, 0.7]\n')
    values, reasons = made(np.arange(2))
    assert all("a memory relaxes (finite T1)" in reason for reason in reasons)
    assert np.all(np.isnan(values["fidelity"]))


def test_different_links_are_computed_one_by_one():
    links = (
        "links = ["
        + ", ".join(
            f'{{ model = "abstract", p_success = 0.1, attempt_time_s = {t}, werner = 0.97 }}' for t in (1e-3, 2e-3)
        )
        + "]"
    )
    text = LINE.replace("num_links = 2", "").replace(LINE.splitlines()[4], links)
    times = "[1e-3, 1.1e-3, 1.3e-3, 1.7e-3]"
    made = task(text + GRID, f'outputs = ["mean_time_s"]\n[sweep.axes]\n"chain.links.0.attempt_time_s" = {times}\n')
    values, reasons = made(np.arange(4))
    assert reasons == [""] * 4
    for i in (1, 3):
        found = alone(made, i)
        assert values["mean_time_s"][i] == pytest.approx(float(outcome(found).mean_time), rel=1e-9)


def test_zipped_axes():
    made = task(
        LINE + GRID,
        'mode = "zip"\noutputs = ["rate_hz"]\n[sweep.axes]\n' + WERNER + '"chain.link.p_success" = [0.1, 0.2]\n',
    )
    values, _ = made(np.arange(2))
    found = alone(made, 1)
    assert values["rate_hz"][1] == pytest.approx(1 / float(outcome(found).mean_time), rel=1e-9)


def test_a_point_that_cannot_be_computed_is_kept_with_its_reason():
    made = task(FIBRE + GRID, 'outputs = ["fidelity"]\n[sweep.axes]\n"chain.link.length_km" = [1e5, 20]\n')
    values, reasons = made(np.arange(2))
    assert "no attempt heralds a pair" in reasons[0]
    assert reasons[1] == ""
    assert np.isnan(values["fidelity"][0])
    assert np.isfinite(values["fidelity"][1])


def endless(*_):
    """Search the horizon of a problem that takes very long, without a question."""
    yield from ()
    return 1e6


def test_a_grid_that_no_memory_holds_is_a_reason(monkeypatch):
    made = task(LINE + "[time]\nstep_s = 1e-3\n", '[sweep.axes]\n"chain.link.p_success" = [0.2, 0.1]\n')
    monkeypatch.setattr(renewal_module, "measured_horizon", endless)
    values, reasons = made(np.arange(2))
    assert all("A time grid with step_s = 0.001 needs" in reason for reason in reasons)
    assert np.all(np.isnan(values["fidelity"]))


def test_numbers_that_only_fail_together():
    memory = 'memory = { model = "t1t2", t1_s = 1.0, t2_s = 0.5 }'
    text = LINE.replace('memory = { model = "depolarising", time_constant_s = 0.5 }', memory) + GRID
    made = task(text, 'outputs = ["fidelity"]\n[sweep.axes]\n"chain.node.memory.t2_s" = [4.0, 3.0]\n')
    values, reasons = made(np.arange(2))
    assert all("t2" in reason for reason in reasons)
    assert np.all(np.isnan(values["fidelity"]))


OPTIMISE = """
[optimise]
maximise = "secret_key_rate_hz"
parameters = ["schedule.cutoff_times"]
[sweep]
job = "optimise"
outputs = ["secret_key_rate_hz"]
[sweep.axes]
"chain.node.memory.time_constant_s" = [0.2, 1e-4]
"""


POLICY = LINE.replace('tree = "swap(0, 1, cutoff_time=0.02)"', 'policy = "swap_asap"').replace("0.5 } }", "1.0 } }")


@pytest.mark.parametrize(
    "evaluator",
    [
        pytest.param("", id="asap", marks=pytest.mark.slow),  # test_policy_sweep sweeps it too
        pytest.param("[evaluate]\nevaluator = 'sampled'\nnum_samples = 500\nseed = 3\n", id="sampled"),
    ],
)
def test_policies_are_swept(evaluator):
    made = task(POLICY + evaluator, GRADIENTS + '"chain.link.werner" = [0.9, 0.99]\n')
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    for i in range(2):
        right, _ = differentiate(alone(made, i), "fidelity")
        assert values["fidelity"][i] == pytest.approx(right["value"], rel=1e-12)
        slope = right["gradient"]["chain.link.werner"]
        if evaluator:
            told = report_numbers(evaluated(alone(made, i)))["info"]["standard_errors"]["fidelity"]
            assert values["fidelity_standard_error"][i] == pytest.approx(told, rel=1e-9)
        assert values["d_fidelity_d_chain.link.werner"][i] == pytest.approx(slope, rel=1e-9)


@pytest.mark.slow
def test_the_optimise_job_finds_what_the_command_finds():
    from qtn.problem.planner import optimise

    made = SweepTask(loads(LINE + OPTIMISE))
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    best = optimise(alone(made, 0))
    assert values["secret_key_rate_hz"][0] == pytest.approx(best.value, rel=1e-6)
    assert values["best_schedule.cutoff_times.0"][0] > 0
    assert values["secret_key_rate_hz"][1] == 0.0


def test_a_shard_of_a_file(tmp_path):
    (tmp_path / "p.toml").write_text(LINE + GRID + '[sweep]\noutputs = ["fidelity"]\n[sweep.axes]\n' + WERNER)
    for shard in ((0, 2), (1, 2)):
        progress = sweep_shard(tmp_path / "p.toml", tmp_path / "R.zarr", shard=shard)
        assert (progress.total, progress.finished) == (1, True)
    found = open_dataset(tmp_path / "R.zarr")
    assert found["fidelity"].dims == ("chain.link.werner",)
    assert found.attrs["x64"] is True
    assert set(found.attrs["versions"]) >= {"qtn", "jax", "numpy", "zarr"}
    with pytest.raises(ValueError, match="holds another configuration"):
        sweep_shard(tmp_path / "p.toml", tmp_path / "R.zarr", overrides=["chain.link.p_success=0.2"])
    with pytest.raises(ValueError, match=r"holds 1 points of shard 0/2 already; go on with --resume"):
        sweep_shard(tmp_path / "p.toml", tmp_path / "R.zarr", shard=(0, 2), resume=False)
    with pytest.raises(ValueError, match="has chunks of 1 points, not 2; leave --batch out"):
        sweep_shard(tmp_path / "p.toml", tmp_path / "R.zarr", batch=2)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("axes = {}", "sweep.axes"),
        ("[sweep.axes]\n'chain.link.werner' = []", "sweep.axes.*must hold 1 values, but holds 0"),
        ("[sweep.axes]\n'chain.link.werner' = [0.9, 1.2]", r"sweep.axes.chain.link.werner: must .*but holds 1.2"),
        ("[sweep.axes]\n'chain.link.wener' = [0.9]", "chain.link.wener: is an unknown key; did you mean `werner`"),
        ("mode = 'diagonal'\n[sweep.axes]\n'chain.link.werner' = [0.9]", "sweep.mode: must be 'grid' or 'zip'"),
        ("outputs = ['rate']\n[sweep.axes]\n'chain.link.werner' = [0.9]", "sweep.outputs.0: must be 'mean_time_s'"),
        ("job = 'optimise'\n[sweep.axes]\n'chain.link.werner' = [0.9]", "optimise: is missing, but sweep.job"),
        ("derivatives = ['chain']\n[sweep.axes]\n'chain.link.werner' = [0.9]", 'sweep.derivatives: needs job = "grad'),
        (
            "job = 'gradient'\nderivatives = ['chain.x']\n[sweep.axes]\n'chain.link.werner' = [0.9]",
            "sweep.derivatives: `chain.x` matches no number",
        ),
        (
            "mode = 'zip'\n[sweep.axes]\n'chain.link.werner' = [0.9]\n'chain.link.p_success' = [0.1, 0.2]",
            "must be equally long",
        ),
        ("[sweep.axes]\n'chain.link.werner' = {start = 0.9, stop = 1.0}", "num: is missing"),
        ("[sweep.axes]\n'schedule.tree' = ['swap(0']", "no point can be built: .*schedule.tree"),
    ],
    ids=["none", "empty", "range", "name", "mode", "output", "no optimise", "no gradient", "derivative", "zip", "num", "tree"],
)  # fmt: skip
def test_mistakes_in_the_table(table, words):
    with pytest.raises(ProblemError, match=words):
        task(LINE, table)


def test_axes_may_be_written_as_tables():
    quoted = loads(LINE + '[sweep.axes]\n"chain.link.werner" = [0.9, 1.0]\n')
    nested = loads(LINE + "[sweep.axes.chain.link]\nwerner = [0.9, 1.0]\n")
    assert quoted.config.sweep == nested.config.sweep


@pytest.mark.parametrize("quote", ['"', "'"])
def test_axes_are_changed_from_outside(quote):
    text = LINE + '[sweep.axes]\n"chain.link.werner" = { start = 0.8, stop = 1.0, num = 50 }\n'
    made = SweepTask(loads(text, [f"sweep.axes.{quote}chain.link.werner{quote}.num=3"]))
    assert [made.grid.point(i)["chain.link.werner"] for i in range(made.grid.num_points)] == [0.8, 0.9, 1.0]


def test_units_follow_names():
    made = task(FIBRE, GRADIENTS + '"chain.link.length_km" = [10, 20]\n"chain.link.num_modes" = [1, 10]\n')
    units = {column.name: column.unit for column in made.job.columns}
    assert units["secret_key_rate_hz"] == "bit/s"
    assert units["d_secret_key_rate_hz_d_chain.link.length_km"] == "bit/s/km"
    assert units["d_fidelity_d_chain.link.length_km"] == "1/km"
    assert [axis.unit for axis in made.grid.axes] == ["km", ""]


def test_derivatives_at_the_end_of_a_range_are_told():
    plain = task(LINE, GRADIENTS + WERNER)
    assert plain.warnings == []
    axis = task(LINE, GRADIENTS + '"chain.link.werner" = [0.9, 1.0]\n')
    assert len(axis.warnings) == 1 and "(chain.link.werner = 1)" in axis.warnings[0]
    stays = "derivatives = ['chain.link.visibility', 'chain.link.dark_count_probability']\n"
    text = FIBRE.replace("visibility = 0.95", "visibility = 1.0, dark_count_probability = 0.0")
    table = GRADIENTS.replace("[sweep.axes]", stays + "[sweep.axes]") + '"chain.link.length_km" = [10, 20]\n'
    (sentence,) = task(text, table).warnings
    assert "(chain.link.visibility = 1, chain.link.dark_count_probability = 0)" in sentence
    assert task(text, table.replace('job = "gradient"\n', "").replace(stays, "")).warnings == []
