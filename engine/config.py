"""ringline.toml -> frozen configuration, validated once at the door.

Every table is a struct below; its fields are the keys, with their units in the names. Unknown keys and bad values are
`ConfigError`s that name the key and the line.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
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
    barge_in_onset_ms: Milliseconds = 32
    """What ``onset_ms`` is while the bot speaks. With 32 and less the first sound that may be speech pauses the bot; it
    goes on after 64 ms if nothing follows."""
    barge_in_threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.25
    """... and the speech probability that this needs where sounds as loud were no speech lately. Telephone speech
    begins with 0.2 to 0.4."""
    cancel_echo: bool = True
    """Whether the bot's own voice is taken out of what the VAD hears. Costs next to nothing where none comes back."""
    model: str = ""
    """Path of another Silero ONNX file; empty: the one in the faster-whisper wheel."""


class PocketsphinxStt(_Backend, frozen=True, tag="pocketsphinx"):
    """``[stt] backend = "pocketsphinx"``"""

    workers: Positive = 1
    threads: Positive = 1
    decoders: Positive = 8
    """Utterances decoded at the same time by one worker; further ones wait in the ring. About 28 MB each, and 65 MB
    more where the LLM gives no grammars, for dictation."""
    model: str = ""
    """Path of another acoustic model folder; empty: the one in the wheel."""


class SyntheticStt(_Backend, frozen=True, tag="synthetic"):
    """``[stt] backend = "synthetic"``: answers ``text`` after ``final_ms``, whatever was said."""

    workers: Positive = 1
    threads: Positive = 1
    final_ms: Milliseconds = 50
    text: str = "this is a synthetic transcript"
    fail_every: Count = 0
    """A worker fails every so many-th utterance when it is finalised; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and never answers every so many-th."""


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
    fail_every: Count = 0
    """A worker fails every so many-th reply after its first word; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and writes nothing more of every so many-th."""


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
    fail_every: Count = 0
    """A worker fails every so many-th phrase after its first 80 ms; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and makes nothing more of every so many-th."""
    marks: bool = True
    """Whether it says where words begin."""
    coded: bool = False
    """Every word a sound of its own (`ringline.workers.tts.coded`), for tests that ask which words were played."""


SttConfig = PocketsphinxStt | SyntheticStt
LlmConfig = FlowLlm | SyntheticLlm
TtsConfig = EspeakTts | SyntheticTts
Stage = Literal["stt", "llm", "tts"]
STAGES: tuple[Stage, ...] = get_args(Stage)


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
    """A Smart Turn v3 ONNX file that judges besides Ringline's own, smaller judge, relative to the configuration file;
    ``pipecat``: the one in an installed pipecat-ai."""
    draft: bool = True
    """Whether the reply is prepared during the closing silence, which costs some replies that are never heard."""
    draft_after_ms: Milliseconds = 120
    """Silence after which that begins."""
    max_drafts: Annotated[int, Meta(ge=0)] = 4
    """Drafts per turn of the caller's; behind the last one the endpoint is waited for."""
    barge_in: Literal["off", "low", "normal", "high"] = "normal"
    """How easily the caller cuts the bot off by speaking: not at all; with two words beside backchannels; with anything
    but backchannels, coughs and noise; with any word."""
    arbitrate_ms: Milliseconds = 600
    """The bot pauses at once when the caller speaks. Speech that lasts longer than this cuts it off if words other
    than backchannels are known of it; twice as much does, whatever it is."""
    no_input_ms: Milliseconds = 7_000
    """Silence after which the caller is asked again."""
    max_no_inputs: Annotated[int, Meta(ge=0)] = 2
    """How often in a row; then the call ends, politely."""
    dtmf_pause_ms: Milliseconds = 2_000
    """Pause after which keyed digits are complete."""
    stt_timeout_ms: Annotated[int, Meta(ge=100)] = 2_000
    """No transcript for so long: the fallback is tried."""
    llm_timeout_ms: Annotated[int, Meta(ge=100)] = 4_000
    """No (further) text for so long: likewise."""
    tts_timeout_ms: Annotated[int, Meta(ge=100)] = 2_000
    """No sound of a phrase for so long: likewise."""
    dead_air_ms: Annotated[int, Meta(ge=100)] = 2_000
    """Once it is the bot's turn, silence after which it says that it will take a moment."""
    reply_timeout_ms: Annotated[int, Meta(ge=100)] = 10_000
    """A reply in which nothing at all moves for so long is given up with an apology."""
    on_failure: Literal["hang_up", "transfer"] = "hang_up"
    """What follows the apology."""
    history_tokens: Annotated[int, Meta(ge=500)] = 4_000
    """What the LLM is told of the call at most, besides the prompt; beyond it the oldest turns shrink to extracts."""
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


class EventsConfig(_Table, frozen=True):
    """``[events]``: an event log of each call, for ``ringline replay``."""

    path: str = ""
    """The folder, relative to the configuration file; empty: no logs. They hold what was said: only the engine's user
    may read them."""


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
    # [[stt.fallback]] and so on: tried in this order when the main backend fails or is late.
    stt_fallback: tuple[SttConfig, ...] = msgspec.field(default=(), name="stt.fallback")
    llm_fallback: tuple[LlmConfig, ...] = msgspec.field(default=(), name="llm.fallback")
    tts_fallback: tuple[TtsConfig, ...] = msgspec.field(default=(), name="tts.fallback")
    turn: TurnConfig = TurnConfig()
    agent: AgentConfig = AgentConfig()
    control: ControlConfig | None = None
    events: EventsConfig = EventsConfig()

    def tiers(self, stage: Stage) -> tuple[SttConfig | LlmConfig | TtsConfig, ...]:
        """The stage's backends in the order in which they are tried, the main one first."""
        return (getattr(self, stage), *getattr(self, f"{stage}_fallback"))

    def at_tier(self, stage: Stage, tier: int) -> Config:
        """This configuration as the workers of a tier see it: with its backend as the stage's main one."""
        return msgspec.structs.replace(self, **{stage: self.tiers(stage)[tier]})

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
        config = msgspec.structs.replace(config, agent=agent)
    if config.events.path:
        events = msgspec.structs.replace(config.events, path=str((path.parent / config.events.path).resolve()))
        config = msgspec.structs.replace(config, events=events)
    if config.turn.smart_turn not in ("", "pipecat"):
        turn = msgspec.structs.replace(config.turn, smart_turn=str((path.parent / config.turn.smart_turn).resolve()))
        config = msgspec.structs.replace(config, turn=turn)
    return config


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
