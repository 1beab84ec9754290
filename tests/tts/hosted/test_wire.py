"""What hosted voices say on the wire, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from voice_servers import KEY, CartesiaServer, ElevenLabsServer, VoiceServer

from ringline.workers.tts.backend import Order

LONG = "This is a sentence of some length, and it is not the last one of them. " * 9
"""Three segments."""


@pytest.fixture
def cartesia() -> Iterator[CartesiaServer]:
    with CartesiaServer() as made:
        yield made


@pytest.fixture
def elevenlabs() -> Iterator[ElevenLabsServer]:
    with ElevenLabsServer() as made:
        yield made


def test_cartesia_is_asked_as_documented(cartesia: Any, started: Callable[..., Any], say: Callable[..., Any]) -> None:
    backend = started(cartesia.config(voice="a-voice"))
    say(backend, "Good morning.", language="de-DE", speed=1.2)
    (request,) = cartesia.handshakes
    assert request.path == "/tts/websocket"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert "cartesia-version" in request.headers
    message = cartesia.messages[-1]
    assert message.pop("context_id") != cartesia.messages[0]["context_id"]
    assert message == {
        "model_id": "sonic-3",
        "transcript": "Good morning.",
        "voice": {"id": "a-voice"},
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
        "continue": False,
        "max_buffer_delay_ms": 0,
        "add_timestamps": True,
        "use_normalized_timestamps": False,
        "language": "de",
        "generation_config": {"speed": 1.2},
    }


@pytest.mark.parametrize(("speed", "sent"), [(0.1, 0.6), (1.0, None), (9.0, 1.5)])
def test_cartesia_speed_is_held_within_its_range(
    cartesia: Any, started: Callable[..., Any], say: Callable[..., Any], speed: float, sent: float | None
) -> None:
    say(started(cartesia.config()), speed=speed)
    assert cartesia.messages[-1].get("generation_config", {}).get("speed") == sent


def test_cartesia_is_told_volume_and_emotion(
    cartesia: Any, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    say(started(cartesia.config(volume=1.5, emotion="calm")), voice="another")
    assert cartesia.messages[-1]["generation_config"] == {"volume": 1.5, "emotion": "calm"}
    assert cartesia.messages[-1]["voice"] == {"id": "another"}
    assert "language" not in cartesia.messages[-1]


def test_cartesia_context_is_cancelled_and_no_other(
    cartesia: Any, started: Callable[..., Any], begin: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(cartesia.config())
    whole = say(backend)[0]
    cartesia.hold_after = 2
    dropped, other = begin(backend), begin(backend)
    cartesia.wait_for(lambda: cartesia.holding == 2)
    dropped.close()
    cartesia.wait_for(lambda: "cancel" in cartesia.messages[-1])
    assert cartesia.messages[-1] == {"context_id": cartesia.messages[-3]["context_id"], "cancel": True}
    cartesia.release()
    list(other)
    assert cartesia.spoken[-1] == cartesia.messages[-2]["context_id"]
    assert say(backend)[0].size == whole.size
    assert len(cartesia.handshakes) == 1


@pytest.mark.parametrize("words_at", ["before", "after"])
def test_words_may_come_long_before_their_sound_or_behind_it(
    cartesia: Any, started: Callable[..., Any], say: Callable[..., Any], words_at: str
) -> None:
    backend = started(cartesia.config())
    samples, marks = say(backend, LONG)
    assert len(marks) == len(LONG.split())
    cartesia.words_at = words_at
    again, other_marks = say(backend, LONG)
    assert np.array_equal(again, samples)
    assert other_marks == marks


def test_message_may_end_within_a_sample(cartesia: Any, started: Callable[..., Any], say: Callable[..., Any]) -> None:
    backend = started(cartesia.config())
    samples, marks = say(backend)
    cartesia.halves_samples = True
    again, other_marks = say(backend)
    assert np.array_equal(again, samples)
    assert other_marks == marks


def test_elevenlabs_is_asked_as_documented(
    elevenlabs: Any, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(elevenlabs.config(voice="a/voice", stability=0.4))
    say(backend, "Good morning.", speed=1.1)
    (request,) = elevenlabs.handshakes
    assert urlsplit(request.path).path == "/v1/text-to-speech/a%2Fvoice/multi-stream-input"
    assert request.headers["xi-api-key"] == KEY
    assert elevenlabs.queries() == [
        {
            "model_id": ["eleven_flash_v2_5"],
            "output_format": ["pcm_16000"],
            "auto_mode": ["true"],
            "sync_alignment": ["true"],
            "inactivity_timeout": ["180"],
        }
    ]
    context = elevenlabs.messages[-1]["context_id"]
    assert elevenlabs.messages[-3:] == [
        {"text": " ", "voice_settings": {"stability": 0.4, "speed": 1.1}, "context_id": context},
        {"text": "Good morning. ", "context_id": context, "flush": True},
        {"context_id": context, "close_context": True},
    ]


@pytest.mark.parametrize(("speed", "sent"), [(0.1, 0.7), (1.0, None), (9.0, 1.2)])
def test_elevenlabs_speed_is_held_within_its_range(
    elevenlabs: Any, started: Callable[..., Any], say: Callable[..., Any], speed: float, sent: float | None
) -> None:
    say(started(elevenlabs.config()), speed=speed)
    assert elevenlabs.messages[-3].get("voice_settings") == (sent and {"speed": sent})


def test_elevenlabs_voice_and_language_have_a_connection_of_their_own(
    elevenlabs: Any, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(elevenlabs.config(language="en"))
    for language in ("en-US", "de", "de-AT"):
        say(backend, language=language)
    assert [query["language_code"] for query in elevenlabs.queries()] == [["en"], ["de"]]


def test_elevenlabs_model_of_one_language_is_told_none(elevenlabs: Any, started: Callable[..., Any]) -> None:
    started(elevenlabs.config(model="eleven_flash_v2", language="en"))
    assert "language_code" not in elevenlabs.queries()[0]


def test_elevenlabs_sixth_phrase_gets_another_connection(
    elevenlabs: Any, started: Callable[..., Any], begin: Callable[..., Any]
) -> None:
    backend = started(elevenlabs.config())
    elevenlabs.hold_after = 2
    phrases = [begin(backend) for _ in range(6)]
    assert len(elevenlabs.handshakes) == 2
    elevenlabs.release()
    for phrase in phrases:
        list(phrase)


def test_elevenlabs_cancelled_phrase_counts_until_the_server_has_ended_it(
    elevenlabs: Any, started: Callable[..., Any], begin: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(elevenlabs.config())
    whole = say(backend)[0]
    elevenlabs.hold_after = 2
    for _ in range(5):
        begin(backend).close()
    other = begin(backend)
    assert len(elevenlabs.handshakes) == 2
    elevenlabs.release()
    list(other)
    assert say(backend)[0].size == whole.size


def test_first_phrase_finds_a_connection(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    assert len(server.handshakes) == 1
    for _ in range(3):
        say(backend)
    assert len(server.handshakes) == 1


def test_idle_connection_that_is_lost_is_opened_again(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringline.workers.tts.hosted.SETTLED_S", 0.0)
    backend = started(server.config())
    server.hang_up()
    server.wait_for(lambda: server.num_open == 1 and len(server.handshakes) == 2)
    say(backend)
    assert len(server.handshakes) == 2


def test_connection_that_was_lost_at_once_is_opened_by_the_next_phrase(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    whole = say(backend)[0]
    server.hang_up()
    assert say(backend)[0].size == whole.size
    assert len(server.handshakes) == 2


def test_long_text_is_asked_for_as_it_is_taken(
    server: VoiceServer, started: Callable[..., Any], begin: Callable[..., Any]
) -> None:
    backend = started(server.config())
    asked = server.num_asked
    phrase = begin(backend, LONG)
    server.wait_for(lambda: len(server.spoken) == 2)
    assert server.num_asked == asked + 1
    list(phrase)
    assert server.num_asked == asked + 3


def test_what_cannot_be_spoken_is_not_sent(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    asked = server.num_asked
    for text in ("", "  ", "...", "🙂"):
        assert say(backend, text)[0].size == 0
    assert server.num_asked == asked


def test_phrase_that_is_never_taken_asks_for_nothing(server: VoiceServer, started: Callable[..., Any]) -> None:
    backend = started(server.config())
    asked = server.num_asked
    backend.synthesize(Order("Good morning.")).close()
    assert server.num_asked == asked


def test_worker_is_woken_when_something_has_come(server: VoiceServer) -> None:
    import threading

    from ringline.workers.tts import make_backend

    woken = threading.Event()
    backend = make_backend(server.config(), woken.set)
    backend.warm_up()
    woken.clear()
    phrase = backend.synthesize(Order("Good morning."))
    assert next(phrase) is None
    assert woken.wait(20)
    phrase.close()
    backend.close()  # type: ignore[attr-defined]
