from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers.capture.doors import twilio_messages as messages
from ringline.workers.capture.doors.twilio_messages import MalformedMessage, Outgoing, decode

unhurried = settings(deadline=None)
"""How long an example takes says nothing on a busy machine."""

START = (
    b'{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC01","streamSid":"MZ01","callSid":"CA01",'
    b'"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    b'"customParameters":{"FirstName":"Jane"}},"streamSid":"MZ01"}'
)


def test_a_start_says_which_call_and_which_audio() -> None:
    message = decode(START)
    assert isinstance(message, messages.Start)
    assert message.stream_sid == "MZ01"
    assert (message.start.call_sid, message.start.account_sid) == ("CA01", "AC01")
    assert message.start.media_format == messages.MediaFormat("audio/x-mulaw", 8_000, 1)
    assert message.start.custom_parameters == {"FirstName": "Jane"}


def test_numbers_may_be_strings() -> None:
    message = decode(START.replace(b"8000", b'"8000"').replace(b'"channels":1', b'"channels":"1"'))
    assert isinstance(message, messages.Start)
    assert message.start.media_format == messages.MediaFormat("audio/x-mulaw", 8_000, 1)


@unhurried
@given(st.binary(max_size=700))
def test_media_carries_its_bytes(payload: bytes) -> None:
    text = {
        "event": "media",
        "sequenceNumber": "3",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": base64.b64encode(payload).decode()},
        "streamSid": "MZ01",
    }
    message = decode(json.dumps(text).encode())
    assert isinstance(message, messages.Media)
    assert message.media.payload == payload
    assert message.media.track == "inbound"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b'{"event":"connected","protocol":"Call","version":"1.0.0"}', messages.Connected),
        (b'{"event":"mark","sequenceNumber":"4","streamSid":"MZ01","mark":{"name":"x"}}', messages.Mark),
        (b'{"event":"stop","sequenceNumber":"5","streamSid":"MZ01","stop":{"accountSid":"AC01"}}', messages.Stop),
    ],
)
def test_the_other_events_are_known(text: bytes, kind: type) -> None:
    assert isinstance(decode(text), kind)


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        (b"null", {}),
        (b"[]", {}),
        (b"{}", {}),
        (b'{"attempt":3,"vip":true,"note":null}', {"attempt": "3", "vip": "true", "note": ""}),
        (b'{"ctx":{"id":"1"}}', {"ctx": '{"id":"1"}'}),
        (b'{"name":"Zo\xc3\xab"}', {"name": "Zoë"}),
    ],
)
def test_parameters_may_be_any_json(given: bytes, parameters: dict[str, str]) -> None:
    message = decode(START.replace(b'{"FirstName":"Jane"}', given))
    assert isinstance(message, messages.Start)
    assert message.start.parameters == parameters


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(
    ("old", "new", "call", "stream"),
    [
        (b'"accountSid":"AC01",', b"", "CA01", "MZ01"),
        (b'"accountSid":"AC01"', b'"accountSid":null', "CA01", "MZ01"),
        (b'"accountSid":"AC01"', b'"accountSid":17', "CA01", "MZ01"),
        (b'"callSid":"CA01",', b"", "MZ01", "MZ01"),
        (b'"callSid":"CA01"', b'"callSid":null', "MZ01", "MZ01"),
        (b'},"streamSid":"MZ01"}', b"}}", "CA01", "MZ01"),
        (b'"customParameters":{"FirstName":"Jane"}', b'"x":1', "CA01", "MZ01"),
    ],
)
def test_what_a_provider_leaves_out_of_a_start_is_done_without(old: bytes, new: bytes, call: str, stream: str) -> None:
    assert old in START
    message = decode(START.replace(old, new))
    assert isinstance(message, messages.Start)
    assert (message.call_sid, message.sid) == (call, stream)


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(
    ("given", "is_mulaw"),
    [
        (b"null", True),
        (b"{}", True),
        (b'{"encoding":"audio/x-mulaw;rate=8000","sampleRate":8000}', True),
        (b'{"encoding":"audio/x-mulaw","sampleRate":"8000","channels":"1","bitRate":64}', True),
        (b'{"encoding":"audio/x-mulaw","sampleRate":null}', True),
        (b'{"encoding":"audio/x-l16","sampleRate":8000}', False),
        (b'{"encoding":"audio/x-mulaw","sampleRate":16000}', False),
        (b'{"channels":2}', False),
    ],
)
def test_audio_is_twilios_unless_the_provider_says_otherwise(given: bytes, is_mulaw: bool) -> None:
    message = decode(START.replace(b'{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}', given))
    assert isinstance(message, messages.Start)
    assert message.start.is_mulaw == is_mulaw


