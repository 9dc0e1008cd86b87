"""Gathering: many arms deliver pairs to a hub, which joins them to one state of all users when the last is there."""

from qtn.evaluators.gather.gather import gather
from qtn.evaluators.gather.outcome import GroupOutcome, WaitingTime

__all__ = ["GroupOutcome", "WaitingTime", "gather"]
