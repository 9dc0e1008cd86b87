"""A day of one satellite over one station: orbit, optics, and its key as a function of the elevation mask."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import orbits, qkd
from qtn.hardware.background import noise_probability
from qtn.hardware.free_space import FreeSpace, free_space, transmissivity
from qtn.hardware.turbulence import hufnagel_valley

DAY = 86_400.0
ALTITUDE, INCLINATION, NODE = 500e3, np.radians(97.4), np.radians(160.0)
LATITUDE, LONGITUDE = np.radians(44.0), np.radians(16.4)
PULSE_RATE, WINDOW = 100e6, 1e-9
EFFICIENCY, MISALIGNMENT = 0.16 * 0.5, 0.01
NOISE_RATE = 100.0
"""Dark counts and background of each detector [1/s]."""

SENT = {"intensities": [0.5, 0.1, 0.0], "probabilities": [0.7, 0.2, 0.1], "p_key_basis": 0.8}
SECURITY = qkd.Security(secrecy=1e-9, correctness=1e-15)


def path() -> tuple[orbits.Orbit, orbits.Station]:
    """Return orbit and station."""
    return orbits.orbit(ALTITUDE, INCLINATION, raan=NODE), orbits.station(LATITUDE, LONGITUDE)


def optics() -> FreeSpace:
    """Return the telescope, the beam and the air."""
    return free_space(
        receiver_radius=0.5,
        wavelength=850e-9,
        divergence=8e-6,
        pointing_jitter=1e-6,
        zenith_transmissivity=10**-0.15,
        turbulence=hufnagel_valley(),
    )


def received(eta: Any) -> qkd.Receiver:
    """Return what the station detects with when a part of the light arrives."""
    dark = noise_probability(NOISE_RATE, WINDOW)
    return qkd.Receiver(
        transmissivity=EFFICIENCY * jnp.asarray(eta),
        dark_count_probability=jnp.asarray(dark),
        misalignment=jnp.asarray(MISALIGNMENT),
        after_pulse_probability=jnp.zeros(()),
        dead_pulses=jnp.zeros(()),
    )


def counts_of(sent: qkd.Pulses, eta: Any, seconds: Any) -> qkd.Counts:
    """Return the counts (k, 3) of k passes, from arrival probabilities and lengths of time (k, q)."""

    def slot(eta: Any, seconds: Any) -> qkd.Counts:
        return qkd.expected_counts(sent, received(eta), PULSE_RATE * seconds)

    every = jax.vmap(jax.vmap(slot))(eta, seconds)
    return jax.tree.map(lambda leaf: jnp.sum(leaf, 1), every)


def block_keys(eta: Any, seconds: Any) -> Any:
    """Return the finite key (k,) of each pass [bit], 0 where there is none."""
    sent = qkd.pulses(**SENT)
    counts = counts_of(sent, eta, seconds)
    keys = jax.vmap(lambda block: qkd.decoy_key(sent, block, SECURITY, tail="chernoff").key_bits)(counts)
    return jnp.maximum(keys, 0.0)


def slot_key(eta: Any, seconds: Any) -> Any:
    """Return the key without end (k,) of each pass [bit]: every moment has its own, and all decoys."""
    mu, p, basis = SENT["intensities"][0], SENT["probabilities"][0], SENT["p_key_basis"]

    def rate(eta: Any) -> Any:
        line = received(eta)
        return qkd.asymptotic_rate(line, mu, qkd.single_photons(line), correction=1.16, sifting=p * basis**2)

    return jnp.sum(jnp.maximum(jax.vmap(jax.vmap(rate))(eta), 0.0) * seconds * PULSE_RATE, 1)


def arrival(seen: orbits.Passes) -> Any:
    """Return the mean probability (k, q) that a photon arrives along passes."""
    return transmissivity(optics(), seen.slant_range, seen.elevation)
