"""What hosted recognisers share: a thread with an asyncio loop, and an utterance that is sent again after a loss."""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any

from ringline.workers.base import CannotStart
from ringline.workers.retry import ServiceError, is_refusal, retry_pause_s
from ringline.workers.stt.agreement import agreed_words, stable_characters
from ringline.workers.stt.backend import Samples, Stream

log = logging.getLogger("ringline.stt")

RATE_HZ = 16_000
BYTES_PER_S = 2 * RATE_HZ
OPEN_S = 3.0
"""For TCP, TLS and the upgrade together: some 0.2 s to another continent."""
ANSWER_S = 10.0
"""A server that is silent for so long after the end of an utterance says nothing more. The engine has gone to the
stage's fallback before (``stt_timeout_ms``): this frees the connection."""
CLOSE_S = 1.0
WARM_UP_S = 20.0
LONGEST_S = 900.0
"""Of one utterance, which is kept for being sent again: 29 MB."""


class HostedBackend(ABC):
    """`SttBackend` whose utterances are tasks on a loop of its own. ``wake`` is called on its thread."""

    pool = None

    def __init__(self, vendor: str, key: str, wake: Callable[[], None]) -> None:
        """``key``: where the secret stands, for the user who has to mend it."""
        self._vendor, self._key, self._wake = vendor, key, wake
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    @abstractmethod
    def failure(self, error: Exception) -> ServiceError:
        """What an exception of the SDK means."""

    @abstractmethod
    async def probe(self) -> None:
        """Show that key and model are good. Raises what the SDK raises."""

    @abstractmethod
    async def hang_up(self) -> None:
        """Give back what the SDK's client holds."""

    def start_up(self) -> None:
        """Start the loop and `probe`. Raises CannotStart for what trying again will not change."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"stt-{self._vendor}", daemon=True)
        self._thread.start()
        try:
            self.run(asyncio.wait_for(self.probe(), WARM_UP_S)).result()
        except Exception as error:
            self.close()
            failure = error if isinstance(error, ServiceError) else self.failure(error)
            if failure.status in (401, 403):
                raise CannotStart(f"{self._vendor} does not accept the key in {self._key}: {failure}") from error
            if is_refusal(failure.status):
                raise CannotStart(f"{self._vendor} refuses [stt]: {failure}") from error
            raise failure from error

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        """Nothing is left to do: the loop calls ``wake`` when there is news."""
        return None

    def run(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Run it on the loop; from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[[], object]) -> None:
        """Call it on the loop; from any thread."""
        self._loop.call_soon_threadsafe(function)

    def notify(self) -> None:
        """A stream has news."""
        self._wake()

    def close(self) -> None:
        """End all that runs, hang up, end the thread."""
        self.run(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.hang_up()


class HostedStream(ABC):
    """One utterance: `recognise` runs on the loop while it is fed, and is run once more if the connection is lost."""

    def __init__(self, backend: HostedBackend) -> None:
        self.partial = ""
        self.stable = 0
        self.confidence = 0.0
        self.other_words: float | None = None
        self.closed_vocabulary = False
        self.audio = bytearray()
        """All there is of the utterance: 16-bit little-endian at 16 kHz. Only grows."""
        self.is_complete = False
        """Nothing more will come."""
        self._final: str | None = None
        self._error: ServiceError | None = None
        self._backend = backend
        self._changed = asyncio.Event()
        self._job = backend.run(self._recognise())

    @abstractmethod
    async def recognise(self) -> tuple[str, float]:
        """Send `audio` from its beginning, `show` hypotheses, return text and confidence once `is_complete`."""

    # --- the worker's thread ----------------------------------------------------------------------------------------

    @property
    def final(self) -> str | None:
        if self._error is not None:
            raise self._error
        return self._final

    def feed(self, samples: Samples) -> None:
        if self._error is not None:
            raise self._error
        if self.is_complete:
            return
        if len(self.audio) > LONGEST_S * BYTES_PER_S:
            raise ServiceError(f"the utterance is longer than {LONGEST_S:.0f} s")
        self.audio += samples.astype("<i2").tobytes()
        self._backend.call(self._changed.set)

    def finalise(self, due_ns: int = 0) -> None:
        self.is_complete = True
        self._backend.call(self._end)

    def close(self) -> None:
        self.is_complete = True
        self._job.cancel()

    # --- the loop's thread ------------------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Wait for more audio, or for its end."""
        await self._changed.wait()
        self._changed.clear()

    def show(self, text: str) -> None:
        """A hypothesis."""
        if text != self.partial:
            agreed = agreed_words(self.partial, text)
            self.stable = 0  # never longer than the text, as the worker's thread sees it
            self.partial = text
            self.stable = stable_characters(text, agreed)
            self._backend.notify()

    def _end(self) -> None:
        self._changed.set()
        asyncio.get_running_loop().call_later(ANSWER_S, self._expire)

    def _expire(self) -> None:
        if not self._job.done():
            self._error = ServiceError(f"no answer within {ANSWER_S:.0f} s")
            self._job.cancel()
            self._backend.notify()

    async def _recognise(self) -> None:
        attempt = 0
        while True:
            try:
                text, self.confidence = await self.recognise()
            except Exception as error:  # noqa: BLE001  (each SDK raises its own)
                failure = error if isinstance(error, ServiceError) else self._backend.failure(error)
                pause_s = retry_pause_s(attempt, failure.status, failure.retry_after)
                if pause_s is None:
                    self._error = failure
                    break
                log.warning("an utterance is sent again", extra={"error": str(failure)})
                attempt += 1
                self._changed.set()
                await asyncio.sleep(pause_s)
            else:
                self._final = self.partial = text.strip()
                break
        self._backend.notify()
