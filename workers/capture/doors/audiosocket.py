"""The AudioSocket door: Asterisk connects by TCP, one connection a call.

Both ways Asterisk has are served: the application ``AudioSocket(uuid,host:port)``, which always sends 8 kHz, and the
channel driver ``Dial(AudioSocket/host:port/uuid/c(slin16))``. Asterisk paces nothing and buffers nothing for us: what
is written leaves as RTP at once, so the media clock calls `send_audio` with one frame every 20 ms, silence included.
Asterisk drops the call for a frame that comes in two pieces, for an empty one, and for any kind but audio and hang-up.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING, cast

import numpy as np

from ringline.workers.capture.doors import address, listening
from ringline.workers.capture.doors import audiosocket_frames as frames
from ringline.workers.capture.doors.backlog import Backlog
from ringline.workers.capture.doors.door import Admission, WireFormat
from ringline.workers.capture.doors.left_out import LeftOut
from ringline.workers.capture.doors.listening import ListeningDoor

if TYPE_CHECKING:
    from ringline.workers.audio.resample import Resampler

log = logging.getLogger("ringline.doors.audiosocket")

LEARN_RATE_S = 0.1
"""The first audio frame tells the rate; five frames without one are a caller on hold: 8 kHz, and silence begins."""
MAX_BACKLOG_BYTES = 65_536
MAX_EARLY_DIGITS = 32
DTMF_DIGITS = frozenset(b"0123456789*#ABCD")


class AudioSocketLeg(asyncio.Protocol):
    """One connection of the AudioSocket door; see `door.Leg`."""

    wants_silence = True
    max_frames_per_message = 1
    _timer: asyncio.Handle

    def __init__(self, door: AudioSocketDoor) -> None:
        self.format = WireFormat("slin", 8_000)
        self.call_id = ""
        self.parameters: dict[str, str] = {}
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._frames = frames.FrameParser()
        self._admission: Admission | None = None
        self._early_digits: list[str] = []
        self._resamplers: dict[int, Resampler] = {}
        self._left_out = LeftOut(log)
        self._reason = ""  # set: the call is ending, for this reason

    @property
    def skipped_frames(self) -> int:
        """Frames that were not sent because the peer did not read."""
        return self._backlog.skipped

    @property
    def num_left_out(self) -> int:
        """Frames that could not be read."""
        return self._left_out.count

    # --- for the media clock --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        """Send one 20 ms frame, with one ``write()``."""
        if self._reason or not payload:  # Asterisk drops the call for an empty frame
            return
        if self._backlog.has_room():
            header = self._frame_header if len(payload) == self.format.frame_bytes else self._header(len(payload))
            self._transport.write(header + payload)
        elif self._backlog.given_up:
            self._end("the peer does not read", cleanly=False)

    def flush(self) -> None:
        """Nothing to do: Asterisk holds no audio back, barge-in is to stop sending."""

    def hang_up(self) -> None:
        """End the call from our side."""
        self._end("bot")

    # --- for asyncio ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected."""
        transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._transport = transport
        self._backlog = Backlog(transport.get_write_buffer_size, 0, self._loop.time)
        refusal = self._door.connected(self)
        if refusal:
            self._timer = self._loop.call_soon(self._end, refusal, False)
            return
        address.set_up_peer(transport, self._door.config.idle_timeout_s)
        self._timer = self._loop.call_later(
            listening.HANDSHAKE_S, self._end, f"no UUID within {listening.HANDSHAKE_S:g} s"
        )

    def data_received(self, data: bytes) -> None:
        """Some of the peer's bytes: read always, also while the call is ending, or the peer would see a reset."""
        if self._is_ending():
            return
        try:
            for frame in self._frames.feed(data):
                self._handle(frame)
                if self._is_ending():
                    return
        except frames.MalformedFrame as error:
            self._end(str(error))

    def eof_received(self) -> bool:
        """The peer hung up: Asterisk sends no 0x00, it just closes."""
        self._end("caller", cleanly=False)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is gone."""
        self._timer.cancel()
        self._reason = self._reason or (f"connection lost: {exc}" if exc else "connection lost")
        self._door.disconnected(self)
        if self._admission is not None:
            self._admission.closed(self._reason)
            self._admission = None

    # --- the call -------------------------------------------------------------------------------------------------

    def _handle(self, frame: frames.Frame) -> None:
        kind, payload = frame
        if not self.call_id:  # the parser has seen to it that it is a UUID
            self.call_id = str(uuid.UUID(bytes=payload))
            self._door.identified(self)
            self._timer.cancel()
            self._timer = self._loop.call_later(LEARN_RATE_S, self._arrive, self.format.rate_hz)
        elif what := frames.flaw(frame):
            self._leave_out(what)
        elif kind == frames.ERROR:  # it does not end the call: what cannot go on is closed
            self._leave_out(f"an error that the peer reports ({payload[:8].hex() or 'no code'})")
        elif kind in frames.AUDIO_RATES_HZ:
            rate_hz = frames.AUDIO_RATES_HZ[kind]
            if self._admission is None:
                self._arrive(rate_hz)
            if self._admission is not None and payload:
                self._admission.audio(payload if rate_hz == self.format.rate_hz else self._resample(payload, rate_hz))
            self._left_out.understood()
        elif kind == frames.DTMF:
            self._dtmf(payload)
        else:
            self._end("caller")

    def _leave_out(self, what: str) -> None:
        if self._left_out.add(what, self.call_id):
            self._end("the peer sends nothing that can be read")

    def _arrive(self, rate_hz: int) -> None:
        self._timer.cancel()
        self.format = WireFormat("slin", rate_hz)
        self._frame_header = self._header(self.format.frame_bytes)
        limit_bytes = min(rate_hz * self.format.sample_bytes, MAX_BACKLOG_BYTES)  # a second of audio at most
        self._backlog = Backlog(self._transport.get_write_buffer_size, limit_bytes, self._loop.time)
        admission = self._door.reception.arrive(self, self._door.config.url)
        if admission is None:
            self._end("no room")
            return
        self._admission = admission
        for digit in self._early_digits:
            admission.dtmf(digit)
        self._early_digits.clear()

    def _dtmf(self, payload: bytes) -> None:
        if payload[0] not in DTMF_DIGITS:
            return
        if self._admission is not None:
            self._admission.dtmf(payload.decode("ascii"))
        elif len(self._early_digits) < MAX_EARLY_DIGITS:
            self._early_digits.append(payload.decode("ascii"))

    def _resample(self, payload: bytes, rate_hz: int) -> bytes:
        """The peer's rate is not (or no longer) the one the call was opened with: the call's format stays."""
        resampler = self._resamplers.get(rate_hz)
        if resampler is None:
            from ringline.workers.audio.resample import Resampler

            resampler = self._resamplers[rate_hz] = Resampler(rate_hz, self.format.rate_hz)
        return resampler.process(np.frombuffer(payload, "<i2")).tobytes()

    def _is_ending(self) -> bool:
        return self._reason != ""

    def _header(self, num_bytes: int) -> bytes:
        return frames.audio_header(self.format.rate_hz, num_bytes)

    def _end(self, reason: str, cleanly: bool = True) -> None:
        """End the connection; `Admission.closed` follows when it is gone. The first reason counts."""
        if self._reason:
            return
        self._reason = reason
        self._timer.cancel()
        if reason not in ("bot", "caller"):
            level = logging.WARNING if self.call_id else logging.INFO  # port scanners are no news
            log.log(level, "call %s ends: %s", self.call_id or "(not yet known)", reason)
        if not cleanly or self._transport.is_closing():
            self._transport.abort()
            return
        # Half-closed and read on until the peer closes too: a full close with its audio still unread would reset the
        # connection, and Asterisk would end the caller's channel instead of going on with the dialplan.
        self._transport.write(frames.HANG_UP_FRAME)
        self._transport.write_eof()
        self._timer = self._loop.call_later(listening.CLOSE_S, self._transport.abort)


class AudioSocketDoor(ListeningDoor):
    """Listens for Asterisk; see `door.Door`."""

    default_port = 9092

    def connection(self) -> AudioSocketLeg:
        """A new connection."""
        return AudioSocketLeg(self)
