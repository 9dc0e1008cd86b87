"""A schedule as data: what is joined with what is a static tree, the times are numbers.

    Elementary(i)             the pair of link i
    Swap(left, right)         join two neighbouring segments
    Distill(kept, consumed)   two pairs over one segment become one
    Wait(child)               hold the pair of a segment for a while

Cut-offs and durations are slot numbers into the arrays of `Schedule`, so that the tree is hashable. Trees
share sub-trees (a recurrence of n rounds names 2^n pairs) and may be deep: walk them with `subtrees`, which
meets each one once. Equality and hash compare a digest of the content, whatever the size.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jaxtyping import Array, Float

from qtn._pytree import pytree, static
from qtn.steps.distill import DistillationProtocol


def _seal(tree: Any, first: int, last: int, *content: object) -> None:
    """Set the derived fields; equal digests mean equal trees, at a cost that ignores their size."""
    digest = hashlib.blake2b(repr((type(tree).__name__, *content)).encode(), digest_size=16).digest()
    for name, value in (("first", first), ("last", last), ("digest", digest)):
        object.__setattr__(tree, name, value)


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
    first: int = field(init=False, compare=False)
    last: int = field(init=False, compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _seal(self, self.left.first, self.right.last, self.left.digest, self.right.digest, self.cutoff)

    @property
    def children(self) -> tuple["Tree", ...]:
        """Return the two segments that are joined."""
        return self.left, self.right


@dataclass(frozen=True)
class Distill:
    """Two-to-one distillation of two pairs over the same segment."""

    kept: "Tree" = field(compare=False, repr=False)
    consumed: "Tree" = field(compare=False, repr=False)
    protocol: DistillationProtocol = field(compare=False, repr=False)
    cutoff: int | None = field(compare=False, default=None)
    """Slot in `cutoff_times` of the age at which the earlier pair is discarded; None = never."""
    first: int = field(init=False, compare=False)
    last: int = field(init=False, compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        content = self.kept.digest, self.consumed.digest, self.protocol, self.cutoff
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
    """Ages at which stored pairs are discarded [s], in the order of the text; jnp.inf = never."""

    wait_times: Float[Array, " num_waits"]
    """Durations of the waits [s], in the order of the text."""


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


def recurrence(tree: Tree, rounds: int, protocol: DistillationProtocol, cutoff: int | None = None) -> Tree:
    """Distill a segment with equal copies of itself, again and again; all rounds share one cut-off slot."""
    for _ in range(rounds):
        tree = Distill(tree, tree, protocol, cutoff)
    return tree


def shifted(tree: Tree, num_cutoffs: int, num_waits: int) -> Tree:
    """Return the tree with its slot numbers moved up."""
    moved: dict[Tree, Tree] = {}
    for part in subtrees(tree):
        if isinstance(part, Elementary):
            moved[part] = part
        elif isinstance(part, Wait):
            moved[part] = Wait(moved[part.child], part.duration + num_waits)
        else:
            slot = None if part.cutoff is None else part.cutoff + num_cutoffs
            first, second = (moved[child] for child in part.children)
            if isinstance(part, Swap):
                moved[part] = Swap(first, second, slot)
            else:
                moved[part] = Distill(first, second, part.protocol, slot)
    return moved[tree]
