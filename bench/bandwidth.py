"""Fits the constants of workers/stt/bandwidth.py from recorded speech, and compares them with the ones in use.

    python -m bench.bandwidth [--seed 0] [--json]        (needs RINGLINE_SPEECH)

Wideband recordings of many speakers and the same as telephone audio give pairs of log mel spectra. The upper bands are
regressed on all bands of the telephone side (least squares, lightly regularised) and scaled to the variance that
wideband speech has there: an estimate that is only right on average would look to the model like mumbling.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.reporting import Result, options_of, tell
from bench.telephone import at_level, over_the_phone, read, resampled
from ringline.workers.stt import bandwidth
from ringline.workers.stt import telephone_features as features

SPEECH = Path(os.environ.get("RINGLINE_SPEECH", Path(__file__).parent.parent.parent / "shared" / "speech"))
LEVELS_DBFS = (-18.0, -24.0, -30.0)
MAX_S = 8
REGULARIZATION = 1e-3


def log_mel(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> features.Matrix:
    """[frames, NUM_BANDS], as `TelephoneFeatures` computes it."""
    wide = samples.astype(np.float64)
    signal = np.append(wide[:1], wide[1:] - features.PRE_EMPHASIS * wide[:-1])
    windows = np.lib.stride_tricks.sliding_window_view(signal, features.WINDOW)[:: features.SHIFT]
    power = np.abs(np.fft.rfft(windows * np.hamming(features.WINDOW), features.NUM_FFT)) ** 2
    found: features.Matrix = np.log(power @ features.MEL_FILTERS.T + features.FLOOR)
    return found


def measure(options: argparse.Namespace) -> Result:
    """Fit."""
    if not SPEECH.is_dir():
        raise SystemExit(f"there is no recorded speech at {SPEECH} (RINGLINE_SPEECH)")
    files = [*sorted((SPEECH / "voices").glob("*.flac")), *sorted((SPEECH / "librispeech_other").glob("*.flac"))[::2]]
    files += sorted((SPEECH / "ljspeech").glob("*.wav"))[:6]
    rng = np.random.default_rng(options.seed)
    narrow_all, wide_all = [], []
    for index, file in enumerate(files):
        samples, rate_hz = read(file)
        samples = at_level(samples[: MAX_S * rate_hz], float(rng.choice(LEVELS_DBFS)))
        wide = log_mel(resampled(samples, rate_hz, 16_000))
        phone = over_the_phone(samples, rate_hz, ("mulaw", "slin")[index % 2])
        narrow = log_mel(phone[16 * 300 + 32 :])  # less the preroll and the resampler's 2 ms
        length = min(len(wide), len(narrow))
        narrow_all.append(narrow[:length] - narrow[:length].mean(axis=0))
        wide_all.append(wide[:length] - wide[:length].mean(axis=0))
    x, y = np.concatenate(narrow_all), np.concatenate(wide_all)
    weights = np.linalg.solve(x.T @ x + REGULARIZATION * len(x) * np.eye(features.NUM_BANDS), x.T @ y)
    weights *= y.std(axis=0) / (x @ weights).std(axis=0)
    fitted, used = weights[:, bandwidth.NUM_LOW :], np.array(bandwidth.HIGH_FROM_ALL)
    correlation = float(np.corrcoef(fitted.ravel(), used.ravel())[0, 1])
    return {"fitted": fitted.tolist(), "recordings": len(files), "correlation": correlation}


def show(result: Result, out: Console) -> None:
    """The constants, as they stand in workers/stt/bandwidth.py."""
    rows = ("    (" + ", ".join(f"{value:.4f}" for value in row) + "),\n" for row in result["fitted"])
    out.print("HIGH_FROM_ALL = (\n" + "".join(rows) + ")", soft_wrap=True, highlight=False)
    out.print(f"{result['recordings']} recordings; correlation with the constants in use: {result['correlation']:.3f}")


if __name__ == "__main__":
    given = options_of(__doc__, seed=0, plots=False).parse_args()
    tell(measure(given), given, show)
