"""``ringline run`` as the process that systemd, an operator or the kernel deals with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

CONFIG = """
[engine]
drain_s = 30
[[door]]
url = "audiosocket://127.0.0.1:{door}"
[stt]
backend = "synthetic"
[llm]
backend = "synthetic"
[tts]
backend = "synthetic"
[control]
port = {control}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Daemon:
    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        self.door, self.control = free_port(), free_port()
        self.url = f"audiosocket://127.0.0.1:{self.door}"
        (folder / "ringline.toml").write_text(config.format(door=self.door, control=self.control))
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ringline.tools", "run", "-c", str(folder / "ringline.toml")], stderr=log
            )

    def wait_until_open(self, timeout_s: float = 100.0) -> None:
        deadline = time.monotonic() + timeout_s
        while "open for calls" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def get(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}{path}", timeout=5) as response:
            found: dict[str, object] = json.load(response)
            return found

    def worker_pids(self) -> list[int]:
        return [worker["pid"] for worker in self.get("/status")["workers"]]  # type: ignore[attr-defined]


@contextmanager
def running_daemon(folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(folder)
    try:
        daemon.wait_until_open()
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.wait()


def process_state(pid: int) -> str:
    """``R``, ``S``, ``Z``, ...; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_gone(pid: int) -> bool:
    return process_state(pid) in ("", "Z")


async def test_sigterm_lets_the_running_call_finish_and_exits_0(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        asked = []

        def on_event(event: object) -> None:
            if getattr(event, "event", "") == "caller_speaks" and not asked:
                asked.append(True)
                daemon.process.send_signal(signal.SIGTERM)

        result = await run_calls(daemon.url, [Item(text="hello"), Item(text="and again")], on_event=on_event)
        assert asked
        assert result.succeeded
        assert await asyncio.to_thread(daemon.process.wait, 10) == 0


def test_sigterm_before_the_first_call_is_prepared_ends_at_once(tmp_path: Path) -> None:
    """The LLM's server takes the prompt and never answers: calls would be let in after ``prepare_s``."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(100.0)
        llm = f'[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:{server.getsockname()[1]}/v1"\nmodel = "any"\n'
        config = CONFIG.replace("drain_s = 30", "prepare_s = 3600").replace('[llm]\nbackend = "synthetic"\n', llm)
        daemon = Daemon(tmp_path, config)
        try:
            with server.accept()[0]:
                daemon.process.send_signal(signal.SIGTERM)
                assert daemon.process.wait(30) == 0
        finally:
            daemon.process.kill()
            daemon.process.wait()
        assert "stopped before it was open for calls" in daemon.log.read_text()


async def test_hangup_of_the_terminal_ends_no_worker(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        workers = daemon.worker_pids()
        for pid in workers:
            os.kill(pid, signal.SIGHUP)
        result = await run_calls(daemon.url, [Item(text="hello")])
        assert result.succeeded
        assert daemon.worker_pids() == workers


async def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        asked = []

        def on_event(event: object) -> None:
            if getattr(event, "event", "") == "caller_speaks" and not asked:
                asked.append(True)
                daemon.process.send_signal(signal.SIGTERM)
                asyncio.get_running_loop().call_later(0.2, daemon.process.send_signal, signal.SIGTERM)

        result = await run_calls(daemon.url, [Item(text="hello"), Item(text="and again")], on_event=on_event)
        assert result.failed
        assert await asyncio.to_thread(daemon.process.wait, 10) == 0


async def test_killed_engine_leaves_no_process_no_memory_no_socket_file(tmp_path: Path) -> None:
    before = set(os.listdir("/dev/shm")) | set(os.listdir("/tmp"))
    with running_daemon(tmp_path) as daemon:
        pids = daemon.worker_pids()
        assert len(pids) == 4
        call = asyncio.create_task(run_calls(daemon.url, [Item(text="hello")]))
        while not daemon.get("/status")["calls"]:
            await asyncio.sleep(0.05)
        daemon.process.kill()
        deadline = time.monotonic() + 2.0
        while not all(is_gone(pid) for pid in pids):
            assert time.monotonic() < deadline, [(pid, process_state(pid)) for pid in pids]
            await asyncio.sleep(0.02)
        assert (await call).failed
    after = set(os.listdir("/dev/shm")) | set(os.listdir("/tmp"))
    assert not {name for name in after - before if "ringline" in name}
    mapped = [Path(f"/proc/{pid}/maps") for pid in os.listdir("/proc") if pid.isdigit()]
    for maps in mapped:
        try:
            assert f"ringline-exchange-{daemon.process.pid}" not in maps.read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


async def test_trace_and_status_are_told(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        result = await run_calls(daemon.url, [Item(text="hello")])
        assert result.succeeded
        trace = await asyncio.to_thread(daemon.get, "/calls/last/trace")
        stages = [stage for stage, _, _ in trace["turns"][1]["stages"]]  # type: ignore[index]
        assert stages == ["endpoint", "stt", "llm", "phrase", "tts", "playout"]


async def test_reload_keeps_the_daemon_running(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.process.send_signal(signal.SIGHUP)
        while "agent reloaded" not in daemon.log.read_text():
            await asyncio.sleep(0.02)
        assert (await run_calls(daemon.url, [Item(text="hello")])).succeeded


def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "ringline.toml").write_text(CONFIG.format(door=port, control=free_port()))
        done = subprocess.run(
            [sys.executable, "-m", "ringline.tools", "run", "-c", str(tmp_path / "ringline.toml")],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 1
    assert f"audiosocket://127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize("source", ["[turn]\nendpoint_ms = -1\n", "[nonsense]\n"])
def test_wrong_configuration_is_named(tmp_path: Path, source: str) -> None:
    (tmp_path / "ringline.toml").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "ringline.tools", "run", "-c", str(tmp_path / "ringline.toml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "line" in done.stderr
