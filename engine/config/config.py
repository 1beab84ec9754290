"""The whole configuration."""

from __future__ import annotations

from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from ringline.engine.config.capture import DOOR_SCHEMES, DoorConfig, SileroVad, VadConfig
from ringline.engine.config.llm import FlowLlm, LlmConfig
from ringline.engine.config.stt import PocketsphinxStt, SttConfig
from ringline.engine.config.table import Port, Table
from ringline.engine.config.tts import EspeakTts, TtsConfig
from ringline.engine.config.turn import TurnConfig

Stage = Literal["stt", "llm", "tts"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class EngineConfig(Table, frozen=True):
    """``[engine]``"""

    max_calls: Annotated[int, Meta(ge=1, le=4096)] = 32
    offline: bool = True
    """Refuse every backend that would leave this machine."""
    drain_s: Annotated[float, Meta(ge=0)] = 60.0
    """On SIGTERM: how long running calls may take to finish."""
    ready_s: Annotated[float, Meta(gt=0)] = 120.0
    """How long a worker may take to load its models."""
    prepare_s: Annotated[float, Meta(ge=0)] = 15.0
    """How long calls are kept out, once all models are loaded, until the first one's prompt is computed and its
    greeting spoken."""
    refuse_calls: bool = True
    """Whether new calls are refused while the models lag so far behind that they would be answered late, and the calls
    that are there later still."""
    hung_s: Annotated[float, Meta(gt=0)] = 2.0
    """A worker without a heartbeat for so long is killed and replaced."""
    realtime: bool = True
    """Whether capture asks for real-time priority; without the right to it, it goes on without."""
    log_level: str = "info"
    log_content: bool = False
    """Whether transcripts and phone numbers may stand in the log."""


class AgentConfig(Table, frozen=True):
    """``[agent]``"""

    path: str = "examples/clinic"
    """The agent's folder, relative to the configuration file, or one of the examples that come with Ringline."""


class ControlConfig(Table, frozen=True):
    """``[control]``: the HTTP API that ``ringline top`` and ``ringline trace`` ask."""

    host: str = "127.0.0.1"
    port: Port = 9093
    token: str = ""
    """Needed beyond loopback. ``$NAME`` reads the environment variable NAME."""


class EventsConfig(Table, frozen=True):
    """``[events]``: an event log of each call, for ``ringline replay``."""

    path: str = ""
    """The folder, relative to the configuration file; empty: no logs. They hold what was said: only the engine's user
    may read them."""


def _default_doors() -> tuple[DoorConfig, ...]:
    return (DoorConfig("audiosocket://127.0.0.1:9092"), DoorConfig("twilio://127.0.0.1:8765/media"))


class Config(Table, frozen=True):
    """A whole ringline.toml. ``Config()`` is the embedded default."""

    engine: EngineConfig = EngineConfig()
    door: tuple[DoorConfig, ...] = msgspec.field(default_factory=_default_doors)
    vad: VadConfig = SileroVad()
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
        self._check_doors()
        if self.engine.offline:
            self._check_offline()

    def _check_offline(self) -> None:
        for stage in STAGES:
            for tier, table in enumerate(self.tiers(stage)):
                if table.remote_host:
                    key = f"{stage}.fallback[{tier - 1}]" if tier else stage
                    raise ValueError(
                        f"{table.name} sends what is said to {table.remote_host}, and engine.offline is true: choose a "
                        f"backend that stays on this machine, or set offline = false in [engine] - at `$.{key}.backend`"
                    )

    def _check_doors(self) -> None:
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
