"""The drawing of a schedule: well formed, complete, folded, escaped, the same each time."""

import collections
import html
import math
import re
import xml.etree.ElementTree

import jax
import jax.numpy as jnp
import pytest

import qtn
from qtn.report.drawing import draw_schedule

SVG = "{http://www.w3.org/2000/svg}"


def classes(drawing):
    """How many marks of each class there are."""
    root = xml.etree.ElementTree.fromstring(drawing)
    return collections.Counter(element.get("class") for element in root.iter() if element.get("class"))


def texts(drawing):
    """All texts but those of the legend."""
    root = xml.etree.ElementTree.fromstring(drawing)
    legend = {id(part) for group in root.iter(SVG + "g") if group.get("class") == "legend" for part in group.iter()}
    return [part.text for part in root.iter(SVG + "text") if id(part) not in legend]


def tooltips(drawing):
    return [part.text for part in xml.etree.ElementTree.fromstring(drawing).iter(SVG + "title")]


def drawn(text, **options):
    return draw_schedule(qtn.parse(text), **options)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_every_link_swap_and_node_is_there(levels):
    found = classes(draw_schedule(qtn.nested(levels)))
    links = 2**levels
    assert (found["link"], found["swap"], found["node"], found["name"]) == (links, links - 1, links + 1, links + 1)
    assert not found["distill"] and not found["cutoff"] and not found["copies"]


@pytest.mark.parametrize(
    "text, copies, label",
    [
        ("distill(0)", "×2", ["1 × bbpssw"]),
        ('distill(0, rounds=3, protocol="dejmps")', "×8", ["3 × dejmps"]),
        ("distill(distill(distill(0, 0), 0), 0)", "×4", ["3 ×", "bbpssw", "pumped"]),
    ],
    ids=["one round", "recurrence", "pumping"],
)
def test_rounds_fold_into_one_box(text, copies, label):
    found, shown = classes(drawn(text)), texts(drawn(text))
    assert found["link"] == found["distill"] == found["copies"] == 1
    assert copies in shown
    assert [line for line in label if line in shown] == label


def test_changes_of_protocol_do_not_fold():
    found = drawn('distill(distill(0, protocol="dejmps"))')
    assert classes(found)["distill"] == classes(found)["copies"] == 2
    assert {"1 × dejmps", "1 × bbpssw"} <= set(texts(found)) and texts(found).count("×2") == 2


def test_a_consumed_pair_unlike_the_kept_one_is_drawn_beside_it():
    found = classes(drawn("distill(swap(0, 1), swap(0, wait(1, 0.01)))"))
    assert found["link"] == found["spare link"] == 2 and found["swap"] == found["spare swap"] == 1
    assert found["wait"] == found["wait-time"] == 1 and found["distill"] == 1


def test_what_comes_back_is_drawn_once_and_referred_to():
    part = "swap(distill(0), 1)"
    both = drawn(f"distill(distill({part}, swap(0, 1)), {part})")
    assert classes(both)["distill"] == 3  # the one inside the part, drawn once, and two that differ in what they use
    assert any("as #1" in text for text in texts(both) if text)


def test_times_carry_units_and_belong_to_their_step():
    found = drawn("swap(wait(0, 2e-5), distill(1, cutoff_time=0.25), cutoff_time=3.0)", node_names=["A", "B", "C"])
    assert classes(found)["cutoff"] == 2 and classes(found)["wait-time"] == 1
    assert {"20 µs", "250 ms", "3 s"} <= set(texts(found))
    assert {"3e+06 µs", "2.5e+05 µs"} <= set(
        texts(
            draw_schedule(qtn.parse("swap(wait(0, 2e-5), distill(1, cutoff_time=0.25), cutoff_time=3.0)"), None, 1e-6)
        )
    )


def test_no_cutoff_is_drawn_for_an_infinite_one_that_is_stored():
    stored = qtn.swap(qtn.elementary(0), qtn.elementary(1), cutoff_time=math.inf)
    assert "never" in texts(draw_schedule(stored))
    assert not classes(drawn("swap(0, 1)"))["cutoff"]


def test_legend_names_only_what_is_drawn():
    assert "swap at a node" not in drawn("distill(0)") and "distillation" not in drawn("swap(0, 1)")
    assert "swap at a node" in drawn("swap(0, 1)") and "distillation" in drawn("distill(0)")


@pytest.mark.parametrize("name", ["<b>&\"'", "Zürich 🛰", "a\x00b\nc", "x" * 200, ""])
def test_any_name_gives_one_escaped_well_formed_line(name):
    found = drawn("swap(0, 1)", node_names=[name, "B", "C"])
    assert len(classes(found)) > 3  # parsed
    assert "<b>" not in found and "\x00" not in found
    if name.isprintable() and 0 < len(name) < 20:
        assert html.escape(name) in found
        assert any(f"{name} – B" in tip for tip in tooltips(found))


def test_nothing_is_fetched_and_nothing_can_run():
    found = drawn("distill(swap(0, 1, cutoff_time=1.0))")
    assert not re.search(r"<script|<style|href|url\(| id=|\son\w+=", found)
    assert found.count("http") == 1  # the namespace


def test_the_same_schedule_gives_the_same_text():
    text = "distill(swap(distill(0), 1, cutoff_time=0.2))"
    assert drawn(text) == drawn(text)
    assert drawn(text) != drawn(text.replace("0.2", "0.3"))


def test_numbers_of_links_that_do_not_start_at_0():
    part = qtn.swap(qtn.elementary(3), qtn.elementary(4))
    assert [text for text in texts(draw_schedule(part)) if text and text.isdigit()] == ["3", "4", "5"]


@pytest.mark.parametrize("rounds", [40, 300])
def test_deep_trees_need_no_recursion_and_stay_small(rounds):
    schedule = qtn.sequential(rounds)
    pumped = qtn.elementary(0)
    for _ in range(rounds):
        pumped = qtn.distill(pumped, qtn.elementary(0))
    assert classes(draw_schedule(schedule))["swap"] == rounds - 1
    assert len(draw_schedule(pumped)) < 5000 and f"{rounds} ×" in texts(draw_schedule(pumped))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"node_names": ["A", "B"]}, "`node_names` must hold 3 names, one per node, but holds 2"),
        ({"cutoff_unit_s": 60.0}, r"`cutoff_unit_s` must be one of .* but is 60\.0"),
    ],
)
def test_errors_name_the_argument(options, message):
    with pytest.raises(ValueError, match=message):
        drawn("swap(0, 1)", **options)


def test_traced_times_are_refused():
    def draw(time):
        draw_schedule(qtn.swap(qtn.elementary(0), qtn.elementary(1), cutoff_time=time))
        return jnp.zeros(())

    with pytest.raises(ValueError, match="`schedule` must hold concrete numbers, but `cutoff_times` is traced"):
        jax.jit(draw)(1.0)
