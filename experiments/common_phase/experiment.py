"""Distill single-click pairs that share an unknown optical phase: `python experiments/common_phase/experiment.py`.

Writes common_phase.svg beside this file and prints the table of the README.
"""

from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import matplotlib  # noqa: E402
import numpy as np  # noqa: E402

import qtn  # noqa: E402
from qtn.channels import correlated_dephasing  # noqa: E402
from qtn.evaluators.full_state import DistillAt, FullState, Generate, along, hold, timeline  # noqa: E402
from qtn.states.basis import BELL_SIGNS  # noqa: E402
from qtn.steps.distill import distill_map  # noqa: E402
from qtn.steps.level import BELL_DIAGONAL  # noqa: E402
from qtn.steps.protocol import EPL  # noqa: E402

SLOTS = ((0, 0), (0, 1)), ((1, 0), (1, 1))
"""The memories of the left and of the right node."""
SIGMAS = np.linspace(0.0, 4.0, 41)
"""Standard deviations of the optical phase [rad]."""
BRIGHT = 0.2
"""Population of the bright state in the first panel."""
BRIGHTS = np.linspace(0.02, 0.9, 23)
"""Populations in the second panel."""


def single_click_chain(bright):
    """Return one link whose pairs are (1 - a) Psi+ + a |11><11|: the limit of much loss, here to 1e-9."""
    return qtn.chain(
        [qtn.single_click(length_left=1.0, length_right=1.0, loss_left=90.0, loss_right=90.0, bright_state=bright)]
    )


def distilled(bright, sigma, common):
    """Return (probability, fidelity to Phi+) of EPL on two pairs, with one phase for both or one for each."""
    left, right = SLOTS
    steps: list[tuple[float, Any]] = [(0.0, Generate(0, *ends)) for ends in zip(left, right, strict=True)]
    if common:
        steps.append((0.0, along(left, correlated_dephasing(sigma, 2))))
    else:
        steps += [(0.0, along([slot], correlated_dephasing(sigma, 1))) for slot in left]
    steps.append((0.0, DistillAt(left, right, EPL)))
    steps += [(0.0, step) for step in hold((left[0], right[0]))]
    outcome = FullState().run(single_click_chain(bright), timeline(steps))
    correlations = outcome.correlations((left[0], right[0]))
    return outcome.probability, jnp.sum(jnp.diagonal(correlations) * BELL_SIGNS) / 4


def bell_diagonal_model(bright, sigma):
    """Return the same where each pair is replaced by its Bell weights, dephased by the phase."""
    state = single_click_chain(bright).link(0).heralded().state
    faded = jnp.exp(-(sigma**2) / 2)
    pair = jnp.stack([state[0, 0], faded * state[1, 1], faded * state[2, 2], state[3, 3]])
    step = distill_map(EPL, qtn.gates(), qtn.gates(), BELL_DIAGONAL.labels)
    out = jnp.einsum("cab,a,b->c", step, pair, pair)
    return out[0], jnp.sum(out * BELL_SIGNS) / (4 * out[0])


def curve(function, brights, sigmas):
    """Return probabilities and fidelities along a curve, compiled once."""
    points = jnp.broadcast_arrays(jnp.asarray(brights), jnp.asarray(sigmas))
    return [np.asarray(part) for part in jax.jit(jax.vmap(function))(*points)]


def draw(by_phase, by_population, path):
    """Draw fidelity against the phase, and probability against the population."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for (name, (_, fidelity)), style in zip(by_phase.items(), ("-", "--", ":"), strict=True):
        left.plot(SIGMAS, fidelity, style, label=name)
    left.set(xlabel="standard deviation of the phase [rad]", ylabel=f"fidelity, a = {BRIGHT}", ylim=(0.0, 1.05))
    left.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    left.legend(loc=(0.35, 0.62), frameon=False)
    right.plot(BRIGHTS, (1 - BRIGHTS) ** 2 / 2, "-", color="0.6", label="(1 - a)² / 2")
    right.plot(BRIGHTS, by_population["full state"][0], "o", markersize=4, label="full state")
    right.plot(BRIGHTS, by_population["Bell-diagonal model"][0], ":", color="C2", label="Bell-diagonal model")
    right.set(xlabel="population a of the bright state", ylabel="probability of success", ylim=(0, None))
    right.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main():
    """Print the table and write the figure."""
    cases = {
        "one phase for both pairs": lambda a, s: distilled(a, s, True),
        "a phase for each pair": lambda a, s: distilled(a, s, False),
        "Bell-diagonal model": bell_diagonal_model,
    }
    by_phase = {name: curve(case, BRIGHT, SIGMAS) for name, case in cases.items()}
    by_population = {
        "full state": curve(cases["one phase for both pairs"], BRIGHTS, SIGMAS[-1]),
        "Bell-diagonal model": curve(bell_diagonal_model, BRIGHTS, SIGMAS[-1]),
    }
    print(f"a = {BRIGHT}; probability and fidelity of EPL")
    print("| phase [rad] | " + " | ".join(cases) + " |")
    print("|---" * 4 + "|")
    for k in (0, 5, 10, 20, 40):
        numbers = " | ".join(f"{p[k]:.6f}, {f[k]:.6f}" for p, f in by_phase.values())
        print(f"| {SIGMAS[k]:.1f} | {numbers} |")
    error = np.max(np.abs(by_population["full state"][0] - (1 - BRIGHTS) ** 2 / 2))
    worst = 1 - np.min(by_population["full state"][1])
    print(f"one phase for both, 4 rad, all a: |p - (1 - a)^2/2| <= {error:.1e}, 1 - F <= {worst:.1e}")
    draw(by_phase, by_population, Path(__file__).with_name("common_phase.svg"))


if __name__ == "__main__":
    main()
