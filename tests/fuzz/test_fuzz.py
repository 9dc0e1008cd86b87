"""Whatever is wrong with a file, `qtn` ends with 0 or 2 and says so in sentences."""

import re
import resource
import signal

import pytest

from qtn.cli.app import run
from tests.fuzz.mutations import mutated
from tests.fuzz.sources import AXES, CIRCUITS, OVERRIDES, PROBLEMS, TREES
from tests.problem.files import FOUR_LINKS

SECONDS = 20
GIGABYTES = 2
CLASS = re.compile(r"\b[A-Z]\w*(Error|Exception|Warning)\b|Traceback|qtn: unexpected")


def overdue(*_):
    raise RuntimeError(f"it ran for more than {SECONDS} s")


def ends_well(arguments, capsys):
    """Run a command line: exit code 0 or 2, sentences without classes of Python, time and memory kept."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGPROF, overdue)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of computing: other work on the machine does not count
    try:
        code = run(arguments)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    output = capsys.readouterr()
    lines = [line for line in output.err.splitlines() if not re.match(r"qtn: \d+ x |warning: ", line)]
    assert code in (0, 2), output.err
    assert code == 0 or lines, "nothing was said"
    assert not any(CLASS.search(line) for line in lines), output.err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIGABYTES * 1e6  # in kB
    return code


def several(short, long):
    """Return few seeds for the default run, and many that are slow."""
    return [pytest.param(seed, marks=pytest.mark.slow if seed >= short else ()) for seed in range(long)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("seed", several(40, 450))
def test_problem_files(seed, folder, capsys):
    (folder / "F.toml").write_text(mutated(PROBLEMS[seed % len(PROBLEMS)], seed), errors="replace")
    ends_well(["evaluate", "F.toml", "--dry-run"] if seed % 9 or seed < 40 else ["evaluate", "F.toml"], capsys)


@pytest.mark.parametrize("seed", several(12, 300))
def test_circuits(seed, folder, capsys):
    (folder / "F.qasm").write_text(
        mutated(CIRCUITS[seed % (len(CIRCUITS) if seed >= 12 else 2)], seed), errors="replace"
    )
    ends_well(["circuit", "F.qasm", "--observable", "Z0"], capsys)


@pytest.mark.parametrize("seed", several(6, 100))
def test_trees(seed, folder, capsys):
    tree = mutated(TREES[seed % 2], seed).replace("\\", "/").replace("'''", "")
    text = re.sub(r'^tree = ".*"$', lambda _: f"tree = '''{tree}'''", FOUR_LINKS, flags=re.MULTILINE)
    (folder / "F.toml").write_text(text, errors="replace")
    ends_well(["evaluate", "F.toml", "--dry-run"], capsys)


@pytest.mark.parametrize("seed", several(6, 100))
def test_axes(seed, folder, capsys):
    (folder / "F.toml").write_text(
        f"{FOUR_LINKS}[sweep]\naxes = {{ {mutated(AXES[seed % 2], seed)} }}", errors="replace"
    )
    ends_well(["sweep", "F.toml", "--out", "R.zarr", *(["--dry-run"] if seed % 5 or seed < 6 else [])], capsys)


@pytest.mark.parametrize("seed", several(6, 100))
def test_overrides(seed, folder, capsys):
    (folder / "F.toml").write_text(FOUR_LINKS)
    ends_well(["evaluate", "F.toml", "--dry-run", "--set", mutated(OVERRIDES[seed % 3], seed)], capsys)
