"""The commands, and what all of them share: options, errors, exit codes."""

import os
import re
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from qtn import _text

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[str, typer.Argument(metavar="FILE", help="Problem file (TOML).")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the file; repeatable.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the resolved problem and stop.")]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu; gpu fails where there is none.")]


def show_version(asked: bool) -> bool:
    """Print the version, that of JAX too, and stop."""
    if asked:
        from importlib.metadata import version

        print(f"qtn {version('qtn-networks')}, jax {version('jax')}")
        raise typer.Exit
    return asked


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Exact states, waiting times and key rates of quantum networks, with a gradient for every number."""


INTERRUPTED = 130
"""Exit code after Ctrl-C."""


class InterruptedRun(Exception):  # noqa: N818 (it is no error, and no KeyboardInterrupt, which typer takes for itself)
    """Ctrl-C in a run that keeps something: what, and how to go on."""


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    import qtn.cli.circuit  # (these register the commands)
    import qtn.cli.cluster
    import qtn.cli.commands
    import qtn.cli.compare
    import qtn.cli.show
    import qtn.cli.sweep  # noqa: F401

    given = sys.argv[1:] if arguments is None else arguments
    try:
        refuse_control_characters(given)
        code = typer.main.get_command(app)(args=given, standalone_mode=False)
        return interrupted() if code == INTERRUPTED else code if isinstance(code, int) else 0
    except InterruptedRun as error:
        return interrupted(f": {error}")
    except (KeyboardInterrupt, typer.Abort):
        return interrupted()
    except ValueError as error:
        return bad_input(error)
    except MemoryError:
        return too_large(given)
    except OSError as error:
        return not_written(error)
    except Exception as error:
        if re.search("RESOURCE_EXHAUSTED|Out of memory", str(error)):  # how JAX says MemoryError
            return too_large(given)
        return wrong_usage(error) if hasattr(error, "format_message") else unexpected(error)


def refuse_control_characters(arguments: list[str]) -> None:
    """Check that whatever the command line holds can be printed, and written into a script.

    Raises:
        ValueError: if not.
    """
    for position, argument in enumerate(arguments):
        option, equals, _ = argument.partition("=")
        before = arguments[position - 1] if position else ""
        own = option if equals and option.startswith("--") else before if before.startswith("--") else ""
        _text.plain(own if own.isprintable() and own else f"argument {position + 1}", argument)


def complain(text: str) -> None:
    """Print a sentence on standard error."""
    print(_text.told(text), file=sys.stderr)


def interrupted(words: str = "") -> int:
    """Print the closing line after Ctrl-C."""
    complain(f"qtn: interrupted{words}")
    return INTERRUPTED


def too_large(arguments: list[str]) -> int:
    """Print that something does not fit into memory, and what may make it smaller."""
    if arguments[:1] == ["circuit"]:
        complain("The state of this circuit does not fit in memory: lower --max-bond, or ask for fewer --shots")
    else:
        complain(
            "This does not fit in memory: shorten the time grid (lower time.num_steps, raise time.step_s, or leave "
            "both out), or ask for less (bonds, samples, candidates)"
        )
    return 2


def not_written(error: OSError) -> int:
    """Print why a store cannot be written; 2 where another folder helps, else 1."""
    from qtn.sweeps.store import WriteError

    if not isinstance(error, WriteError):
        return unexpected(error)
    complain(f"qtn: {error}")
    return 2 if error.wrong_place else 1


def wrong_usage(error: Any) -> int:
    """Print what the parser of the command line says, or the help it asks for."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())
    else:
        complain(f"qtn: {_text.one_line(error.format_message())}; see `qtn --help`")
    return 2


def bad_input(error: ValueError) -> int:
    """Print what is wrong with the input; only our own sentences are input errors."""
    from qtn.problem.messages import ProblemError

    ours = isinstance(error, ProblemError) or raised_by_qtn(error)
    if not ours:
        return unexpected(error)
    complain(str(error))
    return 2


def raised_by_qtn(error: BaseException) -> bool:
    """Whether the innermost frame of an error is in this package (not merely below a folder of that name)."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(__file__).parents[1])


def unexpected(error: Exception) -> int:
    """Print one line for an error that is a bug or a broken machine."""
    if os.environ.get("QTN_DEBUG"):
        traceback.print_exception(error)
    complain(f"qtn: unexpected {type(error).__name__}: {error}; QTN_DEBUG=1 shows the traceback")
    return 1


def print_json(data: Any) -> None:
    """Print one JSON object on standard output; numbers that are not finite become null."""
    import json

    print(json.dumps(finite(data), indent=2))


def finite(data: Any) -> Any:
    """Replace numbers that JSON cannot hold by None."""
    import math

    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
