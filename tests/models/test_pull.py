"""Models come into the store whole and checked, from a hub, a mirror or a folder; what broke off is gone on with."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ringline.workers.base import CannotStart
from ringline.workers.models import manifest as manifests
from ringline.workers.models.catalogue import Model, find
from ringline.workers.models.pull import PullFailed, pull
from ringline.workers.models.store import PARTS, locate, place

from .conftest import FILES, REVISION, VOICE, Hub

NET = FILES["net.onnx"]


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def sha256(name: str) -> str:
    return hashlib.sha256(FILES[name]).hexdigest()


# --- a folder -----------------------------------------------------------------------------------------------------


def test_folder_is_copied_with_checksums(store: Path, mirror: Path) -> None:
    folder = pull(VOICE, str(mirror))
    assert folder == store / "voice"
    assert content(folder) == FILES
    manifest = manifests.read(folder)
    assert manifest is not None
    assert {name: file.sha256 for name, file in manifest.files.items()} == {name: sha256(name) for name in FILES}
    assert not manifests.damaged(folder, manifest)


def test_store_is_a_mirror_for_the_next(store: Path, mirror: Path, tmp_path: Path, monkeypatch: Any) -> None:
    pull(VOICE, str(mirror))
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path / "another"))
    whole = msgspec.structs.replace(VOICE, files=())  # what belongs to it is read from the manifest
    assert content(pull(whole, str(store))) == FILES


def test_file_that_is_not_what_the_mirrors_manifest_says_is_refused(
    store: Path, mirror: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    pull(VOICE, str(mirror))
    (store / "voice" / "net.onnx").write_bytes(b"something else")
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path / "another"))
    with pytest.raises(PullFailed, match="has the sha256"):
        pull(VOICE, str(store))
    assert not (tmp_path / "another" / "voice" / "net.onnx").exists()


def test_file_that_is_not_what_the_catalogue_says_is_refused(store: Path, mirror: Path) -> None:
    pinned = msgspec.structs.replace(VOICE, sha256={"net.onnx": "0" * 64})
    with pytest.raises(PullFailed, match="should have 0000"):
        pull(pinned, str(mirror))


def test_mirror_without_the_model_is_named(store: Path, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match="No such file"):
        pull(VOICE, str(tmp_path))


def test_pull_that_fails_leaves_no_folder_that_looks_like_a_model(store: Path, tmp_path: Path) -> None:
    with pytest.raises(PullFailed):
        pull(Model("whole", source="someone/whole"), str(tmp_path))
    assert not (store / "whole").exists()


def test_mirror_cannot_write_outside_of_the_models_folder(store: Path, mirror: Path) -> None:
    evil = manifests.Manifest("", "", {"../../evil": manifests.File(1, "")})
    manifests.write(mirror / "voice", evil)
    (mirror / "evil").write_bytes(b"x")
    with pytest.raises(PullFailed, match="outside"):
        pull(Model("voice", source="someone/voice"), str(mirror))


def test_part_that_is_longer_than_the_file_is_thrown_away(store: Path, mirror: Path) -> None:
    part = store / "voice" / PARTS / "voices" / "one.bin"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 100)
    with pytest.raises(PullFailed, match="100 of 7"):
        pull(VOICE, str(mirror))
    assert content(pull(VOICE, str(mirror))) == FILES


def test_model_of_a_package_is_not_pulled(store: Path) -> None:
    with pytest.raises(PullFailed, match="faster_whisper"):
        pull(find("silero-vad"))


# --- a web server -------------------------------------------------------------------------------------------------


def pull_broken(server: Any, url: Any) -> None:
    """A pull whose first file breaks off."""
    server.breaks["/voice/net.onnx"] = 100_000
    with pytest.raises(PullFailed, match="broke at 100000 of"):
        pull(VOICE, url(server))


def test_download_that_broke_off_is_gone_on_with(store: Path, mirror: Path, serve: Any, url: Any) -> None:
    server = serve(mirror)
    pull_broken(server, url)
    assert (store / "voice" / PARTS / "net.onnx").stat().st_size == 100_000
    assert content(pull(VOICE, url(server))) == FILES
    assert ("/voice/net.onnx", "bytes=100000-") in server.asked


def test_server_without_ranges_is_asked_for_all_again(store: Path, mirror: Path, serve: Any, url: Any) -> None:
    server = serve(mirror)
    pull_broken(server, url)
    server.knows_ranges = False
    assert content(pull(VOICE, url(server))) == FILES


def test_part_of_another_file_is_thrown_away(
    store: Path, mirror: Path, serve: Any, url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(VOICE, str(mirror))
    part = store / "next" / "voice" / PARTS / "net.onnx"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    server = serve(store)
    monkeypatch.setenv("RINGLINE_MODELS", str(store / "next"))
    with pytest.raises(PullFailed, match="sha256"):
        pull(VOICE, url(server))
    assert content(pull(VOICE, url(server))) == FILES


def test_what_is_there_is_not_fetched_again(store: Path, mirror: Path, serve: Any, url: Any) -> None:
    server = serve(mirror)
    pull(VOICE, url(server))
    server.asked.clear()
    pull(VOICE, url(server))
    assert [path for path, _ in server.asked] == [f"/voice/{manifests.MANIFEST}"]


def test_progress_is_told_from_the_first_byte_to_the_last(store: Path, mirror: Path, serve: Any, url: Any) -> None:
    seen: list[tuple[str, int, int]] = []
    pull(VOICE, url(serve(mirror)), lambda *step: seen.append(step))
    assert seen[0] == ("net.onnx", 0, len(NET))
    assert ("net.onnx", len(NET), len(NET)) in seen


def test_model_that_is_still_being_pulled_is_not_taken_for_one(store: Path, mirror: Path, serve: Any, url: Any) -> None:
    whole = Model("voice")
    pull(VOICE, str(mirror))
    assert locate("voice") == store / "voice"
    (store / "voice" / PARTS).mkdir()
    assert place(whole) is None
    with pytest.raises(CannotStart):
        locate("voice")


# --- the hub ------------------------------------------------------------------------------------------------------

PULL = """
import sys
from pathlib import Path
from ringline.workers.models.catalogue import Model
from ringline.workers.models.pull import PullFailed, pull
try:
    print(pull(Model("voice", source="someone/voice", files=("net.onnx", "voices/one.bin"), licence="MIT")))
