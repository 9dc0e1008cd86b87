"""The report and the plots of a sweep: what is on them, from stores with one, two and three axes."""

import html.parser
import importlib.util

import numpy as np
import pytest
import xarray as xr

from qtn.cli.app import run
from qtn.report.sweep_data import band, elasticity, in_words, label, logarithmic, outputs, picked, spread_out
from qtn.report.sweep_figures import cells, heat_map
from qtn.report.sweep_page import render_sweep
from qtn.report.sweep_paper import save_plot
from qtn.sweeps.dataset import open_dataset
from tests.report.stores import LENGTH, MODES, RATE, TIME, rate, store


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    short = {LENGTH: [10.0, 20.0, 30.0], "schedule.tree": ["swap(0, swap(1, 2))", "swap(swap(0, 1), 2)"]}
    together = {LENGTH: [10.0, 20.0, 30.0], TIME: [1.0, 2.0, 3.0]}
    four = {LENGTH: [10.0, 20.0], TIME: [0.1, 1.0], MODES: [1, 10], "chain.link.werner": [0.9, 0.95]}
    cases = {
        "none": dict(axes_given={LENGTH: [10.0]}),
        "one": dict(axes=(LENGTH,), failing=(3,)),
        "two": dict(axes=(LENGTH, TIME), failing=(5, 6)),
        "three": dict(failing=(7,), upto=55),
        "four": dict(axes_given=four),
        "texts": dict(axes_given=short),
        "zipped": dict(mode="zip", axes_given=together),
        "empty": dict(axes=(LENGTH,), upto=0),
        "failed": dict(axes=(LENGTH,), failing=range(19)),
    }
    return {name: open_dataset(store(folder / f"{name}.zarr", **case)) for name, case in cases.items()}


class Balance(html.parser.HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.outside = [], []

    def handle_starttag(self, tag, attrs):
        self.outside += [
            value for name, value in attrs if name in ("src", "href") and not str(value).startswith(("#", "data:"))
        ]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.outside += [
            value for name, value in attrs if name.endswith("href") and not str(value).startswith(("#", "data:"))
        ]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("name", "figures", "words"),
    [
        ("none", 0, ["609.9", "none failed"]),
        ("one", 2, ["link length [km]", "secret-key rate [bit/s]", "no pair arrives", "lower", "18</b> of 19"]),
        ("two", 2, ["rows: node memory time constant [s], columns: link length [km]", "2 failed"]),
        ("three", 2, ["panels: link num modes [1]", "1 failed", "108 not computed yet"]),
        ("four", 2, ["where it is largest; the store holds the rest"]),
        ("texts", 2, ["schedule", "swap(0, swap(1, 2))"]),
        ("zipped", 2, ["node memory time constant [s]"]),
        ("empty", 2, ["0</b> of 19", "19 not computed yet"]),
        ("failed", 2, ["19 failed"]),
    ],
)
def test_pages(stores, name, figures, words):
    page = render_sweep(stores[name], name)
    assert page.count("<svg") == figures
    for each in [*words, "delft &lt;eindhoven&gt;", "num_links", "qtn 0.1.0, jax 0.10.2", "config sha256"]:
        assert each in page, each
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert balance.outside == [], "a page loads nothing"
    assert len(page) < 1_000_000


def test_a_page_without_matplotlib(stores, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    page = render_sweep(stores["one"], "one")
    assert "<svg" not in page
    assert "Figures need matplotlib" in page


def test_a_dataset_from_python_has_a_page_too():
    found = xr.Dataset({"value": ("x", [1.0, 4.0, 9.0])}, {"x": [1.0, 2.0, 3.0]})
    page = render_sweep(found, "squares")
    assert "squares" in page
    assert "called from Python" in page


def test_elasticities_say_what_changes_an_output_most():
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0])
    f = x[:, None] ** 2 * (y - 1.0)  # 0 at y = 1: no elasticity there
    slopes = {"d_f_d_x": (("x", "y"), 2 * f / x[:, None]), "d_f_d_y": (("y", "x"), (x[:, None] ** 2 * (y > 0)).T)}
    found = xr.Dataset({"f": (("x", "y"), f), **slopes}, {"x": x, "y": y})
    np.testing.assert_allclose(elasticity(found, "f", "x")[:, 1], 2.0)
    np.testing.assert_allclose(elasticity(found, "f", "y")[:, 1], 1.5)
    assert np.all(np.isnan(elasticity(found, "f", "x")[:, 0]))
    page = render_sweep(found, "square")
    assert "<td>f</td><td>x</td><td>2</td><td>2 to 2</td>" in page
    assert page.index("<td>f</td><td>x</td>") < page.index("<td>f</td><td>y</td><td>1.5</td>")
    assert "What changes it most" not in render_sweep(found[["f"]], "without derivatives")


def test_standard_errors_are_told():
    found = xr.Dataset({"f": ("x", [1.0, 2.0]), "f_standard_error": ("x", [0.1, 0.25])}, {"x": [0.0, 1.0]})
    assert "standard error of f at most 2.5e-01" in render_sweep(found, "sampled")


