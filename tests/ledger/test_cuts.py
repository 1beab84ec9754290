"""A reply that is cut: the words that the engine tells of are those whose audio left on the wire, give or take one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from ringline import Agent, Tool, tool
from ringline.engine.config import SyntheticTts
from ringline.engine.conversation.events import HangUpAsked
from ringline.engine.conversation.history import INTERRUPTED, VOICE_RULES
from ringline.ipc.messages import DtmfReceived, Generate, Speak, ToolCall
from ringline.workers.tts.synthetic import CHARACTER_MS

NUM_CUTS = 200

VOCABULARY = (
    "a I to on at we is the and you can call room with from early table doctor please between morning afternoon "
    "appointment nevertheless straightforward internationalisation $25.50 9:30 42"
)
WORDS = VOCABULARY.split()


def reply(rng: random.Random, num_sentences: int = 4) -> str:
    sentences = []
    for _ in range(num_sentences):
        words = rng.choices(WORDS, k=rng.randint(3, 9))
        comma = rng.randrange(2, 9)
        words[:-1] = [word + "," if number == comma else word for number, word in enumerate(words[:-1])]
        sentences.append(f"So {' '.join(words)} then.")
    return " ".join(sentences)


@tool
def book() -> dict[str, bool]:
    """Book."""
    return {"ok": True}


# --- what happens before the cut: each brings the call to the first sound of the turn, and returns its number ---------


def plain(line: Any, rng: random.Random) -> int:
    text = reply(rng)
    line.say = lambda request: text if request.turn == 1 else "Go on."
    line.answer()
    line.run_until(lambda: 1 in line.began)
    return 1


def answer(line: Any, rng: random.Random) -> int:
    """Behind another turn that was heard out."""
    text = reply(rng)
    line.say = lambda request: {"opening": "Hello there.", "speech": text}.get(request.cause, "Go on.")
    line.answer()
    line.run(2_500)
    line.speaks("well hello")
    line.run_until(lambda: max(line.began) > 1)
    line.say = lambda request: "Go on."
    return max(line.began)


def with_tool(line: Any, rng: random.Random) -> int:
    texts = [f"So let me {' '.join(rng.choices(WORDS, k=rng.randint(1, 6)))} now.", reply(rng, 3)]
    line.tool_ms = rng.uniform(0, 3_000)

    def say(request: Generate) -> Any:
        if request.turn > 1:
            return "Go on."
        return (texts[0], (ToolCall("a", "book", {}),)) if request.step == 0 else texts[1]

    line.say = say
    line.answer()
    line.run_until(lambda: 1 in line.began)
    return 1


def with_filler(line: Any, rng: random.Random) -> int:
    text = reply(rng)
    line.say = lambda request: text if request.turn == 1 else "Go on."
    line.llm_ms = rng.uniform(600, 2_500)
    line.answer()
    line.run_until(lambda: 1 in line.began)
    line.llm_ms = 5.0
    return 1


def paused(line: Any, rng: random.Random) -> int:
    """The caller hums: the bot pauses and goes on, once or twice."""
    turn = plain(line, rng)
    for _ in range(rng.randint(1, 2)):
        line.run(rng.uniform(0, 1_500))
        line.speaks("uh-huh", rng.uniform(60, 300))
        line.run(400)
    return turn


def reported_late(line: Any, rng: random.Random) -> int:
    line.report_ms = rng.uniform(20, 250)
    turn = plain(line, rng)
    line.run(line.report_ms + 1)
    return turn


def paused_and_reported_late(line: Any, rng: random.Random) -> int:
    line.report_ms = rng.uniform(20, 250)
    return paused(line, rng)


# --- the cut ----------------------------------------------------------------------------------------------------------


def by_speech(line: Any, rng: random.Random) -> None:
    line.speaks("wait stop that please", partial_ms=rng.choice([0, 100, 300]))


def by_key(line: Any, rng: random.Random) -> None:
    """The next reply begins at once: nobody waits for capture's report."""
    for digit in "1#":
        line.handle(DtmfReceived(1, digit, line.now_ns))


def by_hanging_up(line: Any, rng: random.Random) -> None:
    line.handle(HangUpAsked("operator"))


WAYS = (by_speech, by_key, by_hanging_up)


def anywhere(line: Any, turn: int, rng: random.Random) -> float:
    return rng.uniform(0, 7_000)


def in_the_first_words(line: Any, turn: int, rng: random.Random) -> float:
    return rng.uniform(0, 400)


def where_a_phrase_ends(line: Any, turn: int, rng: random.Random) -> float:
    lengths = [len(speak.text) * CHARACTER_MS for speak in line.of(Speak) if speak.turn == turn and speak.text]
    return max(0.0, sum(lengths[: rng.randint(1, len(lengths))]) + rng.uniform(-60, 60))


Setup = Callable[[Any, random.Random], int]
Moment = Callable[[Any, int, random.Random], float]

