"""Deepgram's two live protocols: what goes over the wire, and when a final is known."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hosted_utterances import PLAIN, REQUEST, SPOKEN, Wake, speak, transcribe
from servers import DeepgramServer, deepgram_server

from ringline.engine.config import DeepgramStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.base import CannotStart
from ringline.workers.stt import make_backend
from ringline.workers.stt.deepgram import Transport

pytest.importorskip("deepgram", reason="the deepgram extra is not installed")

HEARD = "I'd like a table for"
"""A word in 0.4 s."""


@pytest.fixture
def server() -> Iterator[DeepgramServer]:
    with deepgram_server() as made:
        yield made


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def backend(
    server: DeepgramServer, wake: Wake, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "dg-key")
    options = getattr(request, "param", {})
    made: Any = make_backend(DeepgramStt(base_url=f"ws://127.0.0.1:{server.port}", **options), wake=wake)
    made.warm_up()
    server.conversations.clear()
    yield made
    made.close()


on_each_model = pytest.mark.parametrize(
    "backend", [{"model": "nova-3"}, {"model": "flux-general-en"}], indirect=True, ids=["nova", "flux"]
)
on_flux = pytest.mark.parametrize("backend", [{"model": "flux-general-en"}], indirect=True)


@on_each_model
def test_audio_arrives_whole_and_raw(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    assert transcribe(backend, wake) == HEARD
    (heard,) = server.conversations
    np.testing.assert_array_equal(np.frombuffer(heard.audio, "<i2"), SPOKEN)
    assert (heard.query["encoding"], heard.query["sample_rate"]) == ("linear16", "16000")
    assert heard.authorization == "Token dg-key"


def test_nova_is_told_language_hot_words_and_endpointing(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    transcribe(backend, wake)
    (heard,) = server.conversations
    assert heard.path == "/v1/listen"
    assert heard.query["language"] == "en-GB"
    assert heard.query["keyterm"] == list(REQUEST.expect.phrases)
    assert (heard.query["interim_results"], heard.query["endpointing"]) == ("true", "100")


@pytest.mark.parametrize("backend", [{"model": "nova-2-phonecall"}], indirect=True)
def test_older_models_get_single_words(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    transcribe(backend, wake)
    assert server.conversations[0].query["keywords"] == ["table", "for", "two", "Dr.", "Müller"]


@on_each_model
def test_more_hot_words_than_the_service_takes_are_cut(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    phrases = tuple(f"phrase number {number}" for number in range(1_000))
    transcribe(backend, wake, Transcribe(1, 0, 1, 0, Expectation(phrases=phrases)))
    sent = server.conversations[0].query["keyterm"]
    assert sent == list(phrases[: len(sent)])
    assert 50 < len(sent) <= 100


@on_each_model
def test_service_that_ends_the_connection_in_mid_utterance_is_asked_again(
    backend: Any, server: DeepgramServer, wake: Wake
) -> None:
    server.ends_turns = True
    server.ends_connections = 1
    stream = backend.open(PLAIN, 0)
    stream.feed(SPOKEN[:16_000])
    wake.wait_for(lambda: len(server.conversations) == 2 and len(stream.partial.split()) == stream_words(stream))
    assert stream.final is None
    stream.feed(SPOKEN[16_000:])
    stream.finalise()
    wake.wait_for(lambda: stream.final is not None)
    assert stream.final == HEARD
    stream.close()


@on_flux
def test_flux_has_its_own_path_and_is_told_hot_words(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    transcribe(backend, wake)
    (heard,) = server.conversations
    assert heard.path == "/v2/listen"
    assert heard.query["keyterm"] == list(REQUEST.expect.phrases)
    assert heard.query["eager_eot_threshold"] == "0.4"


@on_each_model
def test_partials_come_while_the_caller_speaks(backend: Any, wake: Wake) -> None:
    stream = backend.open(PLAIN, 0)
    speak(stream)
    wake.wait_for(lambda: stream.partial == HEARD)
    assert stream.final is None
    stream.close()


def test_nova_final_is_asked_for(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    transcribe(backend, wake)
    assert server.conversations[0].controls[0] == "Finalize"


def test_nova_final_comes_even_if_finalize_is_not_answered(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    server.answers_finalize = False
    assert transcribe(backend, wake) == HEARD


def test_flux_is_asked_to_transcribe_the_rest(
    server: DeepgramServer, wake: Wake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "dg-key")
    url = f"ws://127.0.0.1:{server.port}"
    made: Any = make_backend(DeepgramStt(base_url=url, model="flux-general-en"), wake=wake)
    made.warm_up()
    assert transcribe(made, wake) == HEARD
    assert server.conversations[-1].controls == ["CloseStream"]
    made.close()


@on_each_model
def test_turn_that_the_service_finds_complete_is_final_at_once(
    backend: Any, server: DeepgramServer, wake: Wake
) -> None:
    server.ends_turns = True
    stream = backend.open(PLAIN, 0)
    for part in (SPOKEN[:16_000], SPOKEN[16_000:]):
        stream.feed(part)
        wake.wait_for(lambda: len(stream.partial.split()) == stream_words(stream))
    stream.finalise()
    wake.wait_for(lambda: stream.final is not None)
    stream.close()
    assert server.conversations[0].controls == []


def stream_words(stream: Any) -> int:
    return len(stream.audio) * 10 // (4 * 32_000)


@on_each_model
def test_each_utterance_has_its_own_connection(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    transcribe(backend, wake)
    transcribe(backend, wake)
    assert len(server.conversations) == 2


@on_each_model
def test_nothing_fed_is_nothing_heard(backend: Any, wake: Wake) -> None:
    assert transcribe(backend, wake, samples=SPOKEN[:0]) == ""


@on_each_model
def test_text_in_any_script(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    server.text = "Müller 日本語 🙂 مرحبا ok"
    assert transcribe(backend, wake) == server.text


@on_each_model
def test_concurrent_utterances_keep_apart(backend: Any, server: DeepgramServer, wake: Wake) -> None:
    streams = [backend.open(Transcribe(call, 0, 1, 0), 0) for call in range(8)]
    for number, stream in enumerate(streams):
        speak(stream, SPOKEN[: 6_400 * (number % 5 + 1)])
        stream.finalise()
    wake.wait_for(lambda: all(stream.final is not None for stream in streams))
    assert [len(stream.final.split()) for stream in streams] == [number % 5 + 1 for number in range(8)]


@pytest.mark.parametrize("opened_for", [0, 2, 7])
@pytest.mark.parametrize("closed_for", range(1, 6))
def test_connection_whose_closing_is_cancelled_leaves_no_socket(
    server: DeepgramServer, opened_for: int, closed_for: int
) -> None:
    """Both in turns of the loop. What is left open the test run reports, as an unclosed socket."""

    async def scenario() -> None:
        transport = Transport(f"ws://127.0.0.1:{server.port}/v2/listen", {"Authorization": "Token dg-key"})
        if opened_for == 7:
            await transport.send(b"")
        for _ in range(opened_for):
            await asyncio.sleep(0)
        closing = asyncio.ensure_future(transport.close())
        for _ in range(closed_for):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await asyncio.sleep(0)

    asyncio.run(scenario())
    gc.collect()


def test_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    with pytest.raises(CannotStart, match="DEEPGRAM_API_KEY"):
        make_backend(DeepgramStt()).warm_up()
