"""Links that take equally long: derivatives by their times are means of the slopes to both sides, and add up."""

import jax
import numpy as np
import pytest

import qtn
from qtn.cli.app import run
from qtn.problem.load import loads
from qtn.problem.run import differentiate

LINK = '{ model = "double_click", length_km = 20.0, attenuation_db_per_km = 0.2, visibility = 0.95 }'
TEXT = f"""
schema = 1
[chain]
links = [{LINK}, {LINK}, {LINK.replace("20.0", "29.17")}]
node = {{ memory = {{ model = "dephasing", t2_s = 1.0 }} }}
[schedule]
tree = "swap(swap(0, 1), 2)"
"""


def line(times):
    links = [qtn.abstract_link(p_success=0.4, attempt_time=time, werner=0.95) for time in times]
    return qtn.chain(links, qtn.node(qtn.dephasing_memory(20.0)))


@pytest.mark.parametrize("evaluator", [qtn.Renewal(), qtn.Asap()], ids=["renewal", "asap"])
@pytest.mark.parametrize("of", [lambda found: found.mean_time, lambda found: found.bell_diagonal[0]], ids=["time", "F"])
def test_equal_links_have_equal_derivatives_that_add_up(evaluator, of):
    """Two equal links: each has half of the slope when both move, and so the mean of its slopes to both sides."""
    schedule = qtn.nested(1) if isinstance(evaluator, qtn.Renewal) else qtn.swap_asap(ends="kept")

    def value(times):
        return of(evaluator.summarise(line([times[0], times[1]]), schedule))

    slopes = jax.grad(value)(np.array([1.0, 1.0]))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-10)
    together = (value(np.full(2, 1.0 + 1e-6)) - value(np.full(2, 1.0 - 1e-6))) / 2e-6
    np.testing.assert_allclose(slopes.sum(), together, rtol=1e-7)


def test_it_is_the_mean_of_both_sides():
    """Of the mean time, whose slopes to both sides follow from E[max] of geometric times with a small detuning."""
    slope = jax.grad(lambda time: qtn.Renewal().summarise(line([1.0, time]), qtn.nested(1)).mean_time)(1.0)
    p, q, count = 0.4, 0.6, np.arange(1, 200)
    first, second = np.meshgrid(count, count)
    weights = p * q ** (first - 1) * p * q ** (second - 1)
    right = np.sum(weights * np.where(second >= first, second, 0))  # a tie lasts longer if the second link slows down
    left = np.sum(weights * np.where(second > first, second, 0))
    np.testing.assert_allclose(slope, (left + right) / 2, rtol=1e-10)


def test_a_file_says_which_links_tie():
    found = differentiate(loads(TEXT), "mean_time_s")[0]
    assert found["ties"] == [0, 1] and not found["multiples"]
    slopes = [found["gradient"][f"chain.links.{i}.refractive_index"] for i in (0, 1)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-10)


@pytest.mark.slow
def test_ties_are_said_to_be_means_of_both_sides(tmp_path, capsys):
    path = tmp_path / "ties.toml"
    path.write_text(TEXT)
    assert run(["gradient", str(path), "--of", "mean_time_s"]) == 0
    said = capsys.readouterr().out
    assert "Links 0, 1 take equally long: by what moves the attempt time" in said and "one-sided" not in said


def test_multiples_are_said_to_be_one_sided(tmp_path, capsys):
    links = ", ".join(
        f'{{ model = "abstract", p_success = 0.5, attempt_time_s = {time}, werner = 0.9 }}' for time in (1.0, 2.0)
    )
    path = tmp_path / "multiples.toml"
    path.write_text(f'schema = 1\n[chain]\nlinks = [{links}]\n[schedule]\ntree = "swap(0, 1)"\n')
    assert run(["gradient", str(path), "--of", "mean_time_s"]) == 0
    said = capsys.readouterr().out
    assert "Attempt times are multiples of a common time" in said and "equally long" not in said
