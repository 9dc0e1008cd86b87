"""Maximise a costly smooth function of named numbers subject to smooth inequalities, with multipliers."""

import dataclasses
import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn.optimisation.axis import axes_of, scattered
from qtn.optimisation.bounded import Interval
from qtn.optimisation.checkpoint import Journal, recorded
from qtn.optimisation.point import Point, better, rank
from qtn.optimisation.search import search
from qtn.optimisation.settings import ConstrainedSettings
from qtn.optimisation.visited import Visited

Model = Callable[[dict[str, Any]], tuple[Any, Mapping[str, Any]]]


@dataclasses.dataclass(frozen=True)
class ConstrainedProgress:
    """What a caller may show after each evaluation."""

    start: int
    num_evaluations: int
    """Evaluations so far, of all starts."""
    value: float
    """The objective at the best point so far, of all starts: once feasible it never falls. A stationary point that
    falls short by a rounding replaces the best, but not its value."""
    violation: float
    """The largest violation there, in the units of `ConstrainedSettings.feasibility`."""
    kkt_residual: float


@dataclasses.dataclass(frozen=True)
class ConstrainedFit:
    """The result of a constrained optimisation."""

    parameters: dict[str, float]
    """The best feasible parameters, or where none was found those of the smallest sum of squared violations."""
    value: float
    """The objective there; of a noisy one the mean of the last tenth of the steps, see `maximise_subject_to`."""
    slacks: dict[str, float]
    """Each constraint function there; it wants to be >= 0."""
    multipliers: dict[str, float]
    """Derivative of the best value by a relaxation e of `slack >= -e`, for each constraint: >= 0, zero if inactive
    [unit of the objective per unit of the slack]. If active gradients are dependent, one of many solutions."""
    bound_multipliers: dict[str, float]
    """Derivative of the best value by the position of the end that a parameter touches, for each parameter at an end:
    >= 0 at an upper end, <= 0 at a lower one [unit of the objective per unit of the parameter]."""
    kkt_residual: float
    """Norm of (gradient of the objective + multipliers * gradients of active slacks and bounds), scaled, over the norm
    of the gradient of the objective, or a tenth of its secant curvature where that is larger (the gradient of an
    optimum inside the box is zero)."""
    feasible: bool
    converged: bool
    """Whether the parameters are feasible and `kkt_residual` is below `ConstrainedSettings.stationarity`."""
    num_evaluations: int
    """Evaluations of the model with all gradients, of all starts."""
    start_values: np.ndarray
    """(num_starts,), the best feasible value of each start; -inf where none was found."""
    status: str
    """A sentence: how the search ended, and what to do about it."""
    interrupted: bool = False
    """Whether the user stopped it."""


