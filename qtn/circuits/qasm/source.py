"""Read OpenQASM text into the reference syntax tree, with errors that name file, line and column."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from typing import Any

from qtn import _budget, _text
from qtn._budget import Budget

CURE = 'OpenQASM files need the parser: install `pip install "openqasm3[parser]"`.'

RECURSION = 12_000
"""Calls inside each other while a program is read: Python keeps them on its heap."""

MOST_SIGNS = 2000
"""Signs in a row that the grammar is asked to read; it needs seconds to refuse more."""


class QasmError(ValueError):
    """A program that is wrong or not supported; the message names file, line and column."""


class Source:
    """Text of a file in the form that the parser takes, and where its parts lie in the original.

    The reference grammar is that of OpenQASM 3, which contains OpenQASM 2 but for two things, normalised here without
    moving a line: `^` is a power (written `**`; the columns are counted back), and `opaque` declarations are blanked.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        lines = _without_comments(text).split("\n")
        self.version = _version("\n".join(lines))
        self.opaque: set[str] = set()
        self._inserted: dict[int, list[int]] = {}
        self.text = "\n".join(lines)
        if self.version == 2:
            self.text = re.sub(r"\bopaque\s+(\w+)[^;]*;", self._blank, self.text)
            self.text = "\n".join(self._powers(number, line) for number, line in enumerate(self.text.split("\n"), 1))
        self._starts = [0]
        for line in self.text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def error(self, node: Any, message: str) -> QasmError:
        """Return the error for a node of the tree."""
        line, column = node.span.start_line, node.span.start_column
        offset = column - self._starts[line - 1]  # identifiers carry their place in the whole text
        if type(node).__name__ == "Identifier" and offset >= 0:
            column = offset
        return self.error_at(line, column, message)

    def undeclared(self, node: Any, what: str, name: str) -> QasmError:
        """Return the error for a register that is not there; `what` is `qubit` or `bit`."""
        old = {"qubit": "qreg", "bit": "creg"}
        declared = f"{old[what]} {name}[n]" if self.version == 2 else f"{what}[n] {name}"
        return self.error(node, f"there is no {what} `{name}` here: declare it as `{declared};`.")

    def require(self, node: Any, budget: Budget, count: int) -> None:
        """Refuse what a node of the tree asks for if it does not fit into a budget."""
        if said := budget.excess(count):
            raise self.error(node, f"{said}.")

    def error_at(self, line: int, column: int, message: str) -> QasmError:
        """Return the error for a place: line from 1, column from 0 in the normalised text."""
        moved = sum(1 for place in self._inserted.get(line, ()) if place < column)
        return QasmError(f"{self.name}:{line}:{column - moved + 1}: {message}")

    def tree(self) -> Any:
        """Return the syntax tree.

        Raises:
            QasmError: where the text is not OpenQASM, with line and column.
            ImportError: without the parser, with the cure.
        """
        try:
            from openqasm3.parser import QASM3ParsingError, parse
        except ImportError as error:
            raise ImportError(CURE) from error
        if self.version not in (2, 3):
            raise self.error_at(1, 0, f"OpenQASM {self.version} is not supported: the versions are 2.0 and 3.")
        self._check_size()
        try:
            with contextlib.redirect_stderr(io.StringIO()), deeper():  # the grammar prints what the exception says
                return parse(self.text)
        except QASM3ParsingError as error:
            raise self._syntax_error(error) from None
        except RecursionError:
            raise self.too_deep() from None
        except Exception as error:  # the visitor of the grammar trips over what its parser lets pass
            raise self.error_at(1, 0, f"is not OpenQASM that can be read ({_text.one_line(str(error))}).") from None

    def too_deep(self) -> QasmError:
        """Return the error for a program whose expressions or statements are nested without end."""
        cure = "define gates for their parts" if self.version == 2 else "name their parts with `const`"
        return self.error_at(1, 0, f"expressions or statements are nested too deeply: {cure}.")

    def _check_size(self) -> None:
        """Refuse what the grammar would need minutes or endless recursion for."""
        if not self.text.strip():
            raise self.error_at(
                1, 0, 'the file is empty; a program begins with `OPENQASM 3.0; include "stdgates.inc";`.'
            )
        if said := _budget.CHARACTERS.excess(len(self.text)):
            raise self.error_at(1, 0, f"{said}.")
        if digits := re.search(rf"\d{{{_budget.DIGITS.most + 1}}}\d*", self.text):
            raise self._error_in_text(digits.start(), f"{_budget.DIGITS.excess(len(digits[0]))}.")
        if re.search(rf"(?:[-~!]\s*){{{MOST_SIGNS + 1}}}", self.text):
            raise self.too_deep()
        depth = 0
        for bracket in re.finditer(r"[(\[{]|[)\]}]", self.text):
            depth += 1 if bracket[0] in "([{" else -1
            if said := _budget.NESTING.excess(depth):
                raise self._error_in_text(bracket.start(), f"{said}.")

    def _error_in_text(self, place: int, message: str) -> QasmError:
        line = self.text.count("\n", 0, place) + 1
        return self.error_at(line, place - self._starts[line - 1], message)

    def _syntax_error(self, error: Exception) -> QasmError:
        told = re.match(r"L(\d+):C(\d+): (.*)", str(error), re.DOTALL)
        if told:
            return self.error_at(int(told[1]), int(told[2]), f"{told[3]}.")
        cause: Any = error.__cause__
        while cause is not None and not hasattr(cause, "offendingToken"):
            cause = next((arg for arg in cause.args if hasattr(arg, "offendingToken")), None)
        token = None if cause is None else cause.offendingToken
        if token is None:
            return self.error_at(1, 0, "is not OpenQASM.")
        word = "the end of the file" if token.text == "<EOF>" else f"`{token.text}`"
        return self.error_at(token.line, token.column, f"{word} is not expected here; is something missing before it?")

    def _blank(self, match: re.Match[str]) -> str:
        self.opaque.add(match[1])
        return re.sub(r"[^\n]", " ", match[0])

    def _powers(self, number: int, line: str) -> str:
        places = [match.start() + shift for shift, match in enumerate(re.finditer(r"\^", line))]
        if places:
            self._inserted[number] = places
        return line.replace("^", "**")


@contextlib.contextmanager
def deeper() -> Iterator[None]:
    """Allow for the recursion that sums of hundreds of terms need, in the grammar and in the tree."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _without_comments(text: str) -> str:
    """Blank comments, so that nothing in them is taken for code; lines and columns stay."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.DOTALL)


def _version(text: str) -> int:
    """Return the version that a file says; without a word what its standard gates are from."""
    found = re.match(r"\s*OPENQASM\s+(\d+)", text)
    return int(found[1]) if found else 2 if '"qelib1.inc"' in text else 3
