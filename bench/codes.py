"""Callers who say a code of four digits and pause in it: recorded digits, put together as people group them.

The digits are real (six speakers on the telephone), their order, their grouping and the pauses between groups are not:
the pauses are drawn from those that were measured inside recorded sentences. What the bot expects is known, as it is in
any flow that asks for a code.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.recordings import SPEECH, Recording, Turn, on_the_wire
from bench.telephone import Samples, read
from ringline.engine.config import PocketsphinxStt
from ringline.ipc.messages import Expectation, Transcribe

LENGTH = 4
GROUPS = ((4,), (2, 2), (1, 3), (3, 1), (1, 1, 2), (1, 1, 1, 1))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GRAMMAR = (
    f"#JSGF V1.0;\ngrammar code;\npublic <turn> = {' '.join(['<digit>'] * LENGTH)};\n<digit> = {' | '.join(DIGITS)};\n"
)
EXPECT = Expectation(grammar=GRAMMAR, spoken_digits=LENGTH)
GAP_MS = 60
"""Between digits of a group: hardly any silence."""


def codes(count: int, pauses_ms: Sequence[float], seed: int) -> list[Turn]:
    """So many turns of random speakers; a pause between groups is one of ``pauses_ms``."""
    spoken: dict[str, dict[str, list[Samples]]] = defaultdict(lambda: defaultdict(list))
    for line in (SPEECH / "digits_8k" / "text.tsv").read_text().splitlines()[1:]:
        file, speaker, text = line.split("\t")
        spoken[speaker][text.strip()].append(read(SPEECH / "digits_8k" / file)[0])
    rng = np.random.default_rng([seed, 4])
    speakers = sorted(spoken)
    made = []
    for number in range(count):
        speaker = speakers[int(rng.integers(len(speakers)))]
        digits = [DIGITS[int(rng.integers(10))] for _ in range(LENGTH)]
        parts, said = [], 0
        for size in GROUPS[int(rng.integers(len(GROUPS)))]:
            if said:
                parts.append(np.zeros(int(8 * float(rng.choice(pauses_ms))), np.int16))
            for digit in digits[said : said + size]:
                choices = spoken[speaker][digit]
                parts += [choices[int(rng.integers(len(choices)))], np.zeros(8 * GAP_MS, np.int16)]
            said += size
        text = " ".join(digits)
        made.append((Recording(f"codes/{number}", f"digits {speaker}", text, True), np.concatenate(parts)))
    return list(on_the_wire(made, seed))


def understood(heard: Sequence[Turn]) -> tuple[dict[str, list[str]], float]:
    """What the embedded recogniser makes of each turn up to each silence; and the share of codes understood."""
    from ringline.workers.stt.pocketsphinx import PocketsphinxBackend

    backend = PocketsphinxBackend(PocketsphinxStt())
    backend.warm_up()
    texts = {turn.recording.file: dictated(backend, turn, EXPECT) for turn in heard}
    right = sum(texts[turn.recording.file][-1] == turn.recording.text for turn in heard)
    return texts, right / max(1, len(heard))


def dictated(backend: Any, turn: Turn, expect: Expectation) -> list[str]:
    """A recogniser's best text at each silence of a turn, when the VAD reports it."""
    stream = backend.open(Transcribe(1, 0, 1, 0, expect), 0)
    texts, at = [], max(0, turn.start_sample - 4_800)
    for silence in turn.silences:
        while at < silence.reported_sample:
            end = min(at + 320, silence.reported_sample)
            stream.feed(turn.audio[at:end])
            at = end
        if math.isinf(silence.pause_ms):
            stream.finalise()
        texts.append(stream.partial if stream.final is None else stream.final)
    stream.close()
    return texts
