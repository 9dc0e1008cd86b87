"""Monte Carlo over waiting times, with error bars and gradients."""

from qtn.evaluators.sampled.evaluator import Sampled
from qtn.evaluators.sampled.outcome import Correction, SampledInfo, SampledOutcome

__all__ = ["Correction", "Sampled", "SampledInfo", "SampledOutcome"]
