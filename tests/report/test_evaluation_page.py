"""The page of an evaluation: `qtn evaluate FILE --out FOLDER`."""

import re
from xml.etree import ElementTree

import pytest

from qtn.cli.app import run
from qtn.report.evaluation import write_evaluation
from qtn.report.shares import shares_part, users_of_links
from tests.problem.test_shares import STAR

DEMANDS = [
    {
        "users": ["a<b", "c"],
        "kind": "key",
        "rate_hz": 12.5,
        "ways": [
            {"path": ["a<b", "hub", "c"], "rounds": 1, "rate_hz": 10.0, "fidelity": 0.97},
            {"path": ["a<b", "c"], "rounds": 0, "rate_hz": 2.5, "fidelity": 0.91},
        ],
    },
    {"users": ["c", "hub"], "kind": "pairs", "rate_hz": 0.0, "ways": []},
]
LINKS = [
    {"between": ["a<b", "hub"], "used": 1.0, "price": 0.25},
    {"between": ["hub", "c"], "used": 0.5, "price": 0.0},
    {"between": ["c", "a<b"], "used": 0.0, "price": 0.75},
]
NUMBERS = {
    "fidelity": 0.97,
    "waiting_time_quantiles_s": {"0.5": 2.0},
    "info": {},
    "application": {"model": "shares", "demands": DEMANDS, "links": LINKS, "sentences": ["Improve <it> first."]},
    "network": {
        "nodes": [{"name": name, "at": None, "user": name != "hub"} for name in ("a<b", "hub", "c")],
        "links": [
            {"name": f"l{i}", "between": each["between"], "length_km": 5.0, "num_pairs": 1}
            for i, each in enumerate(LINKS)
        ],
    },
}


def test_who_uses_which_link():
    found = users_of_links(DEMANDS)
    assert found == {frozenset(each["between"]): ["a<b and c"] for each in LINKS}


def test_shares_are_drawn_and_told():
    part = shares_part(NUMBERS)
    drawing = ElementTree.fromstring(re.search(r"<svg.*?</svg>", part, re.DOTALL)[0])
    titles = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert "l0, 5 km, 100% of its time in use by a<b and c; price 0.25" in titles
    widths = {float(each.get("stroke-width")) for each in drawing.iter("{http://www.w3.org/2000/svg}line")}
    assert len(widths) == 3, "each link is as wide as it is used"
    rows = re.findall(r"<tr>(.*?)</tr>", part)
    assert [row.split("</td>")[0] for row in rows if "%" in row] == [
        "<td>c - a&lt;b",
        "<td>a&lt;b - hub",
        "<td>hub - c",
    ]
    assert "a&lt;b - hub - c: 10, fidelity 0.9700, rounds of distillation: 1" in part and "12.5 bit/s" in part
    assert shares_part(NUMBERS | {"application": {"model": "teleportation"}}) == ""


def test_the_page_says_what_comes_first(tmp_path):
    path = write_evaluation(
        "p<q", NUMBERS, {"fidelity": ("fidelity", "")}, tmp_path, config="<file>", versions={"qtn": "1"}
    )
    page = path.read_text()
    places = [
        page.index(words) for words in ("p&lt;q", "Improve &lt;it&gt; first.", "Who uses", "Results", "&lt;file&gt;")
    ]
    assert places == sorted(places) and "<file>" not in page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"], "no draft is left"


def test_evaluate_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "star.toml").write_text(STAR)
    assert run(["evaluate", "star.toml", "--out", "page"]) == 0
    assert "report: page/report.html" in capsys.readouterr().err
    page = (tmp_path / "page" / "report.html").read_text()
    for words in ("ann - hub - bob", "Pairs of users", "How exact this is", "secret-key rate [bit/s]"):
        assert words in page
    (tmp_path / "taken").write_text("")
    assert run(["evaluate", "star.toml", "--out", "taken"]) == 2
    assert "--out: taken cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_quantities_that_are_not_known_are_left_out_or_dashed(tmp_path, missing):
    numbers = NUMBERS | {"fidelity": missing, "application": {}}
    page = write_evaluation("p", numbers, {"fidelity": ("fidelity", "")}, tmp_path, config="", versions={}).read_text()
    assert ("<td>fidelity</td>" in page) == (missing is not None)
