"""Replay a timeline of qtn on the dense register of the oracles, event by event."""

import numpy as np

from qtn.evaluators.full_state import Correct, DistillAt, Generate, SwapAt
from tests.oracles import register as oracle


def replay(chain, timeline, t1=np.inf, t2=np.inf):
    """Return the dense register after the events; all memories relax with T1 and T2."""
    register, last = oracle.Register(), {}
    for event, time in zip(timeline.events, np.asarray(timeline.times), strict=True):
        if not isinstance(event, Generate):
            for slot in event.slots:
                if slot in register.names and time > last[slot]:
                    register.relax(slot, time - last[slot], t1, t2)
        step(register, chain, timeline, event)
        last |= dict.fromkeys(event.slots, time)
    return register


def step(register, chain, timeline, event):
    """Do one event."""
    if isinstance(event, Generate):
        register.add([event.left, event.right], oracle.from_pauli(np.asarray(chain.link(event.link).heralded().state)))
    elif isinstance(event, SwapAt):
        node = chain.node(event.left[0])
        p2, eta = float(node.gates.two_qubit), float(node.gates.readout)
        bits = event.bits or ("z", "x")
        fresh = tuple(("new", bit) for bit in bits)
        if node.optics is None:
            oracle.swap(register, event.left, event.right, p2, eta, fresh)
        else:
            oracle.optical_swap(register, event.left, event.right, np.asarray(node.optics.factors()), fresh)
        register.each(lambda rho: float(node.p_swap) * rho)
        for k in (0, 1):
            register.add_bits([fresh[k], *event.frames[k::2]], bits[k])
        if event.corrected is not None:
            oracle.correct(register, bits, event.corrected)
    elif isinstance(event, Correct):
        oracle.correct(register, event.bits, event.corrected)
    elif isinstance(event, DistillAt):
        ends = [chain.node(side[0][0]).gates for side in (event.left, event.right)]
        p2, eta = ([float(getattr(end, key)) for end in ends] for key in ("two_qubit", "readout"))
        protocol = event.protocol
        oracle.distill(register, event.left, event.right, protocol.circuit, protocol.accepted, p2, eta)
    elif len(event.slots) == 1 and event.keeps == event.slots:
        assert np.allclose(timeline.maps[event.position], np.eye(4)), "only decay can be replayed"
