"""llama.cpp's own server, from the wheel of xllamacpp: ``python -m ringline.workers.llm.llama_cpp MODEL.gguf``.

For ``[llm] serve``. Whoever has ``llama-server`` itself gives it the same settings: docs/llm.md names the flags.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.models.folders import FOLDERS
from ringline.workers.models.store import locate

EXTRA = "llama-cpp"

CONTEXT_TOKENS = 4_096
"""Of each reply under way, prompt and history included: the history alone is held within 4,000 (``[turn]``), and most
calls never come near."""

CACHE_MIB = 512
"""For the prompts of calls whose place another one has taken. llama.cpp itself would keep 8 GiB of them."""


def find(model: str) -> Path:
    """The file of a model: a path, or a name in the store, of the file or of the folder it lies in.

    Raises CannotStart.
    """
    path = locate(model)
    if path.is_file():
        return path
    (part,) = FOLDERS["openai"]
    files = part.files(path)
    if not files:
        raise CannotStart(f"[llm] model: {path}: {part.problem(path)}")
    if len(files) > 1 and "-00001-of-" not in files[0].name:  # a model in several files is opened by its first
        raise CannotStart(f"[llm] model: {path} holds {', '.join(file.name for file in files)}: name the file itself")
    return files[0]


def main() -> None:
    """Serve until the process is ended."""
    num_cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="ringline.workers.llm.llama_cpp", description=__doc__)
    parser.add_argument("model", help="the GGUF file: a path, or a name in the store")
    parser.add_argument("--alias", default="", help="what the server calls the model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--slots", type=int, default=4, help="replies at once; what comes beyond waits")
    parser.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="tokens for each of them")
    parser.add_argument(
        "--threads", type=int, default=max(1, num_cores - 1), help="without it, one less than there are cores"
    )
    options = parser.parse_args()
    try:
        xllamacpp = require("xllamacpp", EXTRA)
        file = find(options.model)
    except CannotStart as error:
        sys.exit(str(error))
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.hostnames, params.port = [options.host], options.port
    params.model_alias = {options.alias} if options.alias else set()
    params.n_parallel, params.n_ctx = options.slots, options.slots * options.context
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    # Threads that wait for work would take the CPU from capture, and from the voice that speaks what they write.
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.n_gpu_layers = 0
    params.cache_ram_mib = CACHE_MIB
    params.warmup = False  # the prompt that is sent ahead does it
    params.ui = False
    params.endpoint_slots = params.endpoint_props = True
    server = xllamacpp.Server(params)
    print("listening at", server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
