"""Maximise a differentiable function of named numbers from several starts at once."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qtn.optimisation.bounded import Interval
from qtn.optimisation.checkpoint import Checkpoint

Params = dict[str, Any]
Objective = Callable[[Params, Any], Any]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How long and how boldly to search."""

    num_starts: int = 3
    """Starts; the first is the given one, the others are scattered round it."""
    chunk: int = 50
    """Iterations between two looks at the progress; one compiled scan."""
    max_chunks: int = 16
    learning_rate: float = 0.15
    """First step size of Adam, in free coordinates."""
    decay: float = 0.3
    """Factor on the learning rate after a chunk that has settled."""
    settled: float = 1e-2
    """A chunk has settled when it changes the best value of no start by more than this fraction."""
    scatter: float = 1.0
    """Standard deviation of the starts, in free coordinates."""
    rtol: float = 1e-7
    """A chunk that changes the best value of no start by more than this fraction is idle."""
    patience: int = 3
    """Stop after an idle chunk when all starts agree, else after this many."""
    agreement: float = 1e-6
    """Relative difference of the final values up to which starts count as agreeing."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """What a caller may show after each chunk."""

    iteration: int
    num_iterations: int
    values: np.ndarray
    """(num_starts,), the best of each start so far."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """The result of an optimisation."""

    params: dict[str, float]
    """The best parameters found."""

    value: float
    """The objective there."""

    history: np.ndarray
    """(iterations, num_starts), the objective at each iteration."""

    start_values: np.ndarray
    """(num_starts,), the best objective of each start."""

    evaluations: int
    """Number of evaluations of objective and gradient."""

    status: str
    """A sentence: converged or not, whether the starts agree, which parameters ran into a bound."""

    interrupted: bool = False
    """Whether the user stopped it."""


@partial(jax.jit, static_argnames=("objective", "bounds", "length"))
def _run_chunk(
    objective: Objective,
    bounds: tuple[tuple[str, Interval], ...],
    length: int,
    free: Any,
    opt_state: Any,
    context: Any,
    scale: Any,
    learning_rate: Any,
) -> Any:
    """Run `length` iterations of Adam from every start; return states, values and the best of each start."""
    optimiser = optax.chain(optax.zero_nans(), optax.scale_by_adam(b1=0.8, b2=0.95))

    def loss(free_one: Any, context_one: Any) -> Any:
        params = {name: interval.bounded(free_one[name]) for name, interval in bounds}
        return -objective(params, context_one) / scale

    def iterate(carry: Any, _: None) -> Any:
        free_all, state_all = carry
        losses, grads = jax.lax.map(lambda start: jax.value_and_grad(loss)(*start), (free_all, context))
        updates, new_state = jax.vmap(optimiser.update)(grads, state_all)
        moved = jax.tree.map(lambda f, u: f - learning_rate * u, free_all, updates)
        return (moved, new_state), (-losses * scale, free_all)

    (free, opt_state), (values, visited) = jax.lax.scan(iterate, (free, opt_state), None, length=length)
    best = jnp.argmax(jnp.where(jnp.isnan(values), -jnp.inf, values), axis=0)
    best_free = jax.tree.map(lambda v: v[best, jnp.arange(v.shape[1])], visited)
    return free, opt_state, values, best_free


def maximise(
    objective: Objective,
    initial: Mapping[str, float],
    bounds: Mapping[str, Interval],
    *,
    settings: Settings = Settings(),
    context: Callable[[list[Params]], list[Any]] = lambda starts: [None] * len(starts),
    report: Callable[[Progress], None] = lambda progress: None,
    key: Any,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Maximise `objective(params, context)` over named, bounded numbers.

    Args:
        objective: differentiable, pure; called under jit, vmap and grad.
        initial: the first start.
        bounds: allowed interval of each parameter.
        settings: numbers of starts and iterations, step sizes, tolerances.
        context: what else the objective needs at each start (for example a time grid), renewed from the concrete
            parameters of all starts before each chunk: pytrees of one structure; a change of it compiles again.
        report: called after each chunk.
        key: random key of the scattered starts.
        checkpoint: where the state is kept after each chunk, and found again by a run that goes on.

    Returns:
        The best parameters of all starts, with history and status. An interrupt ends the search after the current
        chunk with the best so far.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> fit = maximise(lambda p, _: -((p["x"] - 0.3) ** 2), {"x": 0.9}, {"x": Interval(0.0, 1.0)},
        ...                key=jax.random.key(0))
        >>> round(fit.params["x"], 4)
        0.3
    """
    names = tuple(initial)
    table = tuple((name, bounds[name]) for name in names)
    free = {}
    for index, name in enumerate(names):
        start = bounds[name].free(jnp.asarray(initial[name], dtype=float))
        noise = jax.random.normal(jax.random.fold_in(key, index), (settings.num_starts,)).at[0].set(0.0)
        free[name] = start + settings.scatter * noise
    opt_state = jax.vmap(optax.chain(optax.zero_nans(), optax.scale_by_adam(b1=0.8, b2=0.95)).init)(free)
    best_values = np.full(settings.num_starts, -np.inf)
    best_free = free
    history: list[np.ndarray] = []
    rate = settings.learning_rate
    scale, converged, interrupted, idle, begin = None, False, False, 0, 0
    found_state = checkpoint and checkpoint.load("maximise")
    if found_state:
        (begin, rate, scale, idle, converged), arrays = found_state
        leaves = [jnp.asarray(arrays[f"leaf_{i}"]) for i in range(len(arrays) - 2)]
        free, opt_state, best_free = jax.tree.unflatten(jax.tree.structure((free, opt_state, best_free)), leaves)
        best_values, history = arrays["best_values"], [arrays["history"]]
    for number in range(begin, settings.max_chunks):
        if converged:
            break
        try:
            contexts = _stacked(context([_bounded(table, free, start) for start in range(settings.num_starts)]))
            if scale is None:
                scale = _scale(objective, table, free, contexts, settings.num_starts)
            free, opt_state, values, candidate = _run_chunk(
                objective, table, settings.chunk, free, opt_state, contexts, scale, rate
            )
            values = np.asarray(values)
        except KeyboardInterrupt:
            interrupted = True
            break
        history.append(values)
        # A chunk supersedes the one before it: its context is fresher, and its steps are smaller.
        found = np.max(np.where(np.isnan(values), -np.inf, values), axis=0)
        usable = np.isfinite(found)
        change = np.max(np.abs(np.where(usable, found, 0.0) - np.where(usable, best_values, 0.0)))
        best_free = {name: jnp.where(usable, candidate[name], best_free[name]) for name in names}
        best_values = np.where(usable, found, best_values)
        size = max(np.max(np.abs(best_values)), 1e-300)
        report(Progress((number + 1) * settings.chunk, settings.max_chunks * settings.chunk, best_values))
        rate *= settings.decay if change <= settings.settled * size else 1.0
        idle = idle + 1 if change <= settings.rtol * size else 0
        if idle and (_spread(best_values) <= settings.agreement or idle == settings.patience):
            converged = True
        if checkpoint:
            kept = {f"leaf_{i}": leaf for i, leaf in enumerate(jax.tree.leaves((free, opt_state, best_free)))}
            kept |= {"best_values": best_values, "history": np.concatenate(history)}
            checkpoint.save("maximise", (number + 1, rate, scale, idle, converged), kept)
    winner = int(np.argmax(best_values))
    params = {name: float(value) for name, value in _bounded(table, best_free, winner).items()}
    all_values = np.concatenate(history) if history else np.zeros((0, settings.num_starts))
    return Fit(
        params=params,
        value=float(best_values[winner]),
        history=all_values,
        start_values=best_values,
        evaluations=int(all_values.size),
        status=_status(converged, interrupted, best_values, params, bounds, settings),
        interrupted=interrupted,
    )


