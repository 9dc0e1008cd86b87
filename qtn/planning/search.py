"""Search the schedules of a chain: a quick look for a bound, the search on a coarse grid, the leaders in full."""

import dataclasses
import enum
import math
import time
from collections.abc import Callable, Mapping

import numpy as np

from qtn import _checks
from qtn.evaluators.delivery import delivering
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.scales import TimeScales, time_scales
from qtn.links.chain import Chain
from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.candidates import Candidate
from qtn.planning.engine import Engine
from qtn.planning.explore import Exploration
from qtn.planning.frontier import Frontier, finished, keep
from qtn.planning.leaders import Leader, evaluate_leaders
from qtn.planning.level import level_for
from qtn.planning.objective import Objective, pauli_states
from qtn.planning.segments import Segments
from qtn.planning.select import Beam, Everything, ParetoFront, Selection
from qtn.planning.space import SearchSpace, count, require_some
from qtn.schedules.builders import elementary
from qtn.steps.level import BELL_DIAGONAL, Level
from qtn.steps.swap import swap_success


class Method(enum.StrEnum):
    """How schedules are searched."""

    AUTO = "auto"
    """All of them where there are few enough and no cut-offs, else a front."""

    EXHAUSTIVE = "exhaustive"
    """All of them."""

    PARETO = "pareto"
    """A front of mean time and correlations of each segment."""

    BEAM = "beam"
    """The best of each segment."""


EXHAUSTIVE_TREES = 5_000
"""Largest space that `method = "auto"` searches exhaustively."""

MOST_REPEATS = 6
"""How often the search is repeated on a longer grid because slower schedules may be better."""

QUICK_STEPS, QUICK_WIDTH = 1024, 8
"""Grid length and front width of the quick look."""

HORIZON = 12.0
"""Length of the grid in the longest mean time of interest: exp(-12) = 6e-6 is beyond."""

RESOLUTION = 12.0
"""Grid steps in the mean time of the slowest link, if the longest grid allows."""

MARGIN = 1.2
"""The quick look may overestimate the best score by this factor."""


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """How to search."""

    method: Method | str = Method.AUTO
    width: int = 96
    """Candidates of each segment that go on, for the front and the beam."""
    num_leaders: int = 10
    """Best schedules that are evaluated at full resolution and returned."""

    def __post_init__(self) -> None:
        _checks.choice("method", self.method, Method)


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a search is."""

    evaluated: int
    """Joins evaluated so far."""
    best: float
    """Best score so far, on the grid of the search; -inf = none."""
    phase: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What a search found."""

    leaders: tuple[Leader, ...]
    """Best schedules, the best first, evaluated at full resolution."""

    front: tuple[Candidate, ...]
    """All candidates of the chain that the search saw, on its grid."""

    merits: Mapping[str, np.ndarray]
    """All quantities of each candidate of `front` (n,), unclipped, on that grid."""

    num_trees: int
    """Number of distinct schedules in the space."""

    counted_exactly: bool
    method: str
    guarantee: str
    """What is known about schedules that were not evaluated."""

    evaluated: int
    """Joins evaluated."""

    grid_error: float
    """Largest relative difference, over the leaders, between the grid of the search and full resolution."""

    interrupted: bool = False

    @property
    def best(self) -> Leader:
        """Return the best schedule."""
        return self.leaders[0]


