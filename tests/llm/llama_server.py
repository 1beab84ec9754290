"""``python llama_server.py <model.gguf> <port> [<replies at once>]``: llama.cpp's own HTTP server, from a wheel."""

from __future__ import annotations

import socket
import sys
import threading

PATH = __file__


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.port = sys.argv[1], int(sys.argv[2])
    params.hostnames = ["127.0.0.1"]
    params.n_ctx, params.n_gpu_layers = 8_192, 0
    params.n_parallel = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.endpoint_slots = True
    server = xllamacpp.Server(params)
    print("listening at", server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
