"""What a program gets from ``import ringline``."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ringline


@pytest.mark.parametrize("name", ringline.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(ringline, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ringline.nothing  # noqa: B018


def test_worker_does_not_load_the_engine() -> None:
    script = "import sys, ringline.workers.base; sys.exit('ringline.engine.engine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
