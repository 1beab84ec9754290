"""espeak-ng: formant synthesis, about a thousand times faster than real time, first audio in well under a millisecond.

The library comes with the espeakng-loader wheel and is loaded at run time (it is GPL-3; see NOTICE). It holds one
voice and one synthesis at a time, so a single thread of the process works for all phrases, a segment of text at a time.
"""

from __future__ import annotations

import ctypes
import math
import queue
import re
import threading
import unicodedata
from collections.abc import Iterator

import numpy as np

from ringline.engine.config import EspeakTts
from ringline.workers.base import CannotStart
from ringline.workers.tts.trim import Trim

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

NORMAL_WPM = 175
"""espeak-ng's own default, taken as speed 1.0."""
SLOWEST_WPM, FASTEST_WPM = 80, 450
"""The range its synthesiser takes."""
CHUNK_MS = 20
"""Audio per callback: a frame, so that the first one leaves as early as it can be of use."""
SEGMENT_CHARS = 240
"""Text per synthesis, about 20 s of speech: bounds the audio an idle iterator holds and the wait of the others."""
WAIT_S = 0.001
"""How long an iterator waits for a chunk before it gives way: longer than a chunk takes to make, and while it waits
the synthesising thread has the interpreter to itself."""

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_ENDPAUSE = 0x1000
_PARAMETER_RATE = 1
_EE_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _Job:
    """A segment of a phrase on its way through the synthesising thread."""

    def __init__(self, text: bytes, voice: bytes, wpm: int, flags: int) -> None:
        self.text, self.voice, self.wpm, self.flags = text, voice, wpm, flags
        self.chunks: queue.SimpleQueue[Samples | Exception | None] = queue.SimpleQueue()
        """What was made; None at the end."""
        self.cancelled = False


class _Library:
    """The one espeak-ng of the process: loading it twice would give two users of the same global state."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise CannotStart("The espeak backend needs the package espeakng-loader: pip install it.") from error
        try:
            self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise CannotStart(f"espeak-ng cannot be loaded: {error}. Reinstall espeakng-loader.") from error
        data = str(espeakng_loader.get_data_path())
        self.rate_hz: int = self._lib.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, CHUNK_MS, data.encode(), 0)
        if self.rate_hz <= 0:
            raise CannotStart(f"espeak-ng finds no usable data in {data}. Reinstall espeakng-loader.")
        self._voices, self._variants = self._list(None), self._list_variants()
        self._job: _Job | None = None
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._callback = _Callback(self._made)  # kept here: the library holds only its address
        self._lib.espeak_SetSynthCallback(self._callback)
        threading.Thread(target=self._run, name="espeak", daemon=True).start()

    def submit(self, job: _Job) -> None:
        self._jobs.put(job)

    def voice(self, name: str) -> bytes:
        """What the library calls the voice. Raises ValueError: it has none of this name."""
        base, plus, variant = name.partition("+")
        identifier = self._voices.get(base.strip().lower())
        if identifier is None:
            raise ValueError(f"espeak-ng has no voice `{name}`")
        if not plus:
            return identifier.encode()
        file = self._variants.get(variant.strip().lower())
        if file is None:
            raise ValueError(f"espeak-ng has no voice `{name}`: unknown variant `{variant}`")
        return f"{identifier}+{file}".encode()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if not job.cancelled:
                try:
                    self._speak(job)
                except OSError as error:
                    job.chunks.put(error)
            job.chunks.put(None)

    def _speak(self, job: _Job) -> None:
        if self._lib.espeak_SetVoiceByName(job.voice) != _EE_OK:
            raise OSError(f"espeak-ng cannot load the voice {job.voice.decode()}")
        self._lib.espeak_SetParameter(_PARAMETER_RATE, job.wpm, 0)
        self._job = job
        flags = ctypes.c_uint(_CHARS_UTF8 | job.flags)
        length = ctypes.c_size_t(len(job.text) + 1)
        status = self._lib.espeak_Synth(job.text, length, 0, _POS_CHARACTER, 0, flags, None, None)
        self._job = None
        if status != _EE_OK and not job.cancelled:
            raise OSError(f"espeak-ng failed with status {status}")

    def _made(self, wav: int | None, num_samples: int, _events: int | None) -> int:
        """Called by the library with each chunk; 1 stops it."""
        job = self._job
        if job is None or job.cancelled:
            return 1
        if wav and num_samples > 0:
            # Copied: the library uses its buffer again.
            raw = ctypes.string_at(wav, 2 * num_samples)
            job.chunks.put(np.frombuffer(raw, np.int16))
        return 0

    def _list(self, spec: _Voice | None) -> dict[str, str]:
        """Every lower-case name a voice can be asked for by -> its identifier."""
        list_voices = self._lib.espeak_ListVoices
        list_voices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        voices = list_voices(ctypes.byref(spec) if spec is not None else None)
        names: dict[str, str] = {}
        by_language: dict[str, tuple[int, str]] = {}
        index = 0
        while voices[index]:
            voice = voices[index].contents
            index += 1
            identifier = voice.identifier.decode(errors="replace")
            if "\ufffd" in identifier or "mb/" in identifier:  # MBROLA voices need a program of their own
                continue
            names[identifier.lower()] = identifier
            names[identifier.rpartition("/")[2].lower()] = identifier
            names[voice.name.decode(errors="replace").lower()] = identifier
            # The library itself does not find a voice by a language that is not also its file's name (en-gb).
            for priority, language in _languages(voice.languages):
                best = by_language.get(language)
                if best is None or priority < best[0]:
                    by_language[language] = (priority, identifier)
        return {language: identifier for language, (_, identifier) in by_language.items()} | names

    def _list_variants(self) -> dict[str, str]:
        spec = _Voice(languages=ctypes.cast(ctypes.c_char_p(b"variant"), ctypes.c_void_p).value)
        found = {name.rpartition("/")[2]: file.rpartition("/")[2] for name, file in self._list(spec).items()}
        return {name: file for name, file in found.items() if name == file.lower()}


def _languages(address: int | None) -> Iterator[tuple[int, str]]:
    """The voice's languages: in memory, a priority byte and a C string each, closed by a zero byte."""
    while address:
        priority = ctypes.c_ubyte.from_address(address).value
        if not priority:
            return
        language = ctypes.string_at(address + 1)
        address += len(language) + 2
        yield priority, language.decode(errors="replace").lower()


