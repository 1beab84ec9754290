"""Which TTS worker writes a call's reply ring. The ring has one writer at a time: the next one may begin only when the
one before has said that it has let go, or has died."""

from __future__ import annotations

from collections.abc import Callable

from ringline.ipc.messages import ReleaseSpeech, ToWorker


class RingWriter:
    """The writer of one call's ring."""

    def __init__(self, bus_name: str, tier: int) -> None:
        self.bus_name = bus_name
        self.tier = tier
        self.releasing = False
        """It was asked to let go, and has not yet answered."""


class RingWriters:
    """The writers of all calls."""

    def __init__(self, send: Callable[[str, ToWorker], bool]) -> None:
        self._send = send
        self._writers: dict[int, RingWriter] = {}

    def get(self, call: int) -> RingWriter | None:
        """The call's writer; None while nobody writes."""
        return self._writers.get(call)

    def take(self, call: int, bus_name: str, tier: int) -> None:
        """A worker begins to speak in a call that has no writer."""
        self._writers[call] = RingWriter(bus_name, tier)

    def release(self, call: int) -> None:
        """Ask the call's writer, if it has one, to let go. One that does not answer hangs, and is killed for it."""
        writer = self._writers.get(call)
        if writer is not None and not writer.releasing:
            writer.releasing = True
            self._send(writer.bus_name, ReleaseSpeech(call))

    def released(self, call: int, bus_name: str) -> None:
        """The worker says that it has let go."""
        writer = self._writers.get(call)
        if writer is not None and writer.releasing and writer.bus_name == bus_name:
            del self._writers[call]

    def worker_down(self, bus_name: str) -> None:
        """The dead write nothing."""
        for call in [call for call, writer in self._writers.items() if writer.bus_name == bus_name]:
            del self._writers[call]

    def forget_call(self, call: int) -> None:
        """The call is over; `ReleaseCall` sees to its slot."""
        self._writers.pop(call, None)

    def bus_names(self) -> list[str]:
        """The writers' names, one for each call."""
        return [writer.bus_name for writer in self._writers.values()]
