"""What a server streams (server-sent events), as JSON objects; what cannot be read is left out.

The SDKs' own readers give a reply up at the first line that is no JSON, and make of every chunk what servers in the
field do not keep to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec

log = logging.getLogger("ringline.llm")

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A server that sends a longer line has lost its way."""
MAX_QUOTED_CHARS = 200
DRAIN_S = 0.5
"""Nobody waits for it: the reply is complete."""


class BrokenOff(ConnectionError):
    """A reply whose end is missing: asked for again, it may be whole."""


class ServerEvents:
    """The events of one response."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._num_bad = 0
        self.is_done = False
        """The server has said that this was all."""

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        held: list[bytes] = []
        async for line in self._lines():
            field, _, value = line.partition(b":")
            if field == b"data":
                value = value.removeprefix(b" ")
                if value.strip() == b"[DONE]":
                    self.is_done = True
                    break
                held.append(value)
            elif line[:1] in b"{" and line:  # some leave out the field's name where they report an error
                held.append(line)
            elif line and not (held and line[:1] in b"\t }"):
                continue  # a comment, which keeps the connection alive, or another field
            elif line:
                held.append(line)
            if not held:
                continue
            event = _decoded(b"\n".join(held))
            if event is not None:
                held.clear()
                yield event
            elif not line:
                self._leave_out(held)
        if held:
            self._leave_out(held)

    async def drain(self) -> None:
        """Read what follows the last event, if it comes soon: the connection can then be used again."""
        try:
            async with asyncio.timeout(DRAIN_S):
                async for _ in self._chunks:
                    pass
        except TimeoutError:
            log.info("the server does not end its response")

    def _leave_out(self, held: list[bytes]) -> None:
        self._num_bad += 1
        if self._num_bad == 1:
            text = b"\n".join(held)[:MAX_QUOTED_CHARS].decode(errors="replace")
            log.warning("the server sends what is no JSON object: it is left out", extra={"text": text})
        held.clear()

    async def _lines(self) -> AsyncIterator[bytes]:
        """The lines of the response, an empty one behind the last."""
        held: list[bytes] = []
        num_bytes = 0
        is_first = True
        async for chunk in self._chunks:
            if is_first:
                chunk, is_first = chunk.removeprefix(b"\xef\xbb\xbf"), False
            num_bytes += len(chunk)
            held.append(chunk)
            if b"\n" not in chunk and b"\r" not in chunk:
                if num_bytes > MAX_LINE_BYTES:
                    raise BrokenOff("the server sends a line without an end")
                continue
            *lines, last = b"".join(held).splitlines(keepends=True)
            held, num_bytes = [], 0
            if last.endswith((b"\n", b"\r")):
                lines.append(last)
            else:
                held, num_bytes = [last], len(last)
            for line in lines:
                yield line.rstrip(b"\r\n")
        if held:
            yield b"".join(held)
        yield b""


def _decoded(text: bytes) -> dict[str, Any] | None:
    try:
        event = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            event = msgspec.json.decode(text.decode(errors="replace"))
        except msgspec.DecodeError:
            return None
    return event if isinstance(event, dict) else None
