"""What the computed voices share: joints, loudness, word marks, the model's schedule."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.models.kokoro import make_kokoro
from bench.models.piper import make_piper
from tts_models import ScriptedXtts

from ringline.engine.config import KokoroTts, PiperTts, XttsTts
from ringline.workers.audio.levels import rms_dbfs
from ringline.workers.base import CannotStart
from ringline.workers.tts.backend import Mark, Order
from ringline.workers.tts.computed import WARM_UP, ComputedBackend, Sound
from ringline.workers.tts.kokoro.model import KokoroModel
from ringline.workers.tts.pieces import CLAUSE_PAUSE_MS, MAX_CHARS, SENTENCE_PAUSE_MS, Piece, pieces
from ringline.workers.tts.piper import PiperModel
from ringline.workers.tts.trim import AUDIBLE
from ringline.workers.tts.xtts import XttsModel

WATCHDOG_S = 10.0
SENTENCES = "Thank you for calling. Your appointment is on Monday, at half past ten in the morning! Is that all right?"

MODELS: dict[str, Callable[[Path], Any]] = {
    "kokoro": lambda folder: KokoroModel(KokoroTts(model=str(make_kokoro(folder)))),
    "piper": lambda folder: PiperModel(PiperTts(model=str(make_piper(folder)))),
    "xtts": lambda _: XttsModel(XttsTts(), ScriptedXtts()),
}


@pytest.fixture(scope="module", params=MODELS)
def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComputedBackend]:
    backend = ComputedBackend(MODELS[request.param](tmp_path_factory.mktemp("model")), lambda: None)
    backend.warm_up()
    yield backend
    backend.close()


def parts(backend: ComputedBackend, text: str, **fields: Any) -> tuple[Any, list[Mark]]:
    found = []
    for part in backend.synthesize(Order(text, **fields)):
        if part is None:
            time.sleep(0.0005)
        else:
            found.append(part)
    sound = [part for part in found if not isinstance(part, Mark)]
    return np.concatenate([np.empty(0, np.int16), *sound]), [part for part in found if isinstance(part, Mark)]


def pauses(samples: Any, min_samples: int) -> list[tuple[int, int]]:
    """Runs of digital silence: (first, behind the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], samples == 0, [0]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= min_samples]


