"""Calls in which a local model speaks, in a worker process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.models.kokoro import make_kokoro
from bench.models.piper import make_piper

from ringline.ipc.messages import WordMarks

VOICES: dict[str, Callable[[Path], Path]] = {"kokoro": make_kokoro, "piper": make_piper}


@pytest.mark.parametrize("backend", VOICES)
async def test_reply_is_spoken_with_its_words_marked(start: Any, tmp_path: Path, backend: str) -> None:
    tts = f'[tts]\nbackend = "{backend}"\nmodel = "{VOICES[backend](tmp_path)}"\n'
    async with start(tts_table=tts) as running:
        result = await running.call(say=("hello", "how are you"), num_calls=2)
    assert result.succeeded
    assert result.turns_answered == result.turns == 4
    marks = [sample for message in running.of(WordMarks) for sample in message.samples]
    assert len(marks) == 2 * 3 * 9  # each call opens with the reply, and has it twice more
