"""A schedule as data: what is joined with what is a static tree, the times are numbers.

    Elementary(i)             the pair of link i
    Swap(left, right)         join two neighbouring segments
    Distill(kept, consumed)   two pairs over one segment become one
    Wait(child)               hold the pair of a segment for a while

Cut-offs, durations and so on are slot numbers into the arrays of `Schedule`, so that the tree is hashable. Trees
share sub-trees (a recurrence of n rounds names 2^n pairs) and may be deep: walk them with `subtrees`, which
meets each one once. Equality and hash compare a digest of the content, whatever the size.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.steps.distill import DistillationProtocol


def _seal(tree: Any, first: int, last: int, *content: object) -> None:
    """Set the derived fields; equal digests mean equal trees, at a cost that ignores their size."""
    digest = hashlib.blake2b(repr((type(tree).__name__, *content)).encode(), digest_size=16).digest()
    for name, value in (("first", first), ("last", last), ("digest", digest)):
        object.__setattr__(tree, name, value)


@dataclass(frozen=True)
class Rules:
    """What governs a step besides its age cut-off, as slots; None = does not apply."""

    cutoff_width: int | None = None
    """In `cutoff_widths`: how soft the age cut-off is."""
    run_time: int | None = None
    """In `cutoff_times`: how long an attempt may take until all its pairs are there."""
    min_fidelity: int | None = None
    """In `min_fidelities`: below which fidelity a waiting pair is discarded."""
    latency: int | None = None
    """In `wait_times`: how long gates and messages take before the outcome is known."""

    def shifted(self, offsets: Mapping[str, int]) -> "Rules":
        """Return the rules with their slot numbers moved up."""
        slots = {name: getattr(self, name) for name in ARRAYS}
        return Rules(**{n: None if slot is None else slot + offsets[ARRAYS[n]] for n, slot in slots.items()})


ARRAYS = {
    "cutoff_width": "cutoff_widths",
    "run_time": "cutoff_times",
    "min_fidelity": "min_fidelities",
    "latency": "wait_times",
}
"""The array of `Schedule` that the slots of a rule point into."""

NUMBERS = ("cutoff_times", "wait_times", "cutoff_widths", "min_fidelities")
"""The arrays of `Schedule`."""


@dataclass(frozen=True)
class Elementary:
    """The pair that one link delivers."""

    position: int = field(compare=False)
    first: int = field(init=False, compare=False, repr=False)
    last: int = field(init=False, compare=False, repr=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _seal(self, self.position, self.position, self.position)

    @property
    def children(self) -> tuple["Tree", ...]:
        """Return no sub-trees."""
        return ()


@dataclass(frozen=True)
class Swap:
    """Entanglement swap at the node between two neighbouring segments."""

    left: "Tree" = field(compare=False, repr=False)
    right: "Tree" = field(compare=False, repr=False)
    cutoff: int | None = field(compare=False, default=None)
    """Slot in `cutoff_times` of the age at which the earlier pair is discarded; None = never."""
    rules: Rules = field(compare=False, repr=False, default=Rules())
    first: int = field(init=False, compare=False)
    last: int = field(init=False, compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        content = self.left.digest, self.right.digest, self.cutoff, self.rules
        _seal(self, self.left.first, self.right.last, *content)

    @property
    def children(self) -> tuple["Tree", ...]:
        """Return the two segments that are joined."""
        return self.left, self.right


@dataclass(frozen=True)
class Distill:
    """Distillation of pairs over the same segment: one that is kept, and as many consumed as the protocol needs."""

    kept: "Tree" = field(compare=False, repr=False)
    consumed: "Tree" = field(compare=False, repr=False)
    protocol: DistillationProtocol = field(compare=False, repr=False)
    cutoff: int | None = field(compare=False, default=None)
    """Slot in `cutoff_times` of the age at which the earlier pair is discarded; None = never."""
    rules: Rules = field(compare=False, repr=False, default=Rules())
    sequential: bool = field(compare=False, default=False)
    """Whether the consumed pair is started when the kept one is there, not together with it."""
    first: int = field(init=False, compare=False)
    last: int = field(init=False, compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        content = self.kept.digest, self.consumed.digest, self.protocol, self.cutoff, self.rules, self.sequential
        _seal(self, self.kept.first, self.kept.last, *content)

    @property
    def children(self) -> tuple["Tree", ...]:
        """Return the kept and the consumed pair."""
        return self.kept, self.consumed


@dataclass(frozen=True)
class Wait:
    """Hold the pair of a segment for a fixed time."""

    child: "Tree" = field(compare=False, repr=False)
    duration: int = field(compare=False)
    """Slot in `wait_times`."""
    first: int = field(init=False, compare=False)
    last: int = field(init=False, compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _seal(self, self.child.first, self.child.last, self.child.digest, self.duration)

    @property
    def children(self) -> tuple["Tree", ...]:
        """Return the segment that waits."""
        return (self.child,)


Tree: TypeAlias = Elementary | Swap | Distill | Wait
"""A schedule without its numbers; static and hashable."""


@pytree
class Schedule:
    """Which steps are taken, and with which times; `jax.grad` with respect to it returns a `Schedule`."""

    tree: Tree = static()

    cutoff_times: Float[Array, " num_cutoffs"]
    """Ages at which stored pairs are discarded, and longest run times [s], in the order of the text; inf = never."""

    wait_times: Float[Array, " num_waits"]
    """Durations of the waits, and latencies of steps [s], in the order of the text."""

    cutoff_widths: Float[Array, " num_widths"] = field(default_factory=lambda: _checks.real(()))
    """Widths of soft cut-offs [s]: the chance to survive the age a is 1 / (1 + exp((a - cut-off) / width))."""

    min_fidelities: Float[Array, " num_fidelities"] = field(default_factory=lambda: _checks.real(()))
    """Fidelities to Phi+ below which a waiting pair is discarded."""

    @property
    def numbers(self) -> dict[str, Array]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in NUMBERS}


def height(tree: Tree) -> int:
    """Return how many steps lie inside each other at most."""
    found: dict[Tree, int] = {}
    for part in subtrees(tree):
        found[part] = 1 + max((found[child] for child in part.children), default=0)
    return found[tree]


def subtrees(tree: Tree) -> list[Tree]:
    """Return the distinct sub-trees, children before parents, the root last; never recurses.

    Example:
        >>> root = Swap(Elementary(0), Elementary(1))
        >>> [type(part).__name__ for part in subtrees(root)]
        ['Elementary', 'Elementary', 'Swap']
    """
    found: dict[Tree, None] = {}
    pending = [tree]
    while pending:
        missing = [child for child in pending[-1].children if child not in found]
        if missing:
            pending.extend(reversed(missing))
        else:
            found.setdefault(pending.pop())
    return list(found)


def durations(tree: Tree) -> tuple[int, ...]:
    """Return the slots in `wait_times` of what takes a fixed time in the last step of a tree."""
    if isinstance(tree, Wait):
        return (tree.duration,)
    slot = tree.rules.latency if isinstance(tree, Swap | Distill) else None
    return () if slot is None else (slot,)


def recurrence(
    tree: Tree, rounds: int, protocol: DistillationProtocol, cutoff: int | None = None, rules: Rules = Rules()
) -> Tree:
    """Distill a segment with equal copies of itself, again and again; all rounds share one slot of each kind."""
    for _ in range(rounds):
        tree = Distill(tree, tree, protocol, cutoff, rules)
    return tree


def pumping(
    kept: Tree,
    fresh: Tree,
    rounds: int,
    protocol: DistillationProtocol,
    cutoff: int | None = None,
    rules: Rules = Rules(),
) -> Tree:
    """Distill a pair with fresh ones, each started when the kept one is ready; all rounds share their slots."""
    for _ in range(rounds):
        kept = Distill(kept, fresh, protocol, cutoff, rules, sequential=True)
    return kept


def shifted(tree: Tree, offsets: Mapping[str, int]) -> Tree:
    """Return the tree with its slot numbers moved up, by so many for each array of `Schedule`."""
    moved: dict[Tree, Tree] = {}
    for part in subtrees(tree):
        if isinstance(part, Elementary):
            moved[part] = part
        elif isinstance(part, Wait):
            moved[part] = Wait(moved[part.child], part.duration + offsets["wait_times"])
        else:
            slot = None if part.cutoff is None else part.cutoff + offsets["cutoff_times"]
            first, second = (moved[child] for child in part.children)
            rules = part.rules.shifted(offsets)
            if isinstance(part, Swap):
                moved[part] = Swap(first, second, slot, rules)
            else:
                moved[part] = Distill(first, second, part.protocol, slot, rules, part.sequential)
    return moved[tree]