@dataclasses.dataclass
class _Search:
    """The state of one search."""

    chain: Chain
    space: SearchSpace
    objective: Objective
    settings: SearchSettings
    level: Level
    evaluator: Renewal
    report: Callable[[Progress], None]
    checkpoint: Checkpoint | None = None
    began: float = dataclasses.field(default_factory=time.perf_counter)
    evaluated: int = 0
    best: float = -math.inf
    seen: list[Candidate] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.chain = delivering(self.chain)
        self.scales: TimeScales = time_scales(self.chain, elementary(0))
        # a swap corrects the right end: where a state is more than its Bell weights, its mirror image is another one
        mirror = self.space.slots is None and self.level == BELL_DIAGONAL
        self.segments = Segments(self.chain, mirror=mirror, order=self.space.order)

    def explore(self, select: Selection, longest: float, horizon: float, num_steps: int, phase: str) -> Exploration:
        """Sweep once; `seen` then holds the candidates of the whole chain."""
        step = horizon / num_steps
        if self.scales.spacing > 0:
            step = self.scales.spacing * max(math.ceil(step / self.scales.spacing - 1e-9), 1)
        engine = Engine(self.chain, self.scales.grid(step, num_steps), self.level)
        before, found = self.evaluated, list[Candidate]()

        def note(candidates: list[Candidate]) -> None:
            found.extend(dataclasses.replace(each, delivered=None) for each in candidates)
            self.seen = found or self.seen  # an interrupt still has those of the last sweep
            self.evaluated = before + engine.num_joins
            if candidates:
                self.best = max(self.best, float(np.max(self.scores(candidates))))
            self.report(Progress(self.evaluated, self.best, phase, time.perf_counter() - self.began))

        frontier = Frontier(self.checkpoint.next("sweep")) if self.checkpoint else None
        sweep = Exploration(engine, self.space, self.segments, select, longest, note, frontier)
        sweep.run()
        self.seen = found
        return sweep

    def merits(self, candidates: list[Candidate]) -> dict[str, np.ndarray]:
        """Return the merits of candidates of the whole chain."""
        ends = self.chain.node(0), self.chain.node(self.chain.num_links)
        states = pauli_states(self.level, ends, np.stack([each.state for each in candidates]))
        return self.objective.merits(
            np.array([each.mean_time for each in candidates]), states, lambda: self.objective.on(self.chain)
        )

    def scores(self, candidates: list[Candidate]) -> np.ndarray:
        """Return the scores of candidates of the whole chain."""
        return self.objective.scores(self.merits(candidates))

    def leaders(self, number: int) -> tuple[tuple[Leader, ...], float]:
        """Return the best that were seen, evaluated, and how far the grid of the search was off."""
        trial = self.space.cutoffs
        return evaluate_leaders(self.chain, self.objective, self.seen, self.scores, number, self.evaluator, trial=trial)

    def quick_look(self) -> float:
        """Return the longest mean time that the optimum can have [s], from a narrow search on a short grid."""
        links = [self.scales.lifetimes[self.chain.link_index(i)] for i in range(self.chain.num_links)]
        swaps = [float(swap_success(self.chain.node(i))) for i in range(1, self.chain.num_links)]
        depth = math.ceil(math.log2(max(self.chain.num_links, 1))) if self.chain.num_links > 1 else 0
        plain = 1.5**depth * max(links) / (min(swaps) ** depth if swaps else 1.0)
        slowest = plain * 4.0 ** (self.space.max_rounds * (depth + 1))
        horizon = 20 * plain
        while True:
            self.best = -math.inf
            sweep = self.explore(ParetoFront(QUICK_WIDTH), math.inf, horizon, QUICK_STEPS, "quick look")
            longest = self.objective.longest(self.best) if math.isfinite(self.best) else math.inf
            if math.isfinite(longest) and MARGIN * longest * HORIZON <= 64 * horizon:
                return MARGIN * longest
            if sweep.slowest == 0 or horizon > HORIZON * slowest:
                return max(horizon / HORIZON, MARGIN * sweep.longest_kept)
            horizon *= 8


