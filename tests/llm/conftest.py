"""A real server with a tiny model."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from ports import free_port


@pytest.fixture(scope="session")
def tiny_gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a file for llama.cpp."""
    pytest.importorskip("gguf", reason="pip install gguf")
    from bench.models.gguf_llm import write

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write(path)
    return path


@pytest.fixture(scope="session")
def llama_cpp(tiny_gguf_file: Path) -> Iterator[str]:
    """The ``base_url`` of a llama.cpp server."""
    pytest.importorskip("xllamacpp", reason="pip install xllamacpp")
    port = free_port()
    module = [sys.executable, "-m", "ringline.workers.llm.llama_cpp"]
    process = subprocess.Popen(
        [*module, str(tiny_gguf_file), "--port", str(port), "--slots", "2", "--threads", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            try:
                with urllib.request.urlopen(f"{url}/models", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def tiny_ctranslate2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model's folder for CTranslate2."""
    from bench.models.ctranslate2_llm import write

    folder = tmp_path_factory.mktemp("ctranslate2")
    write(folder)
    return folder
