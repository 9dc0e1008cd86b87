"""`qtn check` and `--dry-run` build the points of a sweep: every mistake at once, under the name of the file."""

import json

import pytest

from qtn.cli.app import run
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.sweep import SweepTask

LINE = """
schema = 1
[chain]
num_links = 2
link = { model = "double_click", length_km = 20, attenuation_db_per_km = 0.2, efficiency = 0.5, visibility = 0.95 }
node = { memory = { model = "dephasing", t2_s = 0.5 } }
[schedule]
tree = "swap(0, 1)"
"""
LENGTH, LINKS, TREE = '"chain.link.length_km"', '"chain.num_links"', '"schedule.tree"'


def table(*axes, more=""):
    return f"{LINE}\n[sweep]\n{more}\n[sweep.axes]\n" + "\n".join(axes)


WRONG = {
    "log from 0": (f'{LENGTH} = {{ start = 0, stop = 10, num = 3, scale = "log" }}', "must be positive on a log scale"),
    "equal ends": (f"{LENGTH} = {{ start = 5, stop = 5, num = 3 }}", "start and stop must differ, but both are 5.0"),
    "no number": ('"schema" = [1]', "sweep.axes.schema: names no number"),
    "no such key": ('"chain.link.length" = [1.0]', "chain.link.length: is an unknown key; did you mean `length_km`?"),
    "no such table": ('"fibre" = [1.0, 2.0]', "fibre: is an unknown key"),
    "a table": ('"chain.link" = [1.0]', "chain.link: must be a table, but is 1.0"),
    "no such time": ('"schedule.cutoff_times.0" = [1.0]', "schedule.cutoff_times.0: the tree has 0 of these"),
    "text": (f'{LENGTH} = ["x"]', "chain.link.length_km: must be a number, but is 'x'"),
    "infinite": (f"{LENGTH} = [inf]", "sweep.axes.chain.link.length_km: must be at least 0 and finite, but holds inf"),
    "infinite count": (f"{LINKS} = [inf]", "chain.num_links: must be a whole number, but is inf"),
    "tree cannot follow": (f"{LINKS} = [2, 3, 4]", "sweep.axes.chain.num_links: no point with 3, nor with 1 others, can be built: schedule.tree: Argument `schedule` must span links 0 to 2"),
    "tree never follows": (f"{LINKS} = [3]", "sweep.axes: no point can be built: schedule.tree"),
    "one word of two": ('"merit.protocol" = ["bb84", "x"]', "no point with 'x' can be built: merit.protocol: must be 'bb84'"),
    "repeated": (f"{LENGTH} = [1.0, 1.0]", "must not repeat a value"),
}  # fmt: skip


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "odd name.toml"


@pytest.mark.parametrize(("axis", "words"), WRONG.values(), ids=WRONG)
def test_check_and_dry_run_refuse_what_the_sweep_refuses(file, capsys, axis, words):
    file.write_text(table(axis))
    told = []
    for arguments in (
        ["check"],
        ["evaluate", "--dry-run"],
        ["sweep", "--out", "R.zarr", "--dry-run"],
        ["sweep", "--out", "R.zarr"],
    ):
        command, *more = arguments
        assert run([command, "odd name.toml", *more]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        told.append([line for line in output.err.splitlines() if not line.startswith("qtn: ")])
    assert told[0] == told[1] == told[2] == told[3]
    assert len(told[0]) == 1
    assert told[0][0].startswith("odd name.toml: sweep.axes")
    assert words in told[0][0]
    assert [each.name for each in file.parent.iterdir()] == ["odd name.toml"]


def test_every_mistake_at_once(file, capsys):
    axes = [
        f'{LENGTH} = {{ start = 0, stop = 10, num = 3, scale = "log" }}',
        '"chain.link.visibility" = [0.9, 1.2]',
        f"{LINKS} = [2, 3]",
        '"merit.protocol" = ["x", "bb84"]',
    ]
    file.write_text(table(*axes, more='derivatives = ["chain"]'))
    assert run(["check", file.name]) == 2
    told = capsys.readouterr().err.splitlines()
    for words in (
        "on a log scale",
        "visibility: must lie in [0, 1], but holds 1.2",
        "no point with 3 can be built: schedule.tree",
        "no point with 'x' can be built: merit.protocol",
        'sweep.derivatives: needs job = "gradient"',
    ):
        assert sum(words in line for line in told) == 1, words
    assert len(told) == 5
    assert all(line.startswith("odd name.toml: sweep.") for line in told)


def test_mistakes_of_several_names_at_once(file, capsys):
    file.write_text(table('"fibre" = [1.0, 2.0]', '"chain.link.lenght" = [1.0]', f"{LINKS} = [3, 4]"))
    assert run(["check", file.name]) == 2
    told = capsys.readouterr().err
    assert [told.count(words) for words in ("fibre: is an unknown", "lenght: is an unknown", "schedule.tree:")] == [
        1,
        1,
        1,
    ]


def test_mistakes_of_the_job_at_once():
    with pytest.raises(ProblemError) as told:
        SweepTask(loads(table(f"{LENGTH} = [-1.0]", more='job = "optimise"') + '\n[evaluate]\nevaluator = "sampled"'))
    assert [line.split(":")[0] for line in told.value.errors] == [
        "sweep.axes.chain.link.length_km",
        "sweep.job",
        "optimise",
    ]


@pytest.mark.parametrize("mode", ["grid", "zip"])
def test_zipped_axes_are_judged_too(mode):
    axes = [f"{LINKS} = [2, 3]", f'{TREE} = ["swap(0, 1)", "swap(swap(0, 1), 2)"]', f"{LENGTH} = [1.0, 2.0]"]
    made = SweepTask(loads(table(*axes, more=f'mode = "{mode}"')))
    assert made.grid.num_points == (8 if mode == "grid" else 2), "each value fits to one of the others"
    if mode == "zip":
        with pytest.raises(ProblemError, match="must be equally long") as told:
            SweepTask(loads(table(f"{LENGTH} = [1.0, 2.0]", '"chain.link.visibility" = [7.0]', more='mode = "zip"')))
        assert len(told.value.errors) == 2
        with pytest.raises(ProblemError, match="no point with 3 can be built"):
            SweepTask(loads(table(f"{LINKS} = [2, 3]", f'{TREE} = ["swap(0, 1)", "swap(1, 0)"]', more='mode = "zip"')))


def test_what_is_good_stays_good(file, capsys):
    file.write_text(table(f"{LENGTH} = [1.0, 2.0]", '"chain.node.memory.t2_s" = [inf]', '"merit.protocol" = ["bb84"]'))
    assert run(["check", file.name]) == 0
    assert capsys.readouterr().out.startswith("odd name.toml: good: ")
    assert run(["evaluate", file.name, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["sweep"]["axes"]["chain.link.length_km"] == [1.0, 2.0]