def search(
    chain: Chain,
    space: SearchSpace = SearchSpace(),
    objective: Objective = Objective(),
    *,
    settings: SearchSettings = SearchSettings(),
    evaluator: Renewal = Renewal(),
    report: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Checkpoint | None = None,
) -> SearchResult:
    """Find the best schedule of a chain.

    Args:
        chain: links and nodes, concrete numbers.
        space: which schedules are allowed.
        objective: what is maximised, with its lower limits.
        settings: method and width.
        evaluator: evaluates the leaders; its state level is that of the search, None = the smallest that is exact for
            every schedule of the space.
        report: called as the search goes on.
        checkpoint: keeps the front of every finished segment, and the result of the search.

    Returns:
        The best schedules with their merits at full resolution, and how far the answer can be trusted.

    Raises:
        ValueError: if the space holds no schedule, or protocols that no state level can hold on this chain.

    Note:
        Deterministic. On KeyboardInterrupt the best schedules so far are returned, with `interrupted = True`.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import qtn
        >>> line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
        >>> found = search(line, SearchSpace(max_rounds=1))
        >>> found.num_trees
        6
    """
    _checks.require_double_precision()
    if checkpoint and (known := finished(checkpoint)):
        return known
    level = level_for(chain, space.protocols if space.max_rounds else (), evaluator.level, whole=evaluator.whole_state)
    evaluator = dataclasses.replace(evaluator, level=level)
    state = _Search(chain, space, objective, settings, level, evaluator, report, checkpoint)
    require_some(space, state.segments)
    number, exact = count(space, state.segments)
    exhaustive = settings.method == "exhaustive" or (
        settings.method == "auto" and number <= EXHAUSTIVE_TREES and not space.cutoffs
    )
    select: Selection
    if exhaustive:
        select = Everything()
    elif settings.method == "beam":
        select = Beam(settings.width, objective, chain)
    else:
        select = ParetoFront(settings.width)
    interrupted, leaders, error, limited = False, (), 0.0, None
    try:
        longest = state.quick_look()
        for repeat in range(MOST_REPEATS):
            del repeat
            horizon = HORIZON * longest
            state.best = -math.inf
            wanted = horizon / max(state.scales.lifetimes) * RESOLUTION
            num_steps = next((n for n in _LENGTHS if n >= wanted), _LENGTHS[-1])
            sweep = state.explore(select, longest, horizon, num_steps, "search")
            leaders, error = state.leaders(settings.num_leaders)
            found = leaders[0].score if leaders else -math.inf
            dropped = sweep.slowest > 0 or sweep.too_slow
            needed = min(objective.longest(found), 4 * longest) if dropped else longest
            limited = longest if needed > longest * (1 + 1e-9) else None
            if limited is None:
                break
            longest = 1.05 * needed
    except KeyboardInterrupt:
        interrupted = True
        if not leaders and state.seen:
            leaders, error = state.leaders(1)
    if not leaders:
        raise KeyboardInterrupt if interrupted else ValueError("no schedule delivers a pair in any affordable time")
    result = SearchResult(
        leaders=leaders,
        front=tuple(state.seen),
        merits=state.merits(state.seen),
        num_trees=number,
        counted_exactly=exact,
        method="exhaustive" if exhaustive else "beam" if isinstance(select, Beam) else "pareto",
        guarantee=guarantee(select, space, objective, interrupted, limited),
        evaluated=state.evaluated,
        grid_error=error,
        interrupted=interrupted,
    )
    if checkpoint and not interrupted:
        keep(checkpoint, result)
    return result


_LENGTHS = (1024, 2048, 4096, 8192)
"""Grid lengths of a search."""


def guarantee(
    select: Selection, space: SearchSpace, objective: Objective, interrupted: bool, limited: float | None = None
) -> str:
    """Return what is known about schedules that were not evaluated; slower ones than `limited` [s] never were."""
    if interrupted:
        return "None: the search was interrupted."
    cutoffs = " Cut-offs were tried at a few values each." if space.cutoffs else ""
    if limited is not None:
        cutoffs += f" Schedules with a part that takes longer than {limited:.3g} s were left out."
    if isinstance(select, Everything):
        return (
            "Optimal: every schedule of the space was evaluated, but for those whose parts are slower than the best "
            f"schedule could be with a perfect pair.{cutoffs}"
        )
    named = " and ".join(objective.beyond_bell)
    beyond = f" {named[0].upper()}{named[1:]} depends on more of the state than is compared." if named else ""
    used = " and ".join(objective.used)
    beyond += f" {used[0].upper()}{used[1:]} ranks the leaders, and is not among what is compared." if used else ""
    if isinstance(select, ParetoFront):
        return (
            f"No proof. Every segment kept a front within {select.largest_epsilon:.2g} (relative in mean time, "
            "absolute in correlations) of all candidates seen; how delivery times spread about their mean is not "
            f"compared.{beyond}{cutoffs}"
        )
    return f"None: a beam keeps what looks best.{beyond}{cutoffs}"
