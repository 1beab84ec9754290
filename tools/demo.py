"""``ringline demo``: one phone call, start to end, with both sides shown as they speak.

The engine runs here, with the embedded default and the example clinic; the caller is a process of its own, which knows
nothing but the wire. The demo passes if the booking was really made, and if the response times that the engine reports
agree with those that the caller measured.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from ringline.engine.call import Call, CallBegan, CallEvent, CallOver, ToolRan
from ringline.engine.config import AgentConfig, Config, DoorConfig
from ringline.engine.conversation.actions import BotSaid, CallerSaid
from ringline.engine.engine import Engine
from ringline.ipc import logs
from ringline.ipc.messages import ToolCall
from ringline.tools.caller.report import RunResult
from ringline.tools.waterfall import waterfall

SCRIPT = ("I'd like to book an appointment", "Tuesday", "ten", "yes please", "no thank you")
"""What the caller says, one item after each turn of the bot."""

VOICE = "en-us+f3"
"""A woman's voice; the bot has a man's."""

WANTED_WEEKDAY, WANTED_TIME = 1, "10:00"
"""... which means this appointment: a Tuesday within the next seven days, at ten."""

MAX_DISAGREEMENT_MS = 20.0
"""Between the engine's response time and the caller's: one frame."""

CALL_TIMEOUT_S = 180.0


class DemoTurn(msgspec.Struct, frozen=True):
    """One turn of the caller and the bot's answer."""

    caller: str
    """What the caller really said."""
    heard: str
    """What the recogniser made of it."""
    bot: str
    response_ms: float | None
    """On the wire, as the caller measured it."""
    engine_response_ms: float | None
    """As the engine's own stamps say."""
    stages: list[tuple[str, float, float]]
    """(stage, start in ms, duration in ms), from the caller's last sound on."""


