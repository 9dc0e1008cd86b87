"""The numbers that tables of links share, each with its words, range, unit and sense."""

from typing import Annotated

from pydantic import Field

from qtn import _ranges as within
from qtn.links.encoded import MOST_ERROR
from qtn.problem import number as unit
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, TOWARDS_ZERO, Number

ArmDistance = Annotated[
    float, Number("Way along the ground from a station to below the satellite", within.NON_NEGATIVE, unit=unit.KM)
]
ArmLength = Annotated[float, Number("Fibre from a node to the station", within.NON_NEGATIVE, unit=unit.KM)]
ArmLoss = Annotated[float, Number("Loss of the fibre of one arm", within.NON_NEGATIVE, SMALLER, unit.DB)]
AttemptTime = Annotated[float, Number("Duration of one attempt", within.POSITIVE, SMALLER, unit.S)]
Attenuation = Annotated[
    float,
    Number(
        "Loss of power in the fibre by length (0.2 is not 20 % but 4.5 % a km)",
        within.NON_NEGATIVE,
        SMALLER,
        unit.DB_PER_KM,
    ),
]
Contrast = Annotated[
    float,
    Number(
        "Visibility V of the correlations, multi-pairs apart: outcomes flip with (1 - V)/2",
        within.PROBABILITY,
        TOWARDS_ONE,
    ),
]
DarkCounts = Annotated[
    float, Number("Chance of a click without a photon, per detector and window", within.BELOW_ONE, TOWARDS_ZERO)
]
Distance = Annotated[float, Number("Way along the ground between the stations", within.NON_NEGATIVE, unit=unit.KM)]
Efficiency = Annotated[
    float, Number("Emission, coupling and detection, without channel", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
]
EmitterGateTime = Annotated[
    float, Number("Duration of a gate between two emitters of a station", within.NON_NEGATIVE, SMALLER, unit.S)
]
ErrorProbability = Annotated[
    float, Number("Chance of one of the three Pauli errors", within.Range(0.0, MOST_ERROR), TOWARDS_ZERO)
]
EmissionTime = Annotated[float, Number("Time of an attempt that is not travel", within.NON_NEGATIVE, SMALLER, unit.S)]
Fidelity = Annotated[
    float, Number("Fidelity F = <Phi+|rho|Phi+> of a Werner pair (no root)", within.PROBABILITY, TOWARDS_ONE)
]
Length = Annotated[float, Number("Fibre from node to node", within.NON_NEGATIVE, unit=unit.KM)]
Loss = Annotated[float, Number("Loss of the fibre from node to node", within.NON_NEGATIVE, SMALLER, unit.DB)]
MeanPairs = Annotated[
    float, Number("Mean number of photon pairs of one pulse (both polarisations)", within.NON_NEGATIVE)
]
NumMemories = Annotated[int, Number("Pairs of memories that try at once", within.COUNT, LARGER, whole=True)]
NumModes = Annotated[int, Number("Modes that one attempt tries side by side", within.COUNT, LARGER, whole=True)]
Population = Annotated[float, Number("Population (not amplitude) of the bright state, which emits", within.PROBABILITY)]
NumStations = Annotated[
    int, Number("Stations at equal spacings, the last of which is the right node", within.COUNT, whole=True)
]
PhotonTime = Annotated[float, Number("Time in which an emitter makes a photon", within.NON_NEGATIVE, SMALLER, unit.S)]
PSource = Annotated[float, Number("Chance that the source emits a pair", within.POSITIVE_PROBABILITY, TOWARDS_ONE)]
RefractiveIndex = Annotated[float, Number("Group index of the fibre", within.AT_LEAST_ONE)]
RepetitionRate = Annotated[float, Number("Pulses of the source by time", within.POSITIVE, LARGER, unit.HZ)]
Visibility = Annotated[
    float, Number("Hong-Ou-Mandel visibility V = |overlap|^2 of the photons", within.PROBABILITY, TOWARDS_ONE)
]
Weight = Annotated[float, Number("Weights of Phi+, Psi+, Psi-, Phi- of the pair, sum 1", within.PROBABILITY)]
Weights = Annotated[list[Weight], Field(min_length=4, max_length=4)]
