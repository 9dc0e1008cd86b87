"""qtn: exact states, waiting times and key rates of quantum networks, with a gradient for every number.

    device numbers -> link -> schedule -> (state, time) -> merit -> gradient -> optimiser -> report

The public names are loaded when first used, in the order in which data flow.
"""

import importlib
from typing import Any

_PACKAGES = ("states", "channels", "circuits", "codes", "dqc", "networks", "orbits", "qkd", "sensing", "services")

_PUBLIC = {
    "MPS": "qtn.states.trains",
    "MPDO": "qtn.states.trains",
    "circuit": "qtn.circuits.circuit",
    "gate": "qtn.circuits.circuit",
    "unitary": "qtn.circuits.circuit",
    "noise_model": "qtn.circuits.noise",
    "run": "qtn.circuits.run",
    "load_qasm": "qtn.circuits.qasm",
    "run_on_demand": "qtn.circuits.on_demand",
    "trajectories": "qtn.circuits.trajectories",
    "sampled_states": "qtn.circuits.trajectories",
    "depolarising_memory": "qtn.hardware.memory",
    "dephasing_memory": "qtn.hardware.memory",
    "relaxing_memory": "qtn.hardware.memory",
    "gates": "qtn.hardware.gates",
    "linear_optics": "qtn.hardware.linear_optics",
    "node": "qtn.hardware.node",
    "abstract_link": "qtn.links.abstract",
    "single_click": "qtn.links.single_click",
    "double_click": "qtn.links.double_click",
    "midpoint_source": "qtn.links.midpoint_source",
    "direct_transmission": "qtn.links.direct_transmission",
    "spdc_source": "qtn.links.spdc_source",
    "satellite": "qtn.links.satellite",
    "one_way": "qtn.links.one_way",
    "graph_state": "qtn.links.graph_state",
    "multiplexed_link": "qtn.links.multiplexed",
    "chain": "qtn.links.chain",
    "Chain": "qtn.links.chain",
    "Graph": "qtn.links.graph",
    "graph": "qtn.links.graph",
    "BBPSSW": "qtn.steps.distill",
    "DEJMPS": "qtn.steps.distill",
    "CNOT": "qtn.steps.distill",
    "EPL": "qtn.steps.distill",
    "DOUBLE_SELECTION": "qtn.steps.distill",
    "CODE_3": "qtn.steps.distill",
    "CODE_4": "qtn.steps.distill",
    "CODE_5": "qtn.steps.distill",
    "teleport": "qtn.steps.teleport",
    "teleportation_fidelity": "qtn.steps.teleport",
    "fuse": "qtn.steps.fusion",
    "ghz_fidelity": "qtn.steps.fusion",
    "Network": "qtn.networks.network",
    "network": "qtn.networks.network",
    "read_topology": "qtn.networks.topology",
    "with_latencies": "qtn.schedules.latency",
    "elementary": "qtn.schedules.builders",
    "swap": "qtn.schedules.builders",
    "distill": "qtn.schedules.builders",
    "pump": "qtn.schedules.builders",
    "wait": "qtn.schedules.builders",
    "nested": "qtn.schedules.families",
    "sequential": "qtn.schedules.families",
    "balanced": "qtn.schedules.families",
    "parse": "qtn.schedules.text",
    "to_text": "qtn.schedules.text",
    "Schedule": "qtn.schedules.tree",
    "swap_asap": "qtn.schedules.policy",
    "SwapAsap": "qtn.schedules.policy",
    "Restart": "qtn.schedules.policy",
    "Ends": "qtn.schedules.policy",
    "Renewal": "qtn.evaluators.renewal",
    "FullState": "qtn.evaluators.full_state",
    "Sampled": "qtn.evaluators.sampled.evaluator",
    "Correction": "qtn.steps.swap",
    "Asap": "qtn.evaluators.asap.evaluator",
    "Line": "qtn.evaluators.asap.line",
    "stacked": "qtn.evaluators.asap.line",
    "evaluate_pairs": "qtn.evaluators.paths",
    "Outcome": "qtn.evaluators.outcome",
    "evaluate": "qtn.evaluators.evaluate",
    "waiting_time_quantiles": "qtn.evaluators.outcome",
    "pairs_of": "qtn.evaluators.pairs",
    "gather": "qtn.evaluators.gather.gather",
    "arms_to_hub": "qtn.evaluators.gather.arms",
    "GroupOutcome": "qtn.evaluators.gather.outcome",
    "fidelity": "qtn.merit.fidelity",
    "log_negativity": "qtn.merit.entanglement",
    "coherent_information": "qtn.merit.entanglement",
    "hashing_yield": "qtn.merit.entanglement",
    "chsh_value": "qtn.merit.chsh",
    "fidelity_in_time": "qtn.merit.in_time",
    "delivered_by": "qtn.merit.in_time",
    "storage_times": "qtn.merit.age",
    "preprocessed": "qtn.merit.preprocessing",
    "bb84_fraction": "qtn.merit.key_rate",
    "six_state_fraction": "qtn.merit.key_rate",
    "hashing_fraction": "qtn.merit.key_rate",
    "chsh_fraction": "qtn.merit.key_rate",
    "secret_fraction": "qtn.merit.key_rate",
    "secret_key_rate": "qtn.merit.key_rate",
    "plob_rate": "qtn.merit.bounds",
    "repeater_rate": "qtn.merit.bounds",
    "chain_rate": "qtn.merit.bounds",
    "gradient": "qtn.merit.gradient",
    "search": "qtn.planning.search",
    "SearchSettings": "qtn.planning.search",
    "SearchSpace": "qtn.planning.space",
    "Objective": "qtn.planning.objective",
    "tune": "qtn.planning.tune",
    "Tuning": "qtn.planning.tuning",
    "Interval": "qtn.optimisation.bounded",
    "PurificationCircuit": "qtn.planning.purification",
    "purify": "qtn.planning.purification",
    "train_purification": "qtn.planning.purification",
    "draw_schedule": "qtn.report.drawing",
    "draw_network": "qtn.report.network_drawing",
    "draw_graph": "qtn.report.graph_drawing",
    "load": "qtn.problem.load",
    "optimise": "qtn.problem.planner",
    "sweep": "qtn.sweeps.sweep",
}

__version__ = "0.1.0"
__all__ = [*_PACKAGES, *_PUBLIC]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        import jax

        with jax.ensure_compile_time_eval():  # the first use of a name may stand inside a function that is traced
            return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _PACKAGES:
        return importlib.import_module(f"qtn.{name}")
    raise AttributeError(f"module 'qtn' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
