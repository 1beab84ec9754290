"""What the caller says, made ready before the call: nothing is synthesised or encoded while it lasts."""

from __future__ import annotations

import re
import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from ringline.tools.caller import wire_audiosocket, wire_twilio
from ringline.tools.caller.tones import KEYS, tone
from ringline.tools.caller.wire import FRAME_MS, Samples, Target
from ringline.workers.audio import codecs, levels
from ringline.workers.audio.resample import Resampler
from ringline.workers.tts.backend import Order

DEFAULT_VOICE = "en-gb+m3"
"""Not the bot's, so that the two can be told apart by ear and no model hears its own voice."""
KEY_SLOTS = 10
"""A key every 200 ms: 100 ms of tone and 100 ms of pause, as a quick hand presses them."""
MAX_ITEM_S = 600
PAUSE = re.compile(r"\s*\[pause (\d+)\]\s*")
"""``I'd like [pause 700] an appointment``: so many milliseconds between the audible parts."""


class ScriptError(ValueError):
    """Something in the script cannot be said; the message names it."""


class Item(msgspec.Struct, frozen=True):
    """One thing the caller says. Exactly one of ``text``, ``wav`` and ``keys`` is set."""

    text: str = ""
    """Spoken by espeak-ng; may have a `PAUSE` between two parts."""
    wav: str = ""
    """Path of a sound file."""
    keys: str = ""
    """Telephone keys."""
    speed: float = 1.0
    """Of spoken text; 1.0 is 175 words a minute."""
    interrupt_ms: int | None = None
    """Said so long after the bot has begun to speak, over it. None: the bot is heard out."""
    aside: bool = False
    """A word like "uh-huh" over the bot, with ``interrupt_ms``: no answer is wanted, and the same turn is heard out."""
    patience_ms: int | None = None
    """Said after so much silence of the bot; None: the call's patience."""

    @property
    def label(self) -> str:
        """What stands in reports."""
        return PAUSE.sub(" ... ", self.text) or (Path(self.wav).name if self.wav else f"keys {self.keys}")


class Rendered(msgspec.Struct, frozen=True):
    """An item as it will go over the wire, one entry of ``frames`` per 20 ms."""

    item: Item
    frames: tuple[bytes, ...]
    """Packed for the wire; empty bytes stand for silence."""
    samples: Samples
    """int16 [num_frames * frame_samples], as the other side decodes them. Of keys, which travel as messages: the tones
    that a person would hear, with some silence behind the last frame."""
    digits: dict[int, str]
    """Frame index -> key pressed with it."""
    first_sample: int
    """First audible sample, or that of the first key's frame."""
    end_sample: int
    """Behind the last audible sample; of keys, the beginning of the last one's frame."""


class Speaker:
    """espeak-ng, loaded at the first text."""

    def __init__(self, voice: str) -> None:
        self._voice = voice
        self._loaded = False

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        """int16 samples and their rate. Raises ScriptError."""
        from ringline.engine.config import EspeakTts
        from ringline.workers.base import CannotStart
        from ringline.workers.tts.espeak import EspeakBackend

        try:
            backend = EspeakBackend(EspeakTts(voice=self._voice))
            backend.warm_up()
            chunks = [
                chunk for chunk in backend.synthesize(Order(text, self._voice, speed)) if isinstance(chunk, np.ndarray)
            ]
        except (ValueError, OSError, CannotStart) as error:
            raise ScriptError(f"`{text}` cannot be spoken: {error}") from None
        return (np.concatenate(chunks) if chunks else np.zeros(0, np.int16)), backend.rate_hz


def render(items: Sequence[Item], target: Target, voice: str = DEFAULT_VOICE) -> tuple[Rendered, ...]:
    """The script in one voice for one kind of wire. Raises ScriptError."""
    speaker = Speaker(voice)
    return tuple(_render(item, target, speaker) for item in items)


def pack_frame(samples: Samples, target: Target) -> bytes:
    """One frame as ``Wire.send_frame`` takes it."""
    if target.scheme == "audiosocket":
        return wire_audiosocket.pack(samples, target.rate_hz)
    return wire_twilio.pack(samples)


def read_sound(path: str | Path) -> tuple[Samples, int]:
    """int16 mono samples of a sound file and their rate; channels are averaged. Raises ScriptError."""
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(min(file.getnframes(), MAX_ITEM_S * rate_hz))
    except (wave.Error, EOFError):
        return _read_with_av(str(path))
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror or error}") from None
    whole = len(raw) - len(raw) % (width * channels)
    data = np.frombuffer(raw[:whole], np.uint8).reshape(-1, width)
    if width == 1:  # the one width that is unsigned
        values = (data[:, 0].astype(np.int32) - 128) << 8
    else:  # little-endian: the two most significant bytes come last
        values = np.ascontiguousarray(data[:, -2:]).view("<i2")[:, 0].astype(np.int32)
    mono: Samples = values.reshape(-1, channels).mean(axis=1).round().astype(np.int16)
    return mono, rate_hz


