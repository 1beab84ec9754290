"""The stamps of a turn, and the waterfall of its latency.

All stamps are CLOCK_MONOTONIC in nanoseconds; 0 stands for "did not happen". The first and the last are taken on the
wire, by capture, so that what the engine reports agrees with what a caller measures.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ringline.ipc.messages import Usage


class TurnTrace(msgspec.Struct):
    """How one reply came about."""

    turn: int
    cause: str
    started_ns: int = 0
    """The engine began with the reply."""
    speech_end_ns: int = 0
    """The caller's last audible sample arrived."""
    finalised_ns: int = 0
    """STT was asked for the final transcript."""
    endpoint_ns: int = 0
    """The engine took the caller's turn for over."""
    transcript_ns: int = 0
    """The final transcript was there."""
    first_text_ns: int = 0
    """The reply's first piece of text was there."""
    first_phrase_ns: int = 0
    """The first phrase went to TTS."""
    first_audio_ns: int = 0
    """The first phrase's first sample was in the reply ring."""
    playout_ns: int = 0
    """The first audible sample was sent."""
    end_ns: int = 0
    """The last sample was sent."""
    endpoint_ms: int = 0
    """After how much silence the turn was to be over ..."""
    endpoint_reasons: tuple[str, ...] = ()
    """... and why."""
    drafted: bool = False
    """The LLM was asked before the turn was over."""
    drafts_wasted: int = 0
    """Replies that were drafted for the same turn before, and dropped because the caller went on."""
    num_pauses: int = 0
    """How often it paused for a sound of the caller's."""
    num_empty: int = 0
    """How often nothing of what the LLM wrote could be spoken, and another way was found."""
    num_cut_words: int = 0
    """Words that were left out, because the reply was too long."""
    prompt_tokens: int = 0
    """What the LLM was given, in all steps, where the backend counts it ..."""
    cached_tokens: int = 0
    """... what of it was in its cache ..."""
    completion_tokens: int = 0
    """... and what it wrote."""

    def count(self, usage: Usage) -> None:
        """A step has cost so much."""
        self.prompt_tokens += usage.prompt
        self.cached_tokens += usage.cached
        self.completion_tokens += usage.completion

    @property
    def response_ms(self) -> float | None:
        """End of the caller's speech -> first sound of the bot, as on the wire; None where one of them is missing."""
        if not self.speech_end_ns or not self.playout_ns:
            return None
        return (self.playout_ns - self.speech_end_ns) / 1e6

    def stages(self) -> Iterator[tuple[str, float, float]]:
        """(stage, start, duration), both in milliseconds from the waterfall's beginning; stages that did not happen are
        left out. With drafts, all up to the endpoint runs side by side with the caller's closing silence."""
        stamps = (
            ("endpoint", self.speech_end_ns, self.endpoint_ns),
            ("stt", self.finalised_ns, self.transcript_ns),
            ("llm", self.transcript_ns or self.started_ns, self.first_text_ns),
            ("phrase", self.first_text_ns, self.first_phrase_ns),
            ("tts", self.first_phrase_ns, self.first_audio_ns),
            ("playout", max(self.first_audio_ns, self.endpoint_ns), self.playout_ns),
        )
        origin = next((start for _, start, _ in stamps if start), 0)
        for stage, start, end in stamps:
            if start and start <= end:  # a filler may be heard before the reply's own first sound is there
                yield stage, (start - origin) / 1e6, (end - start) / 1e6
