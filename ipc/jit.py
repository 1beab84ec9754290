"""How Ringline compiles its hot loops: numba, cached on disk, without the GIL.

numba's own cache is keyed by the file a function stands in, so an edit to a function that is *called* from another
file goes unseen. Here the cache folder is named after the contents of every file that holds compiled code: any edit
starts a fresh cache, and a read-only installation caches in the user's cache folder; a user without a home in the
temporary one; and a container in which nothing can be written in shared memory, where the rings are, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
SHARED_MEMORY = Path("/dev/shm")
_COMPILED_FILES = (
    "ipc/jit.py",
    "ipc/atomics.py",
    "ipc/ring.py",
    "ipc/exchange.py",
    "ipc/reply.py",
    "workers/audio/codecs.py",
    "workers/audio/levels.py",
    "workers/audio/resample.py",
    "workers/audio/fades.py",
    "workers/capture/echo.py",
    "workers/capture/hysteresis.py",
    "workers/capture/media.py",
    "workers/capture/silero.py",
    "workers/capture/vad.py",
    "workers/capture/webrtc.py",
    "workers/capture/windows.py",
    "workers/tts/schedule.py",
)


def digest(root: Path = _ROOT) -> str:
    """Names what would be compiled, from the sources below ``root`` and by whom: 16 hexadecimal digits."""
    sha = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {platform.machine()}".encode())
    for name in _COMPILED_FILES:
        path = root / name
        if path.exists():
            sha.update(f"\0{name}\0".encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def cache_dir() -> Path | None:
    """The folder for this code's cache, made if need be; None where nothing can be written at all."""
    for base in _bases():
        cache = base / "ringline" / f"numba-{digest()}"
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if _is_ours(base) and _is_ours(cache) and os.access(cache, os.W_OK):
            return cache
    for folder in _temporary():  # for this process only
        with contextlib.suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="ringline-numba-", dir=folder))
    return None


def _bases() -> list[Path]:
    bases = [folder / f"ringline-{os.getuid()}" for folder in _temporary()]
    with contextlib.suppress(RuntimeError):  # a user without a home, as in many containers
        bases.insert(0, Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    return bases


def _temporary() -> list[Path]:
    with contextlib.suppress(OSError):  # raised where the whole root is read-only
        return [Path(tempfile.gettempdir()), SHARED_MEMORY]
    return [SHARED_MEMORY]


def _is_ours(folder: Path) -> bool:
    # numba runs whatever stands in its cache: nobody else may have made the folder, nor may just anybody write to it.
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH


_CACHE_DIR = cache_dir()


def compiled(function: F) -> F:
    """Compile ``function`` in nopython mode on first use; the GIL is released while it runs."""
    return _compiled(function, fastmath=False)


def compiled_sums(function: F) -> F:
    """As `compiled`, for sums of products whose order does not matter: only so they become vector code."""
    return _compiled(function, fastmath={"reassoc", "contract", "nsz"})


def _compiled(function: F, fastmath: Any) -> F:
    config: Any = numba.config
    others = config.CACHE_DIR  # the folder of the program that embeds us stays its own
    config.CACHE_DIR = str(_CACHE_DIR)
    try:
        return cast(
            F, numba.njit(cache=_CACHE_DIR is not None, nogil=True, boundscheck=False, fastmath=fastmath)(function)
        )
    finally:
        config.CACHE_DIR = others
