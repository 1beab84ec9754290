"""Having a text spoken by a service that may lose it: it says nothing of it at all, neither sound nor end nor error, or
breaks off in the middle. The text is asked for once more, soon, and is heard once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable

from ringline.workers.retry import ServiceError, is_refusal, retry_pause_s
from ringline.workers.tts.line import Word

log = logging.getLogger("ringline.tts")

Heard = AsyncGenerator[bytes | Word, None]

BYTES_PER_SAMPLE = 2
SOONEST_S, LATEST_S = 0.6, 1.2
"""Without a sound, a text is asked for again after this long: what is lost must be heard before the caller has heard
two seconds of nothing, and the second answer takes as long as any. What is only slow is not to be paid for twice, so it
is the longer, the longer the service takes as a rule."""
FACTOR = 3
"""Of the mean."""
USUAL_S = 0.3
"""The mean, as long as nothing is known."""
STALL_S = 1.0
"""A sound that has begun goes on this soon ..."""
AHEAD_S = 0.5
"""... or, if there is more of it than was heard, so long before that runs out."""


class Persistence:
    """Of one service: knows how long its first sound takes."""

    def __init__(self, vendor: str, rate_hz: int) -> None:
        self._vendor, self._bytes_per_s = vendor, rate_hz * BYTES_PER_SAMPLE
        self._first_s: deque[float] = deque([USUAL_S], maxlen=20)

    @property
    def patience_s(self) -> float:
        """How long a first sound is waited for before the text is asked for again."""
        mean_s = sum(self._first_s) / len(self._first_s)
        return min(LATEST_S, max(SOONEST_S, FACTOR * mean_s))

    async def spoken(self, ask: Callable[[], Heard]) -> Heard:
        """The sound and the words of a text, once and in order. ``ask`` has it spoken; what it returns raises
        ServiceError or TimeoutError where that fails.

        Where nothing comes, it is asked a second time, and the first that begins to sound is heard. Where the sound
        breaks off, it is asked again, and what was heard is left out. Raises what the last of them has raised.
        """
        num_bytes, is_last = 0, False
        while True:
            take = await self._begun(ask)
            skip, num_heard = num_bytes, 0
            try:
                async for part in take.parts(self._bytes_per_s, skip):
                    if isinstance(part, Word):
                        if part.start_s * self._bytes_per_s >= skip:
                            yield part
                        continue
                    new = part[max(0, skip - num_heard) :]
                    num_heard += len(part)
                    if new:
                        num_bytes += len(new)
                        yield new
                return
            except (ServiceError, TimeoutError) as error:
                if is_last or is_refusal(getattr(error, "status", None)):
                    raise
                is_last = True
                log.warning("a phrase broke off: asked again", extra={"vendor": self._vendor, "error": str(error)})
            finally:
                await take.close()

    async def _begun(self, ask: Callable[[], Heard]) -> _Take:
        takes, num_asked = [_Take(ask())], 1
        try:
            while True:
                wait_s = self.patience_s if num_asked == 1 else None
                await asyncio.wait([take.first for take in takes], timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                done = [take for take in takes if take.first.done()]
                for take in done:
                    takes.remove(take)
                    error = take.first.exception()
                    if error is None:
                        self._first_s.append(take.first.result())
                        return take
                    await take.close()
                if not done:
                    log.warning("a phrase was lost: asked again", extra={"vendor": self._vendor})
                elif takes:
                    continue
                else:
                    assert error is not None
                    pause_s = _pause_s(error) if num_asked == 1 else None
                    if pause_s is None:
                        raise error
                    await asyncio.sleep(pause_s)
                takes.append(_Take(ask()))
                num_asked += 1
        finally:
            for take in takes:
                await take.close()


class _Take:
    """One attempt."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._before: list[bytes | Word] = []
        """Up to the first sound."""
        self._asked_s = _now_s()
        self.first = asyncio.create_task(self._until_sound())
        """After how many seconds it has begun to sound."""

    async def _until_sound(self) -> float:
        async for part in self._heard:
            self._before.append(part)
            if isinstance(part, bytes) and part:
                return _now_s() - self._asked_s
        raise ServiceError("there was no sound", 500)

    async def parts(self, bytes_per_s: int, skip: int) -> Heard:
        """All of it. Raises TimeoutError if it stalls; ``skip`` bytes of it were heard before."""
        num_bytes, begun_s = 0, _now_s()
        for part in self._before:
            num_bytes += len(part) if isinstance(part, bytes) else 0
            yield part
        while True:
            runs_out_s = begun_s + max(0, num_bytes - skip) / bytes_per_s
            wait_s = max(STALL_S, runs_out_s - AHEAD_S - _now_s())
            try:
                async with asyncio.timeout(wait_s):
                    part = await anext(self._heard)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise TimeoutError("the sound does not go on") from None
            num_bytes += len(part) if isinstance(part, bytes) else 0
            yield part

    async def close(self) -> None:
        """Cancel what is missing of it."""
        self.first.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self.first
        await self._heard.aclose()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _pause_s(error: BaseException) -> float | None:
    return retry_pause_s(0, error.status, error.retry_after) if isinstance(error, ServiceError) else None
