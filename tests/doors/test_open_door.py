from __future__ import annotations

from typing import Any

import pytest

from ringline.engine.config import DoorConfig
from ringline.engine.config.capture import DOOR_SCHEMES
from ringline.workers.base import CannotStart
from ringline.workers.capture.doors import open_door
from ringline.workers.capture.doors.address import host_and_port
from ringline.workers.secrets import secret


@pytest.mark.parametrize("scheme", DOOR_SCHEMES)
def test_every_scheme_the_configuration_allows_has_a_door(run: Any, opened: Any, scheme: str) -> None:
    async def main() -> None:
        async with opened(f"{scheme}://127.0.0.1:0/media") as (door, _):
            assert door.port > 0

    run(main)


def test_a_scheme_without_a_door_is_an_error() -> None:
    with pytest.raises(CannotStart, match="sip://"):
        open_door(DoorConfig("sip://127.0.0.1:5060"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("audiosocket://127.0.0.1:9092", ("127.0.0.1", 9092)),
        ("audiosocket://0.0.0.0", ("0.0.0.0", 1234)),
        ("audiosocket://[::1]:0", ("::1", 0)),
        ("audiosocket://:9000", ("127.0.0.1", 9000)),
    ],
)
def test_a_door_listens_where_its_url_says_and_on_loopback_if_it_does_not(url: str, expected: tuple[str, int]) -> None:
    assert host_and_port(url, 1234) == expected


def test_a_secret_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    assert secret("$A_TOKEN") == "s3cret"
    assert secret("plain") == "plain"
    assert secret("") == ""


def test_a_secret_that_is_not_set_keeps_the_door_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_TOKEN", raising=False)
    with pytest.raises(CannotStart, match="A_TOKEN"):
        open_door(DoorConfig("twilio://127.0.0.1:0/media", auth_token="$A_TOKEN"), None)  # type: ignore[arg-type]
