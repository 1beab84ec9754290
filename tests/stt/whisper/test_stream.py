"""One utterance on a Whisper: partials, finals, long ones, failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ringline.workers.base import CannotStart

from .conftest import quiet, request, voice

SAYS = "i would like to book"


def test_partials_come_as_the_caller_speaks(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(1.0))
    assert stream.partial == SAYS
    assert stream.stable == len(SAYS)


def test_a_first_hypothesis_is_not_stable(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(0.4), chunk_s=0.4)
    assert stream.partial == SAYS
    assert stream.stable == 0


def test_over_the_bot_only_what_is_stable_is_told(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(overlap=True), 0)
    bench.hear(stream, voice(0.4), chunk_s=0.4)
    assert stream.partial == ""
    bench.hear(stream, voice(0.4), chunk_s=0.4)
    assert stream.partial == SAYS


def test_the_final_is_what_was_seen_when_silence_began(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(1.0))
    bench.hear(stream, quiet(0.3))
    before = len(bench.passes)
    stream.finalise(bench.now_ns)
    assert stream.final == SAYS
    assert stream.confidence > 0.9
    assert len(bench.passes) == before


def test_what_was_said_since_the_last_look_is_looked_at(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(1.0))
    before = len(bench.passes)
    stream.feed(voice(0.1))
    assert bench.final(stream) == SAYS
    assert [one.draft for one in bench.passes[before:]] == [False]


def test_a_partial_that_waits_gives_way_to_the_final(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    stream.feed(voice(0.5))
    submitted: list[Any] = []
    bench.backend.pool.submit = submitted.append
    bench.backend.step([stream], bench.now_ns)
    stream.feed(voice(0.2))
    stream.finalise(7)
    assert [(one.draft, one.is_cancelled) for one in submitted] == [(True, True), (False, False)]
    assert submitted[-1].deadline_ns == 7


def test_a_look_that_will_do_becomes_the_final(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    stream.feed(np.concatenate([voice(0.5), quiet(0.2)]))
    submitted: list[Any] = []
    bench.backend.pool.submit = submitted.append
    bench.backend.step([stream], bench.now_ns)
    stream.finalise(7)
    assert [(one.draft, one.is_cancelled, one.deadline_ns) for one in submitted] == [(False, False, 7)]


def test_a_slow_model_is_asked_less_often(make: Callable[..., Any]) -> None:
    def looks(slow: bool) -> int:
        bench = make(SAYS, partial_ms=200)
        stream = bench.backend.open(request(), 0)
        run = bench.backend.pool._run

        def slowly(passes: Any) -> None:
            run(passes)
            bench.now_ns += 500_000_000

        if slow:
            bench.backend.pool._run = slowly
        for _ in range(40):
            stream.feed(voice(0.1))
            bench.now_ns += 100_000_000
            bench.step(stream)
        return len(bench.passes)

    assert looks(slow=True) < looks(slow=False) / 2


def test_without_partials_only_finals_are_looked_at(make: Callable[..., Any]) -> None:
    bench = make(SAYS, partial_ms=0)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(1.0))
    assert bench.passes == []
    assert bench.final(stream) == SAYS


def test_silence_says_nothing_and_costs_nothing(make: Callable[..., Any]) -> None:
    bench = make("thank you for watching")
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, quiet(3.0))
    assert bench.final(stream) == ""
    assert bench.passes == []


def test_phantoms_are_not_told(make: Callable[..., Any]) -> None:
    bench = make("thank you for watching")
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(1.0))
    assert stream.partial == ""
    assert bench.final(stream) == ""
    assert stream.confidence == 0.0


def test_loops_are_cut(make: Callable[..., Any]) -> None:
    bench = make("open " * 30)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(3.0))
    assert bench.final(stream) == "open"


def test_a_long_utterance_is_divided(make: Callable[..., Any]) -> None:
    bench = make("one part")
    stream = bench.backend.open(request(), 0)
    for _ in range(4):
        bench.hear(stream, np.concatenate([voice(8.6), quiet(0.4)]), chunk_s=0.5)
    assert bench.final(stream) == "one part one part one part one part"
    assert max(one.window.shape[1] for one in bench.passes) <= 1_500


def test_finals_of_several_calls_are_one_batch(make: Callable[..., Any]) -> None:
    bench = make(SAYS, partial_ms=0)
    streams = [bench.backend.open(request(call), 0) for call in range(5)]
    for call, stream in enumerate(streams):
        stream.feed(voice(1.0 + 0.3 * call, seed=call))
    sizes: list[int] = []
    run = bench.backend.pool._run
    bench.backend.pool._run = lambda passes: (sizes.append(len(passes)), run(passes))
    for stream in streams:
        stream.finalise(0)
    bench.step(*streams)
    assert [stream.final for stream in streams] == [SAYS] * 5
    assert sum(sizes) == 5
    assert len(sizes) <= 3


def test_a_text_before_that_the_model_chokes_on_is_left_out(make: Callable[..., Any]) -> None:
    bench = make(SAYS, hotwords=("Ringline",), partial_ms=0)  # behind it, this model has nothing left to say
    stream = bench.backend.open(request(), 0)
    stream.feed(voice(1.0))
    assert bench.final(stream) == SAYS
    assert [bool(one.previous) for one in bench.passes] == [True, False]


def test_what_the_bot_asked_is_the_text_before(make: Callable[..., Any]) -> None:
    bench = make(SAYS, partial_ms=0)
    stream = bench.backend.open(request(asked="How can I help you?"), 0)
    stream.feed(voice(1.0))
    stream.finalise(0)
    bench.step(stream)
    assert bench.passes[0].previous == bench.backend.model.previous("How can I help you?")


@pytest.mark.parametrize(
    ("config", "call", "sentence"),
    [
        ("", "de-AT", "Es geht um Ringline."),
        ("fr", "de", "Il s'agit de Ringline."),
        ("", "cy", "This is about Ringline."),
    ],
)
def test_hot_words_stand_in_a_sentence_of_the_callers_language(
    make: Callable[..., Any], config: str, call: str, sentence: str
) -> None:
    bench = make("guten tag", multilingual=True, partial_ms=0, hotwords=("Ringline",), language=config)
    stream = bench.backend.open(request(language=call), 0)
    stream.feed(voice(1.0))
    bench.final(stream)
    assert bench.passes[0].previous == bench.backend.model.previous(sentence)


def test_a_long_question_leaves_the_hot_words_their_place(make: Callable[..., Any]) -> None:
    bench = make(SAYS, partial_ms=0, hotwords=("Ringline",))
    stream = bench.backend.open(request(asked="And then what would you like to do? " * 20), 0)
    stream.feed(voice(1.0))
    bench.final(stream)
    assert bench.backend.model.text(bench.passes[0].previous).startswith("This is about Ringline.")


def written_off(bench: Any, copy: str, heard: str) -> Any:
    """A stream whose model writes ``copy`` where a text stands before, and else what it hears."""
    stream = bench.backend.open(request(), 0)
    run = bench.backend.pool._run
    model = bench.backend.model

    def reads(passes: Any) -> None:
        run(passes)
        for one in passes:
            one.tokens = tuple(model._tokenizer.encode(copy if one.previous else heard).ids)
            one.log_prob = -0.2

    bench.backend.pool._run = reads
    stream.feed(voice(1.0))
    return stream


def test_a_hot_word_that_nobody_said_is_not_the_final(make: Callable[..., Any]) -> None:
    stream = written_off(bench := make(SAYS, hotwords=("book",), partial_ms=0), "book", "i would like to")
    assert bench.final(stream) == "i would like to"


def test_a_hot_word_that_was_said_stays(make: Callable[..., Any]) -> None:
    stream = written_off(bench := make(SAYS, hotwords=("book",), partial_ms=0), "book", "boo k")
    assert bench.final(stream) == "book"


@pytest.mark.parametrize(
    ("seconds", "no_speech", "overlap", "told"),
    [(1.2, 0.42, True, 1.0), (0.6, 0.42, True, None), (1.2, 0.67, True, None), (1.2, 0.42, False, None)],
)
def test_a_second_of_speech_over_the_bot_that_is_not_understood_is_other_words(
    make: Callable[..., Any], seconds: float, no_speech: float, overlap: bool, told: float | None
) -> None:
    bench = make(SAYS, partial_ms=0)
    run = bench.backend.pool._run

    def unsure(passes: Any) -> None:
        run(passes)
        for one in passes:
            one.log_prob, one.no_speech = -1.9, no_speech

    bench.backend.pool._run = unsure
    stream = bench.backend.open(request(overlap=overlap), 0)
    stream.feed(voice(seconds))
    assert bench.final(stream) == ""
    assert stream.other_words == told


def test_little_speech_gets_more_silence(make: Callable[..., Any]) -> None:
    bench = make(SAYS, partial_ms=0)
    for seconds in (1.0, 3.0):
        stream = bench.backend.open(request(), 0)
        stream.feed(voice(seconds))
        bench.final(stream)
    short, long = bench.passes
    assert short.window.shape[1] == 900
    assert long.window.shape[1] == 350


def test_a_final_takes_no_partials_along(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    speaking, done = bench.backend.open(request(1), 0), bench.backend.open(request(2), 0)
    for stream in (speaking, done):
        stream.feed(voice(1.0))
    submitted: list[Any] = []
    bench.backend.pool.submit = submitted.append
    bench.backend.step([speaking], bench.now_ns)
    done.finalise()
    partial, final = submitted
    assert not bench.backend._fits(final, partial)
    assert bench.backend._fits(partial, partial)


def test_the_language_is_found_out_once_a_call(make: Callable[..., Any]) -> None:
    bench = make("guten tag", multilingual=True)
    asked: list[int] = []

    class Whisper:
        """The model, but for languages: CTranslate2 finds none in one that was never trained."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def detect_language(self, memory: Any) -> Any:
            asked.append(memory.shape[0])
            return [[("<|de|>", 0.9)]] * memory.shape[0]

    real, bench.backend.model.whisper = bench.backend.model.whisper, Whisper()
    for _ in range(3):
        stream = bench.backend.open(request(call=4, language=""), 0)
        bench.hear(stream, voice(1.6), chunk_s=1.6)
        assert bench.final(stream) == "guten tag"
        stream.close()
    assert asked == [1]
    assert {one.language for one in bench.passes} == {"de"}


