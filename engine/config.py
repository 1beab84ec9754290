"""ringline.toml -> frozen configuration, validated once at the door.

Every table is a struct below; its fields are the keys, with their units in the names. Unknown keys and bad values are
`ConfigError`s that name the key and the line.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
Positive = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class ConfigError(ValueError):
    """The configuration is wrong; the message names file, line and key."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Backend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="backend"):
    pass


class EngineConfig(_Table, frozen=True):
    """``[engine]``"""

    max_calls: Annotated[int, Meta(ge=1, le=4096)] = 32
    offline: bool = True
    """Refuse every backend that would leave this machine."""
    drain_s: Annotated[float, Meta(ge=0)] = 60.0
    """On SIGTERM: how long running calls may take to finish."""
    ready_s: Annotated[float, Meta(gt=0)] = 120.0
    """How long a worker may take to load its models."""
    hung_s: Annotated[float, Meta(gt=0)] = 2.0
    """A worker without a heartbeat for so long is killed and replaced."""
    log_level: str = "info"
    log_content: bool = False
    """Whether transcripts and phone numbers may stand in the log."""


class DoorConfig(_Table, frozen=True):
    """``[[door]]``"""

    url: str
    """``audiosocket://host:port`` or ``twilio://host:port/path``."""
    auth_token: str = ""
    """Twilio: check ``X-Twilio-Signature`` with this token. ``$NAME`` reads the environment variable NAME."""
    public_url: str = ""
    """Twilio: the wss:// URL as Twilio dials it; needed for the signature behind a proxy."""
    idle_timeout_s: Annotated[float, Meta(gt=0)] = 30.0
    """A peer that does not even acknowledge for so long is taken for dead. Mere silence is none: it may be on hold."""
    max_handshakes: Positive = 64
    """Connections that have not yet said which call they are; more are closed at once."""


class SileroVad(_Backend, frozen=True, tag="silero"):
    """``[vad] backend = "silero"``"""

    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """Speech probability from which a window counts as speech (Silero's own default)."""
    release_threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.35
    """... and below which it counts as silence."""
    onset_ms: Milliseconds = 64
    """So much speech in a row starts an utterance: two windows keep out clicks."""
    release_ms: Milliseconds = 96
    """So much silence in a row stops it."""
    model: str = ""
    """Path of another Silero ONNX file; empty: the one in the faster-whisper wheel."""


class PocketsphinxStt(_Backend, frozen=True, tag="pocketsphinx"):
    """``[stt] backend = "pocketsphinx"``"""

    workers: Positive = 1
    threads: Positive = 1
    decoders: Positive = 8
    """Utterances decoded at the same time by one worker, about 28 MB each; further ones wait in the ring."""
    model: str = ""
    """Path of another acoustic model folder; empty: the one in the wheel."""


class SyntheticStt(_Backend, frozen=True, tag="synthetic"):
    """``[stt] backend = "synthetic"``: answers ``text`` after ``final_ms``, whatever was said."""

    workers: Positive = 1
    threads: Positive = 1
    final_ms: Milliseconds = 50
    text: str = "this is a synthetic transcript"


class FlowLlm(_Backend, frozen=True, tag="flow"):
    """``[llm] backend = "flow"``: the agent's flow file decides what to say."""

    workers: Positive = 1
    threads: Positive = 1


class SyntheticLlm(_Backend, frozen=True, tag="synthetic"):
    """``[llm] backend = "synthetic"``"""

    workers: Positive = 1
    threads: Positive = 1
    first_token_ms: Milliseconds = 100
    tokens_per_s: Annotated[float, Meta(gt=0)] = 50.0
    text: str = "This is a synthetic reply. It has two sentences."


class EspeakTts(_Backend, frozen=True, tag="espeak"):
    """``[tts] backend = "espeak"``"""

    workers: Positive = 1
    threads: Positive = 1
    voice: str = "en-us"


class SyntheticTts(_Backend, frozen=True, tag="synthetic"):
    """``[tts] backend = "synthetic"``"""

    workers: Positive = 1
    threads: Positive = 1
    first_audio_ms: Milliseconds = 50
    realtime_factor: Annotated[float, Meta(ge=0)] = 0.1
    """Seconds of work per second of audio."""


SttConfig = PocketsphinxStt | SyntheticStt
LlmConfig = FlowLlm | SyntheticLlm
TtsConfig = EspeakTts | SyntheticTts


