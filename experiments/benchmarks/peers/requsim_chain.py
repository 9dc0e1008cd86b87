"""Swap as soon as possible over N links with the public API of ReQuSim; prints one JSON line.

python requsim_chain.py NUM_LINKS DELIVERIES SEED P WERNER TIME_CONSTANT
"""
# pyright: reportMissingImports=false

import json
import sys
import time

import numpy as np
from requsim.events import EntanglementSwappingEvent
from requsim.libs import matrix as mat
from requsim.noise import NoiseChannel
from requsim.quantum_objects import SchedulingSource, Station
from requsim.tools.noise_channels import w_noise_channel
from requsim.tools.protocol import Protocol
from requsim.world import World


class SwapAsap(Protocol):
    """Every link once a state; a station swaps in the moment in which it holds a pair on both sides."""

    def __init__(self, world, stations, sources):
        super().__init__(world)
        self.stations, self.sources = stations, sources
        self.times, self.fidelities, self.begun = [], [], 0.0

    def setup(self):
        """Start all links."""
        for source in self.sources:
            source.schedule_event()

    def check(self, message=None):
        """Swap where possible; evaluate a pair between the ends and begin again."""
        for station in self.stations[1:-1]:
            if len(station.qubits) == 2:
                left, right = sorted(
                    (qubit.higher_order_object for qubit in station.qubits),
                    key=lambda pair: min(qubit._info["station"].position for qubit in pair.qubits),
                )
                event = EntanglementSwappingEvent(self.world.event_queue.current_time, [left, right], station)
                self.world.event_queue.add_event(event)
                return
        for pair in list(self.world.world_objects.get("Pair", [])):
            if pair.is_between_stations(self.stations[0], self.stations[-1]):
                pair.update_time()
                now = self.world.event_queue.current_time
                self.times.append(now - self.begun)
                self.fidelities.append(float(np.real(mat.H(mat.phiplus) @ pair.state @ mat.phiplus)[0, 0]))
                self.begun = now
                for qubit in pair.qubits:
                    qubit.destroy()
                pair.destroy()
                self.setup()


def main(num_links, deliveries, seed, p, werner, time_constant):
    """Simulate and print."""
    rng = np.random.default_rng(seed)
    world = World()

    def decay(rho, t):
        return w_noise_channel(rho, alpha=np.exp(-t / time_constant))

    memory = NoiseChannel(n_qubits=1, channel_function=decay)
    stations = [
        Station(world, position=i, memory_noise=None if i in (0, num_links) else memory) for i in range(num_links + 1)
    ]
    state = werner * mat.phiplus @ mat.H(mat.phiplus) + (1 - werner) * np.eye(4) / 4
    sources = [
        SchedulingSource(
            world,
            position=i,
            target_stations=[stations[i], stations[i + 1]],
            time_distribution=lambda source: float(rng.geometric(p)),
            state_generation=lambda source: state,
        )
        for i in range(num_links)
    ]
    protocol = SwapAsap(world, stations, sources)
    protocol.setup()
    began = time.perf_counter()
    while len(protocol.times) < deliveries:
        world.event_queue.resolve_next_event()
        protocol.check()
    seconds = time.perf_counter() - began
    print(json.dumps({"times": protocol.times, "fidelities": protocol.fidelities, "seconds": seconds}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *map(float, sys.argv[4:7]))
