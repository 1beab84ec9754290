"""Model servers that the engine starts: real processes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringline.engine.config import OpenAiLlm
from ringline.engine.model_server import ModelServer
from ringline.engine.supervisor import EngineFailed

SERVER = """
import http.server, pathlib, subprocess, sys
folder = pathlib.Path(sys.argv[2])
child = subprocess.Popen(["sleep", "1000"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
with (folder / "pids").open("a") as file:
    print(__import__("os").getpid(), child.pid, file=file)
print("loaded", sys.argv[3], flush=True)
server.serve_forever()
"""


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def served(folder: Path, **settings: float) -> ModelServer:
    (folder / "server.py").write_text(SERVER)
    command = f"{sys.executable} {folder}/server.py {{port}} {folder} {{model}}"
    url = f"http://127.0.0.1:{free_port()}/v1"
    return ModelServer(OpenAiLlm(base_url=url, model="tiny", serve=command, **settings))


def pids(folder: Path) -> list[list[int]]:
    """Of each process of the server that came up: its own, and its child's."""
    try:
        lines = (folder / "pids").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [[int(pid) for pid in line.split()] for line in lines]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until_gone(*processes: int) -> None:
    while any(map(is_alive, processes)):
        await asyncio.sleep(0.02)


async def test_a_server_is_started_and_ended_with_all_its_processes(tmp_path: Path) -> None:
    server = served(tmp_path)
    server.start()
    await server.until_ready()
    [processes] = pids(tmp_path)
    assert all(map(is_alive, processes))
    await server.stop()
    await until_gone(*processes)


async def test_what_a_server_says_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = served(tmp_path)
    logger = logging.getLogger("ringline")
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, "ringline"):
            server.start()
            await server.until_ready()
            await server.stop()
    finally:
        logger.removeHandler(caplog.handler)
    assert "loaded tiny" in [getattr(record, "line", "") for record in caplog.records]


async def test_a_server_that_dies_is_started_again(tmp_path: Path) -> None:
    server = served(tmp_path)
    server.start()
    await server.until_ready()
    [[first, child]] = pids(tmp_path)
    os.kill(first, signal.SIGKILL)
    while len(pids(tmp_path)) < 2:
        await asyncio.sleep(0.02)
    await until_gone(child)
    assert server.restarts == 1
    await server.stop()


async def test_a_command_that_does_not_exist_fails_the_start() -> None:
    server = ModelServer(OpenAiLlm(base_url="http://127.0.0.1:1/v1", serve="/nowhere/vllm serve"))
    server.start()
    with pytest.raises(EngineFailed, match="status 127"):
        await server.until_ready()
    await server.stop()


async def test_a_server_that_never_answers_fails_the_start() -> None:
    server = ModelServer(OpenAiLlm(base_url="http://127.0.0.1:1/v1", serve="sleep 1000", serve_ready_s=0.5))
    server.start()
    with pytest.raises(EngineFailed, match=r"not ready after 0\.5 s"):
        await server.until_ready()
    await server.stop()


async def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringline.engine.model_server.SHUT_DOWN_S", 0.2)
    (tmp_path / "server.sh").write_text(f"trap '' TERM\necho $$ 0 > {tmp_path}/pids\nwhile true; do sleep 0.1; done\n")
    server = ModelServer(OpenAiLlm(base_url="http://127.0.0.1:1/v1", serve=f"sh {tmp_path}/server.sh"))
    server.start()
    while not pids(tmp_path):
        await asyncio.sleep(0.02)
    await server.stop()
    await until_gone(pids(tmp_path)[0][0])


async def test_a_server_ends_with_the_engine(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    code = (
        "import os, subprocess, sys, time\n"
        "guard = [sys.executable, '-m', 'ringline.engine.server_guard', str(os.getpid()), '2']\n"
        "subprocess.Popen(guard + sys.argv[1:])\n"
        "time.sleep(1000)\n"
    )
    command = [sys.executable, str(tmp_path / "server.py"), str(free_port()), str(tmp_path), "tiny"]
    engine = subprocess.Popen([sys.executable, "-c", code, *command], stdout=subprocess.DEVNULL)
    while not pids(tmp_path):
        await asyncio.sleep(0.02)
    engine.kill()
    engine.wait()
    await until_gone(*pids(tmp_path)[0])
