"""The espeak-ng library of this process.

It comes with the espeakng-loader wheel and is loaded at run time (it is GPL-3; see NOTICE). It holds one voice and one
synthesis at a time, so a single thread of the process works for all phrases, a segment of text at a time.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.working import working_on

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

CHUNK_MS = 20
"""Audio per callback: a frame, so that the first one leaves as early as it can be of use."""

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
ENDPAUSE = 0x1000
"""Flag: end a text with the pause behind its last sound, as is right inside a phrase."""
_PARAMETER_RATE = 1
_PHONEMES_IPA = 0x02
_PHONEMES_TIE = 0x80
"""Flag: the character in the next byte ties the letters of one phoneme (``a^ɪ``)."""
_EE_OK = 0
_EVENT_LIST_END = 0
_EVENT_WORD = 1


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class WordBegins(NamedTuple):
    """The library begins to speak a word, or a part of one: a number is several."""

    position: int
    """Of its first character in the segment's text, from 1."""
    sample: int
    """Of the segment. The sound may begin later: a "t" begins with silence."""


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


class Job:
    """A segment of a phrase on its way through the synthesising thread."""

    def __init__(self, text: bytes, voice: bytes, wpm: int, flags: int, call: int) -> None:
        self.text, self.voice, self.wpm, self.flags, self.call = text, voice, wpm, flags, call
        self.chunks: queue.SimpleQueue[Samples | WordBegins | Exception | None] = queue.SimpleQueue()
        """What was made, word events ahead of their samples; None at the end."""
        self.cancelled = False


class Library:
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
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._job: Job | None = None
        self._using = threading.Lock()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._callback = _Callback(self._made)  # kept here: the library holds only its address
        self._lib.espeak_SetSynthCallback(self._callback)
        threading.Thread(target=self._run, name="espeak", daemon=True).start()

    def submit(self, job: Job) -> None:
        """Speak it after all that was submitted before."""
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

    def phonemes(self, text: str, voice: bytes, tie: str = "") -> str:
        """What the voice would say, in IPA with stress marks: words, or groups of them, between spaces. Punctuation is
        left out. For any thread; takes well below a millisecond.

        ``tie``: a character to stand between the letters of one phoneme. Raises OSError.
        """
        mode = _PHONEMES_IPA | (_PHONEMES_TIE | ord(tie) << 8 if tie else 0)
        encoded = ctypes.create_string_buffer(text.encode())
        rest = ctypes.cast(encoded, ctypes.c_char_p)
        clauses = []
        with self._using:
            self._choose(voice)
            while rest.value is not None:
                clauses.append(self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, mode) or b"")
        return " ".join(clause.decode(errors="replace") for clause in clauses)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if not job.cancelled:
                try:
                    with self._using, working_on((job.call,)):
                        self._speak(job)
                except OSError as error:
                    job.chunks.put(error)
            job.chunks.put(None)

    def _speak(self, job: Job) -> None:
        self._choose(job.voice)
        self._lib.espeak_SetParameter(_PARAMETER_RATE, job.wpm, 0)
        self._job = job
        flags = ctypes.c_uint(_CHARS_UTF8 | job.flags)
        length = ctypes.c_size_t(len(job.text) + 1)
        status = self._lib.espeak_Synth(job.text, length, 0, _POS_CHARACTER, 0, flags, None, None)
        self._job = None
        if status != _EE_OK and not job.cancelled:
            raise OSError(f"espeak-ng failed with status {status}")

    def _choose(self, voice: bytes) -> None:
        if self._lib.espeak_SetVoiceByName(voice) != _EE_OK:
            raise OSError(f"espeak-ng cannot load the voice {voice.decode()}")

    def _made(self, wav: int | None, num_samples: int, events: Any) -> int:
        """Called by the library with each chunk; 1 stops it."""
        job = self._job
        if job is None or job.cancelled:
            return 1
        index = 0
        while events and events[index].type != _EVENT_LIST_END:
            event = events[index]
            if event.type == _EVENT_WORD:
                job.chunks.put(WordBegins(event.text_position, event.sample))
            index += 1
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
_loaded: Library | None = None


def library() -> Library:
    """The one of this process, loaded on first use. Raises `CannotStart`."""
    global _loaded
    with _loading:
        if _loaded is None:
            _loaded = Library()
        return _loaded
