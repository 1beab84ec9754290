"""What was pulled: sizes and checksums, kept beside the files, so that they can be checked years later.

A store is thereby also a mirror: served as it is, others pull from it and check against the same checksums.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

MANIFEST = "ringline.json"
"""A name that no repository uses itself."""

CHUNK_BYTES = 1 << 20


class File(msgspec.Struct, frozen=True):
    """One file."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """``ringline.json`` in a model's folder."""

    source: str
    """Where it was pulled from: a repository and its revision, or a mirror."""
    licence: str
    files: dict[str, File]


def read(folder: Path) -> Manifest | None:
    """The manifest of a model's folder; None without one."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None


def write(folder: Path, manifest: Manifest) -> None:
    """Put it there, whole or not at all."""
    part = folder / f"{MANIFEST}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    os.replace(part, folder / MANIFEST)


def sha256_of(path: Path) -> str:
    """A file's checksum, in hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def damaged(folder: Path, manifest: Manifest) -> list[str]:
    """What is wrong with the files, one line each; empty: all is as it was pulled."""
    found = []
    for name, file in manifest.files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != file.size:
            found.append(f"{name} has {path.stat().st_size} bytes, not {file.size}")
        elif sha256_of(path) != file.sha256:
            found.append(f"{name} has another sha256 than {file.sha256}")
    return found
