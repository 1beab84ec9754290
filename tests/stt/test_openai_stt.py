"""Any server with OpenAI's transcription endpoint: what goes over the wire."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hosted_utterances import PLAIN, SPOKEN, Wake, speak, transcribe
from servers import TEXT, OpenAiServer, openai_server

from ringline.engine.config import OpenAiStt
from ringline.workers.base import CannotStart
from ringline.workers.stt import make_backend

pytest.importorskip("openai", reason="the openai extra is not installed")


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server() as made:
        yield made


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def backend(server: OpenAiServer, wake: Wake, request: pytest.FixtureRequest) -> Iterator[Any]:
    options = getattr(request, "param", {})
    made: Any = make_backend(OpenAiStt(base_url=f"http://127.0.0.1:{server.port}/v1", **options), wake=wake)
    made.warm_up()
    server.requests.clear()
    yield made
    made.close()


def test_utterance_is_sent_whole_as_a_wav_file(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    assert transcribe(backend, wake) == TEXT
    (request,) = server.requests
    with wave.open(io.BytesIO(request["file"])) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16_000)
        np.testing.assert_array_equal(np.frombuffer(sound.readframes(sound.getnframes()), "<i2"), SPOKEN)


def test_request_names_model_language_and_what_the_bot_asked(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    transcribe(backend, wake)
    (request,) = server.requests
    assert request["path"] == b"/v1/audio/transcriptions"
    assert request["model"] == b"gpt-4o-mini-transcribe"
    assert request["response_format"] == b"json"
    assert request["language"] == b"en"
    assert request["prompt"].decode() == "For how many?"


def test_what_is_not_known_is_not_sent(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    transcribe(backend, wake, PLAIN)
    assert not {"language", "prompt"} & server.requests[0].keys()


def test_text_is_taken_as_it_is(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    server.text = " Zwei Stühle, 日本語 🙂 "
    assert transcribe(backend, wake) == "Zwei Stühle, 日本語 🙂"


def test_next_to_nothing_is_not_worth_a_request(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    assert transcribe(backend, wake, samples=SPOKEN[:1_000]) == ""
    assert server.requests == []


@pytest.mark.parametrize("backend", [{"stream": True}], indirect=True)
def test_streamed_text_is_taken_piece_by_piece(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    assert transcribe(backend, wake) == TEXT
    assert server.requests[0]["stream"] == b"true"


@pytest.mark.parametrize("backend", [{"partial_ms": 500}], indirect=True)
def test_partials_are_asked_for_while_the_caller_speaks(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    stream = backend.open(PLAIN, 0)
    speak(stream, SPOKEN[:16_000])
    wake.wait_for(lambda: stream.partial == TEXT)
    assert stream.final is None
    stream.close()


@pytest.mark.parametrize("backend", [{"partial_ms": 500}], indirect=True)
def test_final_does_not_wait_for_a_partial(backend: Any, server: OpenAiServer, wake: Wake) -> None:
    held = server.answers
    held.clear()
    stream = backend.open(PLAIN, 0)
    speak(stream, SPOKEN[:16_000])
    wake.wait_for_quiet(lambda: server.requests)
    server.answers = threading.Event()
    server.answers.set()
    stream.finalise()
    wake.wait_for(lambda: stream.final is not None)
    assert stream.final == TEXT
    stream.close()
    held.set()


def test_without_partial_ms_nothing_is_sent_before_the_end(backend: Any, server: OpenAiServer) -> None:
    stream = backend.open(PLAIN, 0)
    speak(stream)
    stream.close()
    assert server.requests == []


def test_key_of_the_environment_is_not_sent_to_a_server_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, server: OpenAiServer, wake: Wake
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    made: Any = make_backend(OpenAiStt(base_url=f"http://127.0.0.1:{server.port}/v1"), wake=wake)
    made.warm_up()
    made.close()
    assert b"secret" not in server.requests[0]["authorization"]


def test_configured_key_is_sent(monkeypatch: pytest.MonkeyPatch, server: OpenAiServer, wake: Wake) -> None:
    monkeypatch.setenv("MY_KEY", "sk-mine")
    url = f"http://127.0.0.1:{server.port}/v1"
    made: Any = make_backend(OpenAiStt(base_url=url, api_key="$MY_KEY"), wake=wake)
    made.warm_up()
    made.close()
    assert server.requests[0]["authorization"] == b"Bearer sk-mine"


def test_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CannotStart, match="OPENAI_API_KEY"):
        make_backend(OpenAiStt()).warm_up()
