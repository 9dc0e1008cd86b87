"""Monte Carlo over waiting times, with error bars and gradients."""

from qtn.evaluators.sampled.evaluator import Sampled
from qtn.evaluators.sampled.outcome import SampledInfo, SampledOutcome

__all__ = ["Sampled", "SampledInfo", "SampledOutcome"]
