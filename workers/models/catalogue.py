"""The models that Ringline knows by name (`catalogue.toml`)."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

import msgspec


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model: what it is for, where it comes from, what it binds its user to."""

    name: str
    """Also its folder in the store."""
    also: tuple[str, ...] = ()
    """What else it is called: the names of faster-whisper."""
    stage: str = ""
    backend: str = ""
    source: str = ""
    """``owner/repository`` on the model hub."""
    folder: str = ""
    """Of the repository, the part in which its files lie; empty: all of it."""
    files: tuple[str, ...] = ()
    """Below ``folder``; empty: everything there."""
    sha256: dict[str, str] = {}
    """Of its files, those whose checksum is fixed."""
    package: str = ""
    """The Python module in whose folder it lies; ``files`` are patterns then."""
    mb: int = 0
    """About what it takes on disk, in megabytes; 0: unknown."""
    licence: str = "unknown"
    note: str = ""
    """What the licence binds the user to, where that is more than to name the authors."""

    def in_source(self, file: str) -> str:
        """The path of one of its files in the repository."""
        return f"{self.folder}/{file}" if self.folder else file


@functools.cache
def catalogue() -> tuple[Model, ...]:
    """All of them."""
    table = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return tuple(msgspec.convert(table["model"], list[Model]))


def find(name: str) -> Model:
    """A model by its name, or by its repository where that has but one model; any other repository as a whole.

    Raises KeyError for what is neither a known name nor looks like a repository.
    """
    for model in catalogue():
        if name == model.name or name in model.also:
            return model
    from_there = [model for model in catalogue() if name == model.source]
    if len(from_there) == 1:
        return from_there[0]
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise KeyError(name)
    return Model(name, source=name)
