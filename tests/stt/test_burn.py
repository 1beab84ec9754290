"""The load of a model without the model."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ringline.engine.environment import worker_environment

PROGRAM = """
import time
from ringline.workers.stt.burn import burn
burn(2, {kind!r})
while time.process_time() < {enough}:
    time.sleep(0.05)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["matrices", "python", "memory"])
def test_threads_are_busy_and_end_with_their_process(kind: str) -> None:
    # More CPU time than the imports take.
    environment = os.environ | worker_environment(1, offline=True)
    subprocess.run([sys.executable, "-c", PROGRAM.format(kind=kind, enough=4.0)], check=True, env=environment)
