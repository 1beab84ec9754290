"""The Twilio door: Media Streams over WebSocket, for Twilio and the providers that speak as it does.

Twilio buffers what it is sent, plays it in order and can drop it (`clear`), so it needs no silence and takes two frames
in a message. TLS, which Twilio insists on, is ended by the proxy in front; ``public_url`` is what Twilio dials there.

picows carries the messages, because it costs the least. bench/websocket_libraries.py: 3200 messages of 20 ms a second
in and as many out, uvloop, two shared cores; CPU time of the server for a message in and one out, with JSON, base64 and
system calls: picows 24 us (on aiofastnet's transports, its own choice, 24 as well), aiohttp 44, websockets 67.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from picows import (
    WSAutoPingStrategy,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

# Not among picows' public names. Its own ws_create_server builds this very object, but offers no way to count the
# connections that have not yet asked for the upgrade, and an unbounded number of those is what a flood consists of.
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from ringline.engine.config import DoorConfig
from ringline.workers.base import CannotStart
from ringline.workers.capture.doors import listening, twilio_signature
from ringline.workers.capture.doors.door import Reception
from ringline.workers.capture.doors.listening import ListeningDoor
from ringline.workers.capture.doors.twilio_leg import MAX_MESSAGE_BYTES, TwilioLeg
from ringline.workers.secrets import secret

_picows_log = logging.getLogger("ringline.doors.twilio.picows")
# Of picows' own log only exceptions count: they are our errors. What a peer does wrong, the leg reports by itself.
_picows_log.addFilter(lambda record: record.exc_info is not None)
# An adapter, because picows makes a child of every Logger for every connection.
_picows_adapter = logging.LoggerAdapter(_picows_log)

READ_BUFFER_BYTES = 4_096


class _Connection(WSProtocol):  # type: ignore[misc]
    """One TCP connection, from before its upgrade on."""

    def __init__(self, door: TwilioDoor) -> None:
        self._door = door
        ping_after_s = door.config.idle_timeout_s / 2
        super().__init__(
            None,  # host_port: a server
            None,  # ws_path: a server
            False,  # is_client_side
            self._upgrade,
            _picows_adapter,
            True,  # disconnect_on_exception
            listening.HANDSHAKE_S,
            True,  # enable_auto_ping: a proxy in front would keep the connection of a dead peer
            ping_after_s,
            ping_after_s,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # enable_auto_pong
            MAX_MESSAGE_BYTES,
            None,  # extra_headers
            READ_BUFFER_BYTES,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A peer has connected."""
        super().connection_made(transport)
        if self._door.connected(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is gone."""
        super().connection_lost(exc)
        self._door.disconnected(self)

    def hang_up(self) -> None:
        """The door closes."""
        answer = self.transport.response
        if answer is not None and answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
            self.listener.hang_up()
        else:
            self.transport.disconnect(False)

    def _upgrade(self, request: WSUpgradeRequest) -> Any:
        status = self._door.judge(request)
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status), None)
        return TwilioLeg(self._door, self)


class TwilioDoor(ListeningDoor):
    """Listens for Media Streams; see `door.Door`."""

    default_port = 8765

    def __init__(self, config: DoorConfig, reception: Reception) -> None:
        """Raises CannotStart if the auth token is to come from an environment variable that is not set."""
        super().__init__(config, reception)
        self._auth_token = secret(config.auth_token)
        self._path = (urlsplit(config.url).path or "/").encode()

    def connection(self) -> _Connection:
        """A new connection."""
        return _Connection(self)

    async def open(self) -> None:
        """Bind and listen. Raises OSError; CannotStart with a picows whose connections are made in another way."""
        try:
            self.connection()
        except TypeError as error:
            raise CannotStart(f"the Twilio door needs picows 2.3, this one is made otherwise: {error}") from error
        await super().open()

    def judge(self, request: WSUpgradeRequest) -> HTTPStatus:
        """For connections: the status an upgrade is answered with."""
        path, _, _ = request.path.partition(b"?")
        if path != self._path:
            return HTTPStatus.NOT_FOUND
        if self._auth_token and not self._is_signed(request):
            return HTTPStatus.FORBIDDEN
        if not self.reception.has_room():
            return HTTPStatus.SERVICE_UNAVAILABLE
        # picows knows the header's usual value alone; proxies and browsers send `keep-alive, Upgrade` too.
        if "upgrade" in request.headers.get("Connection", "").lower().replace(",", " ").split():
            request.headers["Connection"] = "Upgrade"
        return HTTPStatus.SWITCHING_PROTOCOLS

    def _is_signed(self, request: WSUpgradeRequest) -> bool:
        path = request.path.decode("utf-8", "surrogateescape")
        url = self.config.public_url or f"wss://{request.headers.get('Host', '')}{path}"
        return twilio_signature.is_signed(self._auth_token, url, request.headers.get("X-Twilio-Signature", ""))
