"""Language models: how long to the first token, and how many a second, with 1, 4 and 16 calls at once.

The models have the true size of Qwen2.5-0.5B, but random weights and bytes for tokens: they cost what the real one
costs, token for token, and mean nothing. The beginning of the prompt was sent ahead, as it is when a call begins, and a
first round is not counted.
"""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.stages import Row, in_a_process, percentile
from ringline.engine.config import Config, CTranslate2Llm, LlmConfig, OpenAiLlm, SyntheticLlm
from ringline.ipc.messages import ChatMessage, Generate, WarmPrompt
from ringline.workers.llm import make_backend
from ringline.workers.llm.backend import TextDelta

CALLS = (1, 4, 16)
TOKENS = 20
PROMPT = ChatMessage("system", "You are the receptionist of a clinic and speak with a caller on the telephone. " * 4)
SAID = "I would like to book an appointment for next Tuesday, please, at ten if that is possible."
SIZE = "0.5B, random weights"


def rows(rounds: int) -> list[Row]:
    """All that is installed."""
    with tempfile.TemporaryDirectory(prefix="ringline-bench-") as folder:
        found = _measure("synthetic", SyntheticLlm(text="word " * TOKENS), rounds)
        if importlib.util.find_spec("jinja2"):
            model = Path(folder) / "ctranslate2"
            in_a_process(_write_ctranslate2, model)
            config = CTranslate2Llm(model=str(model), max_tokens=TOKENS)
            found += _measure(f"ctranslate2 {SIZE}", config, rounds)
        if all(importlib.util.find_spec(name) for name in ("xllamacpp", "gguf", "openai")):
            file = Path(folder) / "model.gguf"
            in_a_process(_write_gguf, file)
            with llama_cpp(file) as url:
                server = OpenAiLlm(base_url=url, server="llama.cpp", max_tokens=TOKENS, timeout_s=300)
                found += _measure(f"openai, llama.cpp {SIZE}", server, rounds)
    return found


def table(rows: list[Row]) -> Table:
    """For people."""
    shown = Table("backend", "calls", "first token p50 ms", "p95 ms", "tokens/s of all", title="LLM")
    for row in rows:
        tokens = f"{row.more['tokens_per_s']:.0f}"
        shown.add_row(row.backend, str(row.calls), f"{row.p50_ms:.0f}", f"{row.p95_ms:.0f}", tokens)
    return shown


def _measure(name: str, config: LlmConfig, rounds: int) -> list[Row]:
    return [in_a_process(_calls, name, config, calls, max(1, rounds // 4)) for calls in CALLS]


def _calls(name: str, config: LlmConfig, calls: int, rounds: int) -> Row:
    return asyncio.run(_run(name, config, calls, rounds))


async def _run(name: str, config: LlmConfig, calls: int, rounds: int) -> Row:
    backend: Any = make_backend(Config(llm=config))
    await backend.warm_up()
    await backend.warm_prompt(WarmPrompt(0, (PROMPT,)))
    await asyncio.gather(*(_reply(backend, call) for call in range(calls)))  # llama.cpp keeps prompts slot by slot
    firsts: list[float] = []
    num_tokens, seconds = 0, 0.0
    for _ in range(rounds):
        began_s = time.perf_counter()
        replies = await asyncio.gather(*(_reply(backend, call) for call in range(calls)))
        seconds += time.perf_counter() - began_s
        firsts += [first_s for first_s, _ in replies]
        num_tokens += sum(tokens for _, tokens in replies)
    await backend.close()
    first_ms = [1000 * first_s for first_s in firsts]
    p50, p95 = percentile(first_ms, 50), percentile(first_ms, 95)
    return Row("llm", name, calls, p50, p95, {"first token": p50}, {"tokens_per_s": num_tokens / seconds})


async def _reply(backend: Any, call: int) -> tuple[float, int]:
    """One reply: when its first token came, and how many did. Callers do not all say equally much."""
    began_s, first_s, tokens = time.perf_counter(), 0.0, 0
    words = SAID[: len(SAID) - 7 * (call % 8)]
    async for part in backend.generate(Generate(call, 1, 0, "speech", (PROMPT, ChatMessage("user", words)))):
        if isinstance(part, TextDelta):
            first_s = first_s or time.perf_counter() - began_s
            tokens += 1
    return first_s, tokens


def _write_ctranslate2(folder: Path) -> None:
    from bench.models.ctranslate2_llm import write
    from bench.models.llm_size import QWEN25_05B

    write(folder, QWEN25_05B)


def _write_gguf(file: Path) -> None:
    from bench.models.gguf_llm import write
    from bench.models.llm_size import QWEN25_05B

    write(file, QWEN25_05B, is_quantised=True)


@contextmanager
def llama_cpp(file: Path, slots: int = 8) -> Iterator[str]:
    """A llama.cpp server on one core that writes so many replies at once, and its ``base_url``."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    module = [sys.executable, "-m", "ringline.workers.llm.llama_cpp"]
    settings = ["--port", str(port), "--slots", str(slots), "--context", "1024", "--threads", "1"]
    process = subprocess.Popen([*module, str(file), *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/models", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()
