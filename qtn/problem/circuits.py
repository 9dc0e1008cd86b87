"""Run an OpenQASM program with its noise file, and report numbers under names."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn.circuits.circuit import Circuit
from qtn.circuits.estimates import TrajectoryInfo
from qtn.circuits.noise import NoiseModel
from qtn.circuits.qasm import (
    Program,
    bit_order,
    bit_probabilities,
    counts,
    load_qasm,
    observable,
    read_out,
    require_bits,
)
from qtn.circuits.run import MissingSlopesWarning, RunInfo, finished, prepare, run
from qtn.circuits.trajectories import trajectories
from qtn.problem.circuit_noise import load_noise, noise_name
from qtn.states.measures import expect
from qtn.states.trains import TrainState
from qtn.tensors.effort import watch
from qtn.tensors.execute import run_operations
from qtn.tensors.split import truncation

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
    num_trajectories: int = 0,
    tell: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Any]:
    """Run a program and return what was asked for as plain numbers.

    Args:
        file: the program.
        noise_file: noise of its gates and measurements.
        observables: Pauli strings over the qubits.
        inputs: numbers of its `input` declarations.
        num_shots: samples of the classical bits.
        seed: of samples and trajectories.
        max_bond: bonds above it are cut.
        gradient: also derivatives.
        num_trajectories: estimate from so many random trajectories; 0 = average exactly.
        tell: takes sentences while the circuit runs.

    Returns:
        numbers: observables, probabilities of bits, counts of `num_shots` samples, derivatives, standard errors of what
            was estimated, accuracy.
    """
    program = load_qasm(Path(file), inputs, arrange=True)
    sites = [site for _, site in program.qubits]
    noise = None if noise_file is None else load_noise(noise_file, sites)
    terms = [observable(program, text) for text in observables]
    if num_shots:
        require_bits(program)
    if num_trajectories:
        named = dict(zip(observables, terms, strict=True))
        found = estimated_numbers(program, noise, named, num_trajectories, seed, max_bond)
        return {"file": file} | sizes_of(program) | found
    state, info = watched(program, noise, max_bond, tell)
    final = read_out(program, state, noise, max_bond=max_bond)
    found: dict[str, Any] = {"file": file} | sizes_of(program)
    found |= {
        "observables": {text: float(expect(state, term)) for text, term in zip(observables, terms, strict=True)},
        "bits": {name: float(value) for name, value in bit_probabilities(program, final).items()},
    }
    if num_shots:
        found["bit_order"] = bit_order(program)
        found["counts"] = counts(program, final, num_shots, key=jax.random.key(seed))
    missing: list[str] = []
    if gradient:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", MissingSlopesWarning)
            slopes = derivatives(Path(file), dict(inputs or {}), noise, program, terms, observables, max_bond)
        found["gradient"] = slopes
        missing += dict.fromkeys(str(each.message) for each in told if each.category is MissingSlopesWarning)
    return found | {
        "info": {
            "state": type(state).__name__,
            "bond": state.bond,
            "fidelity_estimate": float(info.fidelity_estimate),
            "trace_drift": float(info.trace_drift),
            "sentences": info.sentences() + missing,
        }
    }


def watched(
    program: Program, noise: NoiseModel | None, max_bond: int, tell: Callable[[str], None]
) -> tuple[TrainState, RunInfo]:
    """Run the circuit of a program.

    Raises:
        ValueError: for a circuit that takes too long, or of which nothing is left at this bond.
    """
    given = prepare(program.circuit, noise, None)
    rule = truncation(max_bond, relative=RELATIVE)
    done = run_operations(given.train, given.steps, given.ones, given.twos, rule, watch=watch(tell))
    return finished(given, done)


def sizes_of(program: Program) -> dict[str, int]:
    """Return the numbers of qubits, sites and operations, every place counted."""
    return {
        "num_qubits": len(program.qubits),
        "num_sites": program.circuit.num_sites,
        "num_operations": sum(len(operation.sites) for operation in program.circuit.operations),
    }


def estimated_numbers(
    program: Program,
    noise: NoiseModel | None,
    observables: Mapping[str, Mapping[int, str]],
    num_trajectories: int,
    seed: int,
    max_bond: int,
) -> dict[str, Any]:
    """Return observables and probabilities of bits with standard errors, from random pure trajectories.

    Raises:
        ValueError: if there is nothing to estimate.
    """
    bits = {bit.name: {bit.site: "Z"} for bit in program.bits if bit.site is not None}
    if not observables and not bits:
        raise ValueError("--trajectories: there is nothing to estimate; add an --observable, or measure in the program")
    options = {"num_trajectories": num_trajectories, "max_bond": max_bond, "key": jax.random.key(seed)}
    means: dict[str, dict[str, float]] = {"observables": {}, "bits": {}}
    errors: dict[str, dict[str, float]] = {"observables": {}, "bits": {}}
    infos: list[TrajectoryInfo] = []
    for kind, terms, program_part in (
        ("observables", observables, program.circuit),
        ("bits", bits, _with_readout(program)),
    ):
        if terms:
            estimate, info = trajectories(program_part, noise, observables=list(terms.values()), **options)
            mean, error = np.asarray(estimate.mean), np.asarray(estimate.standard_error)
            if kind == "bits":
                mean, error = (1 - mean) / 2, error / 2
            means[kind] = dict(zip(terms, mean.tolist(), strict=True))
            errors[kind] = dict(zip(terms, error.tolist(), strict=True))
            infos.append(info)
    means["bits"] = {
        bit.name: float(bit.value) if bit.site is None else means["bits"][bit.name] for bit in program.bits
    }
    worst = min(infos, key=lambda info: float(info.worst_fidelity_estimate))  # observables and bits are drawn apart
    told = {
        "state": f"{num_trajectories} trajectories",
        "bond": max_bond,
        "fidelity_estimate": float(worst.fidelity_estimate),
        "worst_fidelity_estimate": float(worst.worst_fidelity_estimate),
        "impossible": float(worst.impossible),
        "sentences": worst.sentences(),
    }
    return means | {"standard_errors": errors, "info": told}


def _with_readout(program: Program) -> Circuit:
    """Return the circuit with the measurements that end the program."""
    last = () if program.readout is None else program.readout.operations
    return Circuit(num_sites=program.circuit.num_sites, operations=(*program.circuit.operations, *last))


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
        state, _ = run(load_qasm(file, numbers[0], arrange=True).circuit, numbers[1], max_bond=max_bond)
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
