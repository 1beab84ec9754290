"""Small models, and the places they are pulled from."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ringline.workers.models.catalogue import Model

FILES = {"net.onnx": bytes(range(256)) * 4096, "voices/one.bin": b"a voice"}
VOICE = Model("voice", "tts", "kokoro", "someone/voice", files=tuple(FILES), mb=1, licence="MIT")
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, and nothing in the Hugging Face cache."""
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path / "store"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "store"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A folder with `VOICE`, laid out like the store, without a manifest."""
    for name, content in FILES.items():
        path = tmp_path / "mirror" / "voice" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "mirror"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, with ranges; may break off or refuse them."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content, start = path.read_bytes(), 0
        if (wanted := self.headers.get("Range")) and server.knows_ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : server.breaks.pop(self.path, len(content))])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Hub(Handler):
    """As much of the model hub as huggingface_hub asks for one repository."""

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))  # type: ignore[attr-defined]
        self._answer(head=False)

    def _answer(self, head: bool) -> None:
        if self.path.startswith("/api/models/someone/voice"):
            siblings = [
                {
                    "rfilename": name,
                    "size": len(content),
                    "blobId": "0" * 40,
                    "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130},
                }
                for name, content in {**FILES, "README.md": b"about it"}.items()
            ]
            answer = {
                "id": "someone/voice",
                "modelId": "someone/voice",
                "sha": REVISION,
                "siblings": siblings,
                "tags": [],
            }
            content, headers = json.dumps(answer).encode(), {"Content-Type": "application/json"}
        else:
            name = self.path.partition(f"/resolve/{REVISION}/")[2]
            if name not in FILES:
                self.send_error(404)
                return
            content = self.server.served.get(name, FILES[name])  # type: ignore[attr-defined]
            headers = {"ETag": f'"{hashlib.sha256(FILES[name]).hexdigest()}"', "X-Repo-Commit": REVISION}
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        for key, value in headers.items():
            self.send_header(key, value)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if not head:
            self.wfile.write(content[start:])


Serve = Callable[..., ThreadingHTTPServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(folder)``: a web server; ``url(server)`` is where."""
    servers = []

    def started(folder: Path, handler: type[Handler] = Handler) -> ThreadingHTTPServer:
        server: Any = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        server.asked, server.served, server.knows_ranges, server.breaks = [], {}, True, {}
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def url() -> Callable[[ThreadingHTTPServer], str]:
    return lambda server: f"http://127.0.0.1:{server.server_address[1]}"