_loading = threading.Lock()
_loaded: _Library | None = None


def _library() -> _Library:
    global _loaded
    with _loading:
        if _loaded is None:
            _loaded = _Library()
        return _loaded


class EspeakBackend:
    """`TtsBackend` on espeak-ng. Voices are named as espeak names them: ``en-us``, ``en-gb+m3``, ``gmw/en-US``."""

    rate_hz = 22_050

    def __init__(self, config: EspeakTts) -> None:
        self._config = config

    def warm_up(self) -> None:
        library = _library()
        self.rate_hz = library.rate_hz
        try:
            for _ in self.synthesize("ready", "", 1.0):
                pass
        except (ValueError, OSError) as error:
            raise CannotStart(f"[tts] voice: {error}") from error

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples | None]:
        """See `TtsBackend.synthesize`. ``speed`` 1.0 is 175 words a minute, and is held within 80 to 450."""
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be above 0, not {speed}")
        library = _library()
        identifier = library.voice(voice or self._config.voice)
        wpm = round(min(max(NORMAL_WPM * speed, SLOWEST_WPM), FASTEST_WPM))
        return _phrase(library, segments(speakable(text)), identifier, wpm)


def _phrase(library: _Library, texts: list[str], voice: bytes, wpm: int) -> Iterator[Samples | None]:
    trim = Trim(library.rate_hz)
    for index, text in enumerate(texts):
        # Without the flag a text ends at its last sound: right for a phrase, too abrupt inside one.
        flags = _ENDPAUSE if index < len(texts) - 1 else 0
        job = _Job(text.encode(), voice, wpm, flags)
        library.submit(job)
        try:
            while True:
                try:
                    chunk = job.chunks.get(timeout=WAIT_S)
                except queue.Empty:
                    yield None
                    continue
                if chunk is None:
                    break
                if isinstance(chunk, Exception):
                    raise chunk
                audio = trim.push(chunk)
                if audio.size:
                    yield audio
        finally:
            job.cancelled = True
    rest = trim.finish()
    if rest.size:
        yield rest


def speakable(text: str) -> str:
    """``text`` without what espeak-ng would take for commands: control characters and private code points."""
    kept = (" " if character.isspace() else character for character in text if not _unspoken(character))
    return "".join(kept).strip()


def _unspoken(character: str) -> bool:
    # The zero width joiners spell words in some scripts; all other format characters only lay text out.
    return unicodedata.category(character)[0] == "C" and not character.isspace() and character not in "\u200c\u200d"


def segments(text: str) -> list[str]:
    """``text`` in pieces of at most SEGMENT_CHARS, cut at the last sentence end, clause or word that fits."""
    pieces = []
    while len(text) > SEGMENT_CHARS:
        head = text[: SEGMENT_CHARS + 1]
        cut = 0
        for pattern in (r"[.!?;:]\s", r"[\u3002\uff01\uff1f]", r"[,\u3001\uff0c]\s?", r"\s"):
            cut = max((match.end() for match in re.finditer(pattern, head)), default=0)
            if cut >= SEGMENT_CHARS // 3:
                break
        cut = min(cut or SEGMENT_CHARS, SEGMENT_CHARS)
        pieces.append(text[:cut].strip())
        text = text[cut:].lstrip()
    if text:
        pieces.append(text)
    return [piece for piece in pieces if piece]
