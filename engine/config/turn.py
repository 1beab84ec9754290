"""``[turn]``: who speaks when."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ringline.engine.config.table import Milliseconds, Table


class TurnConfig(Table, frozen=True):
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
    """A Smart Turn v3 ONNX file that judges besides Ringline's own, smaller judge, relative to the configuration file,
    or a model's name (``smart-turn-v3``); ``pipecat``: the one in an installed pipecat-ai."""
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
    """Pause after which keyed digits are complete. ``#`` completes them at once, and so do as many as were asked
    for; ``*`` behind other keys begins anew."""
    stt_timeout_ms: Annotated[int, Meta(ge=100)] = 2_000
    """No transcript for so long: the fallback is tried."""
    llm_timeout_ms: Annotated[int, Meta(ge=100)] = 4_000
    """No (further) text for so long: likewise."""
    model_load_ms: Annotated[int, Meta(ge=100)] = 30_000
    """A reply waits so long, with fillers, for a server that loads its model, where no fallback is quicker."""
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
