"""One model for all calls: jobs wait here until it is free, and it takes the most urgent ones together.

A thread of its own runs the model, so that the worker's loop goes on: it beats its heart, takes messages, cancels. What
runs next is decided when the model is free, not when a job comes: until then deadlines may move and jobs be cancelled.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ringline.workers.working import exit_out_of_memory, is_alone, is_out_of_memory, working_on

log = logging.getLogger("ringline.pool")

FORGETTING = 0.9
"""Of what is known of the model's speed: so much counts after each further run. Ten runs are remembered."""
IDLE_NS = 2**62
"""A deadline behind all others."""


class Job:
    """Work for the model. A backend derives its own from it, and puts in the result."""

    def __init__(self, call: int, deadline_ns: int, work: float = 1.0) -> None:
        """``work``: how much it is, in any unit that cost grows with (seconds of audio, characters)."""
        self.call = call
        self.deadline_ns = deadline_ns
        """When the result is needed. May be moved while the job waits."""
        self.patience_ns = 0
        """How much longer it may wait while others would be late: they have something to lose that it has not."""
        self.draft = False
        """It may be for nothing: all others go first. May change while the job waits."""
        self.work = work
        self.error: Exception | None = None
        self.is_cancelled = False
        """Set by `Pool.cancel`; a model that makes its result in steps looks at it in between."""


J = TypeVar("J", bound=Job)