def test_the_agents_language_is_taken(make: Callable[..., Any]) -> None:
    bench = make("guten tag", multilingual=True)
    stream = bench.backend.open(request(language="de-AT"), 0)
    stream.feed(voice(1.0))
    assert bench.final(stream) == "guten tag"
    assert [one.language for one in bench.passes] == ["de"]


@pytest.mark.parametrize("language", ["de", "xx"])
def test_a_language_that_the_model_does_not_know_is_refused(make: Callable[..., Any], language: str) -> None:
    with pytest.raises(CannotStart, match=language):
        make(SAYS, language=language)


def test_a_closed_utterance_is_looked_at_no_more(make: Callable[..., Any]) -> None:
    bench = make(SAYS)
    stream = bench.backend.open(request(), 0)
    bench.hear(stream, voice(0.5))
    before = len(bench.passes)
    stream.close()
    bench.hear(stream, voice(1.0))
    assert len(bench.passes) == before
    assert stream.final is None


def test_a_failing_model_fails_the_utterance(make: Callable[..., Any]) -> None:
    bench = make(SAYS)

    def fail(passes: Any) -> None:
        raise RuntimeError("no more")

    bench.backend.pool._run = fail
    stream = bench.backend.open(request(), 0)
    stream.feed(voice(1.0))
    stream.finalise()
    bench.step(stream)
    with pytest.raises(RuntimeError, match="no more"):
        _ = stream.final
