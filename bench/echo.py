"""How soon a caller is heard over the bot, and how often its own echo or a noise is taken for one.

    python -m bench.echo [--seed 3] [--playouts 4] [--json]

In virtual time, without an engine: the VAD of a capture worker on rings that are written packet by packet, at random
phases of packets, ticks and windows. The bot is espeak-ng. Callers are recordings where RINGLINE_SPEECH is, else other
espeak-ng voices. Onsets are counted from the moment the wire brought the caller's first sample; what the frame grid
adds until the bot is silent (0 to 20 ms) and the engine's millisecond come on top.

Prints, over the echo's delay and loss, how many playouts had a false onset, with and without the canceller; how many
callers were heard and how fast, without an echo and over one; the false onsets a minute of recorded noise; and what it
costs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import line
from bench.line import RING_HZ, Samples
from bench.reporting import Result, options_of, tell
from bench.telephone import Voices, at_level, read
from ringline.engine.config import SileroVad, VadConfig
from ringline.ipc.exchange import PLAYING, Exchange, Layout
from ringline.workers.capture.vad import SpeechEvent, Vad

SPEECH = Path(os.environ.get("RINGLINE_SPEECH", Path(__file__).parent.parent.parent / "shared" / "speech"))
DELAYS_MS, LOSSES_DB = (20, 60, 120, 250), (6, 12, 20, 30)
FRAME, TICK = 320, 160
MS = RING_HZ // 1000
BOT_DBFS = CALLER_DBFS = -22.0
IN_TIME_MS = 120.0
NOISE_SNRS_DB = (20, 10, 5)
BOT_TEXTS = (
    "Thank you for calling the clinic. You can book, move or cancel an appointment. How may I help you today?",
    "We have free appointments on Monday at half past nine, on Tuesday at eleven, and on Thursday at four.",
    "Our opening hours are from eight in the morning until six in the evening, Monday to Friday.",
    "Please tell me your date of birth, and I will look for your appointment.",
)
CALLER_TEXTS = ("I need to cancel", "no, wait a moment", "tomorrow morning please", "can I speak to a person")
CALLER_VOICES = ("en-us+f3", "en-gb+m3", "en-gb-scotland", "en-us+m3")


class Heard(NamedTuple):
    """An event of the VAD, and when it came."""

    event: SpeechEvent
    at: int
    """Wire sample: that of the caller's ring which the wire was bringing at that moment."""


class Ears:
    """One call's VAD, fed as a capture worker feeds it. ``hear`` may be called once per call."""

    def __init__(self, config: VadConfig) -> None:
        self._exchange = Exchange.create(Layout(1, 32 * RING_HZ, 32 * RING_HZ, 320))
        self._vad = Vad(self._exchange, config)
        self.busy_s = 0.0
        self.heard_s = 0.0

    def hear(self, sent: Samples, caller: Samples, starts: int, ends: int, skew: int = 0) -> list[Heard]:
        """A call whose bot is playing from sample ``starts`` to ``ends`` of ``sent``.

        The packet that holds the caller's sample n begins to arrive ``skew`` samples after time n: packets of 20 ms,
        ticks of 10 ms. Returns all events.
        """
        slot = self._exchange.slots[0]
        slot.words[1:] = 0
        self._vad.close(0)
        self._vad.open(0, 1)
        events: list[Heard] = []
        written = 0
        for now in range(0, caller.shape[0], TICK):
            slot.store(PLAYING, int(starts <= now < ends))
            if now % FRAME == 0:
                slot.line.write(sent[now : now + FRAME])
            while written + skew <= now and written < caller.shape[0]:
                slot.caller.write(caller[written : written + FRAME])
                written += FRAME
            began_s = time.perf_counter()
            found = self._vad.step()
            self.busy_s += time.perf_counter() - began_s
            events += [Heard(event, now - skew) for event in found]
        self.heard_s += caller.shape[0] / RING_HZ
        return events

    def close(self) -> None:
        """Give the memory back."""
        self._exchange.close()