def _read_with_av(path: str) -> tuple[Samples, int]:
    try:
        import av
        import av.error
    except ImportError:
        raise ScriptError(f"{path}: not a PCM WAV file; other formats need the package av") from None
    try:
        with av.open(path) as container:
            if not container.streams.audio:
                raise ScriptError(f"{path}: there is no sound in it")
            stream = container.streams.audio[0]
            rate_hz = int(stream.rate)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
            chunks = [
                made.to_ndarray()[0]
                for frame in [*container.decode(stream), None]
                for made in resampler.resample(frame)
            ]
    except (av.error.FFmpegError, OSError) as error:
        raise ScriptError(f"{path}: {error.strerror or error}") from None
    samples: Samples = np.concatenate(chunks)[: MAX_ITEM_S * rate_hz] if chunks else np.zeros(0, np.int16)
    return samples, rate_hz


def _render(item: Item, target: Target, speaker: Speaker) -> Rendered:
    if sum(map(bool, (item.text, item.wav, item.keys))) != 1:
        raise ScriptError("an item is a text, a sound file or keys: one of them")
    if item.aside and item.interrupt_ms is None:
        raise ScriptError(f"`{item.label}`: an aside is said over the bot; when?")
    if item.keys:
        return _render_keys(item, target)
    samples = _on_the_wire(*read_sound(item.wav), item, target) if item.wav else _spoken(item, target, speaker)
    first = int(levels.first_audible(samples, target.rate_hz))
    end = int(levels.last_audible(samples, target.rate_hz))
    if first < 0 or end <= first:
        raise ScriptError(f"`{item.label}`: nothing in it can be heard")
    size = target.frame_samples
    num_frames = -(-end // size)
    padded = np.zeros(num_frames * size, np.int16)
    padded[: min(samples.shape[0], padded.shape[0])] = samples[: padded.shape[0]]
    frames = tuple(pack_frame(padded[k * size : (k + 1) * size], target) for k in range(num_frames))
    return Rendered(item, frames, padded, {}, first, end)


def _spoken(item: Item, target: Target, speaker: Speaker) -> Samples:
    *parts, last = PAUSE.split(item.text)
    samples = np.zeros(0, np.int16)
    for text, pause_ms in zip(parts[::2], parts[1::2], strict=True):
        # With a comma, for the melody of a sentence that goes on.
        part = _on_the_wire(*speaker.speak(f"{text},", item.speed), item, target)
        silence = np.zeros(int(pause_ms) * target.rate_hz // 1000, np.int16)
        samples = np.concatenate([samples, _audible(part, target), silence])
    part = _on_the_wire(*speaker.speak(last, item.speed), item, target)
    return np.concatenate([samples, _audible(part, target)]) if parts else part


def _audible(samples: Samples, target: Target) -> Samples:
    """From the first audible sample to the last."""
    first = max(0, int(levels.first_audible(samples, target.rate_hz)))
    return samples[first : int(levels.last_audible(samples, target.rate_hz))]


def _on_the_wire(samples: Samples, rate_hz: int, item: Item, target: Target) -> Samples:
    """As the bot will hear it, the codec's noise included."""
    if rate_hz != target.rate_hz:
        try:
            resampler = Resampler(rate_hz, target.rate_hz)
        except ValueError as error:
            raise ScriptError(f"`{item.label}`: {error}") from None
        samples = np.concatenate([resampler.process(samples), resampler.flush()])
    return codecs.decode(codecs.encode(samples, target.encoding), target.encoding)


def _render_keys(item: Item, target: Target) -> Rendered:
    keys = item.keys.upper()
    wrong = set(keys) - set(KEYS)
    if wrong:
        raise ScriptError(f"`{item.keys}`: a telephone has no key {', '.join(sorted(wrong))}")
    num_frames = (len(keys) - 1) * KEY_SLOTS + 1
    samples = np.zeros((num_frames + KEY_SLOTS) * target.frame_samples, np.int16)
    digits = {index * KEY_SLOTS: key for index, key in enumerate(keys)}
    for index, key in digits.items():
        sound = tone(key, target.rate_hz)
        start = index * target.frame_samples
        samples[start : start + sound.shape[0]] = sound
    return Rendered(item, (b"",) * num_frames, samples, digits, 0, (num_frames - 1) * target.frame_samples)


def duration_ms(rendered: Rendered) -> int:
    """How long the item takes to say."""
    return len(rendered.frames) * FRAME_MS