class Pool(Generic[J]):
    """The schedule of one model: committed work before drafts, then the earliest deadline, in batches.

    A batch grows as long as all in it stay within their deadlines, by what earlier runs have cost. If even the first
    one is late, only throughput helps, and it takes all it can. A call has a second job in a batch only if no other
    call has one waiting.
    """

    def __init__(
        self,
        run: Callable[[Sequence[J]], None],
        wake: Callable[[], None],
        max_batch: int = 1,
        fits: Callable[[J, J], bool] = lambda first, other: True,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``run`` does the jobs, on the pool's thread, and leaves the results in them. ``wake`` is called, on that
        thread, whenever some are done; `collect` then returns them. ``fits``: whether the model can take ``other``
        together with ``first``."""
        self._run, self._wake, self._fits, self._clock = run, wake, fits, clock
        self._max_batch = max_batch
        self._waiting: list[J] = []
        self._done: deque[J] = deque()
        self._running: tuple[J, ...] = ()
        self._running_due_ns = 0
        """When that should be done, by what earlier runs have cost."""
        self._cost = _Cost()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="pool", daemon=True)
        self._thread.start()

    def submit(self, job: J) -> None:
        """Let it be done."""
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()

    def cancel(self, job: J) -> None:
        """Its result is no longer wanted: it is not begun, or not collected. Harmless for a job that is done."""
        with self._changed:
            job.is_cancelled = True
            if job in self._waiting:
                self._waiting.remove(job)

    def collect(self) -> list[J]:
        """The jobs that are done and not cancelled, each once. One with ``error`` set has failed."""
        found = []
        while self._done:
            job = self._done.popleft()
            if not job.is_cancelled:
                found.append(job)
        return found

    @property
    def behind_s(self) -> float:
        """How long work is kept waiting by that of other calls, beyond the time when it is needed: of the job that is
        worst off, as far as earlier runs tell. Drafts count neither as what waits nor as what is waited for."""
        with self._changed:
            now_ns = self._clock()
            committed = sorted((job for job in self._waiting if not job.draft), key=_rank)
            return (
                max((self._behind_ns(committed, index, now_ns) for index in range(len(committed))), default=0.0) / 1e9
            )

    def _behind_ns(self, committed: list[J], index: int, now_ns: int) -> float:
        job = committed[index]
        others = [other for other in committed[: index - index % self._max_batch] if other.call != job.call]
        wait_ns = self._cost.of(sum(other.work for other in others), -(-len(others) // self._max_batch))
        if any(other.call != job.call and not other.draft for other in self._running):
            wait_ns += max(0, self._running_due_ns - now_ns)
        return max(0.0, wait_ns - max(0, job.deadline_ns - now_ns))

    @property
    def load(self) -> int:
        """Jobs that wait or run."""
        with self._changed:
            return len(self._waiting) + len(self._running)

    def close(self) -> None:
        """Do no further job. Waits for the batch that is running."""
        with self._changed:
            self._closing = True
            self._waiting.clear()
            self._changed.notify()
        self._thread.join()

    # --- the pool's thread ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while batch := self._next_batch():
            began_ns = self._clock()
            self._try(batch)
            self._cost.learn(_work(batch), self._clock() - began_ns)
            with self._changed:
                self._running = ()
            self._done.extend(batch)
            self._wake()

    def _next_batch(self) -> tuple[J, ...]:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if self._closing:
                return ()
            self._running = self._choose()
            self._running_due_ns = self._due_ns(self._running)
            for job in self._running:
                self._waiting.remove(job)
            return self._running

    def _choose(self) -> tuple[J, ...]:
        """The batch to run now."""
        now_ns = self._clock()
        urgent = sorted(self._waiting, key=_rank)
        first = urgent[0]
        if is_alone(first.call):
            return (first,)
        others = [job for job in urgent[1:] if self._fits(first, job) and not is_alone(job.call)]
        calls = {first.call}
        seconds: list[J] = []
        for job in others:
            if job.call in calls:
                seconds.append(job)
            calls.add(job.call)
        ranked = [job for job in others if job not in seconds] + seconds
        batch, work, deadline_ns = [first], first.work, first.deadline_ns
        is_late = now_ns + self._cost.of(work) > deadline_ns
        for job in ranked[: self._max_batch - 1]:
            work += job.work
            deadline_ns = min(deadline_ns, job.deadline_ns)
            if not is_late and now_ns + self._cost.of(work) > deadline_ns:
                break
            batch.append(job)
        return tuple(batch)

    def _due_ns(self, batch: Sequence[J]) -> int:
        """When a run that begins now should be over."""
        return self._clock() + round(self._cost.of(_work(batch)))

    def _try(self, batch: Sequence[J]) -> None:
        """Run a batch; if it fails, each job by itself, so that one that cannot be done fails no other."""
        calls = [job.call for job in batch]
        with working_on(calls, self._due_ns(batch)):
            try:
                self._run(batch)
                return
            except Exception as error:
                if is_out_of_memory(error):
                    exit_out_of_memory(error)
                log.exception("the model failed", extra={"calls": calls})
                if len(batch) == 1:
                    batch[0].error = error
                    return
        for job in batch:
            self._try((job,))


def _rank(job: Job) -> tuple[bool, int]:
    return job.draft, job.deadline_ns + job.patience_ns


def _work(batch: Sequence[Job]) -> float:
    return sum(job.work for job in batch)


class _Cost:
    """What a run costs, in nanoseconds: a part for each and a part by its work, fitted to the last runs."""

    def __init__(self) -> None:
        self._sums = [0.0] * 5
        """Faded sums: 1, work, work², cost, work * cost."""

    def learn(self, work: float, cost_ns: float) -> None:
        """A run of so much work took so long."""
        terms = (1.0, work, work * work, cost_ns, work * cost_ns)
        self._sums = [FORGETTING * total + term for total, term in zip(self._sums, terms, strict=True)]

    def of(self, work: float, num_runs: int = 1) -> float:
        """What so many runs of so much work together will take; 0 while nothing is known."""
        n, x, xx, y, xy = self._sums
        if not n:
            return 0.0
        spread = n * xx - x * x
        slope = (n * xy - x * y) / spread if spread > 1e-9 * n * xx else 0.0
        slope = max(0.0, slope)
        return max(0.0, num_runs * (y - slope * x) / n + slope * work)
