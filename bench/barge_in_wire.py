"""Barge-in on real wires: an engine that speaks, callers who interrupt it at random moments with recorded speech."""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from bench import line
from bench.echo import CALLER_DBFS, CALLER_TEXTS, CALLER_VOICES, SPEECH
from bench.line import Samples
from bench.overlap_sounds import OTHERS, TUNED_ON, in_part, sound_files
from bench.placing import door, place
from bench.telephone import Voices, at_level, read, resampled
from ringline import Agent, Engine
from ringline.engine.config import parse
from ringline.tools.caller.report import RunResult

DOORS = ("audiosocket", "twilio")
CALLS = 2
"""At the same time on each door: the frames of the one are not in step with those of the other."""
ITEMS_PER_CALL = 10
WIRE_HZ = 8_000
QUIET_DB = -40.0
"""Recordings whose own noise is louder, next to the voice, are left out: in them no moment is the voice's first."""

CONFIG = """
[engine]
max_calls = 8
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "synthetic"
final_ms = 50
[llm]
backend = "synthetic"
first_token_ms = 50
tokens_per_s = 1000
text = "{text}"
"""

BOT_TEXT = (
    "Our clinic is open from Monday to Friday, from nine in the morning to five in the afternoon, and you can book, "
    "move or cancel an appointment by telephone at any time of the day. Please have your date of birth at hand, and "
    "the number of your insurance card, which you find on the upper right corner of its back side."
)


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, WIRE_HZ, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def voices_of_callers(folder: Path, rng: np.random.Generator, number: int, part: str) -> list[Path]:
    """Sound files of a second and a half, each from the first moment of a voice (`line.from_voice`)."""
    if SPEECH.is_dir():
        files = [file for name in (*TUNED_ON, *OTHERS) for file in in_part(sound_files((name,)), part)]
        recorded = [(path.stem, line.resampled(*read(path), line.RING_HZ)) for path in files if path.suffix != ".raw"]
        quiet = [recording for recording in recorded if line.noise_db(recording[1]) < QUIET_DB]
        spoken = [quiet[index] for index in rng.permutation(len(quiet))[:number]]
    else:
        voices = Voices()
        spoken = [
            (f"{voice}-{text}", line.resampled(voices.speak(text, voice), voices.rate_hz, line.RING_HZ))
            for text in CALLER_TEXTS
            for voice in CALLER_VOICES
        ]
    paths = []
    for name, samples in spoken:
        voice = at_level(line.from_voice(samples)[: line.RING_HZ * 3 // 2], CALLER_DBFS)
        paths.append(folder / f"{name}.wav")
        _write(paths[-1], resampled(voice, line.RING_HZ, WIRE_HZ))
    return paths


async def measure(seed: int, interruptions: int, part: str) -> dict[str, Any]:
    """At least so many ``interruptions`` at each door."""
    found: dict[str, list[RunResult]] = {scheme: [] for scheme in DOORS}
    with tempfile.TemporaryDirectory(prefix="ringline-barge-in-") as folder:
        rng = np.random.default_rng(seed)
        paths = voices_of_callers(Path(folder), rng, -(-interruptions // CALLS), part)
        async with Engine(parse(CONFIG.format(text=BOT_TEXT)), Agent("bench", max_sentences=0)) as engine:
            while paths:
                batch, paths = paths[:ITEMS_PER_CALL], paths[ITEMS_PER_CALL:]
                for scheme in DOORS:
                    found[scheme].append(await place(door(engine, scheme), _interruptions(batch, rng), CALLS))
                    await engine.switchboard.wait_until_idle()
    return {scheme: _summary(runs) for scheme, runs in found.items()}


def _interruptions(paths: list[Path], rng: np.random.Generator) -> list[str]:
    """What a caller does: wait until the bot has spoken for so long, then say the next."""
    script = []
    for path in paths:
        script += ["--interrupt", str(int(rng.integers(800, 3_000))), "--wav", str(path)]
    return script


def _summary(runs: list[RunResult]) -> dict[str, Any]:
    turns = [
        (turn.caller, np.nan if turn.cut_ms is None else turn.cut_ms)
        for run in runs
        for call in run.call_results
        for turn in call.turns
    ]
    values = np.array([value for _, value in turns])
    never = np.isnan(values)
    values[never] = np.inf
    shares = {f"p{percent}_ms": float(np.percentile(values, percent, method="higher")) for percent in (50, 90, 95, 99)}
    slowest = sorted(zip(values.tolist(), (name for name, _ in turns), strict=True), reverse=True)[:5]
    valid = all(run.valid for run in runs)
    return {"interruptions": len(turns), "never": int(never.sum()), **shares, "slowest": slowest, "valid": valid}
