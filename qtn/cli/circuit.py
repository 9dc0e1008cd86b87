"""`qtn circuit`: run an OpenQASM program."""

from typing import Annotated, Any

import typer

from qtn import _budget, _text
from qtn._ranges import SEED
from qtn.cli.app import Device, Json, app, print_json
from qtn.cli.session import choose_device, one_thread, start, warn


@app.command()
def circuit(
    file: Annotated[str, typer.Argument(metavar="FILE", help="OpenQASM 2 or 3 program.")],
    noise: Annotated[
        str | None, typer.Option(metavar="FILE", help="Noise of its gates and measurements (TOML).")
    ] = None,
    observable: Annotated[
        list[str] | None, typer.Option(help="Pauli string over the qubits, ZZII or 'Z0 X5'; repeatable.")
    ] = None,
    input_: Annotated[
        list[str] | None, typer.Option("--input", metavar="NAME=NUMBER", help="Value of an `input`; repeatable.")
    ] = None,
    shots: Annotated[int, typer.Option(min=0, max=_budget.SHOTS.most, help="Sample the classical bits so often.")] = 0,
    seed: Annotated[int, typer.Option(min=0, max=int(SEED.upper), help="Seed of the samples.")] = 0,
    max_bond: Annotated[
        int, typer.Option(min=1, max=_budget.BOND.most, help="Bonds above it are cut, and the loss is reported.")
    ] = 64,
    gradient: Annotated[
        bool, typer.Option("--gradient", help="Also derivatives, by inputs and noise numbers.")
    ] = False,
    trajectories: Annotated[
        int,
        typer.Option(
            min=0,
            max=_budget.TRAJECTORIES.most,
            help="Estimate from so many random pure trajectories, with standard errors.",
        ),
    ] = 0,
    json_: Json = False,
    device: Device = "auto",
) -> None:
    """Run an OpenQASM program: observables, bits averaged exactly, samples.

    Observables are those of the qubits, in order of declaration, before the measurements that end the program. The
    table of what is supported: python -c "help('qtn.circuits.qasm')". A noise file may hold one_qubit, two_qubit,
    reset, gates.<name> and qubits.<number>, each as { model = "depolarising", p = 1e-3 } (or dephasing, pauli,
    amplitude_damping, relaxation), and readout = { p_one = 0.01, p_zero = 0.02 }.

    Example: qtn circuit bell.qasm --noise noise.toml --observable ZZ --observable "X0 X1" --shots 1000 --seed 1
    """
    inputs = numbers(input_ or [])
    if gradient and not (observable and (inputs or noise)):
        raise ValueError("--gradient: needs an --observable, and an --input or --noise to differentiate by")
    if trajectories and (shots or gradient):
        raise ValueError("--trajectories: gives means and standard errors only; leave --shots and --gradient out")
    choose_device(device)
    one_thread()
    start(device)
    from qtn.problem.circuits import circuit_numbers

    try:
        found = circuit_numbers(
            file,
            noise_file=noise,
            observables=observable or [],
            inputs=inputs,
            num_shots=shots,
            seed=seed,
            max_bond=max_bond,
            gradient=gradient,
            num_trajectories=trajectories,
            tell=lambda sentence: warn([in_options(sentence)]),
        )
    except ImportError as error:  # the parser is an extra
        raise ValueError(str(error)) from None
    except ValueError as error:
        raise ValueError(in_options(str(error))) from None
    warn([in_options(sentence) for sentence in found["info"]["sentences"][1:]])
    print_json(found) if json_ else print(circuit_text(found))


def in_options(sentence: str) -> str:
    """Return a sentence with the names of options in place of those of arguments."""
    return sentence.replace("`max_bond`", "--max-bond")


def numbers(given: list[str]) -> dict[str, float]:
    """Read NAME=NUMBER texts."""
    found: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise ValueError(f"--input {_text.one_line(text)}: must be NAME=NUMBER, as in theta=0.3") from None
    return found


def circuit_text(found: dict[str, Any]) -> str:
    """Return the results as aligned text."""
    lines = [
        f"{found['file']}: {found['num_qubits']} qubits and {len(found['bits'])} bits, "
        f"{found['num_operations']} operations on {found['num_sites']} sites"
    ]
    errors = found.get("standard_errors", {})
    for name, value in found["observables"].items():
        lines.append(f"{f'<{name}>':32s} {shown(value)}{told(errors, 'observables', name)}")
        lines += [f"  {f'd/d {key}':30s} {slope:.8g}" for key, slope in found.get("gradient", {}).get(name, {}).items()]
    lines += [
        f"{f'probability of {name} = 1':32s} {shown(value)}{told(errors, 'bits', name)}"
        for name, value in found["bits"].items()
    ]
    if "counts" in found:
        lines.append(f"{'samples':32s} {sum(found['counts'].values())}, bits in the order {found['bit_order']}")
        lines += [f"  {key:30s} {count}" for key, count in found["counts"].items()]
    info = found["info"]
    lines.append(f"{'state':32s} {info['state']}, bond {info['bond']}. {info['sentences'][0]}")
    return "\n".join(lines)


def shown(value: float) -> str:
    """Return an average; what rounding leaves of 0 is 0.

    Example:
        >>> shown(-4.4e-16), shown(0.25)
        ('0', '0.25')
    """
    return f"{round(value, 14) + 0.0:.10g}"


def told(errors: dict[str, dict[str, float]], kind: str, name: str) -> str:
    """Return the standard error of an estimate in words; nothing for what is exact."""
    return f" +- {errors[kind][name]:.2g}" if name in errors.get(kind, {}) else ""