def _bounded(table: tuple[tuple[str, Interval], ...], free: Params, start: int) -> Params:
    """Return the bounded parameters of one start."""
    return {name: interval.bounded(free[name][start]) for name, interval in table}


def _stacked(contexts: list[Any]) -> Any:
    """Stack the contexts of all starts along a first axis."""
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *contexts)


def _scale(objective: Objective, table: Any, free: Params, contexts: Any, num_starts: int) -> float:
    """Return the size of the objective at the starts: Adam then works on numbers of order one."""
    sizes = [
        abs(float(objective(_bounded(table, free, start), jax.tree.map(lambda leaf, s=start: leaf[s], contexts))))
        for start in range(num_starts)
    ]
    finite = [size for size in sizes if math.isfinite(size) and size > 0]
    return max(finite, default=1.0)


def _spread(values: np.ndarray) -> float:
    """Return the relative difference of the final values of the starts."""
    return float((values.max() - values.min()) / max(abs(values.max()), 1e-300))


def _status(
    converged: bool,
    interrupted: bool,
    values: np.ndarray,
    params: dict[str, float],
    bounds: Mapping[str, Interval],
    settings: Settings,
) -> str:
    """Say how the search ended, in sentences."""
    sentences = []
    if interrupted:
        sentences.append("Interrupted: this is the best so far.")
    elif converged:
        sentences.append("Converged.")
    else:
        sentences.append(f"Stopped after {settings.max_chunks * settings.chunk} iterations, still improving.")
    spread = _spread(values)
    if len(values) > 1 and spread <= settings.agreement:
        sentences.append(f"All {len(values)} starts agree to {settings.agreement:g}.")
    elif len(values) > 1:
        sentences.append(f"The {len(values)} starts differ by up to {spread:.2g}: there may be several optima.")
    ended = [name for name, value in params.items() if bounds[name].at_end(value)]
    if ended:
        sentences.append(f"At the end of its range: {', '.join(ended)}.")
    return " ".join(sentences)
