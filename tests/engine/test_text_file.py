"""Files from whatever editor: taken, or an error that says what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.agent import Agent, AgentError
from ringline.engine.config import ConfigError, load
from ringline.engine.text_file import TextFileError, read_text

TEXT = 'name = "Zoë"\n# ☎ second line\n'


@pytest.mark.kind("files")
@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_text_of_any_editor_is_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_text(tmp_path / "file") == TEXT


@pytest.mark.kind("files")
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"# fine\n# caf\xe9\n", r"line 2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
        ("# café €\n".encode("cp1252"), "line 1: byte 0xe9 is not UTF-8"),
        (TEXT.encode("utf-16-le"), "line 1: "),
        (b"\xff\xfe\x00\xdcx", "line 1: byte 0x00 is not UTF-16"),
        (b"\n\n\0", "line 3: a NUL"),
        (b"\x1f\x8b\x08", "line 1: byte 0x8b is not UTF-8"),
    ],
)
def test_anything_else_is_an_error_that_names_the_line(tmp_path: Path, content: bytes, error: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(TextFileError, match=error):
        read_text(tmp_path / "file")


@given(st.binary(max_size=50))
def test_any_bytes_are_text_or_an_error_we_know(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    with contextlib.suppress(TextFileError):
        assert "\0" not in read_text(path)


@pytest.mark.kind("files")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_configuration_and_agent_are_read_with_a_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ringline.toml").write_text("[engine]\nmax_calls = 3\n", encoding=encoding)
    assert load(tmp_path / "ringline.toml").engine.max_calls == 3
    (tmp_path / "agent.toml").write_text('name = "Zoë"\n', encoding=encoding)
    (tmp_path / "flow.toml").write_text('start = "hello"\n', encoding=encoding)
    agent = Agent.load(tmp_path)
    assert (agent.name, agent.flow.text) == ("Zoë", 'start = "hello"\n')


@pytest.mark.kind("files")
@pytest.mark.parametrize("name", ["agent.toml", "flow.toml", "tools.py"])
def test_agents_file_in_another_encoding_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "agent.toml").write_text('name = "x"\n')
    (tmp_path / name).write_bytes(b'name = "caf\xe9"\n')
    with pytest.raises(AgentError, match=name):
        Agent.load(tmp_path)


@pytest.mark.kind("files")
def test_configuration_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "ringline.toml").write_bytes(b"[engine]\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"ringline.toml, line 2: .* save the file as UTF-8"):
        load(tmp_path / "ringline.toml")
