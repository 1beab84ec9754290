"""What each VAD hears on the same recordings: speech found, noise taken for speech, delays, cost.

    python -m bench.vad [--part tune|test] [--seed 4] [--recordings 12] [--frame-ms 10]
                        [--only listening|bot|overlaps|cost] [--json]

Silero, and WebRTC VAD at each aggressiveness, as a capture worker runs them: through the same hysteresis, on telephone
audio (300 to 3400 Hz, mu-law, -22 dBFS) that is written packet by packet, in virtual time.

listening   The bot is silent. Recordings of eight collections and single digits, alone and in noise. Truth is the level
            of the recording before any noise is added: what lies within 30 dB of its loudest 10 ms is speech, and so
            are gaps of less than 0.2 s. Sentences whose own background is not 45 dB below are left out. *found*: speech
            time within reported utterances; *missed*: stretches of speech in which there is none; *silence*: time
            without speech that is within one, 0.2 s around speech not counted; *cut*: utterances that end within a
            stretch of speech, per recording; *onset*, *end*: from the first and behind the last of a recording's speech
            until the VAD says so, the former where no noise was taken for it before; an end that is not reported within
            2 s is *late*. Then noises alone: what is taken for speech of them.
bot         The bot speaks (`bench.echo`): callers who interrupt it, without and with its echo; noise; its echo alone.
overlaps    Whole calls through the embedded default, in virtual time: what cuts the bot off in the end. Runs only where
            asked for: a minute for each VAD.
cost        CPU per window of 32 ms, the model alone and the whole VAD, by calls at once.

WebRTC's thresholds were chosen on ``--part tune``; what is reported is ``test``, the default: other speakers. Noises,
and the callers of ``bot``, are the same in both.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import line
from bench.echo import (
    BOT_TEXTS,
    CALLER_DBFS,
    CALLER_TEXTS,
    CALLER_VOICES,
    FRAME,
    MS,
    NOISE_SNRS_DB,
    TICK,
    Cast,
    Ears,
    Heard,
    false_onsets,
    interruptions,
    noise_onsets,
)  # fmt: skip
from bench.line import RING_HZ, WIRE_HZ, Samples
from bench.overlap_call import Outcome, OverlapCalls
from bench.overlap_sounds import (
    BABBLE_VOICES,
    FALSE,
    MUSIC,
    NOISES,
    OTHERS,
    PARTS,
    TEST,
    TUNED_ON,
    Sounds,
    cough,
    in_part,
    knock,
    pink,
    sound_files,
)  # fmt: skip
from bench.recognition import clinic_grammars
from bench.recordings import telephone_line
from bench.reporting import Result, options_of, tell
from bench.telephone import Voices, at_level, read, resampled
from ringline.engine.config import SileroVad, VadConfig, WebRtcVad
from ringline.ipc.exchange import Exchange, Layout
from ringline.workers.audio import codecs
from ringline.workers.capture.vad import Vad
from ringline.workers.capture.windows import WINDOW

LEAD_S, LONGEST_S, TAIL_S = 1, 6, 2
LINE_NOISE_DBFS = -65.0
RANGE_DB, BACKGROUND_DB = 30.0, -45.0
STEP = 10 * MS
GAP, SHORTEST, AROUND, INSIDE = 200 * MS, 50 * MS, 200 * MS, 100 * MS
NOISE_S, SOUND_EVERY_S = 20, 2
ALONE = "alone"
CALLS = (1, 32, 128)
OVERLAPS_SCALE = 0.1
PARTS_MEASURED = "listening", "bot", "cost", "overlaps"
COST_S = 4

Stretches = list[tuple[int, int]]


class Spoken(NamedTuple):
    """A recording on the wire, int16 at 16 kHz, and where in it is speech: first sample, and behind the last."""

    audio: Samples
    stretches: Stretches


def backends(frame_ms: int) -> dict[str, VadConfig]:
    """By name."""
    webrtc = {f"webrtc {number}": WebRtcVad(aggressiveness=number, frame_ms=frame_ms) for number in range(4)}
    return {"silero": SileroVad(), **webrtc}


class Material:
    """What is heard: the same for every VAD."""

    def __init__(self, seed: int, part: str, number: int) -> None:
        """``number``: recordings of each collection."""
        self._rng = np.random.default_rng([seed, PARTS.index(part)])
        voices: dict[str, list[Samples]] = {"sentences": [], "digits": []}
        for folder in (*TUNED_ON, *OTHERS, "digits_8k"):
            paths = in_part(sound_files((folder,)), part)
            chosen = self._rng.choice(len(paths), min(number, len(paths)), replace=False) if paths else []
            group = "digits" if folder == "digits_8k" else "sentences"
            found = [_narrow(paths[index]) for index in sorted(chosen)]
            # A single word is cut so close that its quietest part is no background.
            voices[group] += [narrow for narrow in found if group == "digits" or _is_clean(narrow)]
        if not voices["sentences"]:
            espeak = Voices()
            voices["sentences"] = [
                resampled(espeak.speak(text, voice), espeak.rate_hz, WIRE_HZ)
                for text in CALLER_TEXTS
                for voice in CALLER_VOICES
            ]
        noises = self._noises(part)
        kinds = [kind for kind in noises if kind != "music"]
        self.spoken: dict[str, list[Spoken]] = {
            f"{group}, {ALONE}": [self._spoken(narrow) for narrow in found] for group, found in voices.items() if found
        }
        for snr_db in NOISE_SNRS_DB:
            self.spoken[f"sentences, noise {snr_db} dB"] = [
                self._spoken(narrow, noises[kind][int(self._rng.integers(len(noises[kind])))], snr_db)
                for index, narrow in enumerate(voices["sentences"])
                for kind in (kinds[index % len(kinds)],)
            ]
        self.noise: dict[str, list[Samples]] = {
            kind: [
                self._on_the_line(at_level(noise[: NOISE_S * WIRE_HZ], CALLER_DBFS - snr_db).astype(np.float64))
                for noise in found
                for snr_db in NOISE_SNRS_DB
            ]
            for kind, found in noises.items()
        }
        self.noise |= {"coughs": [self._train(cough)], "knocks": [self._train(knock)]}

    def _noises(self, part: str) -> dict[str, list[Samples]]:
        voices = [_narrow(path) for path in in_part(sound_files(("voices",)), part)[:BABBLE_VOICES]]
        total = sum((np.resize(at_level(voice, CALLER_DBFS), 8 * WIRE_HZ).astype(np.float64) for voice in voices), 0.0)
        files = sound_files(("noise",))
        found = {
            "noise": [_narrow(path) for path in files if path.name.startswith(NOISES)],
            "pink noise": [pink(self._rng, NOISE_S * WIRE_HZ)],
            "babble": [line.clipped(total / BABBLE_VOICES)] if voices else [],
            "music": [_narrow(path) for path in files if path.name.startswith(MUSIC)],
        }
        return {kind: noises for kind, noises in found.items() if noises}

    def _train(self, make: Any) -> Samples:
        """One every two seconds, about as loud as a caller."""
        wire = np.zeros(3 * NOISE_S * WIRE_HZ)
        for start in range(WIRE_HZ, wire.shape[0] - SOUND_EVERY_S * WIRE_HZ, SOUND_EVERY_S * WIRE_HZ):
            sound = at_level(make(self._rng), CALLER_DBFS + float(self._rng.uniform(-8, 4)))[: SOUND_EVERY_S * WIRE_HZ]
            wire[start : start + sound.shape[0]] += sound
        return self._on_the_line(wire)

    def _spoken(self, narrow: Samples, noise: Samples | None = None, snr_db: float = 0.0) -> Spoken:
        said = at_level(telephone_line(narrow[: LONGEST_S * WIRE_HZ]), CALLER_DBFS)
        wire = np.concatenate([np.zeros(LEAD_S * WIRE_HZ), said, np.zeros(TAIL_S * WIRE_HZ)])
        stretches = _stretches(line.resampled(line.clipped(wire), WIRE_HZ, RING_HZ))
        if noise is not None:
            loud = np.roll(at_level(noise, CALLER_DBFS - snr_db), int(self._rng.integers(noise.shape[0])))
            wire += np.resize(loud, wire.shape[0])
        return Spoken(self._on_the_line(wire), stretches)

    def _on_the_line(self, wire: Any) -> Samples:
        noisy = wire + 32_768 * 10 ** (LINE_NOISE_DBFS / 20) * self._rng.standard_normal(wire.shape[0])
        wide = line.resampled(codecs.decode(codecs.encode(line.clipped(noisy), "mulaw"), "mulaw"), WIRE_HZ, RING_HZ)
        return wide[: wide.shape[0] // FRAME * FRAME]


def _narrow(path: Any) -> Samples:
    if path.suffix == ".raw":
        return resampled(np.fromfile(path, "<i2"), RING_HZ, WIRE_HZ)
    samples, rate_hz = read(path)
    return samples if rate_hz == WIRE_HZ else resampled(samples, rate_hz, WIRE_HZ)


def _is_clean(narrow: Samples) -> bool:
    return line.noise_db(line.resampled(narrow, WIRE_HZ, RING_HZ)) < BACKGROUND_DB


def _stretches(audio: Samples) -> Stretches:
    """Where the level says that there is speech."""
    power = (audio[: audio.shape[0] // STEP * STEP].astype(np.float64).reshape(-1, STEP) ** 2).mean(axis=1)
    found: list[list[int]] = []
    for index in np.nonzero(power >= power.max() * 10 ** (-RANGE_DB / 10))[0].tolist():
        if found and index * STEP - found[-1][1] < GAP:
            found[-1][1] = (index + 1) * STEP
        else:
            found.append([index * STEP, (index + 1) * STEP])
    return [(start, end) for start, end in found if end - start >= SHORTEST]


def listening(material: Material, config: VadConfig, seed: int) -> Result:
    """The bot is silent."""
    ears, rng = Ears(config), np.random.default_rng(seed)

    def heard(audio: Samples) -> list[Heard]:
        return ears.hear(np.zeros(0, np.int16), audio, 0, 0, int(rng.integers(FRAME)))

    spoken = {
        group: _rates([_compared(each, heard(each.audio)) for each in found])
        for group, found in material.spoken.items()
    }
    noise = {}
    for kind, sounds in material.noise.items():
        events = [_utterances(heard(audio), audio.shape[0]) for audio in sounds]
        total = sum(audio.shape[0] for audio in sounds)
        noise[kind] = {
            "share": sum(end - start for found in events for start, end, _, _ in found) / total,
            "per_minute": sum(map(len, events)) / (total / RING_HZ / 60),
        }
    ears.close()
    return {"speech": spoken, "noise": noise}


def _utterances(events: list[Heard], length: int) -> list[tuple[int, int, int, int]]:
    """(first sample, behind the last, when the start was reported, when the end: never, if it goes on)."""
    found = []
    for heard in events:
        if heard.event.started:
            found.append((heard.event.sample, length, heard.at, -1))
        else:
            start, _, at, _ = found.pop()
            found.append((start, heard.event.sample, at, heard.at))
    return found


def _compared(spoken: Spoken, events: list[Heard]) -> dict[str, Any]:
    size = spoken.audio.shape[0] // STEP
    utterances = _utterances(events, spoken.audio.shape[0])
    said, near, taken = np.zeros(size, bool), np.zeros(size, bool), np.zeros(size, bool)
    for start, end in spoken.stretches:
        said[start // STEP : end // STEP] = True
        near[max(0, start - AROUND) // STEP : (end + AROUND) // STEP] = True
    for start, end, _, _ in utterances:
        taken[start // STEP : end // STEP] = True
    (first, first_end), (last_start, last) = spoken.stretches[0], spoken.stretches[-1]
    starts = [at - first for start, end, at, _ in utterances if start < first_end and end > first]
    ends = [at - last if at >= 0 else np.inf for start, end, _, at in utterances if start < last and end > last_start]
    return {
        "said": int(said.sum()),
        "found": int((said & taken).sum()),
        "silent": int((~near).sum()),
        "taken": int((~near & taken).sum()),
        "stretches": len(spoken.stretches),
        "missed": sum(not taken[start // STEP : end // STEP].any() for start, end in spoken.stretches),
        "cut": sum(
            start < stop < end - INSIDE for _, stop, _, at in utterances if at >= 0 for start, end in spoken.stretches
        ),
        "onset_ms": starts[0] / MS if starts and starts[0] >= -FRAME else None,
        "end_ms": ends[-1] / MS if ends else None,
    }


def _rates(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def total(key: str) -> int:
        return sum(row[key] for row in rows)

    onsets, ends = ([row[key] for row in rows if row[key] is not None] for key in ("onset_ms", "end_ms"))
    in_time = [end for end in ends if np.isfinite(end)]
    return {
        "recordings": len(rows),
        "speech_s": total("said") * STEP / RING_HZ,
        "found": total("found") / total("said"),
        "missed": total("missed") / total("stretches"),
        "silence": total("taken") / total("silent"),
        "cut": total("cut") / len(rows),
        "onset_p50_ms": _percentile(onsets, 50),
        "onset_p95_ms": _percentile(onsets, 95),
        "end_p50_ms": _percentile(in_time, 50),
        "end_p95_ms": _percentile(in_time, 95),
        "late": 1 - len(in_time) / max(1, len(ends)),
    }


def _percentile(values: list[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


def over_the_bot(cast: Cast, config: VadConfig, seed: int) -> Result:
    """The bot speaks."""

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    return {
        "interruptions": {
            "no echo": interruptions(cast, rng(), config, None),
            "echo, 12 dB": interruptions(cast, rng(), config, 12.0),
        },
        "noise_per_minute": noise_onsets(cast, rng(), config),
        "echo_false_onsets": false_onsets(cast, rng(), 1, config)["all"],
    }


def overlaps(config: VadConfig, seed: int, part: str) -> Result:
    """Of what should cut the bot off, and of what should not: how much does, and how much pauses it."""
    calls = OverlapCalls(clinic_grammars(), BOT_TEXTS, config)
    groups: dict[str, list[Outcome]] = {}
    for wanted, sound in Sounds(seed, OVERLAPS_SCALE, part).all():
        outcome = calls.run(sound)
        groups.setdefault(wanted, []).append(outcome)
        if wanted == FALSE:
            groups.setdefault(sound.group.partition(",")[0], []).append(outcome)
    calls.close()
    return {
        group: {
            "number": len(found),
            "cut": sum(outcome.cut_ms is not None for outcome in found) / len(found),
            "paused": sum(bool(outcome.pauses) for outcome in found) / len(found),
        }
        for group, found in groups.items()
    }


class _Timed:
    """A model that knows how long it has taken."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.reset = model.reset
        self.busy_s = 0.0

    def judge(self, *args: Any) -> Any:
        """Its own."""
        began_s = time.thread_time()
        speech = self._model.judge(*args)
        self.busy_s += time.thread_time() - began_s
        return speech


