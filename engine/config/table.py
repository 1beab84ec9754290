"""What every table of the configuration is made of."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table: its fields are the keys, with their units in the names."""


class StageBackend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="backend"):
    """``[stt]``, ``[llm]``, ``[tts]`` and their fallbacks: ``backend = "..."`` names the subclass."""

    packages: ClassVar[tuple[str, ...]] = ()
    """The modules it imports ..."""
    extra: ClassVar[str] = ""
    """... and the extra of setup.py that brings them; empty: the plain install does."""
    model_keys: ClassVar[tuple[str, ...]] = ()
    """Its keys that name models on this machine: a path, or what `ringline models list` shows."""
    file_keys: ClassVar[tuple[str, ...]] = ()
    """... and those that name other files."""

    workers: Positive = 1
    """Processes of this pool."""
    threads: Positive = 1
    """What BLAS, OpenMP and the like may use in each."""

    @property
    def name(self) -> str:
        """``pocketsphinx``"""
        return str(self.__struct_config__.tag)

    @property
    def models(self) -> tuple[str, ...]:
        """The models it cannot start without, beside those in its packages."""
        return tuple(found for key in self.model_keys if (found := getattr(self, key)))

    @property
    def remote_host(self) -> str:
        """The machine that the backend talks to; empty if nothing leaves this one."""
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def remote_host(url: str) -> str:
    """The host that a server's URL names; empty if it is this machine. A URL that names none is taken for remote."""
    host = urlsplit(url).hostname or ""
    return "" if is_loopback(host) else host or url