class TurnConfig(_Table, frozen=True):
    """``[turn]``"""

    endpoint_ms: Milliseconds = 400
    """Silence after which the caller's turn is over, if nothing tells how finished it is."""
    endpoint_min_ms: Milliseconds = 200
    """... if it sounds finished. The VAD needs some 130 ms to know of a silence at all."""
    endpoint_max_ms: Milliseconds = 1_200
    """... if it does not."""
    prosody: bool = True
    """Whether melody and rhythm are heard for how finished the turn sounds."""
    smart_turn: str = ""
    """Path of a Smart Turn v3 ONNX file that judges instead of Ringline's own, smaller judge."""
    no_input_ms: Milliseconds = 7_000
    """Silence after which the caller is asked again."""
    dtmf_pause_ms: Milliseconds = 2_000
    """Pause after which keyed digits are complete."""
    barge_in: bool = True
    """Whether the caller may cut the bot off by speaking."""
    reply_timeout_ms: Milliseconds = 15_000
    """A turn without any sound of a reply for so long is given up with an apology."""
    max_call_s: Annotated[float, Meta(gt=0)] = 3_600.0

    def __post_init__(self) -> None:
        if not self.endpoint_min_ms <= self.endpoint_ms:
            raise ValueError(f"{self.endpoint_min_ms} is more than endpoint_ms - at `$.turn.endpoint_min_ms`")
        if not self.endpoint_ms <= self.endpoint_max_ms:
            raise ValueError(f"{self.endpoint_max_ms} is less than endpoint_ms - at `$.turn.endpoint_max_ms`")


class AgentConfig(_Table, frozen=True):
    """``[agent]``"""

    path: str = "examples/clinic"
    """The agent's folder, relative to the configuration file, or one of the examples that come with Ringline."""


class ControlConfig(_Table, frozen=True):
    """``[control]``: the HTTP API that ``ringline top`` and ``ringline trace`` ask."""

    host: str = "127.0.0.1"
    port: Port = 9093
    token: str = ""
    """Needed beyond loopback. ``$NAME`` reads the environment variable NAME."""


def _default_doors() -> tuple[DoorConfig, ...]:
    return (DoorConfig("audiosocket://127.0.0.1:9092"), DoorConfig("twilio://127.0.0.1:8765/media"))


class Config(_Table, frozen=True):
    """A whole ringline.toml. ``Config()`` is the embedded default."""

    engine: EngineConfig = EngineConfig()
    door: tuple[DoorConfig, ...] = msgspec.field(default_factory=_default_doors)
    vad: SileroVad = SileroVad()
    stt: SttConfig = PocketsphinxStt()
    llm: LlmConfig = FlowLlm()
    tts: TtsConfig = EspeakTts()
    turn: TurnConfig = TurnConfig()
    agent: AgentConfig = AgentConfig()
    control: ControlConfig | None = None

    def __post_init__(self) -> None:
        for index, door in enumerate(self.door):
            url = urlsplit(door.url)
            if url.scheme not in DOOR_SCHEMES:
                raise ValueError(
                    f"`{door.url}` is not a door Ringline has ({', '.join(DOOR_SCHEMES)}) - at `$.door[{index}].url`"
                )
            try:
                url.port  # noqa: B018  (parsing it is the check)
            except ValueError as error:
                raise ValueError(f"{error} - at `$.door[{index}].url`") from None


DOOR_SCHEMES = ("audiosocket", "twilio")


def load(path: str | Path) -> Config:
    """Read a ringline.toml. Raises ConfigError; OSError if it cannot be read."""
    path = Path(path)
    config = parse(path.read_text(encoding="utf-8"), str(path))
    folder = Path(config.agent.path)
    if not folder.is_absolute() and (path.parent / folder).is_dir():
        agent = msgspec.structs.replace(config.agent, path=str((path.parent / folder).resolve()))
        return msgspec.structs.replace(config, agent=agent)
    return config


def parse(source: str, name: str = "ringline.toml") -> Config:
    """The configuration in a TOML text. Raises ConfigError."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from None
    for key in ("vad", "stt", "llm", "tts"):
        if isinstance(table.get(key), dict):
            table[key].setdefault("backend", _DEFAULT_BACKENDS[key])
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


def _line_of(source: str, keys: list[str]) -> int:
    """The line on which the key stands: its table's header, then the key. 1 if it cannot be found."""
    lines = source.splitlines()
    start = 0
    for depth, key in enumerate(keys):
        name, _, index = key.partition("[")
        header = re.compile(r"^\s*\[\[?\s*" + re.escape(name) + r"\s*\]\]?")
        assignment = re.compile(r"^\s*[\"']?" + re.escape(name) + r"[\"']?\s*=")
        found = [number for number, line in enumerate(lines) if header.match(line)] if depth == 0 else []
        if found:
            start = found[min(int(index.rstrip("]") or 0) if index else 0, len(found) - 1)]
            continue
        for number in range(start, len(lines)):
            if assignment.match(lines[number]):
                start = number
                break
    return start + 1