def cost(audio: Samples, config: VadConfig) -> dict[str, dict[str, float]]:
    """Microseconds of CPU per window: the model's, and all that the VAD does. The bot is silent."""
    found = {}
    for num_calls in CALLS:
        exchange = Exchange.create(Layout(num_calls, 2 * RING_HZ, 2 * RING_HZ, 320))
        vad = Vad(exchange, config)
        vad._model = model = _Timed(vad._model)
        for slot in exchange.slots:
            vad.open(slot.index, slot.index + 1)
            slot.caller.write(np.zeros(slot.index * 97 % WINDOW, np.int16))  # each call's windows fill at another time
        vad.step()
        vad.num_windows, model.busy_s, busy_s = 0, 0.0, 0.0
        for now in range(0, COST_S * RING_HZ, TICK):
            for slot in exchange.slots:
                if (now // TICK + slot.index) % 2 == 0:
                    start = (now + slot.index * RING_HZ) % (audio.shape[0] - FRAME)
                    slot.caller.write(audio[start : start + FRAME])
            began_s = time.thread_time()
            vad.step()
            busy_s += time.thread_time() - began_s
        exchange.close()
        found[str(num_calls)] = {
            "model_us": 1e6 * model.busy_s / vad.num_windows,
            "vad_us": 1e6 * busy_s / vad.num_windows,
        }
    return found


def measure(options: argparse.Namespace) -> Result:
    """Everything, or only a part of it, of every VAD."""
    parts = (options.only,) if options.only else PARTS_MEASURED[:3]
    material = Material(options.seed, options.part, options.recordings)
    cast = Cast() if "bot" in parts else None
    audio = np.concatenate([each.audio for each in next(iter(material.spoken.values()))])
    result: Result = {part: {} for part in parts}
    for name, config in backends(options.frame_ms).items():
        if "listening" in parts:
            result["listening"][name] = listening(material, config, options.seed)
        if cast is not None:
            result["bot"][name] = over_the_bot(cast, config, options.seed)
        if "overlaps" in parts:
            result["overlaps"][name] = overlaps(config, options.seed, options.part)
        if "cost" in parts:
            result["cost"][name] = cost(audio, config)
    return result


def show(result: Result, out: Console) -> None:
    """Tables."""
    if found := result.get("listening"):
        groups = next(iter(found.values()))["speech"]
        for group, about in groups.items():
            title = f"{group}: {about['recordings']} recordings, {about['speech_s']:.0f} s of speech"
            table = Table(
                "", "found", "missed", "silence", "cut", "onset p50, p95", "end p50, p95", "late", title=title
            )
            for name, rows in found.items():
                row = rows["speech"][group]
                shares = (f"{100 * row[key]:.1f} %" for key in ("found", "missed", "silence", "cut"))
                delays = (_delays(row, key) for key in ("onset", "end"))
                table.add_row(name, *shares, *delays, f"{100 * row['late']:.0f} %")
            out.print(table)
        kinds = next(iter(found.values()))["noise"]
        table = Table("taken for speech, of the time", *kinds, title="nobody speaks")
        for name, rows in found.items():
            table.add_row(name, *(f"{100 * row['share']:.1f} %" for row in rows["noise"].values()))
        out.print(table)
        table = Table("utterances a minute", *kinds)
        for name, rows in found.items():
            table.add_row(name, *(f"{row['per_minute']:.1f}" for row in rows["noise"].values()))
        out.print(table)
    if found := result.get("bot"):
        levels = [f"noise {key}, a minute" for key in next(iter(found.values()))["noise_per_minute"]]
        table = Table(
            "while the bot speaks", "heard", "in 120 ms", "p50, p95", "over its echo", *levels, "its echo alone"
        )
        for name, row in found.items():
            quiet, echo = row["interruptions"].values()
            table.add_row(
                name, f"{100 * quiet['heard']:.1f} %", f"{100 * quiet['in_time']:.1f} %", _delays(quiet, ""),
                f"{100 * echo['heard']:.1f} %, {100 * echo['in_time']:.1f} %",
                *(f"{value:.1f}" for value in row["noise_per_minute"].values()),
                f"{100 * row['echo_false_onsets']:.1f} %",
            )  # fmt: skip
        out.print(table)
    if found := result.get("overlaps"):
        table = Table("cut off, paused, %", *found)
        for group, about in next(iter(found.values())).items():
            shares = (rows[group] for rows in found.values())
            cells = (f"{100 * row['cut']:.0f}, {100 * row['paused']:.0f}" for row in shares)
            table.add_row(f"{group} ({about['number']})", *cells)
        out.print(table)
    if found := result.get("cost"):
        table = Table("us of CPU per window: model, all", *(f"{number} calls" for number in CALLS))
        for name, row in found.items():
            table.add_row(name, *(f"{each['model_us']:.1f}, {each['vad_us']:.1f}" for each in row.values()))
        out.print(table)


def _delays(row: dict[str, Any], key: str) -> str:
    middle, high = (row[f"{key}_{percent}_ms".lstrip("_")] for percent in ("p50", "p95"))
    return "" if middle is None else f"{middle:.0f}, {high:.0f} ms"


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along."""
    found = {}
    for name, rows in result.get("listening", {}).items():
        noisy = rows["speech"].get("sentences, noise 10 dB")
        noise = rows["noise"].get("noise")
        if noisy and noise:
            found[f"VAD {name}: speech found in noise 10 dB below it; that noise alone taken for speech"] = (
                f"{100 * noisy['found']:.1f} %; {100 * noise['share']:.1f} % of the time"
            )
    return found


if __name__ == "__main__":
    parser = options_of(__doc__, seed=4, plots=False)
    parser.add_argument("--part", choices=PARTS, default=TEST)
    parser.add_argument("--recordings", type=int, default=12, help="of each collection")
    parser.add_argument("--frame-ms", type=int, choices=(10, 20, 30), default=10, help="WebRTC's")
    parser.add_argument("--only", choices=PARTS_MEASURED)
    given = parser.parse_args()
    tell(measure(given), given, show)
