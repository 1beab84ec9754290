"""Real processes for the tests of shared memory and bus: `start_peer` runs a role of peer_process.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringline.ipc.exchange import Exchange, Layout, Slot

WATCHDOG_S = 60


class Peer:
    """A process of ours, and what it has to say."""

    def __init__(self, role: str, arguments: dict[str, Any], fds: tuple[int, ...]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(Path(__file__).with_name("peer_process.py")), role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=fds,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self) -> Any:
        """The next line that it prints, which is JSON."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the peer ended with {self.process.wait(WATCHDOG_S)} and no result"
        return json.loads(line)

    def tell(self, value: Any = None) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def result(self) -> Any:
        """Its last line; it has ended, and without an error."""
        result = self.line()
        assert self.process.wait(WATCHDOG_S) == 0
        return result

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WATCHDOG_S)

    def close(self) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # it was killed before it read everything


StartPeer = Callable[..., Peer]


@pytest.fixture
def start_peer() -> Iterator[StartPeer]:
    yield from peers_of_a_test()


@pytest.fixture(scope="module")
def start_lasting_peer() -> Iterator[StartPeer]:
    """For peers that serve all tests of a file: to start one takes a second."""
    yield from peers_of_a_test()


def peers_of_a_test() -> Iterator[StartPeer]:
    peers: list[Peer] = []

    def start(role: str, *, fds: tuple[int, ...] = (), **arguments: Any) -> Peer:
        peers.append(Peer(role, arguments, fds))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


@pytest.fixture
def make_exchange() -> Iterator[Callable[..., Exchange]]:
    """Makes an exchange that admits calls; small, unless told otherwise."""
    exchanges: list[Exchange] = []

    def make(**sizes: int) -> Exchange:
        small = {"max_calls": 1, "caller_samples": 640, "line_samples": 640, "reply_samples": 640}
        exchange = Exchange.create(Layout(**(small | sizes)))
        exchange.admit(True)
        exchanges.append(exchange)
        return exchange

    yield make
    for exchange in exchanges:
        exchange.close()


@pytest.fixture
def slot(make_exchange: Callable[..., Exchange]) -> Slot:
    """A claimed slot with 640 samples of reply ring."""
    claimed = make_exchange().claim(0, 8000)
    assert claimed is not None
    return claimed
