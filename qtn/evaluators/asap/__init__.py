"""Swap as soon as possible as a tensor network in time."""

from qtn.evaluators.asap.evaluator import Asap
from qtn.evaluators.asap.line import Line, stacked

__all__ = ["Asap", "Line", "stacked"]
