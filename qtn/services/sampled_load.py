"""Users who ask at random times, drawn: any times of making, and units that expire."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qtn import _checks
from qtn._budget import Budget

EVENTS = Budget(10_000_000, "requests and units", "draw fewer; errors fall with their square root")


@dataclasses.dataclass(frozen=True)
class SampledLoad:
    """What sampled users found, with standard errors; see `sampled_load`."""

    p_blocked: float
    waiting_time: float
    age: float
    p_at_once: float
    p_expired: float
    """Part of the units that were thrown away, too old."""
    errors: Mapping[str, float]
    """Standard error of each, from 20 parts of the run."""


def sampled_load(
    request_rate: float,
    make_times: Any,
    *,
    buffer: int = 0,
    queue: int = 0,
    cutoff_time: float = np.inf,
    num_requests: int = 100_000,
    key: int = 0,
) -> SampledLoad:
    """Return what users find, drawn at random: for any times of making, and units that expire; see `load`.

    Args:
        request_rate: [1/s].
        make_times: (n,), times that making one unit takes, of which each is as likely [s].
        buffer: units that are made ahead.
        queue: requests that wait.
        cutoff_time: age at which a stored unit is thrown away [s]; inf = never.
        num_requests: drawn, from 1,000.
        key: seed.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        Unbiased up to the start from an empty buffer, 5 % of the requests, which is left out. No derivatives.
    """
    asked = float(_checks.positive_finite("request_rate", request_rate))
    times = np.atleast_1d(np.asarray(_checks.positive_finite("make_times", make_times)))
    limit = float(_checks.positive("cutoff_time", cutoff_time))
    if isinstance(num_requests, bool) or not isinstance(num_requests, int) or num_requests < 1000:
        raise ValueError(f"Argument `num_requests` must be a whole number from 1,000, but is {num_requests!r}.")
    if min(buffer, queue) < 0 or buffer + queue == 0:
        raise ValueError("Arguments `buffer` and `queue` must be >= 0, and not both 0: nobody would ever be served.")
    per_request = 1 if np.isinf(limit) else 1 + math.ceil(1 / (asked * times.mean()))
    EVENTS.require(num_requests * per_request)
    rng = np.random.default_rng(key)
    run = _Run(rng, times, buffer, queue, limit)
    for now in np.cumsum(rng.exponential(1 / asked, num_requests)):
        run.ask(float(now))
    return run.result(num_requests)


class _Run:
    """One run: units stored, requests that wait, and when the unit in work is done."""

    def __init__(self, rng: np.random.Generator, times: np.ndarray, buffer: int, queue: int, limit: float):
        self.rng, self.times, self.buffer, self.queue, self.limit = rng, times, buffer, queue, limit
        self.stored: list[float] = []
        self.waiting: list[tuple[int, float]] = []
        self.waits: dict[int, float] = {}
        self.ages: dict[int, float] = {}
        self.asked = self.made = self.expired = 0
        self.done = self._start(0.0)

    def _start(self, now: float) -> float:
        """Begin a unit if there is room for it; return when it is done."""
        wanted = bool(self.waiting) or len(self.stored) < self.buffer
        return now + float(self.rng.choice(self.times)) if wanted else np.inf

    def _until(self, now: float) -> None:
        """Let units be done and expire until a time."""
        while True:
            dies = self.stored[0] + self.limit if self.stored else np.inf
            if min(dies, self.done) > now:
                return
            if dies <= self.done:
                self.stored.pop(0)
                self.expired += 1
                self.done = self._start(dies) if np.isinf(self.done) else self.done
                continue
            made, self.made = self.done, self.made + 1
            if self.waiting:
                request, since = self.waiting.pop(0)
                self.waits[request], self.ages[request] = made - since, 0.0
            else:
                self.stored.append(made)
            self.done = self._start(made)

    def ask(self, now: float) -> None:
        """Let somebody ask."""
        self._until(now)
        request, self.asked = self.asked, self.asked + 1
        if self.stored:
            self.waits[request], self.ages[request] = 0.0, now - self.stored.pop(0)
        elif len(self.waiting) < self.queue:
            self.waiting.append((request, now))
        if np.isinf(self.done):
            self.done = self._start(now)

    def result(self, num_requests: int) -> SampledLoad:
        """Return means over all requests but the first 5 %, and their standard errors."""
        first, found = num_requests // 20, {}
        pending = {request for request, _ in self.waiting}
        counted = [i for i in range(first, num_requests) if i not in pending]
        served = [i for i in counted if i in self.waits]
        waits = np.asarray([self.waits[i] for i in served])
        for name, values in (
            ("p_blocked", np.asarray([i not in self.waits for i in counted], dtype=float)),
            ("waiting_time", waits),
            ("age", np.asarray([self.ages[i] for i in served])),
            ("p_at_once", (waits == 0).astype(float)),
        ):
            parts = [float(part.mean()) for part in np.array_split(values, 20) if len(part)]
            found[name] = (
                (float(np.mean(parts)), float(np.std(parts, ddof=1) / np.sqrt(len(parts))))
                if parts
                else (
                    np.nan,
                    np.nan,
                )
            )
        return SampledLoad(
            **{name: mean for name, (mean, _) in found.items()},
            p_expired=self.expired / max(self.made, 1),
            errors={name: error for name, (_, error) in found.items()},
        )
