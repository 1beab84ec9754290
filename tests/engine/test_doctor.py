"""What `ringline doctor` finds."""

from __future__ import annotations

import pytest

from ringline.engine.config import Config, WebRtcVad
from ringline.tools import doctor


@pytest.mark.parametrize("module", ["google.no_such_part.speech", "no_such_package"])
def test_missing_package_is_a_finding(module: str) -> None:
    found = doctor._packages("stt", "google", (module,), "google")
    assert found == doctor.Finding("stt", f"google: missing {module}", False, "pip install 'ringline[google]'")


def test_the_vads_package_is_looked_for_and_its_extra_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_is_installed", lambda module: module != "webrtcvad")
    webrtc, silero = (next(doctor._backends(config)) for config in (Config(vad=WebRtcVad()), Config()))
    missing = "webrtc: missing webrtcvad"
    assert webrtc == doctor.Finding("vad backend", missing, False, "pip install 'ringline[webrtc]'")
    assert silero.ok
