"""Checkpoints: records are whole, exact and refused elsewhere; a killed run ends where an uninterrupted one does."""

import json
import signal
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest

from qtn.optimisation.checkpoint import Checkpoint, open_checkpoint
from qtn.optimisation.records import Reader, Writer
from qtn.problem.load import loads
from qtn.problem.planner import optimise
from qtn.schedules.families import nested

LINE = """
schema = 1
[chain]
num_links = 3
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "depolarising", time_constant_s = 0.5 }, swap = { p_success = 0.5 } }
"""
NUMBERS = (
    LINE
    + '[schedule]\ntree = "swap(swap(0, 1, cutoff_time=0.02), 2)"\n[optimise]\nparameters = ["schedule.cutoff_times"]\n'
)
SMALL = (
    LINE.replace("num_links = 3", "num_links = 2")
    + """
[optimise]
parameters = ["chain.link.werner"]
search = { max_rounds = 1 }
"""
)
SEARCH = LINE + "[optimise]\nsearch = { max_rounds = 1, cutoffs = true }\nminimum = { fidelity = 0.9 }\n"


class Killed(BaseException):
    """Ends a run at once, as a kill does; nothing catches it."""


def killed_at(moments):
    """Return a report that ends the run at its first call, second call, ..., and then lets it go on."""
    left = list(moments)

    def report(*_):
        if left:
            left[0] -= 1
            if left[0] < 0:
                left.pop(0)
                raise Killed

    return report


def restarted(run, folder, moments):
    """Run until it ends; each entry of `moments` is a kill after so many reports."""
    report = killed_at(moments)
    for _ in range(len(moments) + 1):
        checkpoint = open_checkpoint(folder, {"of": "test"})
        try:
            return run(report=report, checkpoint=checkpoint)
        except Killed:
            checkpoint.lock.close()
    raise AssertionError("still killed")


def test_records_are_exact_and_whole(tmp_path):
    checkpoint = open_checkpoint(tmp_path / "c", {"x": 1})
    values = {"a": np.array([1 / 3, np.nan, np.inf]), "b": np.arange(4)}
    checkpoint.save("one", {"third": 1 / 3, "never": float("inf")}, values)
    document, arrays = checkpoint.load("one") or (None, {})
    assert document["third"] == 1 / 3  # pyright: ignore
    assert document["never"] == float("inf")  # pyright: ignore
    np.testing.assert_array_equal(arrays["a"], values["a"])
    assert checkpoint.load("two") is None
    assert sorted(file.name for file in (tmp_path / "c").iterdir()) == ["checkpoint.json", "one.npz"]


def test_sections_have_their_own_names(tmp_path):
    checkpoint = open_checkpoint(tmp_path, {})
    first, second = checkpoint.next("search"), checkpoint.next("search")
    first.save("x", 1)
    second.save("x", 2)
    first.discard()
    assert first.load("x") is None
    assert (second.load("x") or [0])[0] == 2


def test_objects_come_back_shared_and_equal():
    schedule = nested(3)
    written = {"a": (schedule, [schedule]), "b": float("nan"), "c": jnp.arange(2.0), "d": np.arange(2.0)}
    document, arrays = Writer().write(written)
    back = Reader().read(json.loads(json.dumps(document)), arrays)
    assert back["a"][0] is back["a"][1][0]
    assert back["a"][0].tree == schedule.tree
    assert isinstance(back["c"], jnp.ndarray) and isinstance(back["d"], np.ndarray)
    assert isinstance(back["a"][0].cutoff_times, np.ndarray)
    assert len(document["objects"]) == 1 + 8 + 7 + 1  # the rules, none, that all steps share


def test_only_dataclasses_of_the_package_are_read():
    with pytest.raises(ValueError, match=r"must hold dataclasses of qtn, but names os\.system"):
        Reader().read({"value": {"object": 0}, "objects": [[0, "os", "system", {}]]}, [])
    with pytest.raises(TypeError, match=r"a object cannot be written"):
        Writer().write(object())


def test_a_journal_evaluates_each_point_once(tmp_path):
    calls = []

    def costly(x):
        calls.append(x)
        return x * 2, np.sum(x)

    journal = open_checkpoint(tmp_path, {}).journal("f")
    journal.recorded(costly)(np.array([0.1, 0.2]))
    journal.flush()
    again = Checkpoint(tmp_path).journal("f").recorded(costly)
    twice, total = again(np.array([0.1, 0.2]))
    np.testing.assert_array_equal(twice, [0.2, 0.4])
    assert total == 0.1 + 0.2
    assert len(calls) == 1


def other_problem(folder):
    open_checkpoint(folder, {"chain": {"num_links": 3}}).lock.close()
    return {"chain": {"num_links": 4}}


