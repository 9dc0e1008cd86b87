"""The whole register in one state: a schedule run as a circuit along a timeline, with every memory of every node."""

from qtn.evaluators.full_state.derive import num_pairs, timeline_of
from qtn.evaluators.full_state.evaluator import FullState
from qtn.evaluators.full_state.events import (
    Along,
    Correct,
    DistillAt,
    Generate,
    Local,
    SwapAt,
    Timeline,
    along,
    discard_at,
    gate_at,
    hold,
    local,
    measure_and_correct,
    select,
    timeline,
)
from qtn.evaluators.full_state.execute import FullInfo, FullOutcome
from qtn.evaluators.full_state.sample import sample_timeline, sample_timelines

__all__ = [
    "Along",
    "Correct",
    "DistillAt",
    "FullInfo",
    "FullOutcome",
    "FullState",
    "Generate",
    "Local",
    "SwapAt",
    "Timeline",
    "along",
    "discard_at",
    "gate_at",
    "hold",
    "local",
    "measure_and_correct",
    "num_pairs",
    "sample_timeline",
    "sample_timelines",
    "select",
    "timeline",
    "timeline_of",
]
