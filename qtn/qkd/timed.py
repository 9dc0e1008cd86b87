"""Keys of sessions in time: of pairs that are delivered one by one, or of pulses at a rate."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.qkd.sessions import Session


@pytree
class TimedKey:
    """What sessions give, and when."""

    rate: Float[Array, ""]
    """Secret bits per second, aborted sessions counted [Hz]; negative without a key if numbers are traced."""
    time_to_key: Float[Array, ""]
    """Expected time to the first key [s], if there is one."""
    session_time: Float[Array, ""]
    """How long one session takes [s]."""
    session: Session

    @staticmethod
    def of(session: Session, signal_time: Any) -> "TimedKey":
        """Return the keys of sessions whose signals come after a mean time [s] each."""
        return TimedKey(
            rate=jnp.asarray(session.throughput / signal_time),
            time_to_key=jnp.asarray(session.signals_to_key * signal_time),
            session_time=jnp.asarray(session.num_signals * signal_time),
            session=session,
        )

    def sentences(self) -> list[str]:
        """Say in plain words how surely an attack is caught, and what is assumed."""
        return self.session.sentences()