KINDS: tuple[tuple[Setup, Moment, dict[str, Any]], ...] = (
    (plain, anywhere, {}),
    (plain, in_the_first_words, {}),
    (plain, where_a_phrase_ends, {}),
    (answer, anywhere, {}),
    (paused, anywhere, {}),
    (with_tool, anywhere, {}),
    (with_filler, anywhere, {}),
    (reported_late, anywhere, {}),
    (paused_and_reported_late, anywhere, {}),
    (plain, anywhere, {"buffered": True}),
)


def cut(line: Any, number: int, marks: bool) -> tuple[Any, int]:
    """The call with the cut of this number, and the turn that is cut."""
    rng = random.Random(number)
    setup, moment, options = KINDS[number % len(KINDS)]
    tts = SyntheticTts(
        coded=True,
        marks=marks,
        first_audio_ms=rng.randint(0, 80),
        realtime_factor=rng.uniform(0.9, 1.3) if rng.random() < 0.3 else 0.1,  # some are as slow as they speak
    )
    call = line(
        tts,
        rate_hz=rng.choice([8_000, 16_000]),
        agent=Agent("test", tools={"book": Tool.of(book)}, speed=rng.choice([0.6, 1.0, 1.0, 1.4])),
        hop_ms=rng.uniform(0.1, 2),
        dead_air_ms=500 if setup is with_filler else 5_000,
        **options,
    )
    turn = setup(call, rng)
    call.run(moment(call, turn, rng))
    WAYS[number // len(KINDS) % len(WAYS)](call, rng)
    call.run(1_500)
    return call, turn


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "letters"])
def test_what_is_told_of_a_cut_reply_is_what_was_on_the_wire_give_or_take_a_word(line: Any, marks: bool) -> None:
    off: Counter[int] = Counter()
    num_known = number = 0
    while off.total() < NUM_CUTS:
        call, turn = cut(line, number, marks)
        number += 1
        said = call.said(turn)
        if said is None or not said.interrupted:
            continue  # it was over before
        heard = call.heard(turn)
        off[heard.off_by] += 1
        num_known += said.exact
        assert abs(heard.off_by) <= 1, (number - 1, heard)
        if heard.own:  # else the reply has left nothing behind
            assert " ".join(heard.own) in " ".join(call.in_history()), number - 1
            assert any(content.endswith(INTERRUPTED) for content in call.contents("assistant")), number - 1
    print(f"\n{off.total()} cuts: {off[0]} exact, {off[-1]} a word short, {off[1]} a word over; {num_known} known")
    assert off[0] >= NUM_CUTS * 0.7
    assert (num_known > NUM_CUTS * 0.9) == marks


@pytest.mark.parametrize("number", range(12))
def test_reply_that_pauses_and_goes_on_is_told_whole_and_heard_once(line: Any, number: int) -> None:
    rng = random.Random(number)
    tts = SyntheticTts(coded=True, marks=bool(number % 2), realtime_factor=rng.choice([0.1, 1.1]))
    call = line(tts, rate_hz=rng.choice([8_000, 16_000]))
    call.report_ms = rng.choice([0, 200])
    turn = plain(call, rng)
    for _ in range(4):
        call.run(rng.uniform(0, 900))
        call.speaks("uh-huh", rng.uniform(60, 300))
        call.run(500)
    call.run_until(lambda: call.said(turn))
    heard = call.heard(turn)
    assert not call.said(turn).interrupted
    assert call.said(turn).trace.num_pauses >= 3
    assert heard.on_wire == len(heard.told) == len(heard.text)


def test_next_prompt_holds_the_words_heard_and_the_marker_that_the_voice_rules_explain(line: Any) -> None:
    call = line(agent=Agent("test", prompt="You are a bot."))
    turn = plain(call, random.Random(1))
    call.run(2_500)
    by_speech(call, random.Random(1))
    call.run(3_000)
    request = call.of(Generate)[-1]
    said = next(message.content for message in request.messages if message.role == "assistant")
    assert said == " ".join(call.heard(turn).told) + INTERRUPTED
    assert f'"{INTERRUPTED}" behind your own words means that the caller spoke over you' in VOICE_RULES
    assert VOICE_RULES.splitlines()[-2] in request.messages[0].content


def test_brain_is_asked_after_a_key_once_capture_has_said_what_was_heard(line: Any) -> None:
    call = line()
    plain(call, random.Random(1))
    call.run(2_500)
    call.report_ms = 100.0
    by_key(call, random.Random(1))
    asked = len(call.of(Generate))
    call.run(90)
    assert len(call.of(Generate)) == asked
    call.run(40)
    assert len(call.of(Generate)) == asked + 1
    assert call.said(1).exact


def test_brain_is_asked_after_a_key_even_if_capture_says_nothing(line: Any) -> None:
    call = line()
    plain(call, random.Random(1))
    call.run(2_500)
    call.report_ms = 10_000.0
    by_key(call, random.Random(1))
    asked = len(call.of(Generate))
    call.run(310)
    assert len(call.of(Generate)) == asked + 1
    assert not call.said(1).exact
    assert abs(call.heard(1).off_by) <= 1
