"""Requests in flight: what goes to whom, what is sent again, and what the conversation gets to know of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ringline.engine.config import Config, EspeakTts, FlowLlm, PocketsphinxStt, SyntheticLlm, SyntheticStt, SyntheticTts
from ringline.engine.requests import MAX_DEATHS, MAX_SHARED_DEATHS, Requests
from ringline.engine.tiers import MAX_FAILURES, PAUSE_S, Tiers
from ringline.ipc.messages import (
    Bridge,
    Bridged,
    CancelReply,
    DropUtterance,
    Finalise,
    FromWorker,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    ReleaseSpeech,
    ReplyAwaitsModel,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    SpeechReleased,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
)

CALL = 64
TWO_TIERS = Config(
    stt=PocketsphinxStt(), llm=FlowLlm(), tts=EspeakTts(),
    stt_fallback=(SyntheticStt(),), llm_fallback=(SyntheticLlm(),), tts_fallback=(SyntheticTts(),),
)  # fmt: skip


class Worker:
    def __init__(self, kind: str, tier: int) -> None:
        self.kind = kind
        self.tier = tier
        self.bus_name = f"{kind}{tier}"
        self.state = "ready"


class Supervisor:
    """One worker for each tier of each stage."""

    def __init__(self, config: Config) -> None:
        self.workers = [
            Worker(stage, tier) for stage in ("stt", "llm", "tts") for tier in range(len(config.tiers(stage)))
        ]
        self.overdue: dict[str, float] = {}
        """Seconds by which what a worker's model runs should have come on, for those that can say."""

    def overdue_s(self, bus_name: str) -> float | None:
        return self.overdue.get(bus_name)

    def ready(self, kind: str, tier: int = 0) -> list[Worker]:
        return [w for w in self.workers if (w.kind, w.tier, w.state) == (kind, tier, "ready")]

    def expected(self, kind: str, tier: int) -> bool:
        return any(w.state != "down" for w in self.workers if (w.kind, w.tier) == (kind, tier))

    def worker(self, bus_name: str) -> Worker:
        return next(worker for worker in self.workers if worker.bus_name == bus_name)


class Desk:
    """`Requests`, with everything it sends and everything the conversation would get."""

    def __init__(self, config: Config = TWO_TIERS) -> None:
        self.now_s = 0.0
        self.supervisor = Supervisor(config)
        self.sent: list[tuple[str, ToWorker]] = []
        self.failures: list[FromWorker] = []
        self.tiers = Tiers(config, self.supervisor, lambda: self.now_s)  # type: ignore[arg-type]
        self.requests = Requests(self.supervisor, self.tiers, self._send, self.failures.append)  # type: ignore[arg-type]

    def _send(self, bus_name: str, message: ToWorker) -> bool:
        self.sent.append((bus_name, message))
        return True

    def new(self) -> list[tuple[str, ToWorker]]:
        """What was sent since the last look."""
        sent, self.sent = self.sent, []
        return sent

    def answer(self, bus_name: str, message: FromWorker) -> FromWorker | None:
        """What of it the conversation gets."""
        return self.requests.settle(bus_name, message)

    def die(self, bus_name: str, *working_on: int) -> None:
        """The worker dies over jobs of these calls, and its successor of the same name is ready at once."""
        self.requests.worker_down(bus_name, frozenset(working_on))


@pytest.fixture
def desk() -> Desk:
    return Desk()


TRANSCRIBE, FINALISE = Transcribe(CALL, 0, 1, 0), Finalise(CALL, 1, 16_000)
FINAL = TranscriptFinal(CALL, 1, "hello", 1.0, 0)


def generate(turn: int = 1, state: bytes = b"") -> Generate:
    return Generate(CALL, turn, 0, "speech", (), state)


def speak(phrase: int = 0, turn: int = 1, last: bool = False, voice: str = "en-us+f3") -> Speak:
    return Speak(CALL, 0, turn, phrase, f"phrase {phrase}", last, voice)


def finished(phrase: int = 0, turn: int = 1) -> PhraseFinished:
    return PhraseFinished(CALL, turn, phrase, 0, 100, 0)


# --- failures -----------------------------------------------------------------------------------------------------


