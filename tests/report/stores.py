"""Small stores of sweeps, filled with simple functions, for the tests of reports and plots."""

import json

import numpy as np

from qtn.sweeps.layout import Column, Layout
from qtn.sweeps.run import run_shard
from qtn.sweeps.spec import Mode, grid
from qtn.sweeps.store import create

LENGTH, TIME, MODES = "chain.link.length_km", "chain.node.memory.time_constant_s", "chain.link.num_modes"
UNITS = {LENGTH: "km", TIME: "s"}
AXES = {
    LENGTH: {"start": 10.0, "stop": 100.0, "num": 19},
    TIME: {"start": 1e-3, "stop": 10.0, "num": 13, "scale": "log"},
    MODES: [1, 10, 100, 1000],
}
RATE = "secret_key_rate_hz"


def rate(length, time, modes):
    """Return something that looks like a key rate [bit/s], and its derivative by the length."""
    p = modes * 10 ** (-0.02 * length)
    key = np.maximum(1 - 0.02 * length / (1 + 50 * time), 0)
    return 100 * p * key, -4.6 * p * key


def store(path, axes=tuple(AXES), failing=(), mode: Mode = "grid", axes_given=None, upto=None):
    """Make a store over some axes; points whose index is in `failing` fail, those from `upto` stay pending."""
    points = grid(axes_given or {name: AXES[name] for name in axes}, mode, UNITS)
    columns = (
        Column(RATE, "bit/s", "secret-key rate"),
        Column("fidelity", "", "fidelity"),
        Column(f"d_{RATE}_d_{LENGTH}", "bit/s/km", ""),
        Column("grid_error"),
        Column("tail_mass"),
    )
    facts = {"title": "delft <eindhoven>", "versions": {"qtn": "0.1.0", "jax": "0.10.2"}, "x64": True, "seed": 0}
    layout = Layout(
        points, columns, 16, json.dumps({"schema": 1, "chain": {"num_links": 4}}), facts=tuple(facts.items())
    )
    made = create(path, layout)

    def compute(index):
        at = points.columns(index)
        length, time, modes = (
            at.get(name, np.full(index.size, default)) for name, default in ((LENGTH, 50.0), (TIME, 0.1), (MODES, 10))
        )
        value, slope = rate(np.asarray(length, float), np.asarray(time, float), np.asarray(modes, float))
        bad = np.isin(index, failing)
        numbers = {
            RATE: value,
            "fidelity": 0.5 + 0.5 * np.exp(-np.asarray(length, float) / 200),
            f"d_{RATE}_d_{LENGTH}": slope,
            "grid_error": np.full(index.size, 1e-9),
            "tail_mass": np.full(index.size, 1e-12),
        }
        return {n: np.where(bad, np.nan, v) for n, v in numbers.items()}, ["no pair arrives" if b else "" for b in bad]

    count = [0]

    def stop():
        count[0] += 1
        return upto is not None and count[0] > upto

    run_shard(made, compute, stop=stop)
    return path
