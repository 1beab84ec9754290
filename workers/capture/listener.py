"""Runs the VAD beside the media clock, in a thread: its model may take milliseconds, and no frame waits for it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence

from ringline.workers.capture.vad import SpeechEvent, Vad

log = logging.getLogger("ringline.vad")


class Listener:
    """Steps the VAD whenever told that there is new audio; delivers its events on the event loop."""

    def __init__(self, vad: Vad, on_speech: Callable[[Sequence[SpeechEvent]], None]) -> None:
        self.vad = vad
        self._on_speech = on_speech
        self._loop = asyncio.get_running_loop()
        # An eventfd, not a threading.Event: two system calls a tick, where that takes a dozen steps of Python.
        self._new_audio = os.eventfd(0, os.EFD_CLOEXEC)
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="vad", daemon=True)
        self._thread.start()

    def new_audio(self) -> None:
        """Some caller ring has grown."""
        os.eventfd_write(self._new_audio, 1)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        os.eventfd_write(self._new_audio, 1)
        self._thread.join()
        os.close(self._new_audio)

    def _run(self) -> None:
        while True:
            os.eventfd_read(self._new_audio)
            if self._stopped:
                return
            try:
                events = self.vad.step()
            except Exception as error:
                # Without ears the worker is of no use: let the engine replace it.
                log.exception("the VAD failed")
                self._loop.call_soon_threadsafe(self._raise, error)
                return
            if events:
                self._loop.call_soon_threadsafe(self._on_speech, events)

    @staticmethod
    def _raise(error: Exception) -> None:
        raise SystemExit(f"the VAD failed: {error}")