def test_failed_utterance_goes_to_the_fallback_and_is_no_failure(desk: Desk) -> None:
    desk.requests.route(TRANSCRIBE)
    desk.requests.route(FINALISE)
    desk.new()
    assert desk.answer("stt0", TranscriptFailed(CALL, 1, "broken")) is None
    assert desk.new() == [("stt1", TRANSCRIBE), ("stt1", FINALISE)]
    assert desk.answer("stt1", FINAL) == FINAL


def test_failure_of_the_last_tier_is_delivered(desk: Desk) -> None:
    desk.requests.route(TRANSCRIBE)
    desk.answer("stt0", TranscriptFailed(CALL, 1, "broken"))
    failure = TranscriptFailed(CALL, 1, "broken too")
    assert desk.answer("stt1", failure) == failure
    assert len(desk.requests) == 0


def test_failure_without_a_fallback_is_delivered() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    failure = ReplyFailed(CALL, 1, 0, "broken")
    assert desk.answer("llm0", failure) == failure


def test_failed_reply_is_written_on_by_the_fallback(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.answer("llm0", ReplyDelta(CALL, 1, 0, "Well, ", 0))
    assert desk.answer("llm0", ReplyFailed(CALL, 1, 0, "broken")) is None
    assert desk.new()[-1] == ("llm1", msgspec.structs.replace(generate(), said="Well, "))


def test_fallback_that_is_down_is_passed_over(desk: Desk) -> None:
    desk.supervisor.worker("stt1").state = "down"
    desk.requests.route(TRANSCRIBE)
    failure = TranscriptFailed(CALL, 1, "broken")
    assert desk.answer("stt0", failure) == failure


def test_new_request_does_not_wait_for_a_main_tier_that_loads_again(desk: Desk) -> None:
    desk.supervisor.worker("stt0").state = "starting"
    desk.requests.route(TRANSCRIBE)
    assert desk.new() == [("stt1", TRANSCRIBE)]


def test_request_waits_for_a_fallback_that_is_starting(desk: Desk) -> None:
    desk.supervisor.worker("stt1").state = "starting"
    desk.requests.route(TRANSCRIBE)
    desk.answer("stt0", TranscriptFailed(CALL, 1, "broken"))
    desk.new()
    worker = desk.supervisor.worker("stt1")
    worker.state = "ready"
    desk.requests.worker_ready(worker)  # type: ignore[arg-type]
    assert desk.new() == [("stt1", TRANSCRIBE)]


def test_request_of_a_dead_worker_goes_to_a_fallback_that_is_ready(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.answer("llm0", ReplyDelta(CALL, 1, 0, "We open", 0))
    desk.requests.route(speak())
    desk.new()
    for name in ("llm0", "tts0"):
        desk.supervisor.worker(name).state = "loading"
        desk.die(name)
    sent = dict(desk.new())
    assert sent["llm1"].said == "We open"
    assert sent["tts1"].phrase == 0
    assert desk.tiers.choose("llm") == 1
    desk.supervisor.worker("llm0").state = "ready"
    assert desk.tiers.choose("llm") == 0  # it is not to blame


def test_request_of_a_dead_worker_waits_where_its_successor_is_ready_first(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.supervisor.worker("llm1").state = "loading"
    desk.supervisor.worker("llm0").state = "loading"
    desk.new()
    desk.die("llm0")
    desk.supervisor.worker("llm0").state = "ready"
    desk.requests.worker_ready(desk.supervisor.worker("llm0"))
    assert [name for name, _ in desk.new()] == ["llm0"]


def again(step: int) -> Generate:
    """Of what was written last nothing could be spoken, twice."""
    return msgspec.structs.replace(generate(), step=step, elsewhere=True)


def test_reply_that_cannot_be_spoken_is_written_by_the_fallback(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.answer("llm0", ReplyFinished(CALL, 1, 0))
    desk.new()
    desk.requests.route(again(1))
    assert [name for name, _ in desk.new()] == ["llm1"]


def test_reply_that_cannot_be_spoken_is_written_by_the_last_tier_again_if_there_is_no_further_one(desk: Desk) -> None:
    for step, request in enumerate((generate(), again(1), again(2))):
        desk.requests.route(request)
        desk.answer(f"llm{min(step, 1)}", ReplyFinished(CALL, 1, step))
    assert [name for name, _ in desk.new()] == ["llm0", "llm1", "llm1"]


def test_tier_whose_replies_cannot_be_spoken_gets_no_new_ones_for_a_while(desk: Desk) -> None:
    for turn in range(1, MAX_FAILURES + 1):
        desk.requests.route(generate(turn))
        desk.answer("llm0", ReplyFinished(CALL, turn, 0))
        desk.requests.route(msgspec.structs.replace(again(1), turn=turn))
        desk.answer("llm1", ReplyDelta(CALL, turn, 1, "Hello.", 0))
        desk.answer("llm1", ReplyFinished(CALL, turn, 1))
    assert desk.tiers.choose("llm") == 1
    desk.now_s += PAUSE_S + 1
    assert desk.tiers.choose("llm") == 0


def test_request_under_which_two_workers_died_goes_to_the_fallback(desk: Desk) -> None:
    desk.requests.route(generate())
    for _ in range(MAX_DEATHS):
        desk.die("llm0")
    assert desk.new()[-1] == ("llm1", generate())
    assert not desk.failures


def test_request_under_which_two_workers_died_is_failed_without_a_fallback() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    for _ in range(MAX_DEATHS):
        desk.die("llm0")
    assert desk.failures == [ReplyFailed(CALL, 1, 0, "2 workers died under it", is_final=True)]
    assert len(desk.requests) == 0


def of_call(call: int) -> Generate:
    return Generate(call, 1, 0, "speech", ())


def test_job_that_kills_its_workers_is_failed_and_those_that_waited_beside_it_are_not() -> None:
    desk = Desk(Config())
    for call in (64, 128, 192):
        desk.requests.route(of_call(call))
    for _ in range(MAX_DEATHS):
        desk.die("llm0", 128)
    assert desk.failures == [ReplyFailed(128, 1, 0, "2 workers died under it", is_final=True)]
    assert len(desk.requests) == 2


def test_those_that_waited_beside_one_killer_after_the_other_are_not_failed() -> None:
    desk = Desk(Config())
    killers = tuple(range(128, 512, 64))
    for call in (64, *killers):
        desk.requests.route(of_call(call))
    for call in killers:
        for _ in range(MAX_DEATHS):
            desk.die("llm0", call)
    assert [failure.call for failure in desk.failures] == list(killers)
    assert len(desk.requests) == 1


def test_those_that_ran_in_the_killers_batch_are_sent_again_to_run_alone_and_are_not_failed() -> None:
    desk = Desk(Config())
    for call in (64, 128):
        desk.requests.route(of_call(call))
    desk.new()
    desk.die("llm0", 64, 128)
    assert desk.new() == [("llm0", msgspec.structs.replace(of_call(call), alone=True)) for call in (64, 128)]
    desk.die("llm0", 128)
    assert [failure.call for failure in desk.failures] == [128]
    assert len(desk.requests) == 1


def test_where_a_worker_cannot_say_what_it_worked_on_all_it_had_get_one_attempt_more() -> None:
    desk = Desk(Config())
    for call in (64, 128):
        desk.requests.route(of_call(call))
    for _ in range(MAX_SHARED_DEATHS - 1):
        desk.die("llm0")
    assert not desk.failures
    desk.die("llm0")
    assert {failure.call for failure in desk.failures} == {64, 128}


def test_what_the_dead_worker_named_and_no_longer_had_is_blamed_for_nothing() -> None:
    """It was answered, or cancelled, a moment before: then those that were there are the suspects."""
    desk = Desk(Config())
    desk.requests.route(of_call(64))
    for _ in range(MAX_DEATHS):
        desk.die("llm0", 128)
    assert [failure.call for failure in desk.failures] == [64]


# --- lateness -----------------------------------------------------------------------------------------------------


def test_late_utterance_is_dropped_there_and_sent_to_the_fallback(desk: Desk) -> None:
    desk.requests.route(TRANSCRIBE)
    desk.new()
    desk.requests.escalate(CALL, "stt", 1)
    assert desk.new() == [("stt0", DropUtterance(CALL, 1)), ("stt1", TRANSCRIBE)]
    assert not desk.failures


def test_late_answer_of_the_worker_it_was_taken_from_is_ignored(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.requests.escalate(CALL, "llm", 1)
    assert desk.answer("llm0", ReplyDelta(CALL, 1, 0, "Late.", 0)) is None
    assert desk.answer("llm0", ReplyFailed(CALL, 1, 0, "late")) is None
    in_time = ReplyDelta(CALL, 1, 0, "In time.", 0)
    assert desk.answer("llm1", in_time) == in_time


def test_lateness_without_a_fallback_is_a_failure() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    desk.new()
    desk.requests.escalate(CALL, "llm", 1)
    assert desk.new() == [("llm0", CancelReply(CALL, 1))]
    assert desk.failures == [ReplyFailed(CALL, 1, 0, "no answer in time")]
    assert len(desk.requests) == 0


@pytest.mark.parametrize("overdue_s", [-1.0, 0.0, 1.9])
def test_what_waits_for_a_model_that_comes_on_is_not_late(overdue_s: float) -> None:
    desk = Desk(Config())
    desk.requests.route(speak())
    desk.supervisor.overdue["tts0"] = overdue_s
    desk.new()
    desk.requests.escalate(CALL, "tts", 1)
    assert not desk.failures
    assert not desk.new()
    assert len(desk.requests) == 1


def test_what_waits_for_a_model_that_does_not_come_on_is_late() -> None:
    desk = Desk(Config())
    desk.requests.route(speak())
    desk.supervisor.overdue["tts0"] = 2.1
    desk.requests.escalate(CALL, "tts", 1)
    assert [type(failure) for failure in desk.failures] == [PhraseFailed]


def test_what_waits_too_long_goes_to_the_fallback_and_the_main_tier_is_not_blamed(desk: Desk) -> None:
    desk.supervisor.overdue["stt0"] = 0.0
    for utterance in range(1, MAX_FAILURES + 2):
        desk.requests.route(Transcribe(CALL, 0, utterance, 0))
        desk.requests.escalate(CALL, "stt", utterance)
        assert desk.new()[-1][0] == "stt1"
    desk.requests.route(Transcribe(CALL, 0, 99, 0))
    assert desk.new()[-1][0] == "stt0"


def test_reply_is_not_late_while_its_server_writes_others() -> None:
    desk = Desk(Config())
    for call in (64, 128):
        desk.requests.route(of_call(call))
    desk.answer("llm0", ReplyDelta(128, 1, 0, "Well, ", 0))
    desk.requests.escalate(64, "llm", 1)
    assert not desk.failures
    desk.requests.escalate(64, "llm", 1)  # and nothing came in between
    assert [failure.call for failure in desk.failures] == [64]


def test_reply_that_has_begun_and_stops_is_late_whatever_others_do() -> None:
    desk = Desk(Config())
    for call in (64, 128):
        desk.requests.route(of_call(call))
    desk.answer("llm0", ReplyDelta(64, 1, 0, "Well, ", 0))
    desk.answer("llm0", ReplyDelta(128, 1, 0, "Well, ", 0))
    desk.requests.escalate(64, "llm", 1)
    assert [failure.call for failure in desk.failures] == [64]


def test_answers_of_before_do_not_make_a_reply_wait() -> None:
    desk = Desk(Config())
    desk.requests.route(of_call(128))
    desk.answer("llm0", ReplyDelta(128, 1, 0, "Well, ", 0))
    desk.requests.route(of_call(64))
    desk.requests.escalate(64, "llm", 1)
    assert [failure.call for failure in desk.failures] == [64]


def test_voice_that_lags_behind_is_relieved_by_the_fallback_until_it_has_caught_up(desk: Desk) -> None:
    desk.tiers.relieved = frozenset({"tts"})
    desk.requests.route(speak(last=True))
    assert desk.new()[-1][0] == "tts1"
    desk.answer("tts1", finished())
    desk.tiers.relieved = frozenset()
    desk.requests.route(speak(turn=2))
    assert [message for _, message in desk.new()] == [ReleaseSpeech(CALL)]
    desk.answer("tts1", SpeechReleased(CALL))
    assert desk.new()[-1][0] == "tts0"


def test_voice_without_a_fallback_is_not_relieved() -> None:
    desk = Desk(Config())
    desk.tiers.relieved = frozenset({"tts"})
    desk.requests.route(speak())
    assert desk.new()[-1][0] == "tts0"


def test_recogniser_that_lags_behind_is_asked_for_no_hypotheses(desk: Desk) -> None:
    desk.requests.partials = False
    desk.requests.route(TRANSCRIBE)
    assert desk.new() == [("stt0", msgspec.structs.replace(TRANSCRIBE, partials=False))]


def test_bridge_goes_to_whom_the_phrase_waits_at_and_nowhere_without_one(desk: Desk) -> None:
    bridge = Bridge(CALL, 1, 0, 0, "One moment, please.", "en-us+f3")
    desk.requests.route(bridge)
    assert not desk.new()
    desk.requests.route(speak())
    desk.new()
    desk.requests.route(bridge)
    assert desk.new() == [("tts0", bridge)]


def test_bridge_of_another_backend_has_its_own_voice(desk: Desk) -> None:
    desk.tiers.relieved = frozenset({"tts"})
    desk.requests.route(speak())
    desk.new()
    bridge = Bridge(CALL, 1, 0, 0, "One moment, please.", "en-us+f3")
    desk.requests.route(bridge)
    assert desk.new() == [("tts1", msgspec.structs.replace(bridge, voice=""))]


def test_bridge_of_a_worker_that_has_not_the_ring_is_ignored(desk: Desk) -> None:
    desk.requests.route(speak())
    bridged = Bridged(CALL, 1, 0, 0, 0, 800, 0)
    assert desk.answer("tts1", bridged) is None
    assert desk.answer("tts0", bridged) == bridged


def test_worker_that_is_being_replaced_makes_nothing_late() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    desk.supervisor.worker("llm0").state = "starting"
    desk.die("llm0")
    desk.requests.escalate(CALL, "llm", 1)
    assert not desk.failures
    desk.supervisor.worker("llm0").state = "ready"
    desk.new()
    desk.requests.worker_ready(desk.supervisor.worker("llm0"))  # type: ignore[arg-type]
    assert desk.new() == [("llm0", msgspec.structs.replace(generate(), alone=True))]
    desk.requests.escalate(CALL, "llm", 1)
    assert not desk.failures


def test_lateness_of_what_has_answered_is_nothing(desk: Desk) -> None:
    desk.requests.route(TRANSCRIBE)
    desk.answer("stt0", FINAL)
    desk.new()
    desk.requests.escalate(CALL, "stt", 1)
    assert not desk.new()
    assert not desk.failures


def test_taking_a_draft_away_does_not_cancel_the_turn_before_it(desk: Desk) -> None:
    desk.requests.route(generate(turn=1))
    desk.requests.route(generate(turn=2))
    desk.new()
    desk.requests.escalate(CALL, "llm", 2)
    assert desk.new() == [("llm1", generate(turn=2))]
    delta = ReplyDelta(CALL, 1, 0, "Still here.", 0)
    assert desk.answer("llm0", delta) == delta


# --- speech: one writer for each ring -----------------------------------------------------------------------------


def test_fallback_speaks_only_when_the_ring_is_let_go(desk: Desk) -> None:
    desk.requests.route(speak(0))
    desk.new()
    desk.requests.escalate(CALL, "tts", 1)
    desk.requests.route(speak(1, last=True))
    assert desk.new() == [("tts0", ReleaseSpeech(CALL))]
    assert desk.answer("tts0", SpeechReleased(CALL)) is None
    (first, begun), (second, following) = desk.new()
    assert (first, second) == ("tts1", "tts1")
    assert [message.phrase for message in (begun, following)] == [0, 1]  # type: ignore[union-attr]
    assert [message.other_voice for message in (begun, following)] == [True, False]  # type: ignore[union-attr]


def test_fallback_speaks_when_the_ring_s_writer_has_died(desk: Desk) -> None:
    desk.requests.route(speak(0))
    desk.requests.escalate(CALL, "tts", 1)
    desk.new()
    desk.die("tts0")
    assert [name for name, _ in desk.new()] == ["tts1"]


def test_phrase_finished_while_letting_go_counts(desk: Desk) -> None:
    desk.requests.route(speak(0))
    desk.requests.escalate(CALL, "tts", 1)
    desk.new()
    assert desk.answer("tts0", finished(0)) == finished(0)
    desk.answer("tts0", SpeechReleased(CALL))
    assert not desk.new()


def test_failed_phrase_goes_to_the_fallback_and_is_no_failure(desk: Desk) -> None:
    desk.requests.route(speak(0))
    desk.new()
    assert desk.answer("tts0", PhraseFailed(CALL, 1, 0, "broken")) is None
    assert desk.new() == [("tts0", ReleaseSpeech(CALL))]
    desk.answer("tts0", SpeechReleased(CALL))
    assert [name for name, _ in desk.new()] == ["tts1"]


def test_another_backend_is_not_asked_for_the_first_one_s_voice(desk: Desk) -> None:
    desk.requests.route(speak(0))
    assert desk.new()[0][1].voice == "en-us+f3"  # type: ignore[union-attr]
    desk.requests.escalate(CALL, "tts", 1)
    desk.answer("tts0", SpeechReleased(CALL))
    assert desk.new()[-1][1].voice == ""  # type: ignore[union-attr]


def test_phrase_that_fails_everywhere_is_ended_in_the_ring_and_the_next_is_spoken() -> None:
    desk = Desk(Config())
    desk.requests.route(speak(0))
    desk.requests.route(speak(1, last=True))
    desk.new()
    failure = PhraseFailed(CALL, 1, 0, "broken")
    assert desk.answer("tts0", failure) == failure
    desk.answer("tts0", SpeechReleased(CALL))
    assert desk.new() == [
        ("tts0", ReleaseSpeech(CALL)),
        ("tts0", msgspec.structs.replace(speak(0), text="")),
        ("tts0", speak(1, last=True)),
    ]
    assert desk.answer("tts0", finished(0)) is None
    assert desk.answer("tts0", finished(1)) == finished(1)
    assert len(desk.requests) == 0


def test_late_phrase_without_a_fallback_is_failed() -> None:
    desk = Desk(Config())
    desk.requests.route(speak(0))
    desk.requests.escalate(CALL, "tts", 1)
    assert desk.failures == [PhraseFailed(CALL, 1, 0, "no answer in time")]


def test_speech_returns_to_the_main_tier_with_the_next_turn(desk: Desk) -> None:
    desk.requests.route(speak(0, last=True))
    desk.requests.escalate(CALL, "tts", 1)
    desk.answer("tts0", SpeechReleased(CALL))
    desk.answer("tts1", finished(0))
    desk.new()
    desk.requests.route(speak(0, turn=2))
    assert desk.new() == [("tts1", ReleaseSpeech(CALL))]
    desk.answer("tts1", SpeechReleased(CALL))
    assert desk.new() == [("tts0", speak(0, turn=2))]


def test_facts_about_a_ring_count_from_its_writer_only(desk: Desk) -> None:
    desk.requests.route(speak(0))
    started = PhraseStarted(CALL, 1, 0, 0, 0)
    assert desk.answer("tts1", started) is None
    assert desk.answer("tts0", started) == started


def test_at_no_time_do_two_workers_hold_a_ring() -> None:
    """Whatever the order of failures, lateness, deaths and cancels: between two workers' phrases lies a letting go."""
    import random

    for seed in range(300):
        order, desk, holder, turn = random.Random(seed), Desk(), "", 1
        phrases: dict[int, int] = {}
        for _ in range(40):
            match order.randrange(7):
                case 0 | 1:
                    phrases[turn] = phrases.get(turn, -1) + 1
                    desk.requests.route(speak(phrases[turn], turn))
                case 2:
                    turn += 1
                case 3:
                    desk.requests.escalate(CALL, "tts", turn)
                case 4:
                    name = order.choice(["tts0", "tts1"])
                    holder = "" if holder == name else holder
                    desk.die(name)
                case 5 if holder:
                    failed = holder
                    desk.answer(failed, PhraseFailed(CALL, turn, 0, "broken"))
                case 6 if holder:
                    desk.answer(holder, finished(order.randrange(3), turn))
            while sent := desk.new():
                for name, message in sent:
                    if isinstance(message, Speak):
                        assert holder in ("", name), seed
                        holder = name
                    elif isinstance(message, ReleaseSpeech) and name == holder and order.random() < 0.7:
                        holder = ""
                        desk.answer(name, SpeechReleased(CALL))


# --- which tier ---------------------------------------------------------------------------------------------------


def fail_main(desk: Desk, utterance: int) -> str:
    """A request that the main tier fails, if it gets it. Returns who got it first."""
    desk.new()
    desk.requests.route(Transcribe(CALL, 0, utterance, 0))
    name = desk.new()[0][0]
    desk.answer("stt0", TranscriptFailed(CALL, utterance, "broken"))
    desk.answer("stt1", TranscriptFinal(CALL, utterance, "hello", 1.0, 0))
    return name


def test_one_failure_does_not_keep_the_next_request_away(desk: Desk) -> None:
    assert [fail_main(desk, 1), fail_main(desk, 2)] == ["stt0", "stt0"]


def test_tier_that_keeps_failing_gets_no_new_requests_for_a_while(desk: Desk) -> None:
    names = [fail_main(desk, number) for number in range(MAX_FAILURES + 2)]
    assert names == ["stt0"] * MAX_FAILURES + ["stt1"] * 2


def test_one_request_probes_a_tier_after_its_pause(desk: Desk) -> None:
    for number in range(MAX_FAILURES):
        fail_main(desk, number)
    desk.now_s += PAUSE_S
    assert [fail_main(desk, 10), fail_main(desk, 11)] == ["stt0", "stt1"]


def test_tier_that_passes_the_probe_serves_again(desk: Desk) -> None:
    for number in range(MAX_FAILURES):
        fail_main(desk, number)
    desk.now_s += PAUSE_S
    desk.requests.route(Transcribe(CALL, 0, 10, 0))
    desk.answer("stt0", TranscriptFinal(CALL, 10, "hello", 1.0, 0))
    assert [fail_main(desk, 11), fail_main(desk, 12)] == ["stt0", "stt0"]


def test_main_tier_that_fails_is_used_while_its_fallback_is_down(desk: Desk) -> None:
    for number in range(MAX_FAILURES):
        fail_main(desk, number)
    desk.supervisor.worker("stt1").state = "down"
    assert fail_main(desk, 10) == "stt0"


# --- states -------------------------------------------------------------------------------------------------------


def reply(desk: Desk, name: str, turn: int, state: bytes) -> Any:
    return desk.answer(name, ReplyFinished(CALL, turn, 0, state=state)).state  # type: ignore[union-attr]


def test_each_backend_is_given_its_own_state_of_the_call(desk: Desk) -> None:
    desk.requests.route(generate(1))
    states = reply(desk, "llm0", 1, b"flow at noon")
    desk.requests.route(generate(2, states))
    desk.requests.escalate(CALL, "llm", 2)
    assert desk.new()[-1][1].state == b""  # type: ignore[union-attr]
    states = reply(desk, "llm1", 2, b"other")
    desk.requests.route(generate(3, states))
    assert desk.new()[-1][1].state == b"flow at noon"  # type: ignore[union-attr]


def test_state_of_a_sole_backend_is_passed_as_it_is() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    assert reply(desk, "llm0", 1, b"as it is") == b"as it is"


# --- a model that is loading --------------------------------------------------------------------------------------

LOADS = ReplyAwaitsModel(CALL, 1, 0)


def test_a_reply_waits_for_a_model_that_is_loading_where_there_is_no_fallback() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    assert desk.answer("llm0", LOADS) == LOADS
    desk.new()
    desk.requests.escalate(CALL, "llm", 1)
    assert (desk.new(), desk.failures) == ([], [])


def test_a_fallback_is_quicker_than_a_model_that_is_loading(desk: Desk) -> None:
    desk.requests.route(generate())
    desk.answer("llm0", LOADS)
    desk.requests.escalate(CALL, "llm", 1)
    assert desk.new()[-1] == ("llm1", generate())


def test_a_reply_that_has_begun_waits_for_no_model() -> None:
    desk = Desk(Config())
    desk.requests.route(generate())
    desk.answer("llm0", LOADS)
    desk.answer("llm0", ReplyDelta(CALL, 1, 0, "Well, ", 0))
    desk.requests.escalate(CALL, "llm", 1)
    assert len(desk.failures) == 1
