"""Errors in the text of a schedule point at the place, and no text makes the reader hang or crash."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtn.schedules.text import ScheduleTextError, parse
from qtn.schedules.tokens import MAX_CHARACTERS

SEGMENT = (
    "expected a segment (a link number such as 0, swap(a, b), distill(a), distill(a, b), pump(a, b) or wait(a, 0.01))"
)
STEPS = "a schedule is a link number such as 0, swap(a, b), distill(a), distill(a, b), pump(a, b) or wait(a, 0.01)"

ERRORS = [  # text with the caret before the place concerned, what the message says
    ("swap(0, 1^", "expected ',' or ')' after the second segment of swap"),
    ("swap(0^", "expected ',' or ')' after the first segment of swap"),
    ("swap(0 ^1)", "expected ',' or ')' after the first segment of swap"),
    ("swap^", "expected '(' after swap"),
    ("swap(^", f"{SEGMENT}, but found the end of the text"),
    ("swap(^)", f"{SEGMENT}, but found ')'"),
    ("swap(0, ^, 1)", f"{SEGMENT}, but found ','"),
    ("swap(0^)", "expected another argument: write swap(a, b)"),
    ("swap(0, ^)", "expected another argument: write swap(a, b)"),
    ("swap(0, ^cutoff_time=1)", "expected another argument: write swap(a, b)"),
    ("swap(0, 1, ^2)", "expected cutoff_time, cutoff_width, run_time, min_fidelity, latency or ')', but found '2'"),
    (
        "swap(0, 1, ^cutoff_time 1)",
        "expected cutoff_time, cutoff_width, run_time, min_fidelity, latency or ')', but found 'cutoff_time'",
    ),
    ("swap(0, 1)^)", "expected the end of the text, but found ')'"),
    ("swap(0, 1) ^x", "expected the end of the text, but found 'x'"),
    ("0^, 1", "expected the end of the text, but found ','"),
    ("swap(0, ^2)", "the left one ends with link 0 and the right one starts with link 2"),
    ("swap(1, ^0)", "swap needs neighbouring segments"),
    ("swap(0, ^swap(0, 1))", "swap needs neighbouring segments"),
    ("^purify(0)", f"unknown step 'purify'; {STEPS}"),
    ("swap(0, ^foo(1))", "unknown step 'foo'"),
    ('^__import__("os").system("x")', "unknown step '__import__'"),
    ("swap(^0.__class__, 1)", "a link is a whole number such as 0, of at most 9 digits, but found '0.'"),
    ("^lambda: 0", "unknown step 'lambda'"),
    ("^[0, 1]", "unexpected character '['"),
    ("swap(0, 1^; 2)", "unexpected character ';'"),
    ("swap(^-1, 0)", "a link is a whole number such as 0, of at most 9 digits, but found '-1'"),
    ("^0.5", "a link is a whole number"),
    ("^inf", "a link is a whole number"),
    ("swap(0, 1, ^rounds=2)", "unknown option 'rounds' of swap; known: cutoff_time"),
    ("distill(0, ^cutoff=2)", "unknown option 'cutoff' of distill; known: rounds, protocol, cutoff_time"),
    ("wait(0, ^duration=1)", "unknown option 'duration' of wait; write wait(a, 0.01)"),
    ("swap(0, 1, cutoff_time=1, ^cutoff_time=2)", "option cutoff_time is given twice"),
    ("swap(0, 1, cutoff_time=^-1)", "cutoff_time must be non-negative, but is -1"),
    ("swap(0, 1, cutoff_time=^-inf)", "cutoff_time must be non-negative, but is -inf"),
    (
        "swap(0, 1, cutoff_time=^nan)",
        "expected cutoff_time in seconds, a number such as 0.01, but found 'nan'",
    ),
    ("swap(0, 1, cutoff_time=1 ^2)", "expected ',' or ')' after option cutoff_time"),
    ("distill(0, rounds=^0)", "rounds must be a whole number from 1 to 100, but found '0'"),
    ("distill(0, rounds=^1.5)", "rounds must be a whole number from 1 to 100, but found '1.5'"),
    ("distill(0, rounds=^-1)", "rounds must be a whole number"),
    ("distill(0, rounds=^1000000000)", "rounds must be a whole number"),
    ("distill(0, 0, ^rounds=2)", "rounds needs one segment, as in distill(a, rounds=2), but there are two"),
    ("distill(0, ^1)", "the same segment, but the first spans link 0 and the second link 1"),
    ("distill(swap(0, 1), ^0)", "the first spans links 0 to 1 and the second link 0"),
    (
        "distill(0, rounds=2, ^0)",
        "expected rounds, protocol, cutoff_time, cutoff_width, run_time, min_fidelity, latency or ')', but found '0'",
    ),
    ("distill(0, protocol=^dejmps)", "expected a protocol in quotes, such as \"dejmps\", but found 'dejmps'"),
    (
        "distill(0, protocol=^'foo')",
        "unknown protocol 'foo'; known: bbpssw, dejmps, cnot, epl, double_selection, code3, code4, code5",
    ),
    ("distill(0, protocol=^'foo", "this quote is not closed"),
    ("swap(0, 1, cutoff_width=1^)", "cutoff_width makes a cutoff_time soft, but there is none: give both"),
    ("swap(0, 1, cutoff_time=1, min_fidelity=0.5^)", "both discard waiting pairs: give one of them"),
    ("swap(0, 1, min_fidelity=^1.5)", "min_fidelity must be in [0, 1], but is 1.5"),
    ("swap(0, 1, cutoff_time=1, cutoff_width=^0)", "cutoff_width must be positive and finite, but is 0"),
    ("swap(0, 1, latency=^inf)", "latency must be non-negative and finite, but is inf"),
    ("pump(0, min_fidelity=0.5^)", "pump takes a cutoff_time, not a min_fidelity"),
    ("pump(0, protocol='code3'^)", "pump joins two pairs, but code3 joins 3: write distill"),
    ("distill(0, protocol='code3', cutoff_time=1, cutoff_width=1^)", "this protocol joins 3: give a cutoff_time"),
    ("pump(0, ^1)", "pump needs two pairs over the same segment"),
    ("wait(0^)", "expected another argument: write wait(a, 0.01)"),
    (
        "wait(0, ^swap(0, 1))",
        "expected the duration of wait in seconds, a number such as 0.01, but found 'swap'",
    ),
    ("wait(0, ^-1)", "the duration of wait must be non-negative and finite, but is -1"),
    ("wait(0, ^inf)", "the duration of wait must be non-negative and finite, but is inf"),
    ("wait(0, 1, ^2)", "expected ')', but found '2': write wait(a, 0.01)"),
    ("wait(0, 1 ^2)", "expected ',' or ')' after the duration of wait"),
]


def message(text: str) -> str:
    with pytest.raises(ScheduleTextError) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize(("marked", "says"), ERRORS, ids=[marked for marked, _ in ERRORS])
def test_message_and_caret(marked: str, says: str):
    text = marked.replace("^", "")
    problem, line, caret = message(text).split("\n")
    assert says in problem
    assert line == f"  {text}"
    assert caret == f"{' ' * (2 + marked.index('^'))}^"


@pytest.mark.parametrize("text", ["", "  \n\t"], ids=["nothing", "white space"])
def test_empty_text(text: str):
    assert message(text) == "expected a schedule such as swap(0, 1), but the text is empty"


def test_line_of_a_longer_text():
    text = "swap(\n  swap(0, 1),\n\tswap(2,\t9),\n)"
    problem, line, caret = message(text).split("\n")
    assert problem.endswith("(line 3)")
    assert line == "   swap(2, 9),"
    assert line[caret.index("^")] == "9"


def test_end_of_a_text_with_a_final_newline():
    assert message("swap(0,\n  1\n\n").split("\n")[1:] == ["    1", "     ^"]


@pytest.mark.parametrize("place", [0, 10, 99, 100, 450, 900], ids=str)
def test_long_line_shows_a_window(place: int):
    text = " " * place + "$" + " " * 1000 + "0"
    _, line, caret = message(text).split("\n")
    assert len(line) <= 2 + 100 + 6 and line[caret.index("^")] == "$"


LINKS = 2000
DEEP = {
    "64 links": "swap(" * 63 + "0" + "".join(f", {i})" for i in range(1, 64)),
    "many links": "swap(" * (LINKS - 1) + "0" + "".join(f", {i})" for i in range(1, LINKS)),
    "from the right": "".join(f"swap({i}, " for i in range(LINKS)) + str(LINKS) + ")" * LINKS,
    "500 rounds": "distill(" * 500 + "0" + ")" * 500,
    "5000 rounds": "distill(" * 5000 + "0" + ")" * 5000,
    "waits": "wait(" * 5000 + "0" + ",1)" * 5000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_texts_are_read(text: str):
    tree = parse(text).tree
    assert tree.first == 0


HOSTILE = {
    "open": "swap(" * 40_000,
    "closed": ")" * 200_000,
    "digits": "9" * 200_000,
    "duration": f"wait(0, {'9' * 200_000})",
    "rounds": f"distill(0, rounds={'9' * 200_000})",
    "name": "a" * 200_000,
    "quote": "distill(0, protocol='" + "a" * 200_000,
    "protocol": "distill(0, protocol='" + "a" * 200_000 + "')",
    "dots": "." * 200_000,
    "exponents": "1e" * 100_000,
    "spaces": "swap(" + " " * 200_000,
    "lines": "\n" * 200_000 + "$",
    "too long": "0" + " " * MAX_CHARACTERS + "0",
    "null": "swap(0,\x00 1)",
    "escape": "swap(0,\x1b[31m 1)",
    "other digits": "swap(\u0660, \u0661)",
    "other space": "swap(0,\u00a01)",
    "surrogate": "\ud800",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_refused_quickly(text: str):
    start = time.perf_counter()
    shown = message(text)
    assert time.perf_counter() - start < 60.0  # below 0.5 s without type checks; a quadratic reader takes minutes
    assert len(shown) < 500
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_largest_recurrences_are_bounded():
    start = time.perf_counter()
    text = "distill(" * 200 + "0" + ",rounds=100)" * 200
    assert parse(text).tree.first == 0
    assert time.perf_counter() - start < 60.0


WORDS = [
    "swap(",
    "distill(",
    "wait(",
    ")",
    ",",
    "0",
    "1",
    "2",
    "cutoff_time=",
    "rounds=",
    "protocol=",
    "'dejmps'",
]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*WORDS, "0.5", "-1", "inf", "\n", '"', "."]), max_size=15).map("".join) | st.text())
def test_every_text_is_read_or_refused(text: str):
    try:
        parse(text)
    except ScheduleTextError as error:
        assert str(error)
