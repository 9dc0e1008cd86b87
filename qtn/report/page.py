"""Assemble and write the HTML page."""

import html
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtn import _files
from qtn.report import figures
from qtn.report.codes import codes_part
from qtn.report.content import Content
from qtn.report.passes import passes_part
from qtn.report.schedules import number, schedules, shown, table
from qtn.report.tables import edge_words, inside

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5rem 0; }
th, td { text-align: right; padding: 0.2rem 0.8rem; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; } svg { max-width: 100%; height: auto; }
td code { overflow-wrap: anywhere; }
pre { background: #f6f6f6; padding: 0.8rem; overflow-x: auto; font-size: 0.85rem; }
.big { font-size: 1.15rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
@media print { body { max-width: none; margin: 0; } h2 { break-after: avoid; } svg { break-inside: avoid; } }
"""


def results_table(content: Content) -> str:
    """Return the evaluation with and without optimisation, side by side."""
    rows = [[label(content, key), number(content.initial[key]), number(content.best[key])] for key in content.words]
    for level in ("0.05", "0.5", "0.95"):
        values = [side["waiting_time_quantiles_s"][level] for side in (content.initial, content.best)]
        rows.append([f"waiting time, {float(level):.0%} quantile [s]", *map(number, values)])
    words = {
        "plob_rate_hz": "PLOB bound of direct transmission [bit/s]",
        "repeater_rate_hz": "bound with ideal repeaters at equal distances [bit/s]",
        "plob_bits_per_use": "PLOB bound [bit per use of the channel]",
        "repeater_bits_per_use": "bound with ideal repeaters [bit per use of the chain]",
    }
    sides = (content.initial, content.best)
    rows += [[text, *(number(s[key]) for s in sides)] for key, text in words.items() if all(key in s for s in sides)]
    if all("deadline" in side for side in sides):
        time = number(content.best["deadline"]["time_s"])
        words = {
            "probability": f"probability of a pair by {time} s",
            "fidelity": f"fidelity of pairs by {time} s",
            "mean_time_s": f"mean waiting time, giving up after {time} s [s]",
        }
        rows += [[text, *(number(side["deadline"][key]) for side in sides)] for key, text in words.items()]
    if all("storage_times_s" in side for side in sides):
        rows.append(["mean age of the pair at delivery [s]", *(number(sum(s["storage_times_s"])) for s in sides)])
    return table(["", "settings of the file", "best settings"], rows)


def sentences(best: Mapping[str, Any]) -> str:
    """Return what was left out, and what the application says of the best settings and warns of."""
    left_out = [best["left_out"]] if "left_out" in best else []
    use = best.get("application", {})
    said = [*left_out, *use.get("sentences", []), *(f"Warning: {each}" for each in use.get("warnings", []))]
    return "".join(f"<p>{html.escape(each)}</p>" for each in said)


def label(content: Content, key: str) -> str:
    """Return the words for a quantity with its unit."""
    words, unit = content.words.get(key, (key.replace("_", " "), ""))
    return f"{words} [{unit}]" if unit else words


def headline(content: Content) -> str:
    """Return the answer in one paragraph."""
    before, after = content.initial[content.merit], content.best[content.merit]
    _, unit = content.words.get(content.merit, ("", ""))
    text = f"{html.escape(label(content, content.merit))}: <b>{number(after)}</b>"
    if before is None or after is None or before == after:
        pass
    elif before > 0:
        text += f", {after / before:.3g} times that of the settings in the file ({f'{number(before)} {unit}'.rstrip()})"
    else:
        text += f"; the settings in the file give {number(before)} {unit}".rstrip()
    plob = content.best.get("plob_rate_hz")
    if plob and content.merit == "secret_key_rate_hz":
        text += (
            f"; {after / plob:.3g} times the bound for direct transmission over the same fibre ({number(plob)} bit/s)"
        )
    return f'<p class="big">{text}.</p>'


def drawings(content: Content) -> dict[str, str]:
    """Return the figures by name, or a sentence in place of each if matplotlib is absent."""
    names = ("waiting_time", "fidelity_in_time", "convergence", "sensitivities")
    if importlib.util.find_spec("matplotlib") is None:
        return dict.fromkeys(names, "<p>Figures need matplotlib: <code>pip install matplotlib</code>.</p>")
    return {
        "waiting_time": figures.waiting_time(content),
        "fidelity_in_time": figures.fidelity_in_time(content),
        "convergence": figures.convergence(content, label(content, content.merit)) if content.history.size else "",
        "sensitivities": figures.sensitivities(content, label(content, content.sensitivity_of or content.merit))
        if content.elasticity
        else "",
    }


def in_time(waiting: str, fidelity: str) -> str:
    """Return the figures over time, as far as they are known."""
    if not waiting:
        return ""
    title = "When a pair arrives, and how good it is" if fidelity else "When a pair arrives"
    return f'<h2>{title}</h2><div class="pair"><div>{waiting}</div><div>{fidelity}</div></div>'


def signed(values: Mapping[str, float], name: str) -> str:
    """Return a number with its sign, an en dash where there is none."""
    return f"{values[name]:+.4g}" if name in values else number(None)


def slope(content: Content, name: str) -> str:
    """Return a derivative, or a slope with what it is."""
    edge = f" ({edge_words(content.edges[name])})" if name in content.edges else ""
    return f"{content.gradient[name]:.4g}{edge}"


def exactness(info: Mapping[str, Any]) -> str:
    """Say how exact the results are, where they stand on a time grid."""
    if "num_steps" not in info:
        return ""
    return f"""<h2>How exact this is</h2>
<p>Time grid: {info["num_steps"]} steps of {number(info["step_s"])} s; grid error at most {info["grid_error"]:.1e}
(relative, of the mean time; absolute, of the Bell weights); probability beyond the grid {info["tail_mass"]:.1e}.</p>"""


def render(content: Content) -> str:
    """Return the page: self-contained HTML with inline SVG."""
    drawn, of = drawings(content), label(content, content.sensitivity_of or content.merit)
    head = ["setting", "in the file", "best", *(["times better"] if content.factors else [])]
    settings = table(
        head,
        (
            [f"<code>{html.escape(name)}</code>", *map(number, (old, new, content.factors.get(name)))][: len(head)]
            for name, (old, new) in content.settings.items()
        ),
    )
    improve = table(
        ["parameter", "1 % better", "elasticity", "derivative"],
        (
            [
                f"<code>{html.escape(name)}</code>",
                signed(content.gain, name),
                signed(content.elasticity, name),
                slope(content, name),
            ]
            for name in list(dict.fromkeys([*content.gain, *content.elasticity]))[:20]
        ),
    )
    versions = ", ".join(f"{name} {version}" for name, version in content.versions.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(content.name)}: qtn</title><style>{STYLE}</style></head><body>
<h1>{html.escape(content.name)}</h1>
{headline(content)}
{f"<p>Schedule: <code>{html.escape(shown(content.tree))}</code></p>" if content.tree else ""}
{schedules(content.planning) if content.planning else ""}
<h2>Best settings</h2>{settings if content.settings else ""}<p>{html.escape(content.status)}</p>
<h2>Results</h2>{results_table(content)}
{sentences(content.best)}
{inside(content.best)}
{codes_part(content.best.get("links", []))}
{passes_part(content.best)}
{in_time(drawn["waiting_time"], drawn["fidelity_in_time"])}
<h2>What to improve first</h2>
<p>1 % better: by how much the {html.escape(of)} changes when one number of the hardware has 1 % less error or loss,
or 1 % more time, to first order. Elasticity: by how many per cent it changes when a number grows by 1 %. Both at the
best settings.</p>
{drawn["sensitivities"]}{improve}
{"<h2>Convergence</h2>" if drawn["convergence"] else ""}{drawn["convergence"]}
{exactness(content.best["info"])}
<h2>Problem</h2><pre>{html.escape(content.config)}</pre>
<p>{html.escape(versions)}</p>
</body></html>
"""


def write(content: Content, folder: Path) -> Path:
    """Write `report.html` into a folder, whole or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    _files.write(path, render(content))
    return path
