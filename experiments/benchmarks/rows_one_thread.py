"""Rows of the table on one thread, as the peers: truncated circuits, noisy trajectories, sampled chains."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import plain
import requsim
import state_backend
import trajectories
from case import Options
from peer import PeerError
from table import Row
from timing import medians, process_memory

NUM_SITES, DEPTH = 64, 16
NAMES = {"weak": "weak", "haar": "Haar", "ghz": "GHZ", "ising": "Ising"}


def peer_time(options: Options, call: Callable[[str], float]) -> float | str | None:
    """Return the seconds of a peer, or why there are none."""
    if options.peers is None:
        return None
    try:
        return call(options.peers)
    except PeerError as error:
        return str(error)


def brickwork(options: Options, kind: str, bond: int) -> Iterator[Row]:
    """A truncated circuit of two-qubit gates against every peer; its floor is known where all bonds are full."""
    sites, matrices = state_backend.brickwork(kind, NUM_SITES, DEPTH)
    own = state_backend.seconds(partial(state_backend.truncated(sites, matrices), bond))
    memory, reference, operations = process_memory(), None, 0
    if kind == "haar":
        sizes = plain.split_sizes(sites, bond, 2, 4)
        (reference,) = medians(3, (plain.decompositions(sizes, complex)[0],))
        operations = 4 * plain.split_operations(sizes)  # complex
    row = Row(
        workload=f"{NAMES[kind]} brickwork, {NUM_SITES} qubits, depth {DEPTH}, bond {bond}",
        own=own,
        reference="one `eigh` a gate" if reference else "",
        reference_time=reference,
        operations=operations,
        memory=memory,
        one_thread=True,
    )
    for peer in state_backend.MPS_PEERS:
        run = partial(state_backend.peer_state, name=peer, sites=sites, matrices=matrices, bond=bond)
        yield replace(row, peer=peer, peer_time=peer_time(options, lambda python, run=run: run(python)[0]))
        row = Row(workload=row.workload, one_thread=True)


def noisy_circuit(options: Options, case: str, count: int) -> Iterator[Row]:
    """Noisy trajectories against Aer: CPU time of one, compilation apart."""
    own = 1 / trajectories.own(case, count)[0]
    memory = process_memory()
    yield Row(
        workload=f"{NAMES[case]} trajectories, {trajectories.N} qubits, CPU time of one ({count:,} run)",
        own=own,
        peer="Aer",
        peer_time=peer_time(
            options, lambda python: 1 / trajectories.peer(python, "aer_trajectories.py", case, count)["rate"]
        ),
        memory=memory,
        one_thread=True,
    )


def sampled(options: Options, num_links: int) -> Iterator[Row]:
    """Swap-asap by sampling against ReQuSim: time of a delivered pair."""
    own = 1 / requsim.ours(num_links)[2]
    memory, deliveries = process_memory(), 8000 // num_links
    yield Row(
        workload=f"swap-asap sampled, {num_links} links, a delivered pair",
        own=own,
        peer="ReQuSim",
        peer_time=peer_time(options, lambda python: 1 / requsim.peer(python, num_links, deliveries)[2]),
        memory=memory,
        one_thread=True,
    )