def maximise_subject_to(
    model: Model,
    initial: Mapping[str, float],
    bounds: Mapping[str, Interval],
    *,
    log: Collection[str] = (),
    settings: ConstrainedSettings = ConstrainedSettings(),
    report: Callable[[ConstrainedProgress], None] = lambda progress: None,
    journal: Journal | None = None,
) -> ConstrainedFit:
    """Maximise f(x) subject to g_j(x) >= 0 and lower <= x <= upper, where `model(x)` is `(f, {name: g_j})`.

    Sequential quadratic programming on scaled parameters, or Adam where there are many (see `Steps`). The result is
    the best point that was seen: a start that ends in a corner or on flat ground looks elsewhere before it is believed.
    Where first-order steps meet noise (two values within 1e-9, scaled, that differ by over a millionth of the largest),
    the best seen is the luckiest: the result then is the mean point of the last tenth of the steps with the mean of
    their values, moved into the limits and valued anew there if it misses them, or the start if the mean of as many new
    values there is higher. What `report` is told stays the best seen.
    The model is traced once; each evaluation is one forward pass and one batch of backward passes, which give f, all
    g_j and all their gradients.

    Args:
        model: differentiable, pure; takes `{name: scalar}`, returns the objective and a mapping of slacks, all scalar;
            called under jit, vmap and grad. Where it is not finite the search steps back.
        initial: the first start; need not be feasible, but lies in the box.
        bounds: closed interval of each parameter; a finite one says over which distances the model varies. Equal ends
            fix a parameter.
        log: names of parameters that vary on a logarithmic scale; their lower end is positive.
        settings: numbers of starts and evaluations, tolerances.
        report: called after each evaluation.
        journal: keeps every evaluation, so that a run that is started again repeats none.

    Returns:
        The best feasible point of all starts with its multipliers, or `feasible=False` and the closest point found. An
        interrupt ends the search with the best so far.

    Raises:
        ValueError: an argument is malformed, or the model is finite at no start.
        KeyboardInterrupt: if it comes before the first evaluation has ended.

    Note:
        Local, first-order, deterministic: a saddle point counts as converged, and several starts help against local
        optima. Needs double precision. The number of evaluations grows mildly with that of the parameters.

    References:
        D. Kraft, "A software package for sequential quadratic programming", DFVLR-FB 88-28 (1988); J. Nocedal and
        S. J. Wright, "Numerical Optimization" (2006), sections 12.3 (multipliers) and 18.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> fit = maximise_subject_to(lambda p: (p["x"] * p["y"], {"budget": 1 - p["x"] - p["y"]}),
        ...                           {"x": 0.1, "y": 0.2}, {"x": Interval(0.0, 2.0), "y": Interval(0.0, 2.0)})
        >>> round(fit.value, 6), round(fit.multipliers["budget"], 6)
        (0.25, 0.5)
    """
    axes_of(initial, bounds, log)  # malformed arguments are told before the model is traced
    slack_names, evaluate = _compiled(model, tuple(initial))
    return climb_subject_to(
        slack_names, evaluate, initial, bounds, log=log, settings=settings, report=report, journal=journal
    )


def climb_subject_to(
    slack_names: Sequence[str],
    evaluate: Callable[[Any], tuple[Any, Any]],
    initial: Mapping[str, float],
    bounds: Mapping[str, Interval],
    *,
    log: Collection[str] = (),
    settings: ConstrainedSettings = ConstrainedSettings(),
    report: Callable[[ConstrainedProgress], None] = lambda progress: None,
    journal: Journal | None = None,
) -> ConstrainedFit:
    """Do the same as `maximise_subject_to` with a model that brings its own gradients.

    `slack_names` are those of the m slacks; `evaluate` takes the parameters (n,) in the order of `initial` and returns
    (Jacobian (1 + m, n), values (1 + m,)), the objective before the slacks. The rest is as there.
    """
    for field in ("num_starts", "max_evaluations", "max_runs"):
        if getattr(settings, field) < 1:
            raise ValueError(f"Argument `settings.{field}` must be at least 1, but is {getattr(settings, field)}.")
    axes = axes_of(initial, bounds, log)
    first = np.array([axis.scaled(float(start)) for axis, start in zip(axes, initial.values(), strict=True)])
    starts: list[Visited] = []
    interrupted, highest = False, -math.inf

    def told() -> None:
        nonlocal highest
        best = max((start.best for start in starts if start.best is not None), key=rank)
        count, violation = sum(len(start.points) for start in starts), float(np.max(best.violation, initial=0.0))
        highest = max(highest, best.value) if best.feasible else highest
        value = highest if best.feasible else best.value
        report(ConstrainedProgress(len(starts) - 1, count, value, violation, best.kkt_residual))

    try:
        random = np.random.default_rng(settings.seed)
        with recorded(evaluate, journal) as once:
            for number in range(settings.num_starts):
                visited = Visited(once, axes, settings, told)
                starts.append(visited)
                search(visited, scattered(visited.lower, visited.upper, first, random) if number else first)
    except KeyboardInterrupt:
        interrupted = True
    if not any(start.best for start in starts):
        if interrupted:
            raise KeyboardInterrupt
        raise ValueError(
            "Argument `model` must return finite numbers and gradients at a start, but at `initial` = "
            f"{dict(initial)} it does not. Move `initial`, or increase `settings.num_starts`."
        )
    return _fit(starts, tuple(initial), slack_names, interrupted)


