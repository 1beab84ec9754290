"""Speech, rings and a scripted model for the VAD's tests."""

import subprocess
import sys

import numpy as np
import pytest

from ringline.engine.config import SileroVad
from ringline.ipc.exchange import Exchange, Layout
from ringline.workers.audio.levels import first_audible, last_audible
from ringline.workers.audio.resample import Resampler
from ringline.workers.capture.vad import Vad

RATE_HZ = 16_000

# In a process of its own: espeak-ng has one global state per process, and other tests may be using it.
_ESPEAK = """
import ctypes, sys
import espeakng_loader
library = ctypes.CDLL(espeakng_loader.get_library_path())
on_samples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
def keep(samples, count, events):
    if samples and count > 0:
        sys.stdout.buffer.write(ctypes.string_at(samples, 2 * count))
    return 0
kept = on_samples(keep)
rate_hz = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
assert rate_hz == 22050, rate_hz
library.espeak_SetSynthCallback(kept)
assert library.espeak_SetVoiceByName(b"en-us") == 0
text = sys.argv[1].encode()
assert library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None) == 0
assert library.espeak_Synchronize() == 0
"""


@pytest.fixture(scope="session")
def say():
    """Text to speech at 16 kHz, from its first to its last audible sample."""
    spoken = {}

    def say(text):
        if text not in spoken:
            made = subprocess.run([sys.executable, "-c", _ESPEAK, text], capture_output=True, check=True)
            resampler = Resampler(22_050, RATE_HZ)
            samples = np.concatenate([resampler.process(np.frombuffer(made.stdout, np.int16)), resampler.flush()])
            spoken[text] = samples[first_audible(samples, RATE_HZ) : last_audible(samples, RATE_HZ)]
        return spoken[text]

    return say


class Ears:
    """An exchange and its VAD; audio goes in by slot, events come out."""

    def __init__(self, num_slots=1, config=None, ring_samples=32 * RATE_HZ):
        self.exchange = Exchange.create(
            Layout(max_calls=num_slots, caller_samples=ring_samples, line_samples=ring_samples, reply_samples=64)
        )
        self.vad = Vad(self.exchange, config or SileroVad())

    def feed(self, slot, samples):
        self.exchange.slots[slot].caller.write(samples)

    def hear(self, audio, step_samples=160):
        """Write each slot's audio in small steps, as the media clock does, stepping the VAD. Returns all events."""
        events = []
        for start in range(0, max(len(samples) for samples in audio.values()), step_samples):
            for slot, samples in audio.items():
                self.feed(slot, samples[start : start + step_samples])
            events += self.vad.step()
        return events

    def close(self):
        self.exchange.close()


@pytest.fixture
def ears():
    """Makes `Ears`."""
    made = []

    def make(*args, **kwargs):
        made.append(Ears(*args, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()


class ScriptedModel:
    """Stands in for a model: a window's speech probability is its last sample, in 1/100 (too quiet to be audible)."""

    def __init__(self):
        self.batch_sizes = []

    def judge(self, slots, ends, windows):
        self.batch_sizes.append(len(windows))
        return np.rint(windows[:, -1] * 32_768).astype(np.float32) / np.float32(100)

    def reset(self, slot):
        pass


@pytest.fixture
def scripted(ears):
    """Makes `Ears` with a `ScriptedModel`."""

    def make(*args, **kwargs):
        made = ears(*args, **kwargs)
        made.vad._model = made.model = ScriptedModel()
        return made

    return make
