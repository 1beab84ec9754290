"""ringline.toml -> frozen configuration, validated once at the door."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from ringline.engine.config.config import STAGES, Config
from ringline.engine.config.llm import OpenAiLlm
from ringline.engine.config.table import StageBackend
from ringline.engine.config.tts import XttsTts
from ringline.engine.text_file import TextFileError, read_text


class ConfigError(ValueError):
    """The configuration is wrong; the message names file, line and key."""


def load(path: str | Path, profile: str = "") -> Config:
    """Read a ringline.toml, on top of a profile if one is named. Raises ConfigError; OSError if it cannot be read."""
    path = Path(path)
    try:
        source = read_text(path)
    except TextFileError as error:
        raise ConfigError(str(error)) from None
    config = parse(source, str(path), profile)
    folder = Path(config.agent.path)
    if not folder.is_absolute() and (path.parent / folder).is_dir():
        agent = msgspec.structs.replace(config.agent, path=str((path.parent / folder).resolve()))
        config = msgspec.structs.replace(config, agent=agent)
    if config.events.path:
        events = msgspec.structs.replace(config.events, path=str((path.parent / config.events.path).resolve()))
        config = msgspec.structs.replace(config, events=events)
    if config.turn.smart_turn and (file := path.parent / config.turn.smart_turn).is_file():
        turn = msgspec.structs.replace(config.turn, smart_turn=str(file.resolve()))
        config = msgspec.structs.replace(config, turn=turn)
    changed: dict[str, Any] = {}
    for stage in STAGES:
        main, *fallbacks = (_with_paths(table, path.parent) for table in config.tiers(stage))
        changed |= {stage: main, f"{stage}_fallback": tuple(fallbacks)}
    return msgspec.structs.replace(config, **changed)


def _with_paths(table: StageBackend, folder: Path) -> StageBackend:
    """With whole paths where it names files that lie beside the configuration file."""
    changed: dict[str, Any] = {}
    own_file = ("model",) if isinstance(table, OpenAiLlm) and table.models else ()
    for key in (*table.model_keys, *own_file, *table.file_keys):
        named = getattr(table, key)
        if named and (folder / named).exists():
            changed[key] = str((folder / named).resolve())
    if isinstance(table, XttsTts):
        changed["voices"] = {
            name: tuple(str((folder / file).resolve()) for file in files) for name, files in table.voices.items()
        }
    return msgspec.structs.replace(table, **changed)


def parse(source: str, name: str = "ringline.toml", profile: str = "") -> Config:
    """The configuration in a TOML text, on top of a profile if one is named. Raises ConfigError."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from None
    if profile:
        table = _on_top_of(_profile(profile), table)
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


PROFILES = Path(__file__).parents[2] / "examples" / "profiles"


def _profile(name: str) -> dict[str, Any]:
    names = sorted(file.stem for file in PROFILES.glob("*.toml"))
    if name not in names:
        raise ConfigError(f"there is no profile {name}: choose one of {', '.join(names)}")
    return tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))


def _on_top_of(profile: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """Table by table: a key of ``table`` replaces the profile's; a table that names another backend, all of it."""
    merged = dict(profile)
    for key, value in table.items():
        base = profile.get(key)
        if isinstance(value, dict) and isinstance(base, dict):
            same_backend = value.get("backend", base.get("backend")) == base.get("backend")
            value = {**base, **value} if same_backend else value
        merged[key] = value
    return merged


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