def _fit(
    starts: Sequence[Visited], names: Sequence[str], slack_names: Sequence[str], interrupted: bool
) -> ConstrainedFit:
    """Put together what the starts have found."""
    found = [start.best for start in starts if start.best is not None]
    best = functools.reduce(lambda best, point: point if better(point, best) else best, found)
    values = [start.best.value if start.best and start.best.feasible else -math.inf for start in starts]
    return ConstrainedFit(
        parameters=dict(zip(names, best.x.tolist(), strict=True)),
        value=best.value,
        slacks=dict(zip(slack_names, best.slacks.tolist(), strict=True)),
        multipliers=dict(zip(slack_names, best.multipliers.tolist(), strict=True)),
        bound_multipliers={names[i]: weight for i, weight in best.bound_multipliers.items()},
        kkt_residual=best.kkt_residual,
        feasible=best.feasible,
        converged=best.stationary,
        num_evaluations=sum(len(start.points) for start in starts),
        start_values=np.array(values),
        status=_status(best, interrupted, any(start.stalled() for start in starts), slack_names, starts[0].settings),
        interrupted=interrupted,
    )


def _compiled(model: Model, names: tuple[str, ...]) -> tuple[list[str], Callable[[Any], Any]]:
    """Return the names of the slacks, and x (n,) -> (Jacobian (1 + m, n), values (1 + m,))."""
    shapes = jax.eval_shape(model, {name: jnp.zeros(()) for name in names})
    valid = isinstance(shapes, tuple) and len(shapes) == 2 and isinstance(shapes[1], Mapping)
    if not valid or any(getattr(leaf, "shape", None) != () for leaf in (shapes[0], *shapes[1].values())):
        raise ValueError(
            f"Argument `model` must return (scalar, {{name: scalar}}), but returns {shapes}. "
            "Give each component of a vector constraint a name, or take its smooth minimum."
        )
    slack_names = sorted(shapes[1])

    def flat(x: Any) -> Any:
        value, slacks = model({name: x[i] for i, name in enumerate(names)})
        values = jnp.stack([jnp.asarray(part, dtype=float) for part in (value, *(slacks[s] for s in slack_names))])
        return values, values

    return slack_names, jax.jit(jax.jacrev(flat, has_aux=True))


def _status(best: Point, interrupted: bool, stalled: bool, names: Sequence[str], settings: ConstrainedSettings) -> str:
    """Say how the search ended, in sentences."""
    sentences = ["Interrupted: this is the best so far."] if interrupted else []
    if not best.feasible:
        worst = int(np.argmax(best.violation))
        sentences.append(
            f"No feasible point found: the closest misses `{names[worst]}` by {-best.slacks[worst]:.3g}. "
            "Relax a constraint, or increase `num_starts`."
        )
    elif math.isinf(best.kkt_residual):
        sentences.append("The objective is flat wherever it was looked at: move the start, or free other parameters.")
    elif best.stationary:
        sentences.append("Converged.")
    elif stalled and not interrupted:
        sentences.append(
            f"Settled: {settings.patience} evaluations in a row gained less than {settings.least_gain:g}; the "
            f"stationarity residual is {best.kkt_residual:.2g}."
        )
    elif not interrupted:
        sentences.append(
            f"Stopped with a stationarity residual of {best.kkt_residual:.2g} (asked: {settings.stationarity:g}). "
            "Increase `max_evaluations`, tighten the intervals, or smooth the model."
        )
    return " ".join(sentences)
