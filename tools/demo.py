"""``ringline demo``: one phone call, start to end, with both sides shown as they speak.

The engine runs here, with the embedded default and the example clinic; the caller is a process of its own, which knows
nothing but the wire, and behaves as callers do (`SCRIPT`). `demo_verdict` says whether all went well.

With real models (``--real``), Whisper hears and Kokoro speaks, and so does the caller, in another voice and in its own
words: it says what the bot's questions ask (`PHRASING`).
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from ringline.engine.call import Call, CallBegan, CallEvent, CallOver, ToolRan
from ringline.engine.config import AgentConfig, Config, DoorConfig, parse
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid
from ringline.engine.engine import Engine
from ringline.ipc import logs
from ringline.tools.caller.natural import record
from ringline.tools.caller.report import RunResult
from ringline.tools.demo_verdict import DemoResult, judge, show, wish
from ringline.tools.patient import Patient, Phrasing
from ringline.tools.prompted import CALL_TIMEOUT_S, PromptedCaller
from ringline.tools.real_models import RealModels
from ringline.tools.waterfall import waterfall

SCRIPT = (
    ("--say", "I'd like to book [pause 600] an appointment"),
    ("--say", "on Monday"),
    ("--say", "half past ten"),
    ("--aside", "700"),
    ("--say", "okay"),
    ("--say", "no, Tuesday"),
    ("--keys", "1"),
    ("--interrupt", "2500"),
    ("--say", "no, thank you"),
)
"""What the caller does (`ringline call --help`): it pauses in the middle of a sentence, shows that it listens, corrects
itself, presses a key for yes, and answers before the question is asked."""

VOICE = "en-us+f3"
"""A woman's voice; the bot has a man's."""

PHRASING = Phrasing(
    opening="Hi there, I'd like to see a doctor, please.",
    day="Do you have anything on {wrong_day}?",
    time="Uh, {time}, if you have it.",
    correction="No, make it {day}.",
    yes="Yes, that's right.",
    end="No, that's all. Thank you.",
)
REAL_VOICE = "am_michael"
"""A man's; Kokoro's first voice, the bot's, is a woman's."""


class Demo:
    """One run."""

    def __init__(self, out: Path, console: Console, models: RealModels | None = None) -> None:
        """``models``: the demo with real ones."""
        self._out = out
        self._console = console
        self._models = models
        self._caller: PromptedCaller | None = None
        self._told: list[CallEvent] = []

    async def run(self) -> DemoResult:
        """Place the call."""
        logs.set_up("engine", "warning")
        self._out.mkdir(parents=True, exist_ok=True)
        recording = self._out / "demo.wav"
        config = Config()
        if self._models is not None:
            config = parse(self._models.config, "the real models", "cpu")
            self._caller = self._with_a_voice(self._models)
        config = msgspec.structs.replace(
            config,
            door=(DoorConfig("audiosocket://127.0.0.1:0"),),
            agent=AgentConfig("examples/clinic"),
            engine=msgspec.structs.replace(config.engine, max_calls=2, log_level="warning"),
        )
        self._console.print("[dim]starting the engine (the very first start compiles its kernels: half a minute)[/]")
        engine = Engine(config)
        engine.subscribe(self._on_event)
        async with engine:
            url = engine.doors[0]
            self._console.print(f"[dim]open for calls at {url}; the caller phones[/]\n")
            result, problem = await self._place_call(url, recording)
            await engine.switchboard.wait_until_idle()
        verdict = judge(result, self._told, str(recording), problem, is_real=self._models is not None)
        show(verdict, self._console)
        return verdict

    def _with_a_voice(self, models: RealModels) -> PromptedCaller:
        """Made before the engine, and once: the caller's voice must not cost the bot's."""
        patient = Patient(PHRASING, wish(datetime.date.today()))
        self._console.print(f"[dim]the caller's voice, {REAL_VOICE}, is made (once) ...[/]")
        return PromptedCaller(patient, record(patient.repertoire(), REAL_VOICE, models.kokoro, self._out / "callers"))

    async def _place_call(self, url: str, recording: Path) -> tuple[RunResult | None, str]:
        """The caller as a process. Returns what it measured, or what went wrong."""
        if self._caller is not None:
            try:
                return await self._caller.phone(url, ("--record", str(recording))), ""
            except TimeoutError:
                return None, f"the call did not end within {CALL_TIMEOUT_S:g} s"
            except msgspec.DecodeError as error:
                return None, f"the caller reported nothing that can be read: {error}"
        command = [sys.executable, "-m", "ringline.tools.caller", url, "--json", "--record", str(recording)]
        command += ["--voice", VOICE]
        command += [argument for option in SCRIPT for argument in option]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return None, f"the call did not end within {CALL_TIMEOUT_S:g} s"
        try:
            return msgspec.json.decode(output, type=RunResult), ""
        except msgspec.DecodeError as error:
            return None, f"the caller reported nothing that can be read: {error}"

    # --- what the engine tells -------------------------------------------------------------------------------------

    def _on_event(self, call: Call, event: CallEvent) -> None:
        self._told.append(event)
        if self._caller is not None:
            self._caller.hear(event)
        match event:
            case CallBegan():
                self._console.print(f"[dim]call {call.call_id} began[/]")
            case CallerSaid(text=text, is_dtmf=is_dtmf):
                said = text or "[dim](nothing understood)[/]"
                self._console.print(f"[bold cyan]caller[/]  {'key ' if is_dtmf else ''}{said}")
            case Backchannel(text=text):
                self._console.print(f"[bold cyan]caller[/]  [dim]({text}: the bot goes on)[/]")
            case ToolRan(tool_call=tool_call):
                arguments = ", ".join(f"{name}={value!r}" for name, value in tool_call.arguments.items())
                self._console.print(f"[bold yellow]tool[/]    {tool_call.name}({arguments})")
            case BotSaid(text=text, interrupted=interrupted, trace=trace):
                self._console.print(f"[bold green]bot[/]     {text}{' [dim](cut off)[/]' if interrupted else ''}")
                if trace.response_ms is not None:
                    self._console.print(f"        [dim]answered after {trace.response_ms:.0f} ms[/]")
                self._console.print(waterfall(list(trace.stages()), trace.endpoint_reasons, "        "), end="")
            case CallOver(reason=reason):
                self._console.print(f"[dim]call over ({reason})[/]\n")
            case _:
                pass