class Cast:
    """Who speaks: the bot's sentences and the callers', on the line."""

    def __init__(self) -> None:
        voices = Voices()
        self.bot = [
            line.telephone_band(
                at_level(line.resampled(voices.speak(text, "en-us"), voices.rate_hz, RING_HZ), BOT_DBFS)
            )
            for text in BOT_TEXTS
        ]
        self.callers = [
            line.from_onset(line.resampled(voices.speak(text, voice), voices.rate_hz, RING_HZ))
            for text in CALLER_TEXTS
            for voice in CALLER_VOICES
        ]
        self.noises: list[Samples] = []
        if SPEECH.is_dir():
            files = [
                *sorted((SPEECH / "accented_english").glob("*.wav")),
                *sorted((SPEECH / "short_sentences").glob("*.wav")),
            ]
            self.callers = [line.from_onset(_at_ring_rate(path)) for path in files]
            self.noises = [
                _at_ring_rate(path)[: 30 * RING_HZ]
                for path in sorted((SPEECH / "noise").glob("*.wav"))
                if "33711" not in path.name and "snr0" not in path.name  # those hold speech
            ]
        self.callers = [at_level(caller[: 2 * RING_HZ], CALLER_DBFS) for caller in self.callers]


def _at_ring_rate(path: Path) -> Samples:
    samples, rate_hz = read(path)
    return line.resampled(samples, rate_hz, RING_HZ)


def false_onsets(
    cast: Cast,
    rng: np.random.Generator,
    playouts: int,
    config: VadConfig,
    path: Callable[[np.random.Generator], line.Path] = line.hybrid,
) -> dict[str, Any]:
    """Greetings over a line with an echo and a caller who says nothing: how many are taken for a caller."""
    ears = Ears(config)
    shares: dict[str, float] = {}
    after_first = 0
    for delay_ms in DELAYS_MS:
        for loss_db in LOSSES_DB:
            false = 0
            for index in range(playouts):
                before = int(rng.integers(300, 700)) * MS
                bot = cast.bot[index % len(cast.bot)]
                sent = line.placed(bot, before, before + bot.shape[0] + 800 * MS)
                caller = line.telephone_band(line.echo(sent, path(rng), delay_ms + float(rng.uniform(0, 5)), loss_db))
                events = ears.hear(sent, caller, before, before + bot.shape[0], int(rng.integers(FRAME)))
                onsets = [heard for heard in events if heard.event.started]
                false += bool(onsets)
                after_first += any(heard.at > before + (500 + delay_ms) * MS for heard in onsets)
            shares[f"{delay_ms} ms, {loss_db} dB"] = false / playouts
    ears.close()
    return {
        "share": shares,
        "all": float(np.mean(list(shares.values()))),
        "all_later": after_first / playouts / len(shares),
        "cpu_percent": 100 * ears.busy_s / ears.heard_s,
    }


def interruptions(
    cast: Cast, rng: np.random.Generator, config: VadConfig, loss_db: float | None, delay_ms: float | None = None
) -> dict[str, Any]:
    """Every caller interrupts the bot once: how many are heard in time, and how fast."""
    ears = Ears(config)
    delays, early, stutters = [], 0, 0
    for index, caller in enumerate(cast.callers):
        before = 400 * MS
        bot = cast.bot[index % len(cast.bot)]
        total = before + bot.shape[0]
        onset = before + int(rng.uniform(1_000 * MS, bot.shape[0] - 1_000 * MS))
        sent = line.placed(bot, before, total)
        near = line.placed(caller, onset, total)
        if loss_db is not None:
            delay = float(rng.uniform(20, 250)) if delay_ms is None else delay_ms
            near = line.mixed(near, line.echo(sent, line.hybrid(rng), delay, loss_db))
        events = ears.hear(sent, line.telephone_band(near), before, total, int(rng.integers(FRAME)))
        onsets = [heard.at for heard in events if heard.event.started]
        # A packet brings what follows its first sample at once: a voice may be heard up to a frame before its time.
        early += any(at < onset - FRAME for at in onsets)
        after = [(at - onset) / MS for at in onsets if at >= onset - FRAME]
        delays.append(after[0] if after else np.inf)
        stutters += sum(at < IN_TIME_MS + 400 for at in after) > 1
    ears.close()
    found = np.array(delays)
    return {
        "callers": len(found),
        "heard": float(np.isfinite(found).mean()),
        "in_time": float((found <= IN_TIME_MS).mean()),
        "p50_ms": _percentile(found, 50),
        "p90_ms": _percentile(found, 90),
        "p95_ms": _percentile(found, 95),
        "p99_ms": _percentile(found, 99),
        "false_before": early / len(found),
        "stutters": stutters / len(found),
    }


def _percentile(values: Any, percent: float) -> float:
    return float(np.percentile(values, percent, method="higher"))


