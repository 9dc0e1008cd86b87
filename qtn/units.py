"""Convert units at the border: inside, everything is in seconds, metres and hertz.

Example:
    >>> from qtn import units
    >>> 20 * units.km
    20000.0
"""

km = 1e3
ms = 1e-3
us = 1e-6
ns = 1e-9
kHz = 1e3  # noqa: N816
MHz = 1e6

SPEED_OF_LIGHT = 299_792_458.0
"""Speed of light in vacuum [m/s]."""
