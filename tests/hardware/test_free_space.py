"""Light between satellites and the ground: published tables, closed forms, sampled beams, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import ncx2

from qtn.hardware.background import background_rate, noise_probability
from qtn.hardware.earth import EARTH_RADIUS, ground_distance, height_at, range_from, sin_elevation, slant_range
from qtn.hardware.fading import fading, off_centre
from qtn.hardware.free_space import free_space, mean_square_radius, transmissivity
from qtn.hardware.turbulence import coherence_radius, hufnagel_valley, log_variance, rytov_variance, structure

RAD = np.pi / 180
OPTICS = {"receiver_radius": 0.5, "wavelength": 850e-9}


@pytest.mark.parametrize("wind", [21.0, 30.0])
def test_scintillation_of_the_recommendation(wind):
    published = {21.0: [0.23, 0.13, 0.10, 0.07], 30.0: [0.36, 0.21, 0.16, 0.10]}[wind]  # ITU-R P.1622, Table 2
    found = rytov_variance(hufnagel_valley(wind), np.array([0.532, 0.85, 1.064, 1.55]) * 1e-6, 75 * RAD)
    np.testing.assert_allclose(found, published, atol=0.01)


def profile(height, wind=21.0, ground=1.7e-14):
    upper = 0.00594 * (wind / 27) ** 2 * (1e-5 * height) ** 10 * np.exp(-height / 1000)
    return upper + 2.7e-16 * np.exp(-height / 1500) + ground * np.exp(-height / 100)


def integral(of):
    return sum(quad(of, a, b, limit=400, epsabs=0, epsrel=1e-10)[0] for a, b in ((0, 2e3), (2e3, 2e4), (2e4, 8e4)))


def test_turbulence_integrals():
    air, k = hufnagel_valley(), 2 * np.pi / 850e-9
    np.testing.assert_allclose(structure(air, np.array([0.0, 1e3, 1e4])), profile(np.array([0.0, 1e3, 1e4])))
    down = 2.25 * k ** (7 / 6) * np.sin(0.6) ** (-11 / 6) * integral(lambda h: profile(h) * h ** (5 / 6))
    np.testing.assert_allclose(rytov_variance(air, 850e-9, 0.6), down, rtol=1e-8)
    top = 500e3
    up = 2.25 * k ** (7 / 6) * integral(lambda h: profile(h) * (h * (1 - h / top)) ** (5 / 6))
    np.testing.assert_allclose(rytov_variance(air, 850e-9, np.pi / 2, height=top), up, rtol=1e-6)
    rho = (1.46 * k**2 * integral(lambda h: profile(h) * (1 - h / top) ** (5 / 3))) ** (-3 / 5)
    np.testing.assert_allclose(coherence_radius(air, 850e-9, top, 1.0), rho, rtol=1e-6)
    assert 0.045 < 2.1 * coherence_radius(air, 500e-9, top, 1.0) < 0.055  # "5/7": Fried's 5 cm at 500 nm


def test_scintillation_is_averaged_and_bounded():
    air = hufnagel_valley()
    point, wide = (log_variance(air, 850e-9, 75 * RAD, radius) for radius in (0.0, 0.5))
    np.testing.assert_allclose(point, 0.135, rtol=0.15)
    assert 0 < wide < point / 20
    assert float(log_variance(air, 850e-9, 2 * RAD)) < 1.5 < float(rytov_variance(air, 850e-9, 2 * RAD))


def test_geometry():
    s, h = np.linspace(0, 2000e3, 5), 500e3
    far, sine = slant_range(s, h), sin_elevation(s, h)
    np.testing.assert_allclose(far, range_from(np.arcsin(sine), h), rtol=1e-12)
    np.testing.assert_allclose(height_at(far, sine), h, rtol=1e-12)
    np.testing.assert_allclose(ground_distance(far, h), s, atol=1e-3)
    up = np.sin(0.3)
    np.testing.assert_allclose(
        range_from(0.3, h), -EARTH_RADIUS * up + np.sqrt(EARTH_RADIUS**2 * up**2 + h**2 + 2 * h * EARTH_RADIUS)
    )
    assert np.isfinite(jax.grad(lambda d: ground_distance(d, h))(500e3))


def test_divergence_and_atmosphere_of_a_published_link():
    optics = free_space(**OPTICS, divergence=7.4066e-6, zenith_transmissivity=10**-0.3402)
    loss = -10 * np.log10(transmissivity(optics, 1200e3, np.pi / 2))
    np.testing.assert_allclose(loss, 22 + 3.402, atol=1e-3)
    ratio = transmissivity(optics, 1200e3, 20 * RAD) / transmissivity(optics, 1200e3, np.pi / 2)
    np.testing.assert_allclose(-10 * np.log10(ratio), 3.402 * (1 / np.sin(20 * RAD) - 1), rtol=1e-9)
    assert float(transmissivity(optics, 1200e3, 0.0)) == 0.0
    assert float(transmissivity(optics, 1200e3, -0.1)) == 0.0


def test_a_beam_off_centre_is_a_chi_square():
    width, radius, offset = 3.0, np.array([0.5, 2.0, 9.0, 0.01]), np.array([0.0, 2.0, 10.0, 5.0])
    exact = ncx2.cdf(4 * radius**2 / width**2, 2, 4 * np.maximum(offset, 1e-12) ** 2 / width**2)
    np.testing.assert_allclose(off_centre(width**2, radius, offset), exact, rtol=1e-7)


@pytest.mark.parametrize("jitter", [0.0, 1e-6, 5e-6, 4e-5])
@pytest.mark.parametrize("up", [False, True])
def test_fading_has_the_mean_of_the_closed_form(jitter, up):
    optics = free_space(**OPTICS, divergence=1e-5, pointing_jitter=jitter, turbulence=hufnagel_valley(), up=up)
    light = fading(optics, 1e6, 0.7)
    assert light.transmissivity.shape == (192,)
    np.testing.assert_allclose(light.probability.sum(), 1.0)
    np.testing.assert_allclose(
        light.mean(light.transmissivity), transmissivity(optics, 1e6, 0.7), rtol=1e-7 if jitter < 1e-5 else 5e-5
    )


def test_fading_is_that_of_samples():
    air = hufnagel_valley(30.0)
    optics = free_space(receiver_radius=0.05, wavelength=850e-9, divergence=1e-5, pointing_jitter=5e-6, turbulence=air)
    light = fading(optics, 1e6, 0.5)
    rng = np.random.default_rng(0)
    offset = 1e6 * 5e-6 * np.hypot(*rng.normal(size=(2, 400_000)))
    deviation = np.sqrt(log_variance(air, 850e-9, 0.5, 0.05))
    bright = np.exp(deviation * rng.normal(size=400_000) - deviation**2 / 2)
    drawn = 2 * 0.05**2 / 100 * np.exp(-2 * offset**2 / 100) * bright  # far smaller than the beam of 10 m
    for power in (1, 2, 3):
        found = light.mean(light.transmissivity**power)
        spread = np.std(drawn**power) / np.sqrt(400_000)
        np.testing.assert_allclose(found, np.mean(drawn**power), atol=5 * spread)


def test_turbulence_widens_what_goes_up():
    still, moving = (
        free_space(receiver_radius=0.15, wavelength=800e-9, beam_waist=0.1, turbulence=air, up=True)
        for air in (None, hufnagel_valley())
    )
    rho = float(coherence_radius(hufnagel_valley(), 800e-9, 600e3, 1.0))
    wider = mean_square_radius(moving, 600e3, 1.0) - mean_square_radius(still, 600e3, 1.0)
    np.testing.assert_allclose(wider, 8 * (600e3 / (2 * np.pi / 800e-9 * rho)) ** 2)
    down = free_space(receiver_radius=0.15, wavelength=800e-9, beam_waist=0.1, turbulence=hufnagel_valley())
    np.testing.assert_allclose(mean_square_radius(down, 600e3, 1.0), mean_square_radius(still, 600e3, 1.0))


@pytest.mark.parametrize("up", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_gradients(up):
    def of(x):
        optics = free_space(
            receiver_radius=x[0],
            wavelength=x[1] * 1e-6,
            divergence=x[2] * 1e-5,
            zenith_transmissivity=x[3],
            pointing_jitter=x[4] * 1e-6,
            turbulence=hufnagel_valley(x[5], x[6] * 1e-14),
            up=up,
        )
        light = fading(optics, 1e6 * x[7], x[8])
        return 1e6 * light.mean(light.transmissivity**2)

    x = jnp.array([0.5, 0.85, 1.0, 0.6, 2.0, 21.0, 1.7, 1.0, 0.6])
    function, gradient = jax.jit(of), jax.jit(jax.grad(of))
    numeric = jnp.stack([(function(x + 1e-5 * e) - function(x - 1e-5 * e)) / 2e-5 for e in np.eye(9)])
    np.testing.assert_allclose(gradient(x), numeric, rtol=2e-6, atol=2e-6)
    assert np.all(np.isfinite(gradient(x.at[jnp.array([4, 5, 6])].set(0.0))))  # no jitter, still air


def test_background():
    sky = {"field_of_view": 1e-4, "receiver_radius": 0.5, "bandwidth": 1e-9, "wavelength": 850e-9}
    power = 15.0 * np.pi * 0.25e-8 * np.pi * 0.25 * 1e-9  # 1.5e-5 W / (m^2 sr um), a clear night without moon
    np.testing.assert_allclose(background_rate(radiance=15.0, **sky), power * 850e-9 / (6.62607015e-34 * 299_792_458.0))
    np.testing.assert_allclose(noise_probability(1e3, 1e-9), 1e-6, rtol=1e-5)
    assert float(noise_probability(0.0, 1e-9)) == 0.0
    assert float(jax.grad(noise_probability)(0.0, 1e-9)) == pytest.approx(1e-9)


BAD = {
    "both": (lambda: free_space(**OPTICS, divergence=1e-5, beam_waist=0.1), "Exactly one of"),
    "neither": (lambda: free_space(**OPTICS), "Exactly one of"),
    "divergence": (lambda: free_space(**OPTICS, divergence=10.0), "`divergence` must lie in (0, pi/2)"),
    "jitter": (lambda: free_space(**OPTICS, divergence=1e-5, pointing_jitter=-1.0), "`pointing_jitter`"),
    "wind": (lambda: hufnagel_valley(-1.0), "`wind_speed` must be non-negative"),
    "values": (lambda: fading(free_space(**OPTICS, divergence=1e-5), 1e6, 1.0, num_pointing=0), "`num_pointing`"),
    "rate": (lambda: noise_probability(-1.0, 1e-9), "`count_rate`"),
}


@pytest.mark.parametrize(("build", "message"), BAD.values(), ids=BAD)
def test_errors(build, message):
    with pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)
