"""The noise of a circuit as a TOML file: checked like a problem file, and built into a `NoiseModel`."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from qtn import _ranges as within
from qtn import _text, channels
from qtn.circuits.gates import GATES
from qtn.circuits.noise import NoiseModel, noise_model
from qtn.problem import number as unit
from qtn.problem.messages import ProblemError, from_validation, toml_message
from qtn.problem.number import Number
from qtn.problem.table import Built, Table, number_of

EXAMPLE = """one_qubit = { model = "depolarising", p = 1e-4 }
two_qubit = { model = "depolarising", p = 5e-3 }
readout = { p_one = 0.01, p_zero = 0.02 }"""


ErrorRate = Annotated[float, Number("Chance of this Pauli error", within.PROBABILITY)]


class Depolarising(Built):
    """Replaced by noise with probability p; after a two-qubit gate, both qubits together."""

    builder = channels.depolarising

    model: Literal["depolarising"]
    p: Annotated[
        float,
        Number("p of (1 - p) rho + p/2^n on n qubits: not the chance of one of 4^n - 1 Paulis", within.PROBABILITY),
    ]


class Dephasing(Built):
    """A phase flip with probability p, on each qubit of the gate."""

    builder = channels.dephasing

    model: Literal["dephasing"]
    p: Annotated[float, Number("Chance of a phase flip Z: coherences shrink by 1 - 2 p", within.PROBABILITY)]


class PauliErrors(Built):
    """X, Y and Z with their probabilities, on each qubit of the gate."""

    builder = channels.pauli_noise

    model: Literal["pauli"]
    px: ErrorRate
    py: ErrorRate
    pz: ErrorRate


class AmplitudeDamping(Built):
    """Decay with probability gamma, on each qubit of the gate."""

    builder = channels.amplitude_damping

    model: Literal["amplitude_damping"]
    gamma: Annotated[
        float, Number("Chance that |1> decays: its coherences shrink by sqrt(1 - gamma)", within.PROBABILITY)
    ]


class Relaxation(Built):
    """Storage for a time with T1 and T2, on each qubit of the gate."""

    builder = channels.relaxation

    model: Literal["relaxation"]
    time_s: Annotated[
        float, Number("How long a qubit is stored", within.NON_NEGATIVE, unit=unit.S, argument="duration")
    ]
    t1_s: Annotated[float, Number("Relaxation time T1 of e^(-t/T1)", within.POSITIVE_OR_INF, unit=unit.S)]
    t2_s: Annotated[
        float, Number("Coherence time T2 of e^(-t/T2), relaxation included", within.POSITIVE_OR_INF, unit=unit.S)
    ]


class Readout(Table):
    """A measurement that records 1 for 0 (p_one), and 0 for 1 (p_zero)."""

    p_one: Annotated[float, Number("Chance to record 1 for 0", within.PROBABILITY)] = 0.0
    p_zero: Annotated[float, Number("Chance to record 0 for 1", within.PROBABILITY)] = 0.0


Noise = Annotated[Depolarising | Dephasing | PauliErrors | AmplitudeDamping | Relaxation, Field(discriminator="model")]


class CircuitNoise(Table):
    """A whole noise file; what is left out is perfect."""

    one_qubit: Noise | None = None
    two_qubit: Noise | None = None
    readout: Readout | None = None
    reset: Noise | None = None
    gates: dict[str, Noise] = Field(default_factory=dict)
    """By name (cx, rz, ...): instead of the first two; `unitary` for gates made of several, on each of their qubits."""
    qubits: dict[str, Noise] = Field(default_factory=dict)
    """By number of the qubit in order of declaration: in addition, whenever a gate touches it."""


def load_noise(path: str | Path, sites: Sequence[int]) -> NoiseModel:
    """Load the noise of a circuit.

    Args:
        path: a TOML file; `EXAMPLE` shows one.
        sites: the site of each qubit of the circuit.

    Raises:
        ProblemError: with every mistake found, each with its dotted key.
    """
    source = str(path)
    try:
        document = tomllib.loads(Path(path).read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except FileNotFoundError:
        raise ProblemError(source, [f"there is no such file; it may hold\n{EXAMPLE}"]) from None
    except OSError as error:
        raise ProblemError(source, [f"cannot be read as a file: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ProblemError(source, ["is not a text file in UTF-8"]) from None
    except (ValueError, RecursionError) as error:
        raise ProblemError(source, [f"is not valid TOML: {toml_message(error)}"]) from None
    try:
        table = CircuitNoise.model_validate(document)
    except ValidationError as error:
        raise ProblemError(source, from_validation(error, document, CircuitNoise)) from None
    return _build(table, source, sites)


def _build(table: CircuitNoise, source: str, sites: Sequence[int]) -> NoiseModel:
    """Build the model, collecting what does not fit together."""
    errors: list[str] = []

    def built(key: str, noise: Any, num_qubits: int) -> Any:
        try:
            if isinstance(noise, Depolarising):
                return channels.depolarising(noise.p, num_qubits)
            return None if noise is None else noise.build(noise.model_dump())
        except ValueError as error:
            errors.append(f"{key}: {error}")

    by_name, by_site = {}, {}
    if table.readout is not None:
        by_name["MEASURE"] = channels.misread(table.readout.p_one, table.readout.p_zero)
    if table.reset is not None:
        by_name["RESET"] = built("reset", table.reset, 1)
    for name, noise in table.gates.items():
        upper = name.upper()
        if upper not in GATES and upper != "UNITARY":
            known = f"{', '.join(GATES).lower()}, unitary{_text.meant(name, GATES).lower()}"
            errors.append(f"gates.{_text.one_line(name)}: must be one of {known}")
            continue
        if upper in by_name:
            errors.append(f"gates.{name}: is given twice, in capitals and in small letters; leave one")
        by_name[upper] = built(f"gates.{name}", noise, GATES[upper].num_sites if upper in GATES else 1)
    for number, noise in table.qubits.items():
        if not re.fullmatch(r"[0-9]{1,9}", number) or int(number) >= len(sites):
            errors.append(
                f"qubits.{_text.one_line(number)}: there is no such qubit; the qubits are 0..{len(sites) - 1}"
            )
            continue
        by_site[sites[int(number)]] = built(f"qubits.{number}", noise, 1)
    one, two = built("one_qubit", table.one_qubit, 1), built("two_qubit", table.two_qubit, 2)
    if errors:
        raise ProblemError(source, errors)
    return noise_model(one_qubit=one, two_qubit=two, by_name=by_name, by_site=by_site)


KEYS = {number.name(key): key for key in Relaxation.model_fields if (number := number_of(Relaxation, key))}
"""Key by the name in the library, where they differ."""


def noise_name(path: Sequence[Any], sites: Sequence[int]) -> str:
    """Return the dotted key in the file of a leaf of the model, given its path in the tree."""
    parts = [str(getattr(part, "name", getattr(part, "key", ""))) for part in path]
    parts[-1] = KEYS.get(parts[-1], parts[-1])
    if parts[0] == "by_site":
        parts[:2] = ["qubits", str(sites.index(int(parts[1])))]
    elif parts[0] == "by_name":
        parts[:2] = {"MEASURE": ["readout"], "RESET": ["reset"]}.get(parts[1], ["gates", parts[1].lower()])
    return ".".join(parts)
