"""The commands that show a store: a report for the eye, a figure for a paper."""

from pathlib import Path
from typing import Annotated

import typer

from qtn import _text
from qtn.cli.app import app

Run = Annotated[str, typer.Argument(metavar="RUN.zarr", help="Store of `qtn sweep`.")]


@app.command()
def report(
    run: Run,
    out: Annotated[str, typer.Option(help="File to write.")] = "report.html",
) -> None:
    """Write a sweep as one HTML page: figures with the tables beside them, what failed, the configuration.

    Example: qtn report RUN.zarr --out report.html
    """
    from qtn.report.sweep_page import write_sweep_report
    from qtn.sweeps.dataset import open_dataset

    path = write_sweep_report(open_dataset(run), Path(out))
    print(f"wrote {path}")


@app.command()
def plot(
    run: Run,
    x: Annotated[str, typer.Option(help="Axis of the sweep, by its name or the end of it.")],
    y: Annotated[str, typer.Option(help="An output, for lines; or another axis, for a heat map.")],
    of: Annotated[str | None, typer.Option(help="The output that a heat map shows.")] = None,
    by: Annotated[str | None, typer.Option(help="Axis that gives one line for each of its values.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="AXIS=VALUE", help="Value of another axis, the nearest; repeatable.")
    ] = None,
    out: Annotated[str, typer.Option(help="Figure: .pdf, .svg or .png.")] = "plot.pdf",
    width: Annotated[float, typer.Option(help="Width of the figure [inch].")] = 3.4,
) -> None:
    """Draw one figure of a sweep for a paper: lines over one axis, or a heat map over two.

    Example: qtn plot RUN.zarr --x length_km --y secret_key_rate_hz --by num_modes --out fig.pdf
    """
    from qtn.report.sweep_paper import save_plot
    from qtn.sweeps.dataset import open_dataset

    chosen = {}
    for each in where or ():
        name, separator, value = each.partition("=")
        if not separator:
            raise ValueError(f"--where: must be AXIS=VALUE, but is {_text.echoed(each)}")
        chosen[name] = value
    path = save_plot(open_dataset(run), Path(out), x=x, y=y, of=of, by=by, where=chosen, width=width)
    print(f"wrote {path}")
