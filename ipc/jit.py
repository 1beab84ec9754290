"""How Ringline compiles its hot loops: numba, cached on disk, without the GIL.

numba's own cache is keyed by the file a function stands in, so an edit to a function that is *called* from another
file goes unseen. Here the cache folder is named after the contents of every file that holds compiled code: any edit
starts a fresh cache, and a read-only installation caches in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
_COMPILED_FILES = (
    "ipc/jit.py",
    "ipc/atomics.py",
    "ipc/ring.py",
    "ipc/exchange.py",
    "workers/audio/codecs.py",
    "workers/audio/levels.py",
    "workers/audio/resample.py",
    "workers/capture/media.py",
    "workers/capture/vad.py",
)


def _cache_dir() -> Path:
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {platform.machine()}".encode())
    for name in _COMPILED_FILES:
        path = _ROOT / name
        if path.exists():
            digest.update(path.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (base, Path(tempfile.gettempdir()) / f"ringline-{os.getuid()}"):
        cache = folder / "ringline" / f"numba-{digest.hexdigest()[:16]}"
        try:
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(cache, os.W_OK):
            return cache
    return Path(tempfile.mkdtemp(prefix="ringline-numba-"))


numba.config.CACHE_DIR = str(_cache_dir())


def compiled(function: F) -> F:
    """Compile ``function`` in nopython mode on first use; the GIL is released while it runs."""
    decorated: F = numba.njit(cache=True, nogil=True, boundscheck=False)(function)
    return decorated
