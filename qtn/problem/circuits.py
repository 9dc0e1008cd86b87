"""Run an OpenQASM program with its noise file, and report numbers under names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn.circuits.circuit import Circuit
from qtn.circuits.noise import NoiseModel
from qtn.circuits.qasm import Program, bit_probabilities, counts, load_qasm, observable, read_out
from qtn.circuits.run import run
from qtn.problem.circuit_noise import load_noise, noise_name
from qtn.states.measures import expect

RELATIVE = 1e-12
"""Singular values below this fraction of the largest are dropped: bonds are then as narrow as the state."""


def circuit_numbers(
    file: str,
    *,
    noise_file: str | None = None,
    observables: Sequence[str] = (),
    inputs: Mapping[str, float] | None = None,
    num_shots: int = 0,
    seed: int = 0,
    max_bond: int = 64,
    gradient: bool = False,
) -> dict[str, Any]:
    """Run a program and return what was asked for as plain numbers.

    Returns:
        numbers: observables, probabilities of bits, counts of `num_shots` samples, derivatives, accuracy.
    """
    program = load_qasm(Path(file), inputs)
    sites = [site for _, site in program.qubits]
    noise = None if noise_file is None else load_noise(noise_file, sites)
    terms = [observable(program, text) for text in observables]
    state, info = run(program.circuit, noise, max_bond=max_bond, relative=RELATIVE)
    final = read_out(program, state, noise, max_bond=max_bond)
    found: dict[str, Any] = {
        "file": file,
        "num_qubits": len(sites),
        "num_sites": program.circuit.num_sites,
        "num_operations": num_operations(program.circuit),
        "observables": {text: float(expect(state, term)) for text, term in zip(observables, terms, strict=True)},
        "bits": {name: float(value) for name, value in bit_probabilities(program, final).items()},
    }
    if num_shots:
        found["counts"] = counts(program, final, num_shots, key=jax.random.key(seed))
    if gradient:
        found["gradient"] = derivatives(Path(file), dict(inputs or {}), noise, program, terms, observables, max_bond)
    return found | {
        "info": {
            "state": type(state).__name__,
            "bond": state.bond,
            "fidelity_estimate": float(info.fidelity_estimate),
            "trace_drift": float(info.trace_drift),
            "sentences": info.sentences(),
        }
    }


def num_operations(circuit: Circuit) -> int:
    """Return the number of operations, every place counted."""
    return sum(len(operation.sites) for operation in circuit.operations)


def derivatives(
    file: Path,
    inputs: dict[str, float],
    noise: NoiseModel | None,
    program: Program,
    terms: Sequence[Mapping[int, str]],
    names: Sequence[str],
    max_bond: int,
) -> dict[str, dict[str, float]]:
    """Return {observable: {input or dotted key of the noise file: derivative}}."""

    def values(numbers: tuple[dict[str, Any], NoiseModel | None]) -> Any:
        state, _ = run(load_qasm(file, numbers[0]).circuit, numbers[1], max_bond=max_bond)
        return jnp.stack([expect(state, term) for term in terms])

    point = ({name: jnp.asarray(float(value)) for name, value in inputs.items()}, noise)
    _, pull = jax.vjp(values, point)
    sites = [site for _, site in program.qubits]
    found = {}
    for row, name in zip(np.eye(len(names)), names, strict=True):
        ((slopes, noises),) = pull(jnp.asarray(row))
        leaves = jax.tree_util.tree_leaves_with_path(noises)
        found[name] = {f"input.{key}": float(value) for key, value in slopes.items()} | {
            noise_name(path, sites): float(value) for path, value in leaves
        }
    return found
