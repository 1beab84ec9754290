"""The peers' virtual environments, made when they are missing: ``out/peers/NAME-venv``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

FOLDER = Path(__file__).parent.parent.parent / "out" / "peers"

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "pipecat": ("pipecat-ai[websocket,silero,runner]==1.14.0", "uvicorn[standard]==0.54.0", "uvloop==0.23.0"),
    "pipecat-real": (
        "pipecat-ai[websocket,silero,runner,whisper,kokoro]==1.14.0",
        "uvicorn[standard]==0.54.0",
        "uvloop==0.23.0",
    ),
    "livekit": ("livekit-agents==1.8.9", "aiohttp==3.14.5", "uvloop==0.23.0"),
}
"""Pinned: the newest releases of 2026-11-26."""


def python_of(peer: str, out: Console) -> Path:
    """The interpreter of the peer's environment, which is made if it is not what `PACKAGES` says."""
    folder = FOLDER / f"{peer}-venv"
    made, wanted = folder / "made-of.txt", "\n".join(PACKAGES[peer])
    python = folder / "bin" / "python"
    if not made.exists() or made.read_text() != wanted:
        out.print(f"installing {', '.join(PACKAGES[peer])} into {folder} ...", markup=False)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES[peer]], check=True)
        # Compiled once, and not by the first of many processes.
        subprocess.run([python, "-m", "compileall", "-q", folder / "lib"], check=False, stdout=subprocess.DEVNULL)
        made.write_text(wanted)
    return python


def versions(peer: str, python: Path) -> dict[str, str]:
    """What is installed of the packages that a figure depends on."""
    names = [package.split("=")[0].split("[")[0] for package in PACKAGES[peer]] + ["onnxruntime", "numpy", "websockets"]
    code = (
        "import json, sys; from importlib.metadata import PackageNotFoundError as E, version as v\n"
        "def of(n):\n try: return v(n)\n except E: return ''\n"
        "print(json.dumps({n: of(n) for n in sys.argv[1:]} | {'python': sys.version.split()[0]}))"
    )
    found: dict[str, str] = json.loads(subprocess.check_output([python, "-c", code, *names], text=True))
    return {name: version for name, version in found.items() if version}