def test_bands_come_from_derivatives_errors_or_limits(stores):
    found = stores["one"]
    length = found[LENGTH].values
    around = band(found, RATE)
    assert around
    value, slope = rate(length, 0.1, 10.0)
    good = np.isfinite(around.lower)
    assert good.sum() == 18
    np.testing.assert_allclose((around.upper - value)[good], np.abs(slope * length * 0.01)[good], rtol=1e-12)
    assert "1 % of link length" in around.words
    measured = xr.Dataset({"f": ("x", [1.0, 2.0]), "f_standard_error": ("x", [0.1, 0.2])}, {"x": [0, 1]})
    from_errors = band(measured, "f")
    assert from_errors
    np.testing.assert_allclose(from_errors.upper, [1.196, 2.392])
    limits = xr.Dataset({"f": ("x", [1.0]), "f_lower": ("x", [0.5]), "f_upper": ("x", [3.0])}, {"x": [0]})
    from_limits = band(limits, "f")
    assert from_limits
    np.testing.assert_allclose([from_limits.lower, from_limits.upper], [[0.5], [3.0]])
    assert outputs(measured) == outputs(limits) == ["f"]
    assert outputs(found) == [RATE, "fidelity"]


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("chain.link.length_km", "km", "link length"),
        ("secret_key_rate_hz", "bit/s", "secret key rate"),
        ("chain.link.loss_db_per_km", "dB/km", "link loss"),
        ("qber_x", "", "QBER x"),
        ("chain.links.2.werner", "", "links 2 werner"),
    ],
)
def test_names_in_words(name, unit, words):
    assert in_words(name, unit) == words


def test_labels_have_units(stores):
    assert (
        label(stores["texts"], "schedule.tree") == "schedule tree" or label(stores["texts"], "schedule.tree") == "tree"
    )
    assert label(stores["two"], "fidelity") == "fidelity [1]"


def test_scales():
    assert logarithmic(np.geomspace(1, 100, 5))
    assert not logarithmic(np.linspace(1, 100, 5))
    assert not logarithmic(np.array([0.0, 1.0, 10.0]))
    np.testing.assert_allclose(cells(np.array([1.0, 10.0, 100.0])), 10 ** np.array([-0.5, 0.5, 1.5, 2.5]))
    np.testing.assert_allclose(cells(np.array([1.0, 2.0, 4.0, 4.5])), [0.5, 1.5, 3.0, 4.25, 4.75])
    assert spread_out(100, 4) == [0, 33, 66, 99]


def test_cells_show_their_own_values(stores):
    found = stores["two"]
    drawing = heat_map(found, RATE, LENGTH, TIME)
    mesh = drawing.axes[0].collections[0]
    np.testing.assert_array_equal(
        mesh.get_array()[2], np.ma.masked_invalid(found[RATE].values[:, 2]).clip(mesh.norm.vmin)
    )


def test_where_takes_the_nearest(stores):
    part = picked(stores["two"], {"time_constant_s": "0.11"})
    assert part.sizes[TIME] == 1
    assert part[TIME].values[0] == pytest.approx(0.1)


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_lines_and_maps_for_papers(stores, tmp_path, suffix):
    path = save_plot(stores["two"], tmp_path / f"lines{suffix}", x="length_km", y=RATE)
    assert path.stat().st_size > 1000
    path = save_plot(stores["two"], tmp_path / f"map{suffix}", x="length_km", y="time_constant_s", of=RATE)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(x="height", y=RATE), "--x: 'height' is none of: chain.link.length_km"),
        (dict(x="length_km", y="rat"), "--y: 'rat' is none of: secret_key_rate_hz"),
        (dict(x="length_km", y=RATE), "say where .*time constant.*num modes.* lies, as AXIS=VALUE"),
        (dict(x="length_km", y="num_modes"), "--of: say which output the heat map shows: secret_key_rate_hz, fidelity"),
        (dict(x="length_km", y=RATE, where={"num_modes": "many"}), "--where: chain.link.num_modes must be a number"),
        (dict(x="length_km", y=RATE, out="fig.jpg"), "must end with one of .pdf, .svg, .png, but is 'fig.jpg'"),
    ],
    ids=["axis", "output", "left over", "map of what", "where", "kind"],
)
def test_plots_that_cannot_be_drawn(stores, tmp_path, options, words):
    out = tmp_path / options.pop("out", "fig.pdf")
    with pytest.raises(ValueError, match=words):
        save_plot(stores["three"], out, **options)


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "RUN.zarr", axes=(LENGTH,))
    assert run(["report", "RUN.zarr"]) == 0
    assert "<svg" in (tmp_path / "report.html").read_text()
    assert run(["plot", "RUN.zarr", "--x", "length_km", "--y", "fidelity", "--out", "fig.pdf"]) == 0
    assert (tmp_path / "fig.pdf").read_bytes().startswith(b"%PDF")
    capsys.readouterr()
    assert run(["report", "RUN.zarr", "--out", "no/where.html"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run(["report", "other.zarr"]) == 2
    assert "there is no such store" in capsys.readouterr().err
    assert run(["plot", "RUN.zarr", "--x", "length_km", "--y", "fidelity", "--where", "x"]) == 2
    assert "--where: must be AXIS=VALUE" in capsys.readouterr().err