def noise_onsets(cast: Cast, rng: np.random.Generator, config: VadConfig) -> dict[str, float]:
    """False onsets per minute of playout over recorded noise, by its level below a caller's speech."""
    ears = Ears(config)
    rates = {}
    for snr_db in NOISE_SNRS_DB:
        onsets, minutes = 0, 0.0
        for noise in cast.noises:
            caller = line.telephone_band(at_level(noise, CALLER_DBFS - snr_db))
            silence = np.zeros(caller.shape[0], np.int16)
            events = ears.hear(silence, caller, RING_HZ, caller.shape[0], int(rng.integers(FRAME)))
            onsets += sum(heard.event.started and heard.at > RING_HZ for heard in events)
            minutes += caller.shape[0] / RING_HZ / 60
        rates[f"{snr_db} dB"] = onsets / minutes
    ears.close()
    return rates


def cost(cast: Cast, num_calls: int = 32) -> dict[str, float]:
    """Share of a core that one of so many calls takes in the VAD, in percent."""
    bot = np.concatenate([cast.bot[0]] * 2)
    lines = {
        "silent": np.zeros_like(bot),
        "echo": line.telephone_band(line.echo(bot, line.hybrid(np.random.default_rng(0)), 60, 12)),
    }
    shares = {}
    for name, caller in lines.items():
        for speaks in (False, True):
            exchange = Exchange.create(Layout(num_calls, 32 * RING_HZ, 32 * RING_HZ, 320))
            vad = Vad(exchange, SileroVad())
            for slot in exchange.slots:
                vad.open(slot.index, slot.index + 1)
                slot.store(PLAYING, int(speaks))
            busy_s = 0.0
            for now in range(0, bot.shape[0], TICK):
                for slot in exchange.slots:
                    if (now // TICK + slot.index) % 2 == 0:
                        slot.line.write(bot[now : now + FRAME])
                        slot.caller.write(caller[now : now + FRAME])
                began_s = time.thread_time()
                vad.step()
                busy_s += time.thread_time() - began_s
            exchange.close()
            shares[f"{name} caller, bot {'speaks' if speaks else 'silent'}"] = (
                100 * busy_s / (bot.shape[0] / RING_HZ) / num_calls
            )
    return shares


def measure(options: argparse.Namespace) -> Result:
    """Everything."""
    cast = Cast()
    with_, without = SileroVad(), SileroVad(cancel_echo=False)
    before = SileroVad(cancel_echo=False, barge_in_onset_ms=64)

    def rng() -> np.random.Generator:
        return np.random.default_rng(options.seed)

    return {
        "false onsets": {
            "cancelled": false_onsets(cast, rng(), options.playouts, with_),
            "as it is": false_onsets(cast, rng(), options.playouts, without),
            "cancelled, a loudspeaker in a room": false_onsets(cast, rng(), options.playouts, with_, line.loudspeaker),
        },
        "interruptions": {
            "no echo": interruptions(cast, rng(), with_, None),
            "no echo, not cancelled": interruptions(cast, rng(), without, None),
            "no echo, onset 64 ms": interruptions(cast, rng(), before, None),
            **{f"echo, {loss_db} dB": interruptions(cast, rng(), with_, loss_db) for loss_db in LOSSES_DB},
        },
        "noise onsets per minute": noise_onsets(cast, rng(), with_),
        "percent of a core": cost(cast),
    }


def show(result: Result, out: Console) -> None:
    """Tables."""
    for name, found in result["false onsets"].items():
        table = Table(
            "delay", *(f"{loss_db} dB" for loss_db in LOSSES_DB), title=f"playouts with a false onset, echo {name}"
        )
        for delay_ms in DELAYS_MS:
            table.add_row(
                f"{delay_ms} ms", *(f"{100 * found['share'][f'{delay_ms} ms, {loss} dB']:.0f} %" for loss in LOSSES_DB)
            )
        out.print(table)
        out.print(f"all: {100 * found['all']:.1f} %; later than 0.5 s: {100 * found['all_later']:.1f} %")
    table = Table("interruptions", "heard", "in 120 ms", "p50", "p90", "p95", "p99 ms", "false before", "stutters")
    for name, found in result["interruptions"].items():
        shares = (f"{100 * found[key]:.1f} %" for key in ("heard", "in_time"))
        delays = (f"{found[key]:.0f}" for key in ("p50_ms", "p90_ms", "p95_ms", "p99_ms"))
        more = (f"{100 * found[key]:.1f} %" for key in ("false_before", "stutters"))
        table.add_row(name, *shares, *delays, *more)
    out.print(table)
    for name in ("noise onsets per minute", "percent of a core"):
        out.print(f"{name}: " + "; ".join(f"{key}: {value:.2f}" for key, value in result[name].items()))


if __name__ == "__main__":
    parser = options_of(__doc__, seed=3, plots=False)
    parser.add_argument("--playouts", type=int, default=4)
    given = parser.parse_args()
    tell(measure(given), given, show)
