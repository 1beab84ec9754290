"""What all listening doors share: a TCP server, its connections, and the bound on those that are no calls yet."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from ringline.engine.config import DoorConfig
from ringline.workers.capture.doors import address
from ringline.workers.capture.doors.door import Reception

log = logging.getLogger("ringline.doors")

HANDSHAKE_S = 5.0
"""A peer that has not said by then which call it is will not: PBXs and providers say it at once."""
CLOSE_S = 1.5
"""After our hang-up, a peer may take so long to close its side."""


class Connection(Protocol):
    """One TCP connection of a door. Calls `ListeningDoor.connected` and `disconnected`, once each."""

    def hang_up(self) -> None:
        """End it; it is disconnected soon after, whatever its peer does."""


class ListeningDoor:
    """A `door.Door` on a TCP port. Its protocol is what `connection` makes of a connection."""

    default_port: int

    def __init__(self, config: DoorConfig, reception: Reception) -> None:
        self.config = config
        self.reception = reception
        self.port = 0
        """The port it listens on, once open."""
        self.connections: set[Connection] = set()
        self.handshakes: set[Connection] = set()
        """Those of them that have not yet said which call they are."""
        self._server: asyncio.Server | None = None
        self._closed = False
        self._all_gone = asyncio.Event()

    def connection(self) -> asyncio.BaseProtocol:
        """A new connection's protocol. It is a `Connection` too."""
        raise NotImplementedError

    async def open(self) -> None:
        """Bind and listen. Raises OSError."""
        host, port = address.host_and_port(self.config.url, self.default_port)
        self._server = await asyncio.get_running_loop().create_server(self.connection, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up what is still connected; returns when all of it is gone, or ought to be."""
        self._closed = True
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self.connections):
            connection.hang_up()
        try:
            async with asyncio.timeout(2 * CLOSE_S):
                while self.connections:
                    self._all_gone.clear()
                    await self._all_gone.wait()
        except TimeoutError:
            log.error("door %s: %d connections would not end", self.config.url, len(self.connections))

    def connected(self, connection: Connection) -> str:
        """A connection begins, and is a handshake until `identified`. Returns why it must go at once, or nothing."""
        self.connections.add(connection)
        if self._closed:
            return "the door is closed"
        if len(self.handshakes) >= self.config.max_handshakes:
            return "too many connections that are no calls yet"
        self.handshakes.add(connection)
        return ""

    def identified(self, connection: Connection) -> None:
        """A connection has said which call it is."""
        self.handshakes.discard(connection)

    def disconnected(self, connection: Connection) -> None:
        """A connection is gone."""
        self.handshakes.discard(connection)
        self.connections.discard(connection)
        if not self.connections:
            self._all_gone.set()
