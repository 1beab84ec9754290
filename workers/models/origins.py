"""Where models are fetched from: the model hub, or a mirror."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote

import msgspec

from ringline.workers.models.catalogue import Model
from ringline.workers.models.manifest import CHUNK_BYTES, MANIFEST, Manifest

TIMEOUT_S = 30.0
"""Without a byte from a mirror."""


class Hub:
    """The repository ``model.source`` on the Hugging Face hub, or on what ``HF_ENDPOINT`` names. huggingface_hub goes
    on with what was broken off, and shows its own progress bars."""

    def __init__(self, model: Model) -> None:
        """Asks for the list of files."""
        from huggingface_hub import HfApi

        with _hub_errors():
            info = HfApi().model_info(model.source, files_metadata=True)
        prefix = f"{model.folder}/" if model.folder else ""
        listed = {
            file.rfilename.removeprefix(prefix): file.lfs.sha256 if file.lfs else ""
            for file in info.siblings or ()
            if file.rfilename.startswith(prefix) and file.rfilename != ".gitattributes"
        }
        if lacking := [file for file in model.files if file not in listed]:
            raise ValueError(f"{model.source} has no {', '.join(lacking)}")
        self.files = {file: listed[file] for file in model.files or listed}
        """Each file's sha256, where the hub says it."""
        self.description = f"{model.source} at {info.sha}"
        self._model, self._revision = model, info.sha

    def fetch(self, name: str, parts: Path, progress: Callable[[str, int, int], None]) -> Path:
        """Download a file. Returns where it lies, somewhere in ``parts``."""
        from huggingface_hub import hf_hub_download

        path = self._model.in_source(name)
        with _hub_errors():
            return Path(hf_hub_download(self._model.source, path, revision=self._revision, local_dir=parts))


@contextmanager
def _hub_errors() -> Iterator[None]:
    """The hub's errors as OSError: those of its HTTP library are not."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except HTTPError as error:
        raise OSError(f"the model hub: {error}") from error


class Mirror:
    """A folder or a web server's, laid out like the store: ``<model>/<file>``, with the manifest that the store has."""

    def __init__(self, origin: str, model: Model) -> None:
        """Reads the manifest. ``origin``: a path or an http(s) URL. Raises ValueError if it does not have the model."""
        self.description = origin
        self._base = f"{origin.rstrip('/')}/{model.name}"
        manifest = self._manifest()
        if manifest is None and not model.files:
            raise ValueError(
                f"{self._base} has no {MANIFEST}, and the catalogue does not know what belongs to the model"
            )
        known = {name: file.sha256 for name, file in manifest.files.items()} if manifest else {}
        self.files = {name: known.get(name, "") for name in model.files or known}
        """Each file's sha256, where the mirror says it."""

    def fetch(self, name: str, parts: Path, progress: Callable[[str, int, int], None]) -> Path:
        """Copy a file into ``parts``, behind what is there of it already. Returns where it lies."""
        part = parts / name
        part.parent.mkdir(parents=True, exist_ok=True)
        done = part.stat().st_size if part.exists() else 0
        source, done, total = self._open(name, done)
        with closing(source), part.open("ab" if done else "wb") as target:
            progress(name, done, total)
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
                done += len(chunk)
                progress(name, done, total)
        size = part.stat().st_size
        if total and size > total:
            part.unlink()
        if total and size != total:
            raise OSError(f"{name}: the connection broke at {size} of {total} bytes; pull again to go on")
        return part

    def _manifest(self) -> Manifest | None:
        try:
            source, _, _ = self._open(MANIFEST, 0)
        except FileNotFoundError:
            return None
        with closing(source):
            return msgspec.json.decode(source.read(), type=Manifest)

    def _open(self, name: str, start: int) -> tuple[BinaryIO, int, int]:
        """The file from byte ``start`` on, or from the first where the server cannot do that; where it really begins;
        and the size of all of it, 0 for unknown. Raises FileNotFoundError."""
        if not self._base.startswith(("http://", "https://")):
            file = Path(self._base, name).open("rb")  # noqa: SIM115  (the caller closes it)
            size = os.fstat(file.fileno()).st_size
            file.seek(min(start, size))
            return file, min(start, size), size
        url = f"{self._base}/{quote(name)}"
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        try:
            answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    raise FileNotFoundError(f"{url}: not found") from None
                if error.code == 416 and start:  # it has no byte ``start``: the part is whole, or another file's
                    return self._open(name, 0)
                raise OSError(f"{url}: {error.code} {error.reason}") from None
        length = int(answer.headers.get("Content-Length") or 0)
        begins = start if answer.status == 206 else 0
        return cast(BinaryIO, answer), begins, begins + length if length else 0
