"""An utterance at Deepgram, in its two protocols: what is sent, and which message is the final."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ringline.workers.extras import require
from ringline.workers.retry import ServiceError
from ringline.workers.stt.hosted import BYTES_PER_S, HostedStream

if TYPE_CHECKING:
    from ringline.workers.stt.deepgram import DeepgramBackend

UNHEARD_S = 0.3
"""A turn that the service has found complete is answered at once if no more than this was fed since: the silence of the
draft, in which no word has room."""

CHUNK_BYTES = BYTES_PER_S // 4
"""What is sent in one message at most, when an utterance is caught up with. Deepgram advises 20 to 250 ms."""


class _DeepgramStream(HostedStream):
    """What both protocols share: audio goes out while messages come in."""

    def __init__(self, backend: DeepgramBackend, options: dict[str, Any]) -> None:
        self._deepgram, self._options = backend, options
        self._asked = False
        """The service was told that the utterance is complete."""
        super().__init__(backend)

    def begin(self) -> None:
        """Forget what an earlier connection said."""
        raise NotImplementedError

    def take(self, message: Any) -> tuple[str, float] | None:
        """One message of the service. Returns the final, if this is it."""
        raise NotImplementedError

    def settled(self) -> tuple[str, float] | None:
        """The final, if what the service has said already is enough for one."""
        raise NotImplementedError

    async def ask_for_the_end(self, socket: Any) -> None:
        raise NotImplementedError

    async def recognise(self) -> tuple[str, float]:
        self._asked = False
        self.begin()
        async with self._deepgram.connect(self._options) as socket:
            sending = asyncio.create_task(self._send(socket))
            hearing = asyncio.create_task(self._hear(socket))
            try:
                await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done() and (final := sending.result()):
                    return final
                return await hearing
            finally:
                sending.cancel()
                hearing.cancel()
                await asyncio.gather(sending, hearing, return_exceptions=True)

    async def _send(self, socket: Any) -> tuple[str, float] | None:
        """Send the utterance to its end. Returns the final if nothing has to be waited for."""
        num_sent = 0
        while True:
            await self.changed()
            while num_sent < len(self.audio):
                chunk = bytes(self.audio[num_sent : num_sent + CHUNK_BYTES])
                num_sent += len(chunk)
                await socket.send_media(chunk)
            if self.is_complete and num_sent == len(self.audio):
                if not num_sent:
                    return "", 0.0
                if final := self.settled():
                    return final
                self._asked = True
                await self.ask_for_the_end(socket)
                return None

    async def _hear(self, socket: Any) -> tuple[str, float]:
        error: Exception | None = None
        try:
            async for message in socket:
                check(message)
                if final := self.take(message):
                    if not self._asked:
                        break  # the service ended it while the caller speaks
                    return final
        except require("websockets.exceptions", "deepgram").ConnectionClosed as lost:
            error = lost
        if self.is_complete and (final := self.settled()):
            return final
        raise ServiceError(f"the connection ended before the final ({error})") from error


def check(message: Any) -> None:
    """Raises ServiceError for a message that says that something is wrong."""
    if getattr(message, "type", None) == "Error":
        raise ServiceError(f"Deepgram: {message.description}", 400 if getattr(message, "variant", "") else None)


class NovaStream(_DeepgramStream):
    def begin(self) -> None:
        self._parts: list[tuple[str, float]] = []
        self._interim = ""
        self._complete_s: float | None = None
        """How much of the utterance the service has found complete, if nothing was said since."""

    def take(self, message: Any) -> tuple[str, float] | None:
        if message.type == "Metadata":  # the answer to CloseStream: there is nothing more
            return self._joined()
        if message.type != "Results":
            return None
        best = message.channel.alternatives[0]
        if message.is_final:
            self._interim = ""
            if best.transcript:
                self._parts.append((best.transcript, best.confidence))
        else:
            self._interim = best.transcript
        if message.speech_final:
            self._complete_s = message.start + message.duration
        elif best.transcript:
            self._complete_s = None
        self.show(" ".join([*(text for text, _ in self._parts), self._interim]).strip())
        return self._joined() if message.from_finalize else None

    def settled(self) -> tuple[str, float] | None:
        if self._complete_s is None or len(self.audio) / BYTES_PER_S - self._complete_s > UNHEARD_S:
            return None
        return self._joined()

    async def ask_for_the_end(self, socket: Any) -> None:
        # Finalize is not always answered, if there is hardly any audio left; CloseStream is.
        await socket.send_finalize()
        await socket.send_close_stream()

    def _joined(self) -> tuple[str, float]:
        return " ".join(text for text, _ in self._parts), min((sure for _, sure in self._parts), default=0.0)


class FluxStream(_DeepgramStream):
    def begin(self) -> None:
        self._turns: dict[int, tuple[str, float]] = {}
        self._heard_s = 0.0
        """How much of the utterance is transcribed."""
        self._is_over = False
        """The service believes that the turn is over: an eager end of it, or a sure one."""

    def take(self, message: Any) -> tuple[str, float] | None:
        if message.type != "TurnInfo":
            return None
        words = [word.confidence for word in message.words]
        self._turns[message.turn_index] = (message.transcript, sum(words) / len(words) if words else 0.0)
        self._heard_s = message.audio_window_end
        if message.event != "Update":
            self._is_over = message.event in ("EagerEndOfTurn", "EndOfTurn")
        self.show(self._joined()[0])
        return None

    def settled(self) -> tuple[str, float] | None:
        is_heard = len(self.audio) / BYTES_PER_S - self._heard_s <= UNHEARD_S
        return self._joined() if is_heard and (self._is_over or self._asked) else None

    async def ask_for_the_end(self, socket: Any) -> None:
        # ForceEndTurn would end the turn with what is transcribed so far; this has the rest transcribed first.
        await socket.send_close_stream()

    def _joined(self) -> tuple[str, float]:
        turns = [self._turns[index] for index in sorted(self._turns)]
        text = " ".join(text for text, _ in turns if text)
        return text, min((sure for text, sure in turns if text), default=0.0)
