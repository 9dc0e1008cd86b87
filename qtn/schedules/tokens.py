"""Split the text of a schedule into tokens, and point at the place where it is wrong."""

import re
from typing import NamedTuple

MAX_CHARACTERS = 250_000
"""Longest text that is read or written."""

WINDOW = 100
"""Most characters of a line that a message shows."""

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"""(?P<number>[+-]?(?:inf\b|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
      | (?P<name>[A-Za-z_]\w*)
      | (?P<string>'[^'\r\n]*'|"[^"\r\n]*")
      | (?P<mark>[(),=])""",
    re.VERBOSE | re.ASCII,
)


class ScheduleTextError(ValueError):
    """Say what is wrong in the text of a schedule; shows the line, with a caret under the place."""

    def __init__(self, problem: str, text: str, position: int) -> None:
        super().__init__(f"{problem}{_shown(text, position)}")


def _shown(text: str, position: int) -> str:
    """Show the line around a position (a part of it if it is long), and a caret under the position."""
    if not text:
        return ""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line, column = text[start : len(text) if end < 0 else end], position - start
    where = f" (line {text.count(chr(10), 0, position) + 1})" if "\n" in text.strip() else ""
    left, right = 0, len(line)
    if len(line) > WINDOW:
        left = max(0, min(column - WINDOW // 2, len(line) - WINDOW))
        right = left + WINDOW
    dots = "..." if left > 0 else ""
    part = "".join(character if character.isprintable() else " " for character in line[left:right])
    part = f"{dots}{part}{'...' if right < len(line) else ''}".rstrip()
    return f"{where}\n  {part}\n  {' ' * (len(dots) + column - left)}^"


class Token(NamedTuple):
    """One token: `kind` is "number", "name", "string", "mark" or "end"."""

    kind: str
    text: str
    start: int

    def __str__(self) -> str:
        """Name the token in a message."""
        if self.kind == "end":
            return "the end of the text"
        return repr(self.text if len(self.text) <= 30 else f"{self.text[:27]}...")


class Tokens:
    """The tokens of a text, one at a time: `token` is the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._stop = len(text.rstrip(" \t\r\n"))
        if self._stop == 0:
            raise ScheduleTextError("expected a schedule such as swap(0, 1), but the text is empty", "", 0)
        if len(text) > MAX_CHARACTERS:
            problem = f"the text has {len(text)} characters, but at most {MAX_CHARACTERS} are read"
            raise ScheduleTextError(problem, text, MAX_CHARACTERS)
        self.token = self._scan(0)

    def _scan(self, position: int) -> Token:
        """Return the token at or after a position."""
        start = self._skip(position)
        if start >= self._stop:
            return Token("end", "", self._stop)
        match = _TOKEN.match(self.text, start)
        if match is None:
            character = self.text[start]
            problem = "this quote is not closed" if character in "'\"" else f"unexpected character {character!r}"
            raise ScheduleTextError(problem, self.text, start)
        return Token(str(match.lastgroup), match.group(), start)

    def _skip(self, position: int) -> int:
        """Return the position after white space."""
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def advance(self) -> Token:
        """Return the next token and move on."""
        token = self.token
        self.token = self._scan(token.start + len(token.text))
        return token

    def before(self, mark: str) -> bool:
        """Tell whether the token after the next one is `mark`."""
        position = self._skip(self.token.start + len(self.token.text))
        return self.text[position : position + 1] == mark

    def accept(self, mark: str) -> bool:
        """Move on and return True if the next token is `mark`."""
        found = self.token.kind == "mark" and self.token.text == mark
        if found:
            self.advance()
        return found

    def error(self, problem: str, at: int | None = None) -> ScheduleTextError:
        """Return an error that points at the next token, or at a position."""
        return ScheduleTextError(problem, self.text, self.token.start if at is None else at)
