from __future__ import annotations

import pytest

from ringline.tools.caller.wire import UrlError, parse_url


def test_audiosocket_carries_slin_at_8_khz_by_default() -> None:
    target = parse_url("audiosocket://pbx.example:9999")
    assert (target.host, target.port, target.rate_hz, target.encoding) == ("pbx.example", 9999, 8_000, "slin")


def test_audiosocket_may_carry_other_rates() -> None:
    assert parse_url("audiosocket://localhost?rate=16000").frame_samples == 320


def test_twilio_carries_mu_law_at_8_khz() -> None:
    target = parse_url("twilio://localhost/media")
    assert (target.port, target.path, target.rate_hz, target.encoding) == (8765, "/media", 8_000, "mulaw")


def test_an_ipv6_host_is_taken() -> None:
    assert parse_url("audiosocket://[::1]:9092").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "localhost:9092",
        "audiosocket://",
        "audiosocket://localhost:99999",
        "audiosocket://localhost:port",
        "audiosocket://localhost?rate=11025",
        "audiosocket://localhost?rate=fast",
        "audiosocket://localhost?codec=slin",
        "audiosocket://localhost/path",
        "twilio://localhost/media?x=1",
        "twilio://[::1",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_by_name(url: str) -> None:
    with pytest.raises(UrlError, match=r"localhost|audiosocket|twilio"):
        parse_url(url)
