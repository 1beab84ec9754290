"""Who comes first when processors are scarce."""

from __future__ import annotations

import os
from typing import Any

from ringline.workers.priority import LOOP_PRIORITY, MODEL_NICE, THREAD_PRIORITY


def policies(pid: int) -> dict[int, tuple[int, int]]:
    """Thread -> (policy, real-time priority)."""
    return {
        int(name): (os.sched_getscheduler(int(name)), os.sched_getparam(int(name)).sched_priority)
        for name in os.listdir(f"/proc/{pid}/task")
    }


async def test_models_are_nice_and_the_media_loop_goes_before_all_others_where_that_is_permitted(start: Any) -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LOOP_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        loop, others = (os.SCHED_RR, LOOP_PRIORITY), {(os.SCHED_RR, THREAD_PRIORITY)}
    except PermissionError:
        loop, others = (os.SCHED_OTHER, 0), {(os.SCHED_OTHER, 0)}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    async with start() as running:
        for worker in ("stt-0", "llm-0", "tts-0"):
            assert os.getpriority(os.PRIO_PROCESS, running.pid(worker)) == own + MODEL_NICE
        capture = running.pid("capture-0")
        threads = policies(capture)
        assert threads.pop(capture) == loop
        assert set(threads.values()) == others
        assert set(policies(os.getpid()).values()) == {(os.SCHED_OTHER, 0)}
        assert (await running.call()).succeeded
