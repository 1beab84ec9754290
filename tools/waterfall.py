"""Draws the waterfall of a turn's latency in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

COLOURS = {"endpoint": "yellow", "stt": "cyan", "llm": "magenta", "phrase": "blue", "tts": "green", "playout": "white"}
BAR_COLUMNS = 40
BLOCK = "▇"


def waterfall(
    stages: Sequence[tuple[str, float, float]], reasons: Sequence[str] = (), indent: str = "  ", block: str = BLOCK
) -> Text:
    """One line a stage: name, duration, and a bar where it lay. ``stages``: (name, start in ms, duration in ms).

    ``reasons``: why the endpoint was where it was. ``block``: what bars are made of.
    """
    text = Text()
    total_ms = max((start + duration for _, start, duration in stages), default=0.0)
    for name, start_ms, duration_ms in stages:
        scale = BAR_COLUMNS / total_ms if total_ms else 0.0
        offset = round(start_ms * scale)
        width = max(1, round(duration_ms * scale))
        text.append(f"{indent}{name:<9}{duration_ms:7.1f} ms  ", "dim")
        text.append(" " * min(offset, BAR_COLUMNS - 1) + block * width + "\n", COLOURS.get(name, "white"))
        if name == "endpoint" and reasons:
            text.append(f"{indent}         {'; '.join(reasons)}\n", "dim")
    return text
