"""Read the text of a schedule, with a stack of its own instead of recursion."""

import dataclasses
from typing import Any

import numpy as np

from qtn import _checks
from qtn.schedules.arguments import MAX_ROUNDS, span
from qtn.schedules.limits import LIMITS, conflict, rules_of
from qtn.schedules.tokens import Token, Tokens
from qtn.schedules.tree import NUMBERS, Distill, Elementary, Schedule, Swap, Tree, Wait, pumping, recurrence
from qtn.steps.distill import PROTOCOLS, DistillationProtocol

KNOWN = "a link number such as 0, swap(a, b), distill(a), distill(a, b), pump(a, b) or wait(a, 0.01)"
OPTIONS = {
    "swap": (*LIMITS,),
    "distill": ("rounds", "protocol", *LIMITS),
    "pump": ("rounds", "protocol", *LIMITS),
    "wait": (),
}
MOST_SEGMENTS = {"swap": 2, "distill": 2, "pump": 2, "wait": 1}
ORDINALS = ("first", "second")
USAGE = {
    "swap": "write swap(a, b) or swap(a, b, cutoff_time=0.2)",
    "distill": 'write distill(a, b) or distill(a, rounds=2, protocol="dejmps", cutoff_time=0.2)',
    "pump": 'write pump(a, b) or pump(a, b, rounds=2, protocol="dejmps", cutoff_time=0.2)',
    "wait": "write wait(a, 0.01)",
}


def _options(name: str) -> str:
    """Name the options of a step."""
    return ", ".join(OPTIONS[name])


@dataclasses.dataclass
class Step:
    """A step whose closing parenthesis has not been read yet."""

    name: str
    segments: list[Tree] = dataclasses.field(default_factory=list)
    starts: list[int] = dataclasses.field(default_factory=list)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    slots: dict[str, int] = dataclasses.field(default_factory=dict)
    """Slots of the limits, or of the duration."""