def test_a_key_is_told() -> None:
    message = decode(b'{"event":"dtmf","streamSid":"MZ01","dtmf":{"track":"inbound_track","digit":"#"}}')
    assert message == messages.Dtmf(messages.DtmfBody("#"))


def test_an_event_of_another_name_is_to_be_ignored() -> None:
    assert decode(b'{"event":"transcription","text":"hello"}') is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'"media"',
        b'{"event":7}',
        b'{"event":null}',
        b'{"event":"media"}',
        b'{"event":"media","media":{}}',
        b'{"event":"media","media":{"payload":"no base64!"}}',
        b'{"event":"media","media":{"payload":"AAA"}}',
        b'{"event":"media","media":{"payload":7}}',
        b'{"event":"start","streamSid":"MZ01"}',
        START.replace(b'"MZ01"}', b'""}'),
        START.replace(b'"MZ01"', b"null"),
        START.replace(b'"MZ01"}', b'"' + b"x" * 257 + b'"}'),
        START.replace(b"8000", b'"many"'),
        b'{"event":"stop"} {"event":"stop"}',
        START.replace(b"CA01", b"CA\xff\xfe"),
        START.replace(b"Jane", b"\\ud800"),  # half a surrogate pair
        b"[" * 60_000,
        b'{"event":"connected","x":' + b"[" * 60_000,
    ],
)
def test_what_is_no_message_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(text)


@unhurried
@given(st.binary(max_size=300))
def test_garbage_is_malformed_or_ignored_and_nothing_else(text: bytes) -> None:
    with suppress(MalformedMessage):
        decode(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(["event", "media", "payload", "track", "start", "streamSid", "callSid", "mediaFormat", "dtmf"])
events = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "other"])


@unhurried
@given(events, st.dictionaries(names, json_values | st.dictionaries(names, json_values, max_size=4), max_size=4))
def test_any_json_of_any_event_is_a_message_or_malformed_or_ignored(event: str, rest: dict[str, object]) -> None:
    try:
        message = decode(json.dumps({**rest, "event": event}).encode())
    except MalformedMessage:
        return
    assert (message is None) == (event == "other")


def test_a_malformed_message_does_not_show_in_the_reason() -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode(b'{"event":"start","start":"+15550100 calls"}')
    assert "5550100" not in str(caught.value)


@unhurried
@given(st.binary(max_size=640), st.text(min_size=1, max_size=40))
def test_outgoing_media_is_the_json_twilio_documents(payload: bytes, stream_sid: str) -> None:
    message = json.loads(Outgoing(stream_sid).media(payload))
    assert base64.b64decode(message["media"].pop("payload")) == payload
    assert message == {"event": "media", "streamSid": stream_sid, "media": {}}


def test_outgoing_messages_are_these_bytes() -> None:
    outgoing = Outgoing("MZ01")
    assert outgoing.media(b"\xff\x7f") == b'{"event":"media","streamSid":"MZ01","media":{"payload":"/38="}}'
    assert outgoing.clear == b'{"event":"clear","streamSid":"MZ01"}'
