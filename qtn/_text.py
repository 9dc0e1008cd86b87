"""Text that comes from outside, before it is printed, or written into a script or a table."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

MOST = 200
"""Characters of a text that are echoed."""

LONGEST_LINE = 2000
"""Characters of a line of a message, all that it echoes together."""

WORD = re.compile(rf"\S{{{MOST + 1},}}")

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal, ends a line, turns the order of letters round, or is no character at all."""

ALSO = {"e91": "bbm92", "cnot": "CX", "toffoli": "CCX", "hadamard": "H", "phase": "P"}
"""What others call things that are choices here."""

FORMULA = re.compile("\\s*[=+\\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n]")
"""How a cell begins that a spreadsheet takes for a formula."""


def meant(given: Any, known: Iterable[str]) -> str:
    """Return the closing words for what is likely meant by a choice that is not known: of its letters or initials.

    Example:
        >>> meant("e91", ["bb84", "bbm92"]), meant("skr", ["fidelity", "secret_key_rate_hz"]), meant("x", ["bb84"])
        ('; did you mean `bbm92`?', '; did you mean `secret_key_rate_hz`?', '')
    """
    names, word = list(known), str(given).lower()
    shorts = {name: "".join(part[0] for part in name.split("_") if part) for name in names}
    initials = [name for name, short in shorts.items() if len(word) > 1 and short.startswith(word)]
    letters = {name.lower(): name for name in names}
    close = [letters[each] for each in difflib.get_close_matches(word, letters, n=1)]
    found = [name for name in [letters.get(word), ALSO.get(word), *close, *initials] if name in names]
    return f"; did you mean `{found[0]}`?" if found else ""


def plain(name: str, text: str) -> str:
    """Return a text that holds no control characters.

    Args:
        name: what an error calls it.
        text: any.

    Raises:
        ValueError: if it holds some.

    Example:
        >>> plain("--out", "RUN.zarr")
        'RUN.zarr'
    """
    if CONTROL.search(text):
        raise ValueError(f"{name}: must not hold control characters, but is {echoed(text)}")
    return text


def printable(text: str) -> str:
    r"""Return a text of several lines with its control characters, ends of lines apart, written as escapes.

    Example:
        >>> print(printable("a \x1b[31mtitle"))
        a \x1b[31mtitle
    """
    return CONTROL.sub(lambda found: found[0] if found[0] == "\n" else repr(found[0])[1:-1], text)


def told(text: str) -> str:
    """Return a message as it can be printed: no control characters, and nothing in it that never ends."""
    lines = (WORD.sub(lambda found: shortened(found[0]), line) for line in printable(text).split("\n"))
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..." for line in lines)


def one_line(text: str) -> str:
    """Return a text as it can stand in one line: control characters as escapes, cut short."""
    return shortened(printable(text).replace("\n", "\\n"))


def shortened(text: str) -> str:
    """Return at most `MOST` characters of a text."""
    return text if len(text) <= MOST else f"{text[: MOST - 3]}..."


def echoed(value: Any) -> str:
    """Return what was given, as Python writes it, cut short."""
    return shortened(printable(repr(value)))


def number(value: Any) -> str:
    """Return a number as Python writes it, cut short; of whole numbers without end only how long they are.

    Example:
        >>> number(0.25), number(10**5000)
        ('0.25', 'a whole number of more than 300 digits')
    """
    if isinstance(value, int) and abs(value) >= 10**300:
        return "a whole number of more than 300 digits"
    return shortened(repr(value))


def cell(value: Any) -> Any:
    """Return an entry of a table such that no spreadsheet executes it: an apostrophe stands before such a text.

    Example:
        >>> cell("=1+1"), cell("swap(0, 1)"), cell(-1.5)
        ("'=1+1", 'swap(0, 1)', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value
