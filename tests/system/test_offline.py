"""Without any network: the embedded default takes a call in a namespace that has loopback and no route.

Nothing of it even tries to reach out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from ringline.engine.environment import worker_environment

IN_NAMESPACE = """
import asyncio, fcntl, json, os, socket, struct
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
assert set(os.listdir("/sys/class/net")) <= {"lo"} or len(Path("/proc/net/dev").read_text().splitlines()) == 3
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    name, flags = struct.unpack("16sh", fcntl.ioctl(probe, SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))
    fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))

def refused_packets():
    '''What the kernel had no route for, counted in this namespace.'''
    head, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:")]
    found = int(values[head.index("OutNoRoutes")])
    for line in Path("/proc/net/snmp6").read_text().splitlines():
        if line.startswith("Ip6OutNoRoutes"):
            found += int(line.split()[1])
    return found

import uvloop
from ringline import Engine
from ringline.engine.config import parse
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

CONFIG = '''
[engine]
max_calls = 2
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
'''

async def main():
    async with Engine(parse(CONFIG)) as engine:
        backends = [table.name for table in (engine.config.stt, engine.config.llm, engine.config.tts)]
        result = await run_calls(engine.doors[0], [Item(text="I would like to book an appointment please")], 1)
        await engine.switchboard.wait_until_idle()
    return backends, result

backends, result = uvloop.run(main())
refused = refused_packets()
with socket.socket() as probe:
    connected = probe.connect_ex(("192.0.2.1", 80)) == 0
found = {
    "backends": backends, "failed": result.failed, "answered": result.turns_answered,
    "refused": refused, "connected": connected, "counts": refused_packets() - refused,
}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def offline() -> Any:
    """What was found inside."""
    unshare = ["unshare", "--map-root-user", "--net"]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare (util-linux)")
    if possible.returncode:
        pytest.skip(f"user namespaces are forbidden here: {possible.stderr.strip()}")
    command = [*unshare, sys.executable, "-c", IN_NAMESPACE]
    # Nothing that this process was told is passed on: the engine must tell its workers.
    own = worker_environment(1, offline=True)
    environment = {name: value for name, value in os.environ.items() if name not in own}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_namespace_has_no_way_out(offline: Any) -> None:
    assert not offline["connected"]
    assert offline["counts"] > 0


def test_embedded_default_takes_a_call(offline: Any) -> None:
    assert offline["backends"] == ["pocketsphinx", "flow", "espeak"]
    assert not offline["failed"]
    assert offline["answered"] == 1


def test_nothing_tries_to_reach_out(offline: Any) -> None:
    assert offline["refused"] == 0
