"""What workers' libraries are told by their environment."""

from __future__ import annotations

import tempfile

import pytest

from ringline.engine.environment import worker_environment


def test_threads_are_capped_as_configured() -> None:
    environment = worker_environment(3, offline=True)
    caps = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
    assert {environment[name] for name in caps} == {"3"}


def test_offline_no_library_looks_for_models_on_the_net() -> None:
    assert worker_environment(1, offline=True)["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in worker_environment(1, offline=False)


def test_no_library_reports_to_its_maker_online_either() -> None:
    environment = worker_environment(1, offline=False)
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_without_a_temporary_folder_shared_memory_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    assert "TMPDIR" not in worker_environment(1, offline=False)
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert worker_environment(1, offline=False)["TMPDIR"] == "/dev/shm"
