"""The schedule of a model: what runs next, with whom, and what becomes of the rest."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from ringline.workers.pool import Job, Pool
from ringline.workers.working import EXIT_OUT_OF_MEMORY, attach, came_on, set_alone, working_on

SECOND = 1_000_000_000
WATCHDOG_S = 10.0


class Model:
    """A model that does a batch when it is told to, on a clock that stands still meanwhile."""

    def __init__(self, max_batch: int, cost_s: Callable[[float], float], fits: Any) -> None:
        self.now_ns = 0
        self.batches: list[list[Job]] = []
        self.broken: set[Job] = set()
        self._cost_s = cost_s
        self._go = threading.Semaphore(0)
        self._woken = threading.Semaphore(0)
        self._begun = threading.Semaphore(0)
        self.pool: Pool[Job] = Pool(self._run, self._woken.release, max_batch, fits, lambda: self.now_ns)

    def _run(self, batch: Sequence[Job]) -> None:
        self.batches.append(list(batch))
        self._begun.release()
        assert self._go.acquire(timeout=WATCHDOG_S)
        self.now_ns += round(self._cost_s(sum(job.work for job in batch)) * SECOND)
        if broken := self.broken & set(batch):
            raise ValueError(f"{len(broken)} cannot be done")

    def hold(self) -> Job:
        """Keep the model busy, so that what comes meanwhile waits."""
        job = Job(0, 0)
        self.pool.submit(job)
        self.wait_begun()
        return job

    def wait_begun(self) -> None:
        assert self._begun.acquire(timeout=WATCHDOG_S)

    def finish(self) -> list[Job]:
        """Let the batch that runs be done. Returns what `collect` gives then."""
        self._go.release()
        assert self._woken.acquire(timeout=WATCHDOG_S)
        return self.pool.collect()


@pytest.fixture
def make() -> Iterator[Callable[..., Model]]:
    models: list[Model] = []

    def made(
        max_batch: int = 1, cost_s: Callable[[float], float] = lambda work: 0.0, fits: Any = lambda first, other: True
    ) -> Model:
        models.append(Model(max_batch, cost_s, fits))
        return models[-1]

    yield made
    for model in models:
        model._go.release(1000)
        model.pool.close()


def job(call: int, deadline_s: float = 0.0, draft: bool = False, work: float = 1.0) -> Job:
    made = Job(call, round(deadline_s * SECOND), work)
    made.draft = draft
    return made


def order_of(model: Model, jobs: Sequence[Job]) -> list[int]:
    """The calls in the order in which their jobs begin; all were submitted while the model was busy."""
    model.hold()
    for submitted in jobs:
        model.pool.submit(submitted)
    model.finish()
    calls = []
    while len(calls) < len(jobs):
        model.wait_begun()
        calls += [done.call for done in model.batches[-1]]
        model.finish()
    return calls


def test_earliest_deadline_goes_first(make: Callable[..., Model]) -> None:
    assert order_of(make(), [job(1, 3), job(2, 1), job(3, 2)]) == [2, 3, 1]


def test_drafts_go_last(make: Callable[..., Model]) -> None:
    assert order_of(make(), [job(1, 1, draft=True), job(2, 9)]) == [2, 1]


def test_patience_lets_later_deadlines_pass_but_only_so_far(make: Callable[..., Model]) -> None:
    patient = job(1, 1)
    patient.patience_ns = 2 * SECOND
    assert order_of(make(), [patient, job(2, 2), job(3, 4)]) == [2, 1, 3]


def test_deadline_may_move_while_a_job_waits(make: Callable[..., Model]) -> None:
    model = make()
    model.hold()
    early, late = job(1, 1), job(2, 2)
    model.pool.submit(early)
    model.pool.submit(late)
    late.deadline_ns = 0
    model.finish()
    model.wait_begun()
    assert model.batches[-1] == [late]


def test_what_waits_together_runs_together(make: Callable[..., Model]) -> None:
    model = make(max_batch=4)
    order_of(model, [job(call) for call in range(1, 7)])
    assert [len(batch) for batch in model.batches] == [1, 4, 2]


def test_what_does_not_fit_runs_by_itself(make: Callable[..., Model]) -> None:
    model = make(max_batch=4, fits=lambda first, other: first.work == other.work)
    order_of(model, [job(1, 1, work=1.0), job(2, 2, work=2.0), job(3, 3, work=1.0)])
    assert [[done.call for done in batch] for batch in model.batches[1:]] == [[1, 3], [2]]


def test_no_call_comes_twice_while_another_waits(make: Callable[..., Model]) -> None:
    model = make(max_batch=2)
    order_of(model, [job(1, 1), job(1, 2), job(2, 3)])
    assert [[done.call for done in batch] for batch in model.batches[1:]] == [[1, 2], [1]]


def test_company_is_refused_that_would_make_the_first_late(make: Callable[..., Model]) -> None:
    """Runs have cost a second per unit of work: two units are done before 2.5 s have passed, three are not."""
    model = make(max_batch=4, cost_s=lambda work: work)
    order_of(model, [job(1, 1e6, work=2.0)])
    model.now_ns = 0
    model.batches.clear()
    model.hold()
    for call in (1, 2, 3):
        model.pool.submit(job(call, 1.0 + 2.5))
    model.finish()
    model.wait_begun()
    assert [done.call for done in model.batches[-1]] == [1, 2]


def test_when_all_are_late_only_throughput_counts(make: Callable[..., Model]) -> None:
    model = make(max_batch=4, cost_s=lambda work: work)
    order_of(model, [job(1, work=2.0)])
    model.batches.clear()
    order_of(model, [job(call, 0.0) for call in (1, 2, 3)])
    assert len(model.batches[-1]) == 3


def test_cancelled_job_is_not_begun(make: Callable[..., Model]) -> None:
    model = make()
    held = model.hold()
    cancelled, other = job(1, 1), job(2, 2)
    model.pool.submit(cancelled)
    model.pool.submit(other)
    model.pool.cancel(cancelled)
    assert model.finish() == [held]
    model.wait_begun()
    assert model.finish() == [other]


def test_job_cancelled_while_it_runs_is_not_collected(make: Callable[..., Model]) -> None:
    model = make()
    held = model.hold()
    model.pool.cancel(held)
    assert model.finish() == []


def test_job_that_cannot_be_done_fails_no_other(make: Callable[..., Model]) -> None:
    model = make(max_batch=3)
    jobs = [job(1), job(2), job(3)]
    model.broken = {jobs[1]}
    model.hold()
    for submitted in jobs:
        model.pool.submit(submitted)
    model.finish()
    model._go.release(len(jobs))
    found = model.finish()
    assert [done.error is not None for done in found] == [False, True, False]


def test_load_counts_what_waits_and_what_runs(make: Callable[..., Model]) -> None:
    model = make()
    model.hold()
    model.pool.submit(job(1))
    assert model.pool.load == 2


def test_close_waits_for_the_batch_and_begins_no_other() -> None:
    ran: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def run(batch: Sequence[Job]) -> None:
        begun.set()
        assert go.wait(WATCHDOG_S)
        ran.extend(done.call for done in batch)

    pool: Pool[Job] = Pool(run, lambda: None)
    pool.submit(job(1))
    assert begun.wait(WATCHDOG_S)
    pool.submit(job(2))
    go.set()
    pool.close()
    assert ran == [1]


@pytest.mark.parametrize("error", ["MemoryError()", "RuntimeError('CUDA failed with error out of memory')"])
def test_worker_that_runs_out_of_memory_ends(error: str) -> None:
    """The engine then starts another one and sends it the jobs again."""
    source = f"""