def test_pieces_are_joined_by_pauses_without_clicks(voice: ComputedBackend) -> None:
    samples, _ = parts(voice, SENTENCES)
    found = pauses(samples, voice.rate_hz * CLAUSE_PAUSE_MS // 1000)
    assert len(found) >= 2
    for start, end in found:
        assert end - start < voice.rate_hz * (SENTENCE_PAUSE_MS + 60) // 1000
        assert abs(int(samples[start - 1])) <= AUDIBLE
        assert abs(int(samples[end])) <= AUDIBLE


def test_chunks_of_one_piece_join_without_a_seam(voice: ComputedBackend) -> None:
    text = "This is one sentence of some length without any pause"
    whole = np.concatenate([sound.samples for sound in voice._model.speak(Piece(text, 0, 0), Order(text))])
    made, _ = parts(voice, text)
    step, made_step = float(np.abs(np.diff(whole)).max()), int(np.abs(np.diff(made.astype(int))).max())
    gain = float(np.abs(made).max()) / float(np.abs(whole).max())
    assert made_step <= step * gain * 1.05 + 2


def test_phrases_have_one_loudness(voice: ComputedBackend) -> None:
    levels = [rms_dbfs(parts(voice, text)[0]) for text in ("Yes.", "One moment please", "I am still on it")]
    assert max(levels) - min(levels) <= 1.5
    assert all(-22.5 < level < -18.5 for level in levels)


@pytest.mark.parametrize("quiet", ["am_adam", "bf_emma", "ff_siwis"])
def test_voices_of_other_loudness_are_brought_to_the_same(tmp_path: Path, quiet: str) -> None:
    backend = ComputedBackend(MODELS["kokoro"](tmp_path), lambda: None)
    backend.warm_up()
    loud, other = (rms_dbfs(parts(backend, "This is a sentence", voice=name)[0]) for name in ("", quiet))
    backend.close()
    assert abs(loud - other) <= 1.0


def test_words_are_marked_where_their_sound_begins(tmp_path: Path) -> None:
    backend = ComputedBackend(MODELS["kokoro"](tmp_path), lambda: None)
    backend.warm_up()
    text = "Ten green bottles. Seven blue cars, nine red apples! Eight dogs."
    samples, marks = parts(backend, text)
    backend.close()
    assert [text[mark.char :].split()[0] for mark in marks] == text.split()
    for before, after in itertools.pairwise(marks):
        assert before.sample < after.sample
    for mark in marks:  # this network is silent between words
        assert abs(int(samples[mark.sample])) > AUDIBLE
        assert np.all(np.abs(samples[max(0, mark.sample - 100) : mark.sample].astype(int)) <= AUDIBLE)


@pytest.mark.parametrize(
    "model",
    [
        lambda folder: KokoroModel(KokoroTts(model=str(make_kokoro(folder)), voice="af_nobody")),
        lambda folder: PiperModel(PiperTts(model=str(make_piper(folder)), voice="af_nobody")),
        lambda _: XttsModel(XttsTts(voice="af_nobody"), ScriptedXtts()),
    ],
    ids=MODELS,
)
def test_configured_voice_that_is_missing_is_named_at_the_start(tmp_path: Path, model: Callable[[Path], Any]) -> None:
    with pytest.raises(CannotStart, match=r"\[tts\] voice: .*af_nobody"):
        ComputedBackend(model(tmp_path), lambda: None).warm_up()


class Abrupt:
    """A model whose sound begins and ends at its loudest."""

    rate_hz = 8_000
    first_s: float | None = None

    def load(self) -> None:
        pass

    def check(self, order: Order) -> None:
        pass

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        yield Sound(0.1 * np.cos(np.arange(2001) * np.pi / 10).astype(np.float32))


def test_sound_that_begins_or_ends_aloud_is_faded() -> None:
    backend = ComputedBackend(Abrupt(), lambda: None)
    backend.warm_up()
    samples, _ = parts(backend, SENTENCES)
    backend.close()
    own_step = int(np.abs(np.diff(samples[500:1500].astype(int))).max())
    assert int(np.abs(np.diff(np.concatenate(([0], samples, [0])).astype(int))).max()) <= own_step + 2


class Held:
    """A model that waits for each piece to be let go, and notes what it was asked for."""

    rate_hz = 8_000
    first_s: float | None = None

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def load(self) -> None:
        pass

    def check(self, order: Order) -> None:
        if order.voice:
            raise ValueError(f"no voice `{order.voice}`")

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        if piece.text != WARM_UP:
            self.asked.append(piece.text)
            self.begun.release()
            assert self.go.acquire(timeout=WATCHDOG_S)
        if piece.text == "broken":
            raise OSError("the model broke")
        if piece.text == "no sound":
            yield Sound(np.full(2000, np.nan, np.float32))
        yield Sound(0.1 * np.sin(np.arange(2000)).astype(np.float32))


@pytest.fixture
def held() -> Iterator[tuple[Held, ComputedBackend, threading.Semaphore]]:
    model, woken = Held(), threading.Semaphore(0)
    backend = ComputedBackend(model, woken.release)
    backend.warm_up()
    yield model, backend, woken
    for _ in range(100):
        model.go.release()
    backend.close()


def test_calls_are_served_by_deadline_and_drafts_last(held: Any) -> None:
    model, backend, _ = held
    first = backend.synthesize(Order("first", call=99))
    next(first)
    assert model.begun.acquire(timeout=WATCHDOG_S)
    orders = [Order(f"call {call}", call=call, deadline_ns=10**9 * (8 - call), draft=call == 7) for call in range(8)]
    phrases = [backend.synthesize(order) for order in orders]
    for phrase in phrases:
        next(phrase)
    orders[0].deadline_ns = 0  # it has run dry meanwhile
    for phrase in phrases:
        next(phrase)
    for _ in range(9):
        model.go.release()
    for phrase in (first, *phrases):
        assert any(isinstance(part, np.ndarray) for part in phrase)
    assert model.asked[1:] == [f"call {call}" for call in (0, 6, 5, 4, 3, 2, 1, 7)]


class InSteps:
    """A model that says each word in a step of its own, when it is let go, and notes them."""

    rate_hz = 8_000
    first_s: float | None = 0.25

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def load(self) -> None:
        pass

    def check(self, order: Order) -> None:
        pass

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        words = piece.text.split()
        for index, word in enumerate(words):
            if piece.text != WARM_UP:
                self.said.append(word)
                self.begun.release()
                assert self.go.acquire(timeout=WATCHDOG_S)
            yield Sound(
                0.1 * np.sin(np.arange(2000)).astype(np.float32), next_s=0.25 if index + 1 < len(words) else 0.0
            )


def test_sentence_under_way_gives_way_to_a_call_that_has_nothing_to_play() -> None:
    model = InSteps()
    backend = ComputedBackend(model, lambda: None)
    backend.warm_up()
    long = Order("one two three four", call=1, deadline_ns=10**9)
    speaking, waiting = backend.synthesize(long), backend.synthesize(Order("urgent", call=2))
    next(speaking)
    assert model.begun.acquire(timeout=WATCHDOG_S)
    next(waiting)
    for _ in range(5):
        model.go.release()
    for phrase in (waiting, speaking):
        assert any(isinstance(part, np.ndarray) for part in phrase)
    for _ in speaking:
        pass
    backend.close()
    assert model.said == ["one", "urgent", "two", "three", "four"]


def test_cancelled_phrase_is_not_begun(held: Any) -> None:
    model, backend, _ = held
    one, other, third = (backend.synthesize(Order(text)) for text in ("one", "other", "third"))
    next(one)
    assert model.begun.acquire(timeout=WATCHDOG_S)
    next(other)
    next(third)
    other.close()
    for _ in range(2):
        model.go.release()
    assert any(isinstance(part, np.ndarray) for part in third)
    assert model.asked == ["one", "third"]
    assert backend.pool.load == 0


def test_what_is_to_be_measured_of_a_voice_is_when_nobody_waits(held: Any) -> None:
    model, backend, _ = held
    model.studies = lambda order: [lambda: model.asked.append(f"study {order.language}")]
    first = backend.synthesize(Order("first"))
    next(first)
    assert model.begun.acquire(timeout=WATCHDOG_S)
    backend.prepare(Order("greeting", language="en"))
    second = backend.synthesize(Order("second"))
    next(second)
    for _ in range(2):
        model.go.release()
    for phrase in (first, second):
        assert any(isinstance(part, np.ndarray) for part in phrase)
    while backend.pool.load:
        time.sleep(0.001)
    assert model.asked == ["first", "second", "study en"]


def test_voice_that_is_not_there_is_not_measured(held: Any) -> None:
    model, backend, _ = held
    model.studies = lambda order: [lambda: model.asked.append("study")]
    backend.prepare(Order("greeting", "nobody"))
    assert backend.pool.load == 0


def test_phrase_closed_between_its_pieces_makes_no_more_of_them(held: Any) -> None:
    model, backend, _ = held
    phrase = backend.synthesize(Order(SENTENCES))
    model.go.release()
    next(part for part in phrase if part is not None)
    phrase.close()
    model.go.release()
    assert any(isinstance(part, np.ndarray) for part in backend.synthesize(Order("last")))
    assert model.asked == ["Thank you for calling.", "last"]


def test_phrase_that_fails_fails_no_other(held: Any, caplog: pytest.LogCaptureFixture) -> None:
    model, backend, _ = held
    broken, whole = backend.synthesize(Order("broken")), backend.synthesize(Order("whole"))
    next(broken)
    next(whole)
    model.go.release()
    model.go.release()
    with pytest.raises(OSError, match="the model broke"):
        for _ in broken:
            pass
    assert any(isinstance(part, np.ndarray) for part in whole)


def test_phrase_of_which_the_model_makes_no_numbers_has_failed(held: Any) -> None:
    model, backend, _ = held
    model.go.release()
    with pytest.raises(ArithmeticError, match="no sound"):
        for _ in backend.synthesize(Order("no sound")):
            pass


def test_unknown_voice_is_refused_before_anything_is_made(held: Any) -> None:
    model, backend, _ = held
    with pytest.raises(ValueError, match="nobody"):
        backend.synthesize(Order("Hello.", "nobody"))
    assert model.asked == []


def test_worker_is_woken_when_a_piece_is_made(held: Any) -> None:
    model, backend, woken = held
    while woken.acquire(blocking=False):
        pass
    phrase = backend.synthesize(Order("one"))
    assert next(phrase) is None
    model.go.release()
    assert woken.acquire(timeout=WATCHDOG_S)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "Yes.",
        SENTENCES,
        "no end " * 100,
        "x" * 1000,
        "Ja, gern; um 10:30 Uhr. Ciao",
        "日本語。元気ですか？",
    ],
)
def test_pieces_are_the_whole_text_in_order(text: str) -> None:
    found = pieces(text)
    assert "".join("".join(piece.text for piece in found).split()) == "".join(text.split())
    for piece in found:
        assert text[piece.char :].startswith(piece.text)
        assert 0 < len(piece.text) <= MAX_CHARS


def test_first_piece_is_short_and_pauses_follow_the_marks() -> None:
    text = "Certainly, I can, let me just see what we have for you this week; one moment. Here it is."
    first, *rest = pieces(text)
    assert (first.text, first.pause_ms) == ("Certainly,", CLAUSE_PAUSE_MS)
    assert [piece.text for piece in rest] == [
        "I can, let me just see what we have for you this week; one moment.",
        "Here it is.",
    ]
    assert [piece.pause_ms for piece in rest] == [SENTENCE_PAUSE_MS, 0]