def other_files(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("")


def in_use(folder):
    in_use.kept = open_checkpoint(folder, {})


def no_folder(folder):
    folder.write_text("")


def older(folder):
    folder.mkdir()
    (folder / "checkpoint.json").write_text('{"schema": 0, "sha256": ""}')


def damaged(folder):
    folder.mkdir()
    (folder / "checkpoint.json").write_text("{")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (other_problem, r"belongs to another problem \(it differs in: chain.num_links\); name a new folder"),
        (other_files, "holds other files; name a new folder"),
        (in_use, "is in use by another run"),
        (no_folder, "cannot be a folder of records"),
        (older, "has schema 0, this version reads 2"),
        (damaged, "checkpoint.json is damaged"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_what_does_not_fit_is_refused(tmp_path, prepare, words):
    identity = prepare(tmp_path / "c") or {}
    with pytest.raises(ValueError, match=words):
        open_checkpoint(tmp_path / "c", identity)


def test_a_damaged_record_is_named(tmp_path):
    checkpoint = open_checkpoint(tmp_path, {})
    checkpoint.save("x", 1, {"a": np.ones(100)})
    content = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"x\.npz is damaged; delete this file"):
        checkpoint.load("x")


def same_optimum(one, other):
    assert [c.schedule.tree for c in one.choices] == [c.schedule.tree for c in other.choices]
    assert [c.score for c in one.choices] == [c.score for c in other.choices]
    assert [dict(c.values) for c in one.choices] == [dict(c.values) for c in other.choices]
    np.testing.assert_array_equal(one.history, other.history)
    assert (one.parameters, one.value, one.status) == (other.parameters, other.value, other.status)
    if one.found is not None:
        assert (one.found.evaluated, one.found.guarantee) == (other.found.evaluated, other.found.guarantee)
    assert one.best.tuned.multipliers == other.best.tuned.multipliers


@pytest.mark.slow
def test_tuning_goes_on_to_the_same_numbers(tmp_path):
    problem = loads(NUMBERS)
    whole = optimise(problem)
    restart = restarted(lambda **more: optimise(problem, **more), tmp_path, [0, 3, 12])
    same_optimum(whole, restart)
    assert whole.num_gradients > 15


@pytest.mark.parametrize("text", [SMALL, pytest.param(SEARCH, marks=pytest.mark.slow)], ids=["small", "cut-offs"])
def test_planning_goes_on_to_the_same_schedules(tmp_path, text):
    problem = loads(text)
    calls = []
    whole = optimise(problem, report=lambda *_: calls.append(1))
    moments = [len(calls) // 2]
    same_optimum(whole, restarted(lambda **more: optimise(problem, **more), tmp_path, moments))
    assert not list(tmp_path.glob("*sweep*")), "a finished search drops its frontier"


def command(folder, *more):
    arguments = ["optimise", "p.toml", "--json", "--out", "out", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "qtn", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def answer(process):
    found = json.loads(process.communicate()[0])
    assert process.returncode == 0
    return {key: value for key, value in found.items() if key not in ("seconds", "evaluations")}


def after_kills(folder, records):
    """Kill the command as soon as each number of records is there; then let it end."""
    kept = folder / "kept"
    for count in records:
        process = command(folder, "--checkpoint", "kept")
        while process.poll() is None and len(list(kept.glob("*.npz"))) < count:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return answer(command(folder, "--checkpoint", "kept"))


@pytest.mark.multiproc
@pytest.mark.slow
@pytest.mark.parametrize("text", [NUMBERS, SEARCH], ids=["numbers", "search"])
def test_the_command_survives_kills(tmp_path, text):
    (tmp_path / "p.toml").write_text(text)
    assert answer(command(tmp_path)) == after_kills(tmp_path, [1, 1, 2, 3])


TOY = """
import sys, time
import numpy as np
from qtn.optimisation.bounded import Interval
from qtn.optimisation import checkpoint
from qtn.optimisation.constrained import climb_subject_to
from qtn.optimisation.settings import ConstrainedSettings
checkpoint.EVERY_S = 0.0
def model(x):
    time.sleep(0.1)
    f = -(x[0] - 0.3) ** 2 * x[1]
    return np.array([[-2 * (x[0] - 0.3) * x[1], -(x[0] - 0.3) ** 2]]), np.array([f])
kept = checkpoint.open_checkpoint(sys.argv[1], {"toy": 1}).journal("evaluations") if len(sys.argv) > 1 else None
fit = climb_subject_to([], model, {"x": 0.9, "y": 0.5}, dict(x=Interval(0.0, 1.0), y=Interval(0.1, 1.0)), journal=kept,
    settings=ConstrainedSettings(num_starts=2))
print(fit.parameters, fit.value, fit.num_evaluations, fit.start_values.tolist())
"""


@pytest.mark.multiproc
def test_a_process_survives_kills(tmp_path):
    def started(*arguments):
        return subprocess.Popen([sys.executable, "-c", TOY, *arguments], stdout=subprocess.PIPE, text=True)

    kept = tmp_path / "kept"
    process = started(str(kept))
    while process.poll() is None and not list(kept.glob("*.npz")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    endings = [process.communicate()[0] for process in (started(str(kept)), started())]
    assert endings[0] == endings[1] != ""
