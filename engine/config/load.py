"""ringline.toml -> frozen configuration, validated once at the door."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from ringline.engine.config.config import STAGES, Config
from ringline.engine.config.stt import GoogleStt, SherpaStt, SttConfig


class ConfigError(ValueError):
    """The configuration is wrong; the message names file, line and key."""


def load(path: str | Path) -> Config:
    """Read a ringline.toml. Raises ConfigError; OSError if it cannot be read."""
    path = Path(path)
    config = parse(path.read_text(encoding="utf-8"), str(path))
    folder = Path(config.agent.path)
    if not folder.is_absolute() and (path.parent / folder).is_dir():
        agent = msgspec.structs.replace(config.agent, path=str((path.parent / folder).resolve()))
        config = msgspec.structs.replace(config, agent=agent)
    if config.events.path:
        events = msgspec.structs.replace(config.events, path=str((path.parent / config.events.path).resolve()))
        config = msgspec.structs.replace(config, events=events)
    if config.turn.smart_turn not in ("", "pipecat"):
        turn = msgspec.structs.replace(config.turn, smart_turn=str((path.parent / config.turn.smart_turn).resolve()))
        config = msgspec.structs.replace(config, turn=turn)
    return msgspec.structs.replace(
        config,
        stt=_with_files(config.stt, path.parent),
        stt_fallback=tuple(_with_files(table, path.parent) for table in config.stt_fallback),
    )


def _with_files(table: SttConfig, folder: Path) -> SttConfig:
    """With the paths of a recogniser's model or key file, where that lies beside the configuration file."""
    if isinstance(table, SherpaStt) and (folder / table.model).is_dir():
        return msgspec.structs.replace(table, model=str((folder / table.model).resolve()))
    if isinstance(table, GoogleStt) and (folder / table.credentials).is_file():
        return msgspec.structs.replace(table, credentials=str((folder / table.credentials).resolve()))
    return table


def parse(source: str, name: str = "ringline.toml") -> Config:
    """The configuration in a TOML text. Raises ConfigError."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from None
    for key, backend in _DEFAULT_BACKENDS.items():
        if isinstance(stage := table.get(key), dict):
            stage.setdefault("backend", backend)
            if key in STAGES and "fallback" in stage:
                table[f"{key}.fallback"] = _with_backend(stage.pop("fallback"), backend)
    try:
        return msgspec.convert(table, Config)
    except (msgspec.ValidationError, ValueError) as error:
        text = str(error)
        unknown = re.search(r"unknown field `([^`]*)`", text)
        where = re.search(r" - at `\$\.?([^`]*)`", text)
        keys = (where.group(1) if where else "").split(".")
        if unknown:
            keys.append(unknown.group(1))
        keys = [key for key in keys if key]
        line = _line_of(source, keys)
        what = text.split(" - at ")[0]
        raise ConfigError(f"{name}, line {line}: {'.'.join(keys)}: {what}") from None


_DEFAULT_BACKENDS = {"vad": "silero", "stt": "pocketsphinx", "llm": "flow", "tts": "espeak"}


def _with_backend(fallbacks: Any, backend: str) -> Any:
    if isinstance(fallbacks, list):
        return [{"backend": backend, **table} if isinstance(table, dict) else table for table in fallbacks]
    return fallbacks


def _line_of(source: str, keys: list[str]) -> int:
    """The line on which the key stands: its table's header, then the key. 1 if it cannot be found."""
    lines = source.splitlines()
    start = 0
    for depth in range(len(keys), 0, -1):
        names = [key.partition("[")[0] for key in keys[:depth]]
        header = re.compile(r"^\s*\[\[?\s*" + r"\s*\.\s*".join(map(re.escape, names)) + r"\s*\]\]?")
        if found := [number for number, line in enumerate(lines) if header.match(line)]:
            index = int(keys[depth - 1].partition("[")[2].rstrip("]") or 0)
            start = found[min(index, len(found) - 1)]
            keys = keys[depth:]
            break
    for key in keys:
        assignment = re.compile(r"^\s*[\"']?" + re.escape(key.partition("[")[0]) + r"[\"']?\s*=")
        for number in range(start, len(lines)):
            if assignment.match(lines[number]):
                start = number
                break
    return start + 1
