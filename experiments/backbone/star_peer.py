"""A star of four users in ReQuSim 0.4, in an environment of its own; `star.py` runs it.

python -m venv peer && peer/bin/pip install requsim==0.4
peer/bin/python experiments/backbone/star_peer.py SAMPLES < star.json
"""

import json
import sys
import warnings

import numpy as np
from requsim.events import EntanglementSwappingEvent  # pyright: ignore[reportMissingImports]
from requsim.libs import matrix as mat  # pyright: ignore[reportMissingImports]
from requsim.noise import NoiseChannel, NoiseModel  # pyright: ignore[reportMissingImports]
from requsim.quantum_objects import SchedulingSource, Station  # pyright: ignore[reportMissingImports]
from requsim.tools.protocol import TwoLinkProtocol  # pyright: ignore[reportMissingImports]
from requsim.world import World  # pyright: ignore[reportMissingImports]

warnings.filterwarnings("ignore")
PHI = mat.phiplus @ mat.H(mat.phiplus)


def dephased(t2: float) -> NoiseChannel:
    """Return the noise of a memory with a coherence time [s]."""
    z = mat.Z
    return NoiseChannel(
        n_qubits=1,
        channel_function=lambda rho, t: (1 + np.exp(-t / t2)) / 2 * rho + (1 - np.exp(-t / t2)) / 2 * z @ rho @ z,
    )


def noisy(two_qubit: float) -> NoiseModel:
    """Return a Bell measurement of which a depolarised one remains with 1 - p2."""

    def channel(rho: np.ndarray) -> np.ndarray:
        traced = np.einsum("iabjcabd->ijcd", rho.reshape((2,) * 8))
        mixed = np.einsum("ijcd,ab,ef->iaejcbfd", traced, np.eye(2) / 2, np.eye(2) / 2)
        return two_qubit * rho + (1 - two_qubit) * mixed.reshape(16, 16)

    return NoiseModel(channel_before=NoiseChannel(n_qubits=4, channel_function=channel))


class Swap(TwoLinkProtocol):
    """Both links start together, the hub swaps when both pairs are there, and all starts again."""

    def check(self, message=None):
        """Take the next step."""
        left, right, whole = self._get_left_pairs(), self._get_right_pairs(), self._get_long_range_pairs()
        for pair in whole:
            self.time_list.append(self.world.event_queue.current_time)
            self.state_list.append(pair.state)
            for qubit in pair.qubits:
                qubit.destroy()
            pair.destroy()
        if left and right:
            now = self.world.event_queue.current_time
            self.world.event_queue.add_event(EntanglementSwappingEvent(now, [left[0], right[0]], self.station_central))
        elif not (left or right or self._left_pairs_scheduled() or self._right_pairs_scheduled()):
            self.source_A.schedule_event()
            self.source_B.schedule_event()


def pair_of_users(one: dict, other: dict, hub: dict, samples: int, rng: np.random.Generator) -> dict:
    """Return rate and fidelity of two users, each with its standard error."""
    world = World()
    stations = [
        Station(world, position, memory_noise=dephased(t2), BSM_noise_model=model)
        for position, t2, model in (
            (0, one["t2_s"], NoiseModel()),
            (1, hub["t2_s"], noisy(hub["two_qubit"])),
            (2, other["t2_s"], NoiseModel()),
        )
    ]
    for place, arm in ((0, one), (1, other)):
        state = arm["werner"] * PHI + (1 - arm["werner"]) * np.eye(4) / 4
        SchedulingSource(
            world,
            place,
            stations[place : place + 2],
            time_distribution=lambda source, arm=arm: rng.geometric(arm["p_success"]) * arm["attempt_time_s"],
            state_generation=lambda source, state=state: state,
        )
    protocol = Swap(world, 1.0)
    protocol.setup()
    protocol.check()
    while len(protocol.time_list) < samples:
        world.event_queue.resolve_next_event()
        protocol.check()
    times = np.diff([0.0, *protocol.time_list])
    fidelities = np.array([np.real(mat.H(mat.phiplus) @ state @ mat.phiplus).item() for state in protocol.state_list])
    root = np.sqrt(samples)
    return {
        "rate_hz": 1 / times.mean(),
        "rate_error": times.std() / root / times.mean() ** 2,
        "fidelity": fidelities.mean(),
        "fidelity_error": fidelities.std() / root,
    }


if __name__ == "__main__":
    star, samples = json.load(sys.stdin), int(sys.argv[1])
    generator = np.random.default_rng(1)
    names = list(star["arms"])
    found = {}
    for position, left in enumerate(names):
        for right in names[position + 1 :]:
            arms = star["arms"][left], star["arms"][right]
            found[f"{left} - {right}"] = pair_of_users(*arms, star["hub"], samples, generator)
    json.dump(found, sys.stdout)
