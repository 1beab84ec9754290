"""Without any network: every backend that needs none takes a call in a namespace that has loopback and no route.

Nothing of it even tries to reach out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.models import ctranslate2_llm
from bench.models.kokoro import make_kokoro
from bench.models.piper import make_piper
from bench.models.whisper import write_whisper
from models.transducer import write_transducer

from ringline.engine.environment import worker_environment

IN_NAMESPACE = """
import asyncio, fcntl, json, os, socket, struct, sys
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
    async with Engine(parse(CONFIG + sys.argv[1])) as engine:
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


def embedded(folder: Path) -> str:
    return ""


def chat(folder: Path) -> str:
    whisper = write_whisper(folder / "whisper", says="hello there")
    llm = folder / "llm"
    ctranslate2_llm.write(llm)
    kokoro = make_kokoro(folder / "kokoro")
    return (
        f'[stt]\nbackend = "whisper"\nmodel = "{whisper}"\ndevice = "cpu"\n'
        f'[llm]\nbackend = "ctranslate2"\nmodel = "{llm}"\nmax_tokens = 12\n'
        f'[tts]\nbackend = "kokoro"\nmodel = "{kokoro}"\n'
    )


def flow(folder: Path) -> str:
    transducer = write_transducer(folder / "transducer")
    piper = make_piper(folder / "piper")
    return f'[stt]\nbackend = "sherpa"\nmodel = "{transducer}"\n[tts]\nbackend = "piper"\nmodel = "{piper}"\n'


BACKENDS: dict[Callable[[Path], str], list[str]] = {
    embedded: ["pocketsphinx", "flow", "espeak"],
    chat: ["whisper", "ctranslate2", "kokoro"],
    flow: ["sherpa", "flow", "piper"],
}


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda made: made.__name__)
def offline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What was found inside."""
    unshare = ["unshare", "--map-root-user", "--net"]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare (util-linux)")
    if possible.returncode:
        pytest.skip(f"user namespaces are forbidden here: {possible.stderr.strip()}")
    tables = request.param(tmp_path_factory.mktemp("models"))
    command = [*unshare, sys.executable, "-c", IN_NAMESPACE, tables]
    # Nothing that this process was told is passed on: the engine must tell its workers.
    own = worker_environment(1, offline=True)
    environment = {name: value for name, value in os.environ.items() if name not in own}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"expected": BACKENDS[request.param]}


def test_namespace_has_no_way_out(offline: Any) -> None:
    assert not offline["connected"]
    assert offline["counts"] > 0


def test_call_is_taken(offline: Any) -> None:
    assert offline["backends"] == offline["expected"]
    assert not offline["failed"]
    assert offline["answered"] == 1


def test_nothing_tries_to_reach_out(offline: Any) -> None:
    assert offline["refused"] == 0
