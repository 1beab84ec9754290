"""The simulated caller as a process of its own, told what to say by what the engine says that its bot has said."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ringline.engine.call import CallEvent
from ringline.engine.conversation.actions import BotSaid
from ringline.tools.caller.report import CallResult, RunResult
from ringline.tools.patient import Patient

CALL_TIMEOUT_S = 180.0


class PromptedCaller:
    """One call of one patient."""

    def __init__(self, patient: Patient, recordings: Mapping[str, Path]) -> None:
        """``recordings``: of everything in the patient's repertoire."""
        self._patient = patient
        self._texts = patient.repertoire()
        self._recordings = recordings
        self._process: asyncio.subprocess.Process | None = None
        self.said: list[str] = []
        """In order, as prompted."""

    def hear(self, event: CallEvent) -> None:
        """Whatever the engine tells of the call."""
        if not isinstance(event, BotSaid) or self._process is None or self._process.stdin is None:
            return
        answer = self._patient.answer(event.text)
        if answer is None:
            if event.text and self.said:
                self._process.stdin.write(b"end\n")
            return
        self.said.append(answer)
        self._process.stdin.write(f"{self._texts.index(answer)}\n".encode())

    async def phone(self, url: str, options: Sequence[str] = ()) -> RunResult:
        """Place the call. Items have what is said as their labels. Raises TimeoutError, and DecodeError if the caller
        reports nothing."""
        command = [sys.executable, "-m", "ringline.tools.caller", url, "--json", "--prompted", *options]
        for text in self._texts:
            command += ["--wav", str(self._recordings[text])]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                output = await self._process.stdout.read()
                await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        result = msgspec.json.decode(output, type=RunResult)
        names = {self._recordings[text].name: text for text in self._texts}
        return msgspec.structs.replace(result, call_results=tuple(_named(call, names) for call in result.call_results))


def _named(call: CallResult, names: Mapping[str, str]) -> CallResult:
    turns = [msgspec.structs.replace(turn, caller=names.get(turn.caller, turn.caller)) for turn in call.turns]
    return msgspec.structs.replace(call, turns=tuple(turns))
