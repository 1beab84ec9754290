"""Tables of hosted voices."""

from __future__ import annotations

import pytest

from ringline.engine.config import ConfigError, parse


@pytest.mark.parametrize(
    ("table", "host"),
    [
        ('backend = "elevenlabs"', "api.elevenlabs.io"),
        ('backend = "cartesia"', "api.cartesia.ai"),
        ('backend = "elevenlabs"\nbase_url = "https://api.eu.residency.elevenlabs.io"', "eu.residency.elevenlabs.io"),
    ],
)
def test_offline_refuses_a_voice_that_is_elsewhere_and_names_the_host(table: str, host: str) -> None:
    with pytest.raises(ConfigError, match=host):
        parse(f"[tts]\n{table}\n")
    assert parse(f"[engine]\noffline = false\n[tts]\n{table}\n").tts.remote_host.endswith(host)


def test_server_on_this_machine_is_not_elsewhere() -> None:
    assert parse('[tts]\nbackend = "cartesia"\nbase_url = "http://127.0.0.1:1"\n').tts.remote_host == ""


@pytest.mark.parametrize("line", ["stability = 1.5", 'base_url = "api.elevenlabs.io"', 'base_url = "ftp://x"'])
def test_bad_value_is_named(line: str) -> None:
    with pytest.raises(ConfigError, match=line.split()[0]):
        parse(f'[engine]\noffline = false\n[tts]\nbackend = "elevenlabs"\n{line}\n')
