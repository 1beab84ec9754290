"""Fetching a model into the store: from the model hub, from a mirror, or from a folder.

Each file is written beside its place, checked, and then moved there. What was broken off is gone on with, and is no
model until then (`store.PARTS`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from ringline.workers.models import manifest as manifests
from ringline.workers.models.catalogue import Model
from ringline.workers.models.manifest import File, Manifest, sha256_of
from ringline.workers.models.origins import Hub, Mirror
from ringline.workers.models.store import PARTS, store

Progress = Callable[[str, int, int], None]
"""File, bytes that are there, bytes in all (0: unknown)."""


class PullFailed(Exception):
    """A model could not be fetched; the message says why."""


def pull(model: Model, origin: str = "", progress: Progress = lambda file, done, total: None) -> Path:
    """Fetch what is missing of a model. Returns its folder in the store.

    ``origin``: a folder or URL that is laid out like the store; empty: the model hub (``HF_ENDPOINT`` names another
    one). Raises PullFailed; OSError where the store cannot be written.
    """
    if model.package:
        raise PullFailed(f"{model.name} comes with the Python package {model.package}: there is nothing to pull")
    folder = store() / model.name
    try:
        source = Mirror(origin, model) if origin else Hub(model)
        known = manifests.read(folder)
        files = dict(known.files) if known else {}
        for name, expected in source.files.items():
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise PullFailed(f"{model.name}: the file {name} would lie outside of the model's folder")
            if name in files and path.is_file() and path.stat().st_size == files[name].size:
                continue
            part = source.fetch(name, folder / PARTS, progress)
            files[name] = _checked(part, name, (model.sha256.get(name, ""), expected))
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, path)
            manifests.write(folder, Manifest(source.description, model.licence, files))
        shutil.rmtree(folder / PARTS, ignore_errors=True)
    except PullFailed:
        raise
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise PullFailed(f"{model.name}: {error}") from error
    return folder


def _checked(part: Path, name: str, expected: tuple[str, str]) -> File:
    """The file's size and checksum. A file that has another than it should is deleted: going on with it is no use."""
    sha256 = sha256_of(part)
    for wanted in expected:
        if wanted and wanted != sha256:
            part.unlink()
            raise PullFailed(f"{name} has the sha256 {sha256}, and should have {wanted}: it was not put into the store")
    return File(part.stat().st_size, sha256)
