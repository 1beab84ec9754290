"""Asks a running engine's control API."""

from __future__ import annotations

import os
import urllib.error
import urllib.request

import msgspec
import typer

from ringline.engine.control import CallTrace, Status

DEFAULT_URL = "http://127.0.0.1:9093"


def _get(url: str, path: str) -> bytes:
    request = urllib.request.Request(url.rstrip("/") + path)
    if token := os.environ.get("RINGLINE_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        raise typer.BadParameter(f"{url}{path}: {error.code} {text}") from None
    except OSError as error:
        raise typer.BadParameter(f"no engine at {url}: {getattr(error, 'reason', error)}") from None


def get_status(url: str) -> Status:
    """What the engine at ``url`` is doing."""
    return msgspec.json.decode(_get(url, "/status"), type=Status)


def get_trace(url: str, call: str) -> CallTrace:
    """The turns of one of its calls."""
    return msgspec.json.decode(_get(url, f"/calls/{call}/trace"), type=CallTrace)