except PullFailed as error:
    sys.exit(str(error))
"""


def pull_from_hub(store: Path, hub: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: huggingface_hub reads its environment when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(store.parent / "hf"), "HF_HUB_DISABLE_XET": "1"}
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):  # an engine's, if one was begun in this process
        environment.pop(name, None)
    command = [sys.executable, "-c", PULL]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_hub_is_asked_and_its_revision_and_checksums_are_kept(
    store: Path, tmp_path: Path, serve: Any, url: Any
) -> None:
    done = pull_from_hub(store, url(serve(tmp_path, Hub)))
    assert done.returncode == 0, done.stderr
    assert content(store / "voice") == FILES
    manifest = manifests.read(store / "voice")
    assert manifest is not None
    assert manifest.source == f"someone/voice at {REVISION}"
    assert manifest.files["net.onnx"].sha256 == sha256("net.onnx")
    assert not (store / "voice" / PARTS).exists()


def test_file_that_is_not_what_the_hub_says_is_refused(store: Path, tmp_path: Path, serve: Any, url: Any) -> None:
    server = serve(tmp_path, Hub)
    server.served["net.onnx"] = NET[:-1] + b"!"
    done = pull_from_hub(store, url(server))
    assert "net.onnx has the sha256" in done.stderr
    assert not (store / "voice" / "net.onnx").exists()


def test_hub_that_cannot_be_reached_is_said(store: Path, serve: Any, url: Any, tmp_path: Path) -> None:
    server = serve(tmp_path, Hub)
    address = url(server)
    server.shutdown()
    server.server_close()
    done = pull_from_hub(store, address)
    assert done.returncode == 1
    assert "the model hub" in done.stderr
    assert "Traceback" not in done.stderr
