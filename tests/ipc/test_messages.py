"""Every message crosses the wire unchanged, and whatever else crosses it is refused with an error we know."""

from __future__ import annotations

import contextlib
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline.ipc import messages
from ringline.ipc.messages import FromWorker, Message, ToWorker, decode_from_worker, decode_to_worker, encode

FROM_WORKER: tuple[type[Message], ...] = get_args(FromWorker)
TO_WORKER: tuple[type[Message], ...] = get_args(ToWorker)
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# A machine that is busy with other things is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})
    arguments = get_args(kind)
    if get_origin(kind) is UnionType:
        return st.one_of([values(argument) for argument in arguments])
    if get_origin(kind) is Literal:
        return st.sampled_from(arguments)
    if get_origin(kind) is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    return {
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
        str: st.text(),
        bytes: st.binary(),
        object: json_values,
        NoneType: st.none(),
    }[kind]


@pytest.mark.parametrize("kind", FROM_WORKER, ids=lambda kind: kind.__name__)
@patient
@given(data=st.data())
def test_a_workers_message_arrives_unchanged(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(values(kind))
    assert decode_from_worker(encode(message)) == message


@pytest.mark.parametrize("kind", TO_WORKER, ids=lambda kind: kind.__name__)
@patient
@given(data=st.data())
def test_the_engines_message_arrives_unchanged(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(values(kind))
    assert decode_to_worker(encode(message)) == message


def test_every_message_has_a_direction() -> None:
    kinds = {
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message
    }
    assert kinds == set(FROM_WORKER) | set(TO_WORKER)
    assert not set(FROM_WORKER) & set(TO_WORKER)


@pytest.mark.parametrize("kind", FROM_WORKER + TO_WORKER, ids=lambda kind: kind.__name__)
def test_every_message_says_who_sends_it_to_whom(kind: type[Message]) -> None:
    assert "->" in (kind.__doc__ or "").splitlines()[0]


@patient
@given(payload=st.binary(max_size=200))
def test_other_bytes_are_an_error_we_know(payload: bytes) -> None:
    for decode in (decode_from_worker, decode_to_worker):
        with pytest.raises(MALFORMED):
            decode(payload)


@pytest.mark.parametrize("kind", FROM_WORKER + TO_WORKER, ids=lambda kind: kind.__name__)
@patient
@given(data=st.data())
def test_a_message_with_flipped_bytes_is_a_message_or_an_error_we_know(
    kind: type[Message], data: st.DataObject
) -> None:
    payload = bytearray(encode(data.draw(values(kind))))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    decode = decode_from_worker if kind in FROM_WORKER else decode_to_worker
    with contextlib.suppress(MALFORMED):
        assert isinstance(decode(bytes(payload)), Message)


def test_messages_of_the_other_direction_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_from_worker(encode(messages.HangUp(1)))
    with pytest.raises(msgspec.ValidationError):
        decode_to_worker(encode(messages.WorkerReady(1)))


def test_bottomless_nesting_is_an_error_we_know() -> None:
    reply = encode(messages.ReplyFinished(1, 1, 1, (messages.ToolCall("a", "b", {"x": 0}),)))
    assert reply.count(b"\xa1x\x00") == 1
    with pytest.raises(MALFORMED):
        decode_from_worker(reply.replace(b"\xa1x\x00", b"\xa1x" + b"\x91" * 200_000))
