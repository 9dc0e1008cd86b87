"""One point of the two-link chain in ReQuSim; run by compare.py in the environment that has it."""

import json
import sys
import time
from typing import Any

import numpy as np
import requsim.libs.matrix as mat  # pyright: ignore
from requsim.events import EntanglementSwappingEvent  # pyright: ignore
from requsim.noise import NoiseChannel  # pyright: ignore
from requsim.quantum_objects import SchedulingSource, Station  # pyright: ignore
from requsim.tools.protocol import TwoLinkProtocol  # pyright: ignore
from requsim.world import World  # pyright: ignore


class Swap(TwoLinkProtocol):
    """Swap as soon as both links are there, then count the pair and begin again."""

    def check(self, message: Any = None) -> None:
        """React to every event."""
        left, right = self._get_left_pairs(), self._get_right_pairs()
        for pair in self._get_long_range_pairs():
            self._eval_pair(pair)
            for qubit in pair.qubits:
                qubit.destroy()
            pair.destroy()
        if not left and not self._left_pairs_scheduled():
            self.source_A.schedule_event()
        if not right and not self._right_pairs_scheduled():
            self.source_B.schedule_event()
        if left and right:
            event = EntanglementSwappingEvent(
                time=self.world.event_queue.current_time, pairs=[left[0], right[0]], station=self.station_central
            )
            self.world.event_queue.add_event(event)


def main(numbers: dict[str, Any]) -> None:
    """Deliver so many pairs and print the processor time."""
    began = time.process_time()
    world = World()
    noise = NoiseChannel(n_qubits=1, channel_function=lambda rho, t: dephased(rho, t, numbers["t2"]))
    ends = [Station(world, position=place, memory_noise=noise) for place in (0, 40e3, 80e3)]
    bells = (mat.phiplus, mat.psiplus, mat.psiminus, mat.phiminus)
    state = sum(weight * bell @ mat.H(bell) for weight, bell in zip(numbers["weights"], bells, strict=True))

    def wait(source: Any) -> float:
        return int(np.random.geometric(numbers["p"])) * numbers["attempt"]

    for pair in (ends[:2], ends[1:]):
        SchedulingSource(
            world, position=pair[0].position, target_stations=pair, time_distribution=wait,
            state_generation=lambda source: np.copy(state),
        )  # fmt: skip
    protocol = Swap(world, communication_speed=2e8)
    protocol.setup()
    while len(protocol.time_list) < numbers["pairs"]:
        protocol.check()
        world.event_queue.resolve_next_event()
    print(json.dumps({"seconds": time.process_time() - began, "mean_time": protocol.time_list[-1] / numbers["pairs"]}))


def dephased(rho: Any, time_s: float, t2: float) -> Any:
    """Return the qubit dephased for a time."""
    weight = (1 - np.exp(-time_s / t2)) / 2
    return (1 - weight) * rho + weight * mat.Z @ rho @ mat.H(mat.Z)


if __name__ == "__main__":
    np.random.seed(0)
    main(json.loads(sys.argv[1]))