from ringline.workers.pool import Job, Pool
import threading
def run(batch):
    raise {error}
Pool(run, lambda: None).submit(Job(1, 0))
threading.Event().wait({WATCHDOG_S})
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, timeout=60, check=False)
    assert done.returncode == EXIT_OUT_OF_MEMORY


@pytest.fixture
def second_each(make: Callable[..., Model]) -> Model:
    """A model that has learnt that a unit of work costs it a second, and runs one such unit for call 1."""
    model = make(cost_s=lambda work: work)
    order_of(model, [job(1, work=2.0), job(1, work=1.0)])
    model.now_ns = 0
    model.pool.submit(job(1))
    model.wait_begun()
    return model


def test_work_is_behind_by_what_it_waits_for_other_calls(second_each: Model) -> None:
    pool = second_each.pool
    pool.submit(job(2, work=2.0))
    assert pool.behind_s == pytest.approx(1.0, rel=0.01)
    pool.submit(job(3, 0.001))
    assert pool.behind_s == pytest.approx(3.0, rel=0.01)


def test_work_is_not_behind_before_it_is_needed(second_each: Model) -> None:
    second_each.pool.submit(job(2, deadline_s=0.75))
    assert second_each.pool.behind_s == pytest.approx(0.25, abs=0.01)


def test_run_under_way_is_waited_for_until_it_should_be_over(second_each: Model) -> None:
    second_each.pool.submit(job(2))
    second_each.now_ns = SECOND * 3 // 4
    assert second_each.pool.behind_s == pytest.approx(0.25, abs=0.01)
    second_each.now_ns = 5 * SECOND
    assert second_each.pool.behind_s == 0.0


