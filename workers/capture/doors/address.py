"""Where a door listens, and how the sockets of its peers are set up."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

from ringline.workers.capture.doors.backlog import SOCKET_SEND_BYTES


def host_and_port(url: str, default_port: int) -> tuple[str, int]:
    """The address a door's URL names. Port 0: any free one."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", default_port if parts.port is None else parts.port


def set_up_peer(transport: asyncio.BaseTransport, dead_after_s: float) -> None:
    """Socket options of one call: small packets at once, little buffering, and a peer that is gone is found out.

    ``dead_after_s`` is without even an acknowledgement: a caller on hold may send nothing for minutes, and is alive.
    """
    peer: socket.socket = transport.get_extra_info("socket")
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_SEND_BYTES)
    # Keepalive finds a dead peer while we are silent; the user timeout finds it while our audio goes unacknowledged.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, round(dead_after_s / 2)))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, round(dead_after_s / 6)))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1_000, round(dead_after_s * 1_000)))
