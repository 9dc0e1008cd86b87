"""Numbers that look like those of another unit, and arguments of the wrong kind, are not taken in silence."""

import subprocess
import sys
import warnings

import jax
import pytest

import qtn
from qtn import channels
from qtn.circuits.circuit import circuit, gate
from qtn.circuits.noise import noise_model
from qtn.circuits.trajectories import trajectories
from qtn.cli.app import run
from qtn.hardware.fibre import ShortFibreWarning, UnusualWarning

SATELLITE = dict(
    altitude=500e3, beam_waist=0.1, receiver_radius=0.5, wavelength=810e-9, zenith_transmissivity=0.8, p_source=0.1,
    repetition_rate=1e9,
)  # fmt: skip
ARMS = dict(length_right=10e3, loss_left=2.0, loss_right=2.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: qtn.direct_transmission(length=10, loss=0), "`length` is 10 m of fibre: .* in metres, 10 km is 10e3"),
        (lambda: qtn.direct_transmission(length=200, loss=40), "40 dB on 200 m of fibre are 200 dB/km: `length` is"),
        (lambda: qtn.direct_transmission(length=5e7, loss=0), "50000 km, more than half of the way round the Earth"),
        (
            lambda: qtn.direct_transmission(length=1e6, loss=1e4, dark_count_probability=0.1),
            "loss of 10000 dB passes one photon in 1e1000",
        ),
        (lambda: qtn.double_click(length_left=10, **ARMS), "`length_left` is 10 m"),
        (lambda: qtn.midpoint_source(length_left=20, **ARMS), "`length_left` is 20 m"),
        (lambda: qtn.Chain.from_lengths([10, 20], link=qtn.direct_transmission), "`length` is 20 m"),
    ],
)
def test_unusual_numbers_get_a_hint(build, message):
    with pytest.warns(UnusualWarning, match=message):
        build()


def test_usual_and_traced_numbers_get_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qtn.direct_transmission(length=20e3, loss=4.0)
        qtn.direct_transmission(length=0.0, loss=3.0, emission_time=1e-6)
        jax.grad(lambda x: qtn.direct_transmission(length=x, loss=0.0).heralded().attempt_time)(10.0)


def test_files_name_the_key_and_are_read(tmp_path, capsys):
    link = "model = 'direct_transmission', length_km = {}, loss_db = 0.1, attempt_time_s = 1.0"
    text = "schema = 1\n[chain]\nnum_links = 1\nlink = {{ " + link + " }}\n[schedule]\ntree = '0'\n"
    path = tmp_path / "far.toml"
    path.write_text(text.format(50_000))
    assert run(["check", str(path)]) == 0
    told = capsys.readouterr()
    assert "good" in told.out
    assert told.err.splitlines() == [
        f"warning: {path}: chain.link: `length` is 50000 km, more than half of the way round the Earth."
    ]
    path.write_text(text.format(0.01))
    assert run(["check", str(path)]) == 0 and "warning" not in capsys.readouterr().err


def test_short_fibre_can_be_meant():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ShortFibreWarning)
        qtn.direct_transmission(length=10, loss=0)


WRONG = {
    'qtn.node({"t2": 1.0})': "Argument `memory` must be built, such as by dephasing_memory(t2), but is {'t2': 1.0}.",
    "qtn.node(None, 0.99)": "Argument `gate_set` must be built, such as by gates(two_qubit, readout), but is 0.99.",
    'qtn.evaluate(line, "swap(0, 1)")': (
        "Argument `schedule` must be a Schedule, but is a text: use parse('swap(0, 1)')."
    ),
    'qtn.Renewal().summarise(line, qtn.parse("swap(0, 1)").tree)': (
        "Argument `schedule` must be a Schedule or swap_asap(), but is of Swap: use Schedule(tree=...)."
    ),
    "qtn.Asap().evaluate(line, 3)": (
        "Argument `schedule` must be a Schedule or swap_asap(), but is of int: use parse(...)."
    ),
}


def test_arguments_of_the_wrong_kind_are_told_what_makes_the_right_one():
    """In a process of its own: the types that the other tests check at every call would speak first."""
    program = ["import jax; jax.config.update('jax_enable_x64', True)", "import qtn"]
    program += ["line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)"]
    for call in WRONG:
        program += ["try:", f"    {call}", "except TypeError as error:", "    print(error)"]
    found = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == list(WRONG.values())


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (noise_model(by_label={"slow": channels.dephasing(0.1)}), "by_label holds 'slow', but .* \\(it has 'fast'\\)"),
        (noise_model(by_site={2: channels.dephasing(0.1)}), r"by_site holds 2, but sites are 0\.\.1"),
    ],
)
def test_noise_that_meets_nothing_is_refused(noise, message):
    program = circuit(2, [gate("H", 0, label="fast"), gate("CX", (0, 1))])
    with pytest.raises(ValueError, match=message):
        qtn.run(program, noise)
    with pytest.raises(ValueError, match=message):
        trajectories(program, noise, observables=["ZZ"], num_trajectories=2, key=jax.random.key(0))
