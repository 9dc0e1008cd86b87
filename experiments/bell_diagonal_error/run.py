"""How wrong the Bell-diagonal answer is: memories with finite T1, and EPL distillation of single-click pairs.

    python experiments/bell_diagonal_error/run.py

writes figure.png and table.csv next to this file. The Bell-diagonal answer twirls every pair and every memory:
coherences and populations decay at the same rates, but <Z> decays to 0 instead of to that of the ground state.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import qtn
from qtn._pytree import pytree
from qtn.evaluators.renewal import Renewal
from qtn.hardware.memory import RelaxingMemory
from qtn.hardware.node import Node, node
from qtn.merit.fidelity import fidelity
from qtn.steps.distill import CNOT, DEJMPS, EPL, DistillationProtocol
from qtn.steps.level import BELL_DIAGONAL, X_TYPE, PauliLevel

jax.config.update("jax_enable_x64", True)

HERE = Path(__file__).parent
T1 = np.geomspace(0.02, 20.0, 61)
WAITS = np.linspace(0.0, 0.1, 51)
"""How long both pairs wait before they are distilled [s]."""


@pytree
class TwirledMemory:
    """The rates of relaxation without its equilibrium: what a Bell-diagonal model makes of it."""

    t1: jax.Array

    def pauli_rates(self) -> jax.Array:
        """Return (1, 1, 2) / (2 T1)."""
        return jnp.array([0.5, 0.5, 1.0]) / self.t1

    def equilibrium(self) -> float:
        """Return 0."""
        return 0.0


def relaxing_node(t1: jax.Array, twirled: bool) -> Node:
    """Return a node whose memory relaxes; T2 is twice T1."""
    return node(TwirledMemory(t1=t1) if twirled else RelaxingMemory(t1=t1, t2=2 * t1))


def distilled(level: PauliLevel, protocol: DistillationProtocol, state: jax.Array) -> Callable[..., jax.Array]:
    """Return a function of (T1, wait): success probability and fidelity of two pairs that wait, then are distilled."""

    def run(t1: jax.Array, wait: jax.Array) -> jax.Array:
        end = relaxing_node(t1, twirled=level == BELL_DIAGONAL)
        pair = level.from_pauli(state, end, end) * jnp.exp(-wait * level.decay_rates(end, end))
        out = jnp.einsum("cab,a,b->c", level.distill(protocol, end, end), pair, pair)
        found = level.to_pauli(out, end, end)
        return jnp.stack([found[0, 0], fidelity(found / found[0, 0])])

    return run


def over_plane(level: PauliLevel, protocol: DistillationProtocol, state: jax.Array) -> np.ndarray:
    """Return (T1, waits, 2): success probability and fidelity."""
    run = distilled(level, protocol, state)
    return np.asarray(jax.jit(jax.vmap(jax.vmap(run, (None, 0)), (0, None)))(jnp.asarray(T1), jnp.asarray(WAITS)))


def click_pair(bright: float) -> jax.Array:
    """Return a single-click pair without loss of visibility: (1 - a) Phi+ and a bright pair."""
    link = qtn.single_click(length_left=1e3, length_right=1e3, loss_left=40, loss_right=40, bright_state=bright)
    return link.heralded().state


def chain_fidelity(t1: float, twirled: bool) -> float:
    """Return the fidelity of a chain of four links that distils its links once (DEJMPS)."""
    link = qtn.abstract_link(p_success=0.05, attempt_time=1e-4, fidelity=0.97)
    level = BELL_DIAGONAL if twirled else None
    end = relaxing_node(jnp.asarray(t1), twirled)
    pair = [qtn.distill(qtn.elementary(i), protocol=DEJMPS) for i in range(4)]
    schedule = qtn.swap(qtn.swap(pair[0], pair[1]), qtn.swap(pair[2], pair[3]))
    found = Renewal(step=1e-4, level=level).summarise(qtn.chain(link, end, num_links=4), schedule)
    return float(fidelity(found.state))


def main() -> None:
    """Compute, draw, write."""
    perfect = jnp.diag(jnp.array([1.0, 1.0, -1.0, 1.0]))
    cases = {
        "plain CNOT of Bell pairs": (CNOT, perfect),
        "EPL of single-click pairs, a = 0.1": (EPL, click_pair(0.1)),
    }
    figure = Figure(figsize=(15, 3.6), layout="constrained")
    axes = figure.subplots(1, 4)
    rows = []
    for axis, (title, (protocol, state)) in zip(axes, cases.items(), strict=False):
        exact, twirled = (over_plane(level, protocol, state) for level in (X_TYPE, BELL_DIAGONAL))
        error = twirled[..., 1] - exact[..., 1]
        limit = float(np.max(np.abs(error)))
        drawn = axis.pcolormesh(T1, 1e3 * WAITS, error.T, cmap="RdBu", vmin=-limit, vmax=limit, shading="gouraud")
        axis.set(xscale="log", xlabel="$T_1$ [s]", ylabel="wait before distillation [ms]", title=title)
        figure.colorbar(drawn, ax=axis, label="fidelity: Bell-diagonal - exact")
        for i, j in ((0, 50), (20, 50), (40, 50), (60, 0)):
            rows.append([title, T1[i], WAITS[j], *exact[i, j], *twirled[i, j]])
    bright = np.linspace(0.02, 0.5, 25)
    answers = {
        name: np.array([distilled(level, EPL, click_pair(a))(jnp.asarray(1e9), jnp.asarray(0.0)) for a in bright])
        for name, level in (("exact", X_TYPE), ("Bell-diagonal", BELL_DIAGONAL))
    }
    for (name, values), style in zip(answers.items(), ("-", "--"), strict=True):
        axes[2].plot(bright, values[:, 1], style, color="#0072B2", label=f"fidelity, {name}")
        axes[2].plot(bright, values[:, 0], style, color="#D55E00", label=f"probability, {name}")
    axes[2].set(xlabel="bright-state population $a$", title="EPL of fresh single-click pairs", ylim=(0, 1.02))
    axes[2].legend(fontsize=7, loc="lower left")
    for a, exact, twirled in zip(bright, *answers.values(), strict=True):
        rows.append([f"EPL of fresh single-click pairs, a = {a:.2f}", np.inf, 0.0, *exact, *twirled])
    grid = np.geomspace(0.01, 3.0, 9)
    values = {name: [chain_fidelity(t1, name != "exact") for t1 in grid] for name in answers}
    for (name, found), style in zip(values.items(), ("-", "--"), strict=True):
        axes[3].semilogx(grid, found, style, color="#0072B2", label=name)
    axes[3].set(xlabel="$T_1$ [s]", ylabel="fidelity", title="four links, DEJMPS once")
    axes[3].legend(fontsize=8)
    for t1, exact, twirled in zip(grid, *values.values(), strict=True):
        rows.append(["four links, DEJMPS once", t1, "", "", exact, "", twirled])
    figure.savefig(HERE / "figure.png", dpi=110)
    with (HERE / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "T1 [s]", "wait [s]", "p exact", "F exact", "p Bell-diagonal", "F Bell-diagonal"])
        writer.writerows([[f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows])
    print(f"wrote {HERE / 'figure.png'} and table.csv")


if __name__ == "__main__":
    main()
