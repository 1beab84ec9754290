"""What tells a finished turn from a pause, in numbers: the fall of the melody, the fading, the drawl of the last words.

Everything is measured up to the last audible sample. What follows it (breath, room, a codec's comfort noise) says as
much about the line as about the speaker.
"""

from __future__ import annotations

import numpy as np

from ringline.workers.capture.prosody.frames import FLOOR_DB, Frames, Samples, Values, analyse

MEMORY_SAMPLES = 16_000 * 3
"""So much speech before the silence shows the speaker's range and pace."""
QUIET_DB = -32.0
"""Frames below this, relative to the loudest, are silence between words."""
SEGMENTS = ((0, 10), (10, 20), (20, 30), (30, 50), (50, 70), (70, 100), (100, 150))
"""Frames before the end, from and to: the last words closely, what led to them roughly."""


def names() -> tuple[str, ...]:
    """What the features are called, in order."""
    return tuple(_measure(analyse(np.zeros(16_000, np.int16))))


def features(samples: Samples) -> Values | None:
    """float64 [features] of int16 samples at 16 kHz that end with the last audible one; None if there is no speech."""
    frames = analyse(samples[-MEMORY_SAMPLES:])
    if frames.level_db.shape[0] < 10 or not samples.any():
        return None
    return np.array(list(_measure(frames).values()))


def _measure(frames: Frames) -> dict[str, float]:
    level, pitch, clear = frames.level_db, frames.semitones, frames.harmonicity
    speech = level > QUIET_DB
    begun = _stretch_start(speech)
    told: dict[str, float] = {}

    voiced = np.flatnonzero(~np.isnan(pitch))
    melody = pitch[voiced]
    told["voices"] = float(melody.size >= 10)
    low, high = np.percentile(melody, [10, 90]) if melody.size >= 10 else (-3.0, 3.0)
    for count in (5, 10, 20):
        told[f"pitch_last_{count}"] = _mean(melody[-count:]) - low
    told["pitch_lowest"] = (float(np.percentile(melody[-30:], 10)) if melody.size else 0.0) - low
    for count in (10, 20, 40):
        told[f"pitch_slope_{count}"] = _slope(melody[-count:], voiced[-count:])
    told["pitch_range"] = high - low
    told["pitch_drop"] = (float(np.percentile(melody[-60:], 90)) - _mean(melody[-8:])) if melody.size else 0.0
    told["pitch_moves"] = float(np.std(melody[-30:])) if melody.size else 0.0

    typical_db = float(np.median(level[speech]))
    told["level_slope_300"] = _slope(level[-30:], np.arange(level.shape[0])[-30:])
    told["level_peak_300"] = float(level[-30:].max()) - typical_db
    told["level_peak_600"] = float(level[-60:].max()) - typical_db
    told["fading"] = float((level[-50:] < typical_db - 10.0).mean())

    is_voiced = ~np.isnan(pitch)
    told["since_voiced"] = min(50.0, float(level.shape[0] - 1 - voiced[-1])) if voiced.size else 50.0
    last_run, mean_run = _runs(is_voiced)
    told["last_voiced_run"] = np.log((last_run + 3.0) / (mean_run + 3.0))
    told["last_voiced_long"] = np.log(last_run + 3.0)

    told["stretch"] = float(np.log(level.shape[0] - begun + 10.0))
    told["speech"] = float(np.log(speech.sum() + 10.0))
    told["silent_share"] = 1.0 - float(speech.mean())
    bumps = _bumps(level)
    told["pace"] = bumps.size / (speech.sum() + 10.0) * 100.0
    told["pace_change"] = float((bumps >= level.shape[0] - 60).sum()) / 0.6 - told["pace"]
    told["since_bump"] = min(60.0, float(level.shape[0] - 1 - bumps[-1])) if bumps.size else 60.0

    bands = frames.bands_db - frames.bands_db[speech].mean(axis=0)
    change = np.abs(np.diff(bands, axis=0)).mean(axis=1)
    told["steady_300"] = _mean(change[-30:]) - _mean(change)
    for first, last in SEGMENTS:
        part = slice(max(0, level.shape[0] - last), max(0, level.shape[0] - first))
        told[f"level_{first}"] = _mean(level[part] - typical_db, FLOOR_DB)
        told[f"clear_{first}"] = _mean(clear[part])
        told[f"voiced_{first}"] = _mean(is_voiced[part].astype(np.float64))
        told[f"pitch_{first}"] = _mean(pitch[part][is_voiced[part]])
        shape = bands[part].mean(axis=0) if bands[part].size else np.zeros(bands.shape[1])
        told |= {f"band_{band}_{first}": float(value) for band, value in enumerate(shape)}
    return told


def _stretch_start(speech: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    """First frame behind the last silence of 150 ms; 0 if there is none."""
    silent = np.convolve(~speech, np.ones(15), mode="valid") >= 15
    found = np.flatnonzero(silent[: max(0, speech.shape[0] - 25)])
    return int(found[-1]) + 15 if found.size else 0


def _runs(is_voiced: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[float, float]:
    """Frames of the last voiced run, and of a run on average."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_voiced, [False]]).astype(np.int8)))
    lengths = (edges[1::2] - edges[::2]).astype(np.float64)
    lengths = lengths[lengths >= 3]
    return (float(lengths[-1]), float(lengths.mean())) if lengths.size else (0.0, 0.0)


def _bumps(level: Values) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The loudest frames of what are mostly syllables."""
    smooth = np.convolve(level, np.hanning(9)[1:-1] / np.hanning(9).sum(), mode="same")
    width = 5
    padded = np.pad(smooth, width, constant_values=FLOOR_DB * 2)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1).max(axis=1)
    return np.flatnonzero((smooth >= highest) & (smooth > QUIET_DB + 7.0))


def _mean(values: Values, of_none: float = 0.0) -> float:
    return float(values.mean()) if values.size else of_none


def _slope(values: Values, at: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Per 100 ms, by least squares; 0 for fewer than five values."""
    if values.size < 5:
        return 0.0
    time = at - at.mean()
    return float((time * values).sum() / max(1.0, float((time**2).sum()))) * 10.0
