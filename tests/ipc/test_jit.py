"""The cache of compiled code: never stale, never somebody else's."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import numba
import pytest

from ringline.ipc import jit

ROOT = Path(jit.__file__).resolve().parent.parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of all files that hold compiled code."""
    for name in jit._COMPILED_FILES:
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_copy_of_the_sources_has_the_same_digest(tree: Path) -> None:
    assert jit.digest(tree) == jit.digest()


@pytest.mark.parametrize("name", [name for name in jit._COMPILED_FILES if (ROOT / name).exists()])
def test_an_edit_to_a_compiled_file_starts_a_fresh_cache(name: str, tree: Path) -> None:
    with (tree / name).open("a") as file:
        file.write("\n# edited\n")
    assert jit.digest(tree) != jit.digest()


def test_code_moved_from_one_file_to_another_starts_a_fresh_cache(tree: Path) -> None:
    ring, reply = tree / "ipc/ring.py", tree / "ipc/reply.py"
    text = ring.read_text()
    ring.write_text(reply.read_text())
    reply.write_text(text)
    assert jit.digest(tree) != jit.digest()


def test_every_file_with_compiled_code_is_in_the_digest() -> None:
    holders = set()
    for folder in ("ipc", "engine", "workers", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            if re.search(r"^@(compiled|emitting|intrinsic|(numba\.)?njit)\b", path.read_text(), re.MULTILINE):
                holders.add(str(path.relative_to(ROOT)))
    assert holders <= set(jit._COMPILED_FILES)


def test_the_cache_stands_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = jit.cache_dir()
    assert cache.parent == tmp_path / "ringline"
    assert cache.is_dir()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(jit, "SHARED_MEMORY", folder)
    return folder


def test_without_a_writable_home_the_temporary_folder_serves(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked / "cache"))
    cache = jit.cache_dir()
    assert temporary in cache.parents
    assert cache == jit.cache_dir()  # the next process finds it again
    assert not cache.parent.parent.stat().st_mode & 0o077


def test_a_user_without_a_home_gets_the_temporary_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert temporary in jit.cache_dir().parents


def test_a_folder_that_anybody_may_write_to_is_not_trusted(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numba runs what it finds in its cache."""
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_folder))
    assert temporary in jit.cache_dir().parents


def test_a_folder_of_another_user_is_not_trusted(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("os.getuid", lambda: 12345)
    cache = jit.cache_dir()
    assert cache.parent == temporary
    assert cache.name.startswith("ringline-numba-")


def test_a_read_only_root_leaves_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nothing/can/be/made/here")
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(jit, "SHARED_MEMORY", tmp_path)
    cache = jit.cache_dir()
    assert cache is not None
    assert tmp_path in cache.parents


def test_where_nothing_can_be_written_nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "TMPDIR"):
        monkeypatch.setenv(name, "/proc/nothing/can/be/made/here")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/proc")
    monkeypatch.setattr(jit, "SHARED_MEMORY", Path("/proc"))
    assert jit.cache_dir() is None
    monkeypatch.setattr(jit, "_CACHE_DIR", None)

    @jit.compiled
    def one() -> int:
        return 1

    assert one() == 1


def test_only_this_file_asks_numba_to_compile() -> None:
    """A cache of numba's own choosing stands beside the code, or in a home: some users have neither to write to."""
    asking = [
        path
        for folder in ("ipc", "engine", "workers", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bnjit\(|@jit\(|@numba\.", path.read_text())
    ]
    assert [str(path.relative_to(ROOT)) for path in asking] == ["ipc/jit.py"]


def test_the_cache_folder_of_the_program_around_us_is_left_alone() -> None:
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]

    @jit.compiled
    def one() -> int:
        return 1

    assert before == numba.config.CACHE_DIR  # type: ignore[attr-defined]
    assert str(jit._CACHE_DIR) not in (before, "")
    assert one._cache.cache_path.startswith(str(jit._CACHE_DIR))  # type: ignore[attr-defined]
