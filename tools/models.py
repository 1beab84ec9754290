"""``ringline models``: what is needed, where it is, how to get it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ringline.engine.config import STAGES, Config, SileroVad
from ringline.tools.finding import Finding
from ringline.workers.base import CannotStart
from ringline.workers.capture.prosody.smart_turn import find as find_smart_turn
from ringline.workers.models import manifest as manifests
from ringline.workers.models.catalogue import catalogue, find
from ringline.workers.models.pull import PullFailed, pull
from ringline.workers.models.store import how_to_get, locate, place


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


def check_models(config: Config) -> list[Finding]:
    """The models that a run with this configuration needs, each checked."""
    findings = [_check("vad model", "silero-vad")] if isinstance(config.vad, SileroVad) else []
    for stage in STAGES:
        for tier, table in enumerate(config.tiers(stage)):
            what = f"{stage} fallback {tier} model" if tier else f"{stage} model"
            packaged = [model.name for model in catalogue() if model.package and model.backend == table.name]
            findings += [_check(what, name) for name in table.models or packaged]
    if config.turn.prosody and config.turn.smart_turn:
        findings.append(_check("smart turn", config.turn.smart_turn, find_smart_turn))
    return findings


def _check(what: str, name: str, find_it: Callable[[str], Path] = locate) -> Finding:
    try:
        path = find_it(name)
    except CannotStart as error:
        return Finding(what, f"{name}: missing", False, str(error))
    folder = path.parent if path.is_file() else path
    manifest = manifests.read(folder)
    if manifest is None:
        return Finding(what, f"{name}: {path}", True)
    if damages := manifests.damaged(folder, manifest):
        advice = f"delete {folder} and pull it again: `ringline models pull {name}`"
        return Finding(what, f"{name}: {'; '.join(damages)}", False, advice)
    size_mb = round(sum(file.size for file in manifest.files.values()) / 1e6)
    return Finding(what, f"{name}: {path}, {size_mb} MB, intact", True)
