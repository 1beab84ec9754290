"""What LLM backends remember of a call, where several take turns in it: each is given back its own state only."""

from __future__ import annotations

import msgspec

_decoder = msgspec.msgpack.Decoder(dict[str, bytes])


def state_of(states: bytes, backend: str) -> bytes:
    """A backend's own state; empty if it has none yet."""
    return _decoder.decode(states).get(backend, b"") if states else b""


def with_state(states: bytes, backend: str, state: bytes) -> bytes:
    """The states, with the backend's new one."""
    return msgspec.msgpack.encode((_decoder.decode(states) if states else {}) | {backend: state})
