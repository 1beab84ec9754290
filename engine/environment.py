"""What workers find in their environment, for the libraries that they load."""

from __future__ import annotations

import tempfile

_THREAD_CAPS = (
    "OMP_NUM_THREADS",  # CTranslate2 and torch, too
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",  # tokenizers
)
"""ONNX Runtime reads none: whoever makes a session of it says how many."""

_SILENCE = {
    "ORT_DISABLE_TELEMETRY": "1",  # from 1.29 on, ONNX Runtime's wheels for Linux report each session to Microsoft
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
"""What keeps libraries from telling their makers of themselves, and of the machine they run on."""

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
"""What keeps them from looking for models on the net: what is missing is an error then."""


def worker_environment(threads: int, offline: bool) -> dict[str, str]:
    """Variables to set for a worker. ``threads``: what BLAS, OpenMP and the like may use."""
    caps = dict.fromkeys(_THREAD_CAPS, str(threads))
    return caps | _SILENCE | (_OFFLINE if offline else {}) | _temporary() | {"PYTHONUNBUFFERED": "1"}


def _temporary() -> dict[str, str]:
    """Where a container's root is read-only there is still shared memory for temporary files: the rings are there."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return {"TMPDIR": "/dev/shm"}
    return {}