class Reader:
    """Reads one text, with a stack of its own instead of recursion."""

    def __init__(self, text: str, protocol: DistillationProtocol) -> None:
        self.tokens = Tokens(text)
        self.protocol = protocol
        self.numbers: dict[str, list[float]] = {name: [] for name in NUMBERS}

    def schedule(self) -> Schedule:
        """Read the whole text."""
        tree = self._root()
        if self.tokens.token.kind != "end":
            raise self.tokens.error(f"expected the end of the text, but found {self.tokens.token}")
        numbers = {name: _checks.real(np.array(values, dtype=float)) for name, values in self.numbers.items()}
        return Schedule(tree=tree, **numbers)

    def _root(self) -> Tree:
        """Read segments until the outermost one is complete."""
        open_steps: list[tuple[Step, int]] = []
        while True:
            start = self.tokens.token.start
            if self.tokens.token.kind == "name":
                open_steps.append((self._opened(), start))
                continue
            done = self._link()
            while open_steps:
                step, step_start = open_steps[-1]
                step.segments.append(done)
                step.starts.append(start)
                self._check_segments(step)
                if self._wants_segment(step):
                    break
                done, start = self._built(step), step_start
                open_steps.pop()
            else:
                return done

    def _opened(self) -> Step:
        """Read the name of a step and its opening parenthesis."""
        name = self.tokens.token
        if name.text not in OPTIONS:
            raise self.tokens.error(f"unknown step {name}; a schedule is {KNOWN}")
        self.tokens.advance()
        if not self.tokens.accept("("):
            raise self.tokens.error(f"expected '(' after {name.text}")
        return Step(name.text)

    def _link(self) -> Tree:
        """Read a link number."""
        token = self.tokens.token
        if token.kind != "number":
            raise self.tokens.error(f"expected a segment ({KNOWN}), but found {token}")
        if not token.text.isdigit() or len(token.text) > 9:
            raise self.tokens.error(f"a link is a whole number such as 0, of at most 9 digits, but found {token}")
        self.tokens.advance()
        return Elementary(int(token.text))

    def _check_segments(self, step: Step) -> None:
        """Raise if the two segments of a step do not fit together."""
        if len(step.segments) < 2:
            return
        first, second = step.segments
        if step.name == "swap" and first.last + 1 != second.first:
            problem = (
                f"swap needs neighbouring segments, but the left one ends with link {first.last} and the "
                f"right one starts with link {second.first}"
            )
            raise self.tokens.error(problem, step.starts[1])
        if step.name != "swap" and (first.first, first.last) != (second.first, second.last):
            problem = f"{step.name} needs two pairs over the same segment, but the first spans "
            raise self.tokens.error(f"{problem}{span(first)} and the second {span(second)}", step.starts[1])

    def _wants_segment(self, step: Step) -> bool:
        """Read on after a segment: True if another one follows, False after the closing parenthesis."""
        after = f"the {ORDINALS[len(step.segments) - 1]} segment of {step.name}"
        while self._more(step, after):
            if self.tokens.token.kind == "name" and self.tokens.before("="):
                after = self._option(step)
            elif step.name == "wait" and not step.slots:
                after = self._duration(step)
            elif step.options or len(step.segments) == MOST_SEGMENTS[step.name]:
                allowed = f"{_options(step.name)} or ')'" if OPTIONS[step.name] else "')'"
                raise self.tokens.error(f"expected {allowed}, but found {self.tokens.token}: {USAGE[step.name]}")
            else:
                return True
        return False

    def _more(self, step: Step, after: str) -> bool:
        """Read the comma before another argument, or the parenthesis that closes the step."""
        comma = self.tokens.accept(",")
        if self.tokens.token.text == ")":
            self._require_enough(step)
            self._check_options(step)
            self.tokens.advance()
            return False
        if not comma:
            raise self.tokens.error(f"expected ',' or ')' after {after}")
        return True

    def _check_options(self, step: Step) -> None:
        """Raise if the options of a complete step do not go together."""
        protocol = step.options.get("protocol", self.protocol)
        pairs = protocol.num_pairs if step.name in ("distill", "pump") else 2
        if step.name == "pump" and pairs != 2:
            problem: str | None = f"pump joins two pairs, but {protocol.name} joins {pairs}: write distill"
        else:
            problem = conflict(step.slots, step.name, pairs)
        if problem:
            raise self.tokens.error(problem)

    def _require_enough(self, step: Step) -> None:
        """Raise if arguments that a step needs have not been given."""
        if (step.name == "swap" and len(step.segments) < 2) or (step.name == "wait" and not step.slots):
            raise self.tokens.error(f"expected another argument: {USAGE[step.name]}")

    def _option(self, step: Step) -> str:
        """Read `name=value`, and return what was read."""
        name = self.tokens.token
        if name.text not in OPTIONS[step.name]:
            known = f"known: {_options(step.name)}" if OPTIONS[step.name] else USAGE[step.name]
            raise self.tokens.error(f"unknown option {name} of {step.name}; {known}")
        if name.text in step.options:
            raise self.tokens.error(f"option {name.text} is given twice")
        self._require_enough(step)
        if name.text == "rounds" and step.name == "distill" and len(step.segments) == 2:
            raise self.tokens.error("rounds needs one segment, as in distill(a, rounds=2), but there are two")
        self.tokens.advance()
        self.tokens.advance()  # the "=" that the caller has seen
        if name.text in LIMITS:
            step.slots[name.text] = self._number(name.text)
            step.options[name.text] = None
        else:
            step.options[name.text] = self._rounds() if name.text == "rounds" else self._protocol()
        return f"option {name.text}"

    def _number(self, name: str, shown: str | None = None) -> int:
        """Read a number of a step, and return its slot."""
        limit, shown = LIMITS[name], shown or name
        token = self._expect("number", f"{shown} {limit.unit}")
        value = float(token.text)
        if value not in limit.range:
            raise self.tokens.error(f"{shown} must {limit.rule_for(value)}, but is {token.text[:30]}", token.start)
        self.numbers[limit.array].append(value)
        return len(self.numbers[limit.array]) - 1

    def _duration(self, step: Step) -> str:
        """Read the duration of a wait, and return what was read."""
        step.slots["duration"] = self._number("latency", "the duration of wait")
        return "the duration of wait"

    def _rounds(self) -> int:
        """Read a number of rounds."""
        token = self.tokens.token
        whole = token.kind == "number" and token.text.isdigit() and len(token.text) <= 9
        if not whole or not 1 <= int(token.text) <= MAX_ROUNDS:
            raise self.tokens.error(f"rounds must be a whole number from 1 to {MAX_ROUNDS}, but found {token}")
        return int(self.tokens.advance().text)

    def _protocol(self) -> DistillationProtocol:
        """Read the name of a protocol."""
        token = self._expect("string", 'a protocol in quotes, such as "dejmps"')
        if token.text[1:-1] not in PROTOCOLS:
            raise self.tokens.error(f"unknown protocol {token.text[:30]}; known: {', '.join(PROTOCOLS)}", token.start)
        return PROTOCOLS[token.text[1:-1]]

    def _expect(self, kind: str, what: str) -> Token:
        """Read a token of a kind."""
        if self.tokens.token.kind != kind:
            raise self.tokens.error(f"expected {what}, but found {self.tokens.token}")
        return self.tokens.advance()

    def _built(self, step: Step) -> Tree:
        """Return the tree of a complete step."""
        if step.name == "wait":
            return Wait(step.segments[0], step.slots["duration"])
        slots, (first, second) = rules_of(step.slots), (step.segments[0], step.segments[-1])
        if step.name == "swap":
            return Swap(first, second, *slots)
        protocol, rounds = step.options.get("protocol", self.protocol), step.options.get("rounds", 1)
        if step.name == "pump":
            return pumping(first, second, rounds, protocol, *slots)
        if len(step.segments) == 1:
            return recurrence(first, rounds, protocol, *slots)
        return Distill(first, second, protocol, *slots)
