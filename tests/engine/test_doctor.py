"""What `ringline doctor` finds."""

from __future__ import annotations

import pytest

from ringline.tools import doctor


@pytest.mark.parametrize("module", ["google.no_such_part.speech", "no_such_package"])
def test_missing_package_is_a_finding(module: str) -> None:
    found = doctor._packages("stt", "google", (module,), "google")
    assert found == doctor.Finding("stt", f"google: missing {module}", False, "pip install 'ringline[google]'")
