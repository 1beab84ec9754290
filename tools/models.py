"""``ringline models``: what is needed, where it is, how to get it."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from ringline.engine.agent import Agent, AgentError
from ringline.engine.config import STAGES, Config, CTranslate2Llm, LlmConfig, SileroVad, SttConfig, TtsConfig
from ringline.engine.environment import worker_environment
from ringline.tools.finding import Finding, wrapped
from ringline.workers.base import CannotStart
from ringline.workers.capture.prosody.smart_turn import find as find_smart_turn
from ringline.workers.llm import examine as examine_llm
from ringline.workers.llm import make_backend as make_llm
from ringline.workers.models import manifest as manifests
from ringline.workers.models.catalogue import catalogue, find
from ringline.workers.models.pull import PullFailed, pull
from ringline.workers.models.store import how_to_get, locate, place
from ringline.workers.stt import examine as examine_stt
from ringline.workers.stt import make_backend as make_stt
from ringline.workers.tts import examine as examine_tts
from ringline.workers.tts import make_backend as make_tts


class Row(msgspec.Struct, frozen=True):
    """A model of the catalogue, on this machine."""

    name: str
    stage: str
    backend: str
    mb: int
    licence: str
    note: str
    where: str
    """Empty: nowhere."""


def inventory() -> list[Row]:
    """All models of the catalogue."""
    return [Row(m.name, m.stage, m.backend, m.mb, m.licence, m.note, str(place(m) or "")) for m in catalogue()]


def fetch(name: str, origin: str, console: Console) -> bool:
    """Pull a model, with progress bars, and say what came of it. Returns whether it is here now."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    try:
        model = find(name)
    except KeyError:
        say(f"there is no model {name}: see `ringline models list`, or give owner/repository")
        return False
    if model.note:
        say(f"{model.name} is under {model.licence}: {model.note}")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total or None)
            bars.update(tasks[file], completed=done)

        try:
            folder = pull(model, origin, progress)
        except PullFailed as error:
            bars.stop()
            say(str(error))
            if model.source:
                say(how_to_get(model))
            return False
    say(f"{model.name} is in {folder}, checksums in its {manifests.MANIFEST}")
    return True


def render(rows: Sequence[Row], width: int) -> Iterator[Text]:
    """The inventory for a terminal of so many columns, line by line: models by stage and backend, then what binds."""
    name = max(len(row.name) for row in rows)
    yield Text(f"  {'':<{name}}    MB  licence        here", "dim")
    for (stage, backend), group in itertools.groupby(rows, lambda row: (row.stage, row.backend)):
        yield Text(f"{stage}, {backend}", "bold")
        for row in group:
            yield Text.assemble(
                f"  {row.name:<{name}} {row.mb:>5}  {row.licence:<14} ",
                ("yes", "green") if row.where else ("-", "dim"),
            )
    for row in rows:
        if row.note:
            first, *more = wrapped(f"{row.name}: {row.note}", width - 2)
            yield Text(first, "dim")
            yield from (Text("  " + line, "dim") for line in more)


def check_models(config: Config, load: bool = False) -> list[Finding]:
    """The models that a run with this configuration needs, each checked: whether it is here and intact, and whether it
    is what the worker will want, the voice and the agent's language included. With ``load``, they are loaded, too."""
    findings = [_check("vad model", "silero-vad")] if isinstance(config.vad, SileroVad) else []
    try:
        agent = Agent.load(config.agent.path)
    except AgentError:  # which is a finding of its own
        agent = Agent("")
    for stage in STAGES:
        for tier, table in enumerate(config.tiers(stage)):
            what = f"{stage} fallback {tier} model" if tier else f"{stage} model"
            packaged = [model.name for model in catalogue() if model.package and model.backend == table.name]
            found = [_check(what, name) for name in table.models or packaged]
            if all(finding.ok for finding in found):
                voice = agent.voice if table.name == config.tts.name else ""
                found = [_look_inside(finding, config, table, voice, agent.language, load) for finding in found]
            findings += found
    if config.turn.prosody and config.turn.smart_turn:
        findings.append(_check("smart turn", config.turn.smart_turn, find_smart_turn))
    return findings


def _check(what: str, name: str, find_it: Callable[[str], Path] = locate) -> Finding:
    """Whether it is here, and as it was pulled."""
    try:
        path = find_it(name)
    except CannotStart as error:
        return Finding(what, f"{name}: missing", False, str(error))
    folder = path.parent if path.is_file() else path
    manifest = manifests.read(folder)
    if manifest is None:
        return Finding(what, name, True, where=str(path))
    if damages := manifests.damaged(folder, manifest):
        advice = f"delete {folder} and pull it again: `ringline models pull {name}`"
        return Finding(what, f"{name}: {'; '.join(damages)}", False, advice, where=str(path))
    size_mb = round(sum(file.size for file in manifest.files.values()) / 1e6)
    return Finding(what, f"{name}: {size_mb} MB, intact", True, where=str(path))


def _look_inside(
    finding: Finding, config: Config, table: SttConfig | LlmConfig | TtsConfig, voice: str, language: str, load: bool
) -> Finding:
    """What its worker would make of it."""
    began_s = time.monotonic()
    try:
        if isinstance(table, SttConfig):
            inside = examine_stt(table)
        elif isinstance(table, TtsConfig):
            inside = examine_tts(table, voice, language)
        else:
            inside = examine_llm(table)
        if load:
            _load(config, table)
            inside += f"{', ' if inside else ''}loaded in {time.monotonic() - began_s:.1f} s"
    except CannotStart as error:
        return msgspec.structs.replace(finding, found=f"{finding.found}: cannot be used", ok=False, advice=str(error))
    found = f"{finding.found}{', ' if ':' in finding.found else ': '}{inside}" if inside else finding.found
    return msgspec.structs.replace(finding, found=found)


def _load(config: Config, table: SttConfig | LlmConfig | TtsConfig) -> None:
    """Load a backend as its worker will, and let go of it. Raises CannotStart."""
    os.environ.update(worker_environment(table.threads, config.engine.offline))
    if isinstance(table, SttConfig | TtsConfig):
        backend = make_stt(table) if isinstance(table, SttConfig) else make_tts(table)
        backend.warm_up()
        if close := getattr(backend, "close", None):
            close()
    elif isinstance(table, CTranslate2Llm):
        asyncio.run(_load_llm(msgspec.structs.replace(config, llm=table)))


async def _load_llm(config: Config) -> None:
    llm = make_llm(config)
    await llm.warm_up()
    await llm.close()
