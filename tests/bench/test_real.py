"""What the benches with real models conclude; no model is needed for that."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from bench.bookings import PHRASINGS, WEEKDAYS, Booking, outcome, summary, wishes
from bench.models.kokoro import make_kokoro
from bench.peers.measures import Load
from bench.real.__main__ import RealLoad, carried, headlines, real_load
from bench.real.settings import Notes
from bench.real.soak import Round, growth_mb, verdicts

from ringline.engine.call import CallOver, ToolRan
from ringline.engine.conversation.actions import CallerSaid
from ringline.ipc.messages import ToolCall
from ringline.tools.caller.report import summarize
from ringline.tools.patient import Patient, Phrasing, Wish
from ringline.tools.real_models import FOLDER, find_real_models
from ringline.workers.base import CannotStart

SATURDAY = datetime.date(2026, 11, 28)
WISH = Wish("Tuesday", "half past ten", "2026-12-01", "10:30", "Monday")
RIGHT = "Tuesday, December first, at ten thirty in the morning. Is that right?"
WRONG = "Monday, November thirtieth, at ten thirty in the morning. Is that right?"
PLAIN = Phrasing(opening="an appointment", yes="yes", end="no thanks")


def booking(*booked: str) -> Booking:
    return Booking("am_adam", 0, "2026-12-01 10:30", booked, "bot", ("yes",), ("yes",), (500.0, 700.0), True)


def tool(name: str, result: str, **arguments: str) -> ToolRan:
    return ToolRan(ToolCall("1", name, dict(arguments)), result)


# --- the patient ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bot", "answer"),
    [
        ("Hello, this is the clinic. How can I help you?", "an appointment"),
        ("Which day would you like?", "Tuesday"),
        ("At what time?", "half past ten"),
        (RIGHT, "yes"),
        (WRONG, "no, Tuesday, half past ten"),
        ("Tuesday, December first, at ten in the morning. Is that right?", "no, Tuesday, half past ten"),
        ("Booked: Tuesday, at ten. Is there anything else I can do for you?", "no thanks"),
        ("Thank you for calling. Goodbye.", None),
    ],
)
def test_a_patient_answers_what_is_asked(bot: str, answer: str | None) -> None:
    assert Patient(PLAIN, WISH).answer(bot) == answer


def test_a_patient_who_wants_to_come_at_noon_takes_no_afternoon_for_it() -> None:
    patient = Patient(PLAIN, Wish("Tuesday", "noon", "2026-12-01", "12:00"))
    assert patient.answer("Tuesday, December first, at three in the afternoon. Is that right?") == "no, Tuesday, noon"
    assert patient.answer("Tuesday, December first, at noon. Is that right?") == "yes"


def test_a_patient_who_changes_its_mind_does_so_once() -> None:
    phrasing = Phrasing(opening="an appointment", day="{wrong_day}", correction="no, {day}", yes="yes")
    patient = Patient(phrasing, WISH)
    assert patient.answer("Which day would you like?") == "Monday"
    assert patient.answer(WRONG) == "no, Tuesday"
    assert patient.answer(RIGHT) == "yes"


def test_a_patient_who_is_not_understood_speaks_plainly_and_gives_up_in_the_end() -> None:
    patient = Patient(Phrasing(opening="an appointment", time="uh, {time}, if you can"), WISH)
    said = [patient.answer("At what time would you like to come?") for _ in range(4)]
    assert said == ["uh, half past ten, if you can", "at half past ten", "at half past ten", None]


def test_everything_a_patient_may_say_is_in_its_repertoire() -> None:
    patient = Patient(PHRASINGS[1], WISH)
    asked = ("How can I help you?", "Which day would you like?", "At what time?", WRONG, WRONG, RIGHT, "anything else?")
    said = [patient.answer(text) for text in (*asked, *asked)]
    assert set(said) - {None} <= set(patient.repertoire())


# --- bookings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("booked", "found"),
    [
        (("2026-12-01 10:30",), "right"),
        (("2026-12-02 10:30",), "wrong"),
        (("2026-12-01 10:30", "2026-12-02 10:30"), "wrong"),
        ((), "none"),
    ],
)
def test_only_the_wanted_day_and_time_is_right(booked: tuple[str, ...], found: str) -> None:
    assert booking(*booked).outcome == found


def test_the_diary_is_what_the_tools_left_in_it() -> None:
    told = [
        CallerSaid("monday at ten"),
        tool("book", '{"ok": false, "reason": "taken"}', day="2026-11-30", time="10:00"),
        tool("book", '{"ok": true}', day="2026-11-30", time="10:30"),
        tool("move", '{"ok": true}', old_day="2026-11-30", old_time="10:30", day="2026-12-01", time="11:00"),
        CallOver("bot", {}),
    ]
    found = outcome(told, summarize("twilio://x", []))
    assert (found["booked"], found["reason"], found["heard"]) == (("2026-12-01 11:00",), "bot", ("monday at ten",))


def test_bookings_are_counted_and_their_responses_taken_together() -> None:
    found = summary([booking("2026-12-01 10:30"), booking("2026-12-02 10:30"), booking()])
    assert (found["right"], found["wrong"], found["none"], found["turns"]) == (1, 1, 1, 6)
    assert found["response_p50_ms"] == 600.0


def test_wishes_are_open_days_in_the_future_and_all_different() -> None:
    for offset in range(7):
        today = SATURDAY + datetime.timedelta(days=offset)
        found = wishes(20, np.random.default_rng(offset), today, set())
        days = [datetime.date.fromisoformat(wish.date) for wish in found]
        assert all(today < day <= today + datetime.timedelta(days=7) and day.weekday() < 5 for day in days)
        assert [wish.day.split()[-1] for wish in found] == [WEEKDAYS[day.weekday()] for day in days]
        assert all(wish.wrong_day not in wish.day for wish in found)
        assert len({(wish.date, wish.clock) for wish in found}) == 20


def test_next_is_only_said_of_a_day_in_the_next_calendar_week() -> None:
    tuesday = datetime.date(2026, 12, 1)
    found = wishes(40, np.random.default_rng(1), tuesday, set())
    said_next = [datetime.date.fromisoformat(wish.date) for wish in found if wish.day.startswith("next")]
    assert said_next
    assert all(day.isocalendar().week == tuesday.isocalendar().week + 1 for day in said_next)


# --- calls at once ----------------------------------------------------------------------------------------------------


def real(calls: int, p95_ms: float = 1_000.0, lost: int = 0, apologies: int = 0, answered: int = 6) -> RealLoad:
    load = Load(calls, 6, answered, 0, 600.0, p95_ms, 21.0, 0.1, 200.0, 0.2, True)
    return RealLoad(load, lost, apologies, (), (), ())


@pytest.mark.parametrize(
    ("change", "carries"),
    [
        ({}, True),
        ({"p95_ms": 1_501.0}, False),
        ({"lost": 1}, False),
        ({"apologies": 1}, False),
        ({"answered": 5}, False),
    ],
)
def test_a_machine_carries_calls_that_are_all_answered_in_time(change: dict[str, float], carries: bool) -> None:
    assert real(4, **change).carries == carries  # type: ignore[arg-type]


def test_more_calls_do_not_count_where_fewer_were_too_many() -> None:
    assert carried([real(1), real(2), real(4, lost=1), real(8)]) == 2


def test_the_headline_sets_the_one_call_beside_the_peers() -> None:
    loads = {"ringline": [real(1)], "pipecat": [real(1, p95_ms=2_000.0)]}
    loads["pipecat"][0] = msgspec.structs.replace(
        loads["pipecat"][0], load=msgspec.structs.replace(loads["pipecat"][0].load, response_p50_ms=1_200.0)
    )
    figures = list(headlines({"loads": msgspec.to_builtins(loads)}).values())
    assert figures == ["ringline 600 ms, pipecat 1200 ms (0.50 of it)", "ringline 1, pipecat 0"]


def test_what_a_bot_notes_down_is_read_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    notes = Notes(str(path))
    for kind, text in (("heard", "hello"), ("said", "good\nmorning"), ("apology", "sorry"), ("problem", "no LLM")):
        notes(kind, text)
    found = real_load(summarize("twilio://x", []), 0.5, 100.0, path.read_text())
    assert (found.heard, found.said, found.apologies, found.problems) == (("hello",), ("good morning",), 1, ("no LLM",))


# --- the soak ---------------------------------------------------------------------------------------------------------


def rounds(*memory_mb: float) -> list[Round]:
    return [Round(30.0 * number, 8, 8, 0, 0, 900.0, {"stt-0": mb}, True) for number, mb in enumerate(memory_mb)]


def test_growth_is_from_the_first_half_to_the_second_behind_the_warm_up() -> None:
    assert growth_mb(rounds(100, 200, 300, 301, 302, 303)) == 2.0


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({}, set()),
        ({"restarts": 1}, {"restarts of workers"}),
        ({"overloaded": 3}, {"overloaded"}),
        ({"apologies": 1}, {"apologies"}),
        ({"rounds": msgspec.to_builtins(rounds(0, 0, 100, 100, 150, 150))}, {"memory"}),
    ],
)
def test_a_soak_says_what_is_not_as_it_should_be(change: dict[str, object], bad: set[str]) -> None:
    flat = msgspec.to_builtins(rounds(0, 0, 100, 100, 101, 101))
    result = {"minutes": 1.0, "calls": 2, "rounds": flat, "restarts": 0, "overloaded": 0, "apologies": 0} | change
    assert {what for what, (_, is_good) in verdicts(result).items() if not is_good} == bad


# --- the weights ------------------------------------------------------------------------------------------------------


def test_a_named_folder_is_looked_into_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("whisper-base", "kokoro"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(FOLDER, str(tmp_path))
    found = find_real_models()
    assert (found.whisper, found.kokoro) == (tmp_path / "whisper-base", tmp_path / "kokoro")


def test_the_models_that_the_readme_pulls_are_found_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (
        *(f"faster-whisper-base/{name}" for name in ("model.bin", "tokenizer.json", "vocabulary.txt")),
        *(f"kokoro-int8/{name}" for name in ("onnx/model_quantized.onnx", "tokenizer.json", "voices/af_heart.bin")),
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path))
    found = find_real_models()
    assert (found.whisper, found.kokoro) == (tmp_path / "faster-whisper-base", tmp_path / "kokoro-int8")


def test_what_is_missing_is_named_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whisper-base").mkdir()
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(CannotStart, match="`ringline models pull kokoro-int8` fetches"):
        find_real_models()


def test_models_are_taken_from_the_store_as_the_readme_has_them_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_kokoro(tmp_path / "kokoro-int8")
    (tmp_path / "faster-whisper-base").mkdir()
    for name in ("model.bin", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / "faster-whisper-base" / name).touch()
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    found = find_real_models()
    assert (found.whisper, found.kokoro) == (tmp_path / "faster-whisper-base", tmp_path / "kokoro-int8")


def test_nobody_wishes_for_what_another_voice_wants() -> None:
    taken: set[int] = set()
    lots = [wishes(4, np.random.default_rng(seed), SATURDAY, taken) for seed in range(5)]
    wanted = [(wish.date, wish.clock) for lot in lots for wish in lot]
    assert len(wanted) == len(set(wanted)) == 20