class DemoResult(msgspec.Struct, frozen=True):
    """What ``ringline demo --json`` prints."""

    goal_reached: bool
    """The appointment that the caller wanted is in the diary."""
    agrees: bool
    """Engine and caller measured the same response times, within one frame."""
    valid: bool
    """The caller was in time itself, so that its measurements count."""
    median_response_ms: float | None
    turns: list[DemoTurn]
    recording: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all is as it should be."""
        return self.goal_reached and self.agrees


class Demo:
    """One run."""

    def __init__(self, out: Path, console: Console) -> None:
        self._out = out
        self._console = console
        self._heard = ""
        self._answers: list[tuple[str, BotSaid]] = []
        """(what the caller was understood to say, the bot's answer), in order."""
        self._tools: list[tuple[ToolCall, dict[str, Any]]] = []

    async def run(self) -> DemoResult:
        """Place the call."""
        logs.set_up("engine", "warning")
        self._out.mkdir(parents=True, exist_ok=True)
        recording = self._out / "demo.wav"
        config = Config(door=(DoorConfig("audiosocket://127.0.0.1:0"),), agent=AgentConfig("examples/clinic"))
        config = msgspec.structs.replace(
            config, engine=msgspec.structs.replace(config.engine, max_calls=2, log_level="warning")
        )
        self._console.print("[dim]starting the engine (the very first start compiles its kernels: half a minute)[/]")
        engine = Engine(config)
        engine.subscribe(self._on_event)
        async with engine:
            url = engine.doors[0]
            self._console.print(f"[dim]open for calls at {url}; the caller phones[/]\n")
            result, problem = await self._place_call(url, recording)
            await engine.switchboard.wait_until_idle()
        return self._judge(result, problem, recording)

    async def _place_call(self, url: str, recording: Path) -> tuple[RunResult | None, str]:
        """The caller as a process. Returns what it measured, or what went wrong."""
        command = [sys.executable, "-m", "ringline.tools.caller", url, "--json", "--record", str(recording)]
        command += ["--voice", VOICE]
        for text in SCRIPT:
            command += ["--say", text]
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
        match event:
            case CallBegan():
                self._console.print(f"[dim]call {call.call_id} began[/]")
            case CallerSaid(text=text):
                self._heard = text
                self._console.print(f"[bold cyan]caller[/]  {text or '[dim](nothing understood)[/]'}")
            case ToolRan(tool_call=tool_call, result=result):
                self._tools.append((tool_call, msgspec.json.decode(result)))
                arguments = ", ".join(f"{name}={value!r}" for name, value in tool_call.arguments.items())
                self._console.print(f"[bold yellow]tool[/]    {tool_call.name}({arguments})")
            case BotSaid(text=text, trace=trace):
                self._answers.append((self._heard, event))
                self._heard = ""
                self._console.print(f"[bold green]bot[/]     {text}")
                if trace.response_ms is not None:
                    self._console.print(f"        [dim]answered after {trace.response_ms:.0f} ms[/]")
                self._console.print(waterfall(list(trace.stages()), indent="        "), end="")
            case CallOver(reason=reason):
                self._console.print(f"[dim]call over ({reason})[/]\n")
            case _:
                pass

    # --- the verdict ----------------------------------------------------------------------------------------------

    def _judge(self, result: RunResult | None, problem: str, recording: Path) -> DemoResult:
        turns = self._turns(result) if result is not None else []
        goal = any(self._is_wanted(tool_call, answer) for tool_call, answer in self._tools)
        differences = [
            abs(turn.response_ms - turn.engine_response_ms)
            for turn in turns
            if turn.response_ms is not None and turn.engine_response_ms is not None
        ]
        agrees = len(differences) == len(turns) > 0 and max(differences) <= MAX_DISAGREEMENT_MS
        responses = sorted(turn.response_ms for turn in turns if turn.response_ms is not None)
        median = responses[len(responses) // 2] if responses else None
        valid = result is not None and result.valid
        verdict = DemoResult(goal, agrees, valid, median, turns, str(recording), problem)
        self._console.print(f"appointment made      {_mark(goal)}")
        if differences:
            self._console.print(
                f"measurements agree    {_mark(agrees)} "
                f"(engine and wire differ by {max(differences):.1f} ms at most, allowed {MAX_DISAGREEMENT_MS:g})"
            )
        else:
            self._console.print(f"measurements agree    {_mark(agrees)}")
        if median is not None:
            self._console.print(f"median response       {median:.0f} ms, on the wire, over {len(responses)} turns")
        if not valid:
            self._console.print("[yellow]the caller was late itself: do not trust the milliseconds of this run[/]")
        if problem:
            self._console.print(f"[red]{problem}[/]")
        self._console.print(f"recording             {recording} (caller left, bot right)")
        return verdict

    def _turns(self, result: RunResult) -> list[DemoTurn]:
        """The caller's turns, each with the answer that began when the caller heard one begin."""
        turns = []
        for turn in result.call_results[0].turns:
            heard, bot, engine_ms, stages = "", "", None, []
            for answered, said in self._answers:
                if turn.answer_ns is not None and abs(said.trace.playout_ns - turn.answer_ns) < 200_000_000:
                    heard, bot, engine_ms = answered, said.text, said.trace.response_ms
                    stages = list(said.trace.stages())
            turns.append(DemoTurn(turn.caller, heard, bot, turn.response_ms, engine_ms, stages))
        return turns

    @staticmethod
    def _is_wanted(tool_call: ToolCall, answer: dict[str, Any]) -> bool:
        if tool_call.name != "book" or not answer.get("ok"):
            return False
        day = datetime.date.fromisoformat(str(tool_call.arguments["day"]))
        ahead = (day - datetime.date.today()).days
        return day.weekday() == WANTED_WEEKDAY and 0 <= ahead <= 7 and tool_call.arguments["time"] == WANTED_TIME


def _mark(good: bool) -> str:
    return "[green]yes[/]" if good else "[red]no[/]"