def test_calls_own_work_does_not_put_it_behind(second_each: Model) -> None:
    second_each.pool.submit(job(1, work=3.0))
    second_each.pool.submit(job(1, work=3.0))
    assert second_each.pool.behind_s == 0.0


def test_drafts_are_not_behind_and_put_nobody_behind(make: Callable[..., Model]) -> None:
    model = make(cost_s=lambda work: work)
    order_of(model, [job(1, work=2.0), job(1, work=1.0)])
    model.pool.submit(job(1, draft=True))
    model.wait_begun()
    model.pool.submit(job(2))
    model.pool.submit(job(3, draft=True))
    assert model.pool.behind_s == 0.0


def test_what_runs_in_the_same_batch_is_not_waited_for(make: Callable[..., Model]) -> None:
    model = make(max_batch=2, cost_s=lambda work: work)
    order_of(model, [job(1, work=2.0), job(1, work=1.0), job(1, work=2.0)])
    model.now_ns = 0
    model.pool.submit(job(1))
    model.wait_begun()
    for call in (2, 3):
        model.pool.submit(job(call))
    assert model.pool.behind_s == pytest.approx(1.0, rel=0.05)


def test_jobs_of_a_call_that_may_have_killed_a_worker_share_no_batch(make: Callable[..., Model]) -> None:
    model = make(max_batch=8)
    set_alone(2, True)
    order_of(model, [job(1, 1), job(2, 2), job(3, 3), job(4, 4)])
    set_alone(2, False)
    assert [[done.call for done in batch] for batch in model.batches[1:]] == [[1, 3, 4], [2]]


def test_that_call_is_batched_again_when_it_is_cleared(make: Callable[..., Model]) -> None:
    model = make(max_batch=8)
    set_alone(2, True)
    set_alone(2, False)
    order_of(model, [job(1, 1), job(2, 2)])
    assert len(model.batches[-1]) == 2


@pytest.fixture
def words() -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Where the engine would look for calls."""
    found = np.full(7, 99, np.int64)
    attach(found)
    yield found[1:]
    attach(np.zeros(7, np.int64))


def test_calls_of_the_batch_that_runs_are_named_and_no_others(make: Callable[..., Model], words: Any) -> None:
    model = make(max_batch=2)
    model.hold()
    for call in (5, 6, 7):
        model.pool.submit(job(call, call))
    model.finish()
    model.wait_begun()
    assert set(words.tolist()) == {0, 5, 6}


def test_of_more_calls_than_can_be_named_none_is(words: Any) -> None:
    with working_on(range(1, 9)):
        assert not words.any()


def test_nothing_is_named_while_nothing_runs(make: Callable[..., Model], words: Any) -> None:
    assert not words.any()
    model = make()
    job_done = model.hold()
    model.broken.add(job_done)
    model.finish()
    assert not words.any()


def test_run_is_due_when_it_should_be_over_and_then_says_when_it_was(second_each: Model) -> None:
    found = np.zeros(7, np.int64)
    attach(found)
    try:
        second_each.pool.submit(job(2, work=3.0))
        second_each.finish()
        second_each.wait_begun()
        due_ns = int(found[0])
        assert due_ns - second_each.now_ns == pytest.approx(3 * SECOND, rel=0.01)
        second_each.finish()
        assert found[0] != due_ns
    finally:
        attach(np.zeros(7, np.int64))


def test_run_that_comes_on_is_due_anew(words: Any) -> None:
    due = words.base
    with working_on((5,), 1):
        assert due[0] == 1
        came_on()
        assert due[0] > 1
