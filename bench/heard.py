"""What the engine says that an interrupted caller has heard, beside what Whisper hears in the recording of the call.

    python -m bench.heard [--cuts 40] [--threads 1] [--seed 1] [--json]

Kokoro reads a text to the caller, who speaks over it at moments drawn by lot; Whisper base hears both sides' words:
the caller's in the engine, and the bot's, afterwards, in the recording of its channel (faster-whisper, beam of 5). The
words of a reply that was cut are compared with the beginning of the text that is closest to what Whisper wrote, by edit
distance: a word that it mishears is still that word. Of a word that was cut in the middle, either answer is right, so
one word more or less is within what can be told.

"exact" is what the engine itself says of its figure: whether it goes by times of words, or by letters.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.bookings import OUT, over_the_telephone
from bench.placing import door, place
from bench.reporting import Result, console, options_of, tell
from bench.telephone import resampled
from bench.wer import distance, words_of
from ringline import Agent, Engine
from ringline.engine.call import Call, CallEvent
from ringline.engine.config import parse
from ringline.engine.conversation.actions import BotSaid
from ringline.ipc import logs
from ringline.tools.caller.natural import record
from ringline.tools.caller.wire import Samples
from ringline.tools.real_models import RealModels, find_real_models
from ringline.workers.audio import levels
from ringline.workers.base import CannotStart

CONFIG = """
[engine]
max_calls = 2
log_level = "warning"
[[door]]
url = "twilio://127.0.0.1:0/media"
{models}
[llm]
backend = "synthetic"
first_token_ms = 50
tokens_per_s = 200
text = "{text}"
"""
TEXT = (
    "The little harbour lies between two hills, and from the pier you can see the old lighthouse. "
    "Every morning the fishermen bring in their boats, and the gulls follow them to the market. "
    "My grandmother used to sell bread there, warm from the oven, wrapped in yesterday's paper. "
    "In summer the visitors came, with cameras and straw hats, and asked for the way to the beach. "
    "She told them, patiently, that there was no beach, only stones, and that the water was cold. "
    "They went swimming anyway, laughing and shivering, and bought her bread when they came back."
)
"""No numbers, and nothing else that can be written in two ways."""
INTERRUPTIONS = (
    "Wait a moment, please.",
    "Sorry, can I ask you something?",
    "Stop, I have a question.",
    "Excuse me, hold on.",
)
OPENING = "Hello, please tell me about the village."
VOICE = "am_michael"
CUTS_PER_CALL = 10
EARLIEST_MS, LATEST_MS = 700, 14_000
RATE_HZ, MODEL_HZ = 8_000, 16_000
MARGIN_MS = 300
"""Of silence around what Whisper gets."""


class Cut(msgspec.Struct, frozen=True):
    """One reply that was interrupted."""

    told: tuple[str, ...]
    """Words that the engine says were heard."""
    whisper: str
    """What is in the recording."""
    in_recording: int
    """So many words of the text."""
    exact: bool

    @property
    def off_by(self) -> int:
        """So many words too many are told of."""
        return len(self.told) - self.in_recording


def words_in(transcript: str, text: str) -> int:
    """How many words of the beginning of ``text`` come closest to the transcript; the fewest, where several do."""
    heard, words = words_of(transcript), text.split()
    distances = [distance(words_of(" ".join(words[:number])), heard) for number in range(len(words) + 1)]
    return int(np.argmin(distances))


def replies(track: Samples, told: Sequence[BotSaid]) -> list[tuple[BotSaid, Samples]]:
    """Each turn of the bot with its part of the bot's channel, which began with the first of them."""
    first = int(levels.first_audible(track, RATE_HZ))
    starts = [first + (said.trace.playout_ns - told[0].trace.playout_ns) * RATE_HZ // 10**9 for said in told]
    margin = RATE_HZ * MARGIN_MS // 1000
    found = []
    for said, start, end in zip(told, starts, [*starts[1:], track.shape[0]], strict=True):
        part = track[max(0, start - margin // 2) : end - margin // 2]
        last = int(levels.last_audible(part, RATE_HZ))
        found.append((said, part[: max(0, last) + margin]))
    return found


class Listener:
    """Whisper, to whom the recording is played afterwards."""

    def __init__(self, model: Path) -> None:
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(str(model), device="cpu", compute_type="int8")

    def transcript(self, samples: Samples) -> str:
        """Of one reply, at `RATE_HZ`."""
        wide = resampled(samples, RATE_HZ, MODEL_HZ).astype(np.float32) / 32_768
        segments, _ = self._model.transcribe(wide, language="en", beam_size=5, condition_on_previous_text=False)
        return " ".join(segment.text.strip() for segment in segments)


async def interrupted(
    models: RealModels, threads: int, cuts: int, rng: np.random.Generator, out: Console
) -> list[tuple[BotSaid, Samples]]:
    """Calls with so many interruptions in all. Returns the replies that were cut, and the bot's channel of each."""
    recordings = over_the_telephone(record((OPENING, *INTERRUPTIONS), VOICE, models.kokoro, OUT))
    config = CONFIG.format(models=models.config.replace("threads = 1", f"threads = {threads}"), text=TEXT)
    told: list[BotSaid] = []

    def on_event(call: Call, event: CallEvent) -> None:
        if isinstance(event, BotSaid) and event.trace.playout_ns:
            told.append(event)

    agent = Agent("reader", greeting="Hello, how can I help you?", max_sentences=0)
    found = []
    with tempfile.TemporaryDirectory(prefix="ringline-heard-") as folder:
        async with Engine(parse(config), agent) as engine:
            engine.subscribe(on_event)
            for number in range(-(-cuts // CUTS_PER_CALL)):
                script = ["--wav", str(recordings[OPENING])]
                for _ in range(min(CUTS_PER_CALL, cuts - number * CUTS_PER_CALL)):
                    text = INTERRUPTIONS[int(rng.integers(len(INTERRUPTIONS)))]
                    script += ["--interrupt", str(int(rng.integers(EARLIEST_MS, LATEST_MS)))]
                    script += ["--wav", str(recordings[text])]
                told.clear()
                path = Path(folder) / f"{number}.wav"
                result = await place(door(engine, "twilio"), script, options=("--record", str(path)))
                if not path.exists():
                    out.print(f"[dim]call {number + 1} was not taken: {', '.join(result.refused)}[/]")
                    continue
                await engine.switchboard.wait_until_idle()
                track = await asyncio.to_thread(_bots_channel, path)
                found += [(said, part) for said, part in replies(track, told) if said.interrupted]
                out.print(f"[dim]call {number + 1}: {sum(said.interrupted for said in told)} replies cut[/]")
    return found


def _bots_channel(path: Path) -> Samples:
    import wave

    with wave.open(str(path), "rb") as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return np.ascontiguousarray(both[:, 1])


async def measure(options: argparse.Namespace) -> Result:
    """All cuts."""
    out = console(options)
    try:
        models = find_real_models()
    except CannotStart as missing:
        raise SystemExit(str(missing)) from None
    found = await interrupted(models, options.threads, options.cuts, np.random.default_rng(options.seed), out)
    listener = Listener(models.whisper)
    cuts = []
    for said, samples in found:
        transcript = listener.transcript(samples)
        cuts.append(Cut(tuple(said.text.split()), transcript, words_in(transcript, TEXT), said.exact))
    return {"cuts": msgspec.to_builtins(cuts)}


def show(result: Result, out: Console) -> None:
    """How far off, and those that are further off than can be told."""
    cuts = msgspec.convert(result["cuts"], list[Cut])
    counts = Counter(cut.off_by for cut in cuts)
    table = Table("words too many (-: too few)", "replies")
    for off_by, number in sorted(counts.items()):
        table.add_row(f"{off_by:+d}" if off_by else "0", str(number))
    out.print(table)
    for cut in cuts:
        if abs(cut.off_by) > 1:
            out.print(f"told: ... {' '.join(cut.told[-6:])} | Whisper: ... {' '.join(cut.whisper.split()[-6:])}")
    for what, figure in headlines(result).items():
        out.print(f"{what}: {figure}")


def headlines(result: Result) -> dict[str, str]:
    """Within a word, and exact."""
    cuts = msgspec.convert(result["cuts"], list[Cut])
    within = sum(abs(cut.off_by) <= 1 for cut in cuts)
    same = sum(cut.off_by == 0 for cut in cuts)
    by_times = sum(cut.exact for cut in cuts)
    figure = f"{within} of {len(cuts)} ({same} the same, {by_times} by word times)"
    return {"interrupted Kokoro replies: words told within one of the recording's": figure}


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1, help="of each model")
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show)
