"""Mutations of texts: what slips of the pen, torn files and hostile numbers do to them."""

import random
import re

HOSTILE = ("10**400", "1" + "0" * 400, "9223372036854775808", "5e-324", "9" * 5000, "-1", "0", "1e308", "nan", "inf", "-0.0",
           "100000000", "1e-9", "''", '"x"', "[]", "{}", "true", "0x10", "1_000", "\x00", "\u202e", "é", "((", "]]")  # fmt: skip
TOKEN = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\w+|[^\w\s]")


def mutated(text: str, seed: int) -> str:
    """Return a text with one to three changes, always the same ones for a seed."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        text = chance.choice(MUTATIONS)(text, chance) or text
    return text


def _place(text: str, chance: random.Random) -> tuple[int, int]:
    found = [match.span() for match in TOKEN.finditer(text)]
    return chance.choice(found) if found else (0, 0)


def _number(text: str, chance: random.Random) -> str:
    found = [match.span() for match in re.finditer(r"\d+\.?\d*(?:[eE][+-]?\d+)?", text)]
    start, end = chance.choice(found) if found else (0, 0)
    return text[:start] + chance.choice(HOSTILE) + text[end:]


def _drop(text: str, chance: random.Random) -> str:
    start, end = _place(text, chance)
    return text[:start] + text[end:]


def _double(text: str, chance: random.Random) -> str:
    start, end = _place(text, chance)
    return text[:end] + " " + text[start:end] * chance.choice((1, 2, 300)) + text[end:]


def _exchange(text: str, chance: random.Random) -> str:
    (a, b), (c, d) = sorted((_place(text, chance), _place(text, chance)))
    return text if b > c else text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _replace(text: str, chance: random.Random) -> str:
    start, end = _place(text, chance)
    return text[:start] + chance.choice(HOSTILE) + text[end:]


def _tear(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    place = chance.randrange(len(lines))
    lines[place:place] = [lines[chance.randrange(len(lines))]] * chance.choice((1, 1, 50))
    return "\n".join(lines)


def _misspell(text: str, chance: random.Random) -> str:
    start, end = _place(text, chance)
    word = list(text[start:end])
    chance.shuffle(word)
    return text[:start] + "".join(word) + text[end:]


MUTATIONS = (_number, _number, _drop, _double, _exchange, _replace, _tear, _line, _misspell)
