"""Google's streaming recognition: what goes over the wire, against a gRPC server of the same protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted_utterances import PLAIN, REQUEST, SPOKEN, Wake, speak, transcribe

from ringline.engine.config import GoogleStt
from ringline.workers.base import CannotStart
from ringline.workers.stt import make_backend

pytest.importorskip("google.cloud.speech_v2", reason="the google extra is not installed")

from servers import TEXT, GoogleServer, google_backend, google_server


@pytest.fixture(scope="module")
def server() -> Iterator[GoogleServer]:
    with google_server() as made:
        yield made


@pytest.fixture(scope="module")
def wake() -> Wake:
    return Wake()


@pytest.fixture(scope="module")
def warm(server: GoogleServer, wake: Wake) -> Iterator[Any]:
    made = google_backend(GoogleStt(), server.port, wake)
    made.warm_up()
    yield made
    made.close()


@pytest.fixture
def backend(warm: Any, server: GoogleServer) -> Any:
    server.streams.clear()
    return warm


def test_audio_arrives_whole_in_small_pieces(backend: Any, server: GoogleServer, wake: Wake) -> None:
    assert transcribe(backend, wake) == TEXT
    (first, *pieces) = server.streams[0]
    assert not first.audio
    assert b"".join(piece.audio for piece in pieces) == SPOKEN.tobytes()
    assert all(len(piece.audio) <= 15_000 for piece in pieces)


def test_first_message_says_what_is_to_come(backend: Any, server: GoogleServer, wake: Wake) -> None:
    transcribe(backend, wake)
    first = server.streams[0][0]
    config = first.streaming_config.config
    assert first.recognizer == "projects/project/locations/global/recognizers/_"
    assert first.streaming_config.streaming_features.interim_results
    assert (config.model, list(config.language_codes)) == ("telephony", ["en-GB"])
    assert config.explicit_decoding_config.sample_rate_hertz == 16_000
    (phrase_set,) = config.adaptation.phrase_sets
    assert tuple(phrase.value for phrase in phrase_set.inline_phrase_set.phrases) == REQUEST.expect.phrases


def test_without_a_language_the_configured_one_is_asked_for(backend: Any, server: GoogleServer, wake: Wake) -> None:
    transcribe(backend, wake, PLAIN)
    config = server.streams[0][0].streaming_config.config
    assert list(config.language_codes) == ["en-US"]
    assert not config.adaptation.phrase_sets


def test_partials_come_while_the_caller_speaks(backend: Any, wake: Wake) -> None:
    stream = backend.open(PLAIN, 0)
    speak(stream)
    wake.wait_for(lambda: stream.partial == TEXT.split()[0])
    assert stream.final is None
    stream.close()


def test_nothing_fed_is_nothing_heard(backend: Any, server: GoogleServer, wake: Wake) -> None:
    assert transcribe(backend, wake, samples=SPOKEN[:0]) == ""
    assert server.streams == []


def test_stream_is_followed_by_another_before_google_ends_it(
    backend: Any, server: GoogleServer, wake: Wake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringline.workers.stt.google.STREAM_S", 1)
    assert transcribe(backend, wake) == f"{TEXT} {TEXT}"
    sent = [b"".join(request.audio for request in stream) for stream in server.streams]
    assert sent == [SPOKEN[:16_000].tobytes(), SPOKEN[16_000:].tobytes()]


def test_missing_key_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    with pytest.raises(CannotStart, match=r"nowhere\.json"):
        make_backend(GoogleStt()).warm_up()


def test_key_file_names_the_project_and_opens_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "key.json"
    account = {"type": "service_account", "project_id": "clinic", "private_key": key.decode(), "client_email": "a@b.c"}
    file.write_text(json.dumps({**account, "token_uri": "https://localhost/token"}))
    backend: Any = make_backend(GoogleStt(credentials=str(file), location="eu"))
    monkeypatch.setattr(backend, "start_up", lambda: None)
    backend.warm_up()
    assert backend.recognizer == "projects/clinic/locations/eu/recognizers/_"

    async def open_and_close() -> None:
        channel = backend.make_channel()  # connects when it is first used
        await channel.close()

    asyncio.run(open_and_close())


def test_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(CannotStart, match="GOOGLE_APPLICATION_CREDENTIALS"):
        make_backend(GoogleStt()).warm_up()
