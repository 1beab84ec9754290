"""``python -m ringline.engine.server_guard <engine's pid> <seconds> <command> ...``: a model server's parent.

A server may be a tree of processes. They form a group, which this process ends when the engine asks for it (SIGTERM),
when the engine dies, and when the server's first process is gone: first kindly, then by SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class _Asked(Exception):
    """The server is to end."""


class Guard:
    """The server's process group, from its birth to its end."""

    def __init__(self, command: list[str], patience_s: float) -> None:
        """``patience_s``: how long it may take to exit when asked to."""
        self._command = command
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._is_asked = False

    def run(self, engine_pid: int) -> int:
        """Returns the server's exit status, or a shell's for a command that cannot be run."""
        # Handlers, because the server would inherit that a signal is ignored.
        signal.signal(signal.SIGINT, lambda *_: None)  # ctrl-C reaches the whole terminal; the engine decides
        signal.signal(signal.SIGTERM, self._ask)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != engine_pid:  # it died before the line above
            return 1
        try:
            self._process = subprocess.Popen(self._command, start_new_session=True, stdin=subprocess.DEVNULL)
        except OSError as error:
            print(error, flush=True)
            return 127
        status = 0
        try:
            if not self._is_asked:
                status = self._process.wait()
        except _Asked:
            pass
        self._end(self._process)
        return status if status >= 0 else 128 - status

    def _ask(self, signal_number: int, frame: object) -> None:
        is_first, self._is_asked = not self._is_asked, True
        if is_first and self._process is not None:
            raise _Asked

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End the whole group, whatever of it is left."""
        self._is_asked = True
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(self._patience_s)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(Guard(sys.argv[3:], float(sys.argv[2])).run(int(sys.argv[1])))
