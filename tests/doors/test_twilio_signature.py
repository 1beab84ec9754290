from __future__ import annotations

import pytest

from ringline.workers.capture.doors.twilio_signature import is_signed, sign

TOKEN = "12345"
URL = "wss://voice.example.com/media"


def test_the_signature_is_the_one_of_twilios_documentation() -> None:
    # Their example is of a POST: the parameters, sorted, follow the URL.
    signed = "https://mycompany.com/myapp.php?foo=1&bar=2"
    signed += "CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212"
    assert sign(TOKEN, signed) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_right_signature_is_taken() -> None:
    assert is_signed(TOKEN, URL, sign(TOKEN, URL))


@pytest.mark.parametrize("url", ["wss://voice.example.com:443/media", "wss://voice.example.com:8443/media"])
def test_a_port_may_be_part_of_what_was_signed_or_not(url: str) -> None:
    assert is_signed(TOKEN, url, sign(TOKEN, url))
    assert is_signed(TOKEN, url, sign(TOKEN, URL))


def test_the_default_port_may_have_been_signed_though_nobody_wrote_it() -> None:
    assert is_signed(TOKEN, URL, sign(TOKEN, "wss://voice.example.com:443/media"))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "x",
        "\u00e9\udcff",
        sign("another", URL),
        sign(TOKEN, "wss://evil.example.com/media"),
        sign(TOKEN, URL) + "=",
    ],
)
def test_any_other_signature_is_refused(signature: str) -> None:
    assert not is_signed(TOKEN, URL, signature)


@pytest.mark.parametrize("url", ["wss://[half/media", "wss:///media", "wss://\udcff/media", "wss://:/", "wss://a:b:c/"])
def test_a_host_that_is_none_is_refused_and_no_error(url: str) -> None:
    assert not is_signed(TOKEN, url, sign(TOKEN, URL))
