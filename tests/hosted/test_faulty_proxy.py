"""The proxy that breaks connections does so as it says."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

# pytest imports test files by path, so their neighbours are no modules of a package.
from faulty_proxy import HTML, Answer, Cut, Drip, FaultyProxy, HalfClose, Hang, Refuse, garbage, http_answer

BLOCK = bytes(range(256)) * 4


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """In front of a server that says what it hears."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with FaultyProxy(server.server_address[1]) as made:
            yield made
        server.shutdown()
        thread.join()


def connect(proxy: FaultyProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=20)


def read(client: socket.socket, num_bytes: int) -> bytes:
    received = b""
    while len(received) < num_bytes and (data := client.recv(num_bytes - len(received))):
        received += data
    return received


def test_without_a_fault_all_passes_and_is_recorded(proxy: FaultyProxy) -> None:
    with connect(proxy) as client:
        client.sendall(BLOCK)
        assert read(client, len(BLOCK)) == BLOCK
    proxy.wait_for(lambda: proxy.num_open == 0)
    (connection,) = proxy.connections
    assert bytes(connection.from_client) == bytes(connection.to_client) == BLOCK


def test_refusing_keeps_the_port_and_running_connections(proxy: FaultyProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        proxy.fault = Refuse()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        client.sendall(b"b")
        assert read(client, 1) == b"b"
        proxy.fault = None
        connect(proxy).close()


def test_hanging_connection_goes_on_when_the_fault_is_gone(proxy: FaultyProxy) -> None:
    proxy.fault = Hang(after_bytes=3)
    with connect(proxy) as client:
        client.sendall(BLOCK)
        proxy.wait_for(lambda: proxy.connections and len(proxy.connections[0].to_client) == 3)
        proxy.fault = None
        assert read(client, len(BLOCK)) == BLOCK


def test_client_that_gives_a_hanging_connection_up_is_noticed(proxy: FaultyProxy) -> None:
    proxy.fault = Hang()
    with connect(proxy) as client:
        client.sendall(BLOCK)
    proxy.wait_for(lambda: proxy.connections and proxy.num_open == 0)
    assert not proxy.connections[0].to_client


def test_cut_resets_after_so_many_bytes(proxy: FaultyProxy) -> None:
    proxy.fault = Cut(after_bytes=5)
    with connect(proxy) as client:
        client.sendall(BLOCK)
        with pytest.raises(ConnectionResetError):
            read(client, len(BLOCK))
    assert bytes(proxy.connections[0].to_client) == BLOCK[:5]


def test_cut_of_a_running_connection_is_at_once(proxy: FaultyProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        proxy.fault = Cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_half_closed_connection_still_takes_what_the_client_says(proxy: FaultyProxy) -> None:
    proxy.fault = HalfClose(after_bytes=4)
    with connect(proxy) as client:
        client.sendall(BLOCK)
        assert read(client, len(BLOCK)) == BLOCK[:4]
        client.sendall(b"more")
        proxy.wait_for(lambda: proxy.connections[0].from_client.endswith(b"more"))


def test_drip_passes_all(proxy: FaultyProxy) -> None:
    proxy.fault = Drip()
    with connect(proxy) as client:
        client.sendall(BLOCK)
        assert read(client, len(BLOCK)) == BLOCK


def test_garbage_takes_the_place_of_the_answer(proxy: FaultyProxy) -> None:
    proxy.fault = garbage(num_bytes=64)
    with connect(proxy) as client:
        client.sendall(BLOCK)
        assert read(client, 1_000) == proxy.fault.data


@pytest.mark.parametrize(
    ("answer", "status", "retry_after", "body"),
    [
        (http_answer(401, '{"error": "no"}'), 401, None, b'{"error": "no"}'),
        (http_answer(429), 429, None, b""),
        (http_answer(429, retry_after="2"), 429, "2", b""),
        (http_answer(503), 503, None, b""),
        (HTML, 200, None, b"<html><body>Welcome to the gateway!</body></html>"),
    ],
)
def test_canned_answer_is_a_whole_response(
    proxy: FaultyProxy, answer: Answer, status: int, retry_after: str | None, body: bytes
) -> None:
    proxy.fault = answer
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    client.request("POST", "/v1/anything", body=BLOCK)
    response = client.getresponse()
    assert (response.status, response.getheader("Retry-After"), response.read()) == (status, retry_after, body)
    client.close()


def test_server_that_is_gone_is_a_reset() -> None:
    def exchange(port: int) -> None:  # the reset may come as early as in connect()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.recv(1)

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with FaultyProxy(nobody.getsockname()[1]) as proxy, pytest.raises(ConnectionResetError):
            exchange(proxy.port)
