from types import ModuleType

import pytest

from ringline.engine.agent import Agent


@pytest.mark.parametrize(
    ("day", "time", "reason"),
    [
        ("2026-11-21", "10:00", "past"),
        ("2026-11-28", "10:00", "closed"),
        ("2026-11-24", "08:30", "outside hours"),
        ("2026-11-24", "17:00", "outside hours"),
        ("2026-11-24", "10:10", "outside hours"),
    ],
)
def test_what_cannot_be_booked_has_a_reason(clinic_tools: ModuleType, day: str, time: str, reason: str) -> None:
    assert clinic_tools.book(day, time) == {"ok": False, "reason": reason}
    assert not clinic_tools.appointments


def test_a_taken_time_has_an_alternative(clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-27", "16:30")
    assert clinic_tools.book("2026-11-27", "16:30") == {
        "ok": False,
        "reason": "taken",
        "alternative_day": "2026-11-30",
        "alternative_time": "09:00",
    }


def test_a_move_that_is_refused_keeps_the_old_appointment(clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    assert not clinic_tools.move("2026-11-24", "10:00", "2026-11-28", "10:00")["ok"]
    assert len(clinic_tools.appointments) == 1


def test_a_move_to_the_same_time_is_no_conflict_with_others(clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    assert clinic_tools.move("2026-11-24", "10:00", "2026-11-24", "10:30")["ok"]
    assert clinic_tools.cancel("2026-11-24", "10:30")["ok"]


def test_free_times_are_those_not_booked(clinic_tools: ModuleType) -> None:
    assert len(clinic_tools.free_times("2026-11-24")["times"]) == 16
    clinic_tools.book("2026-11-24", "10:00")
    times = clinic_tools.free_times("2026-11-24")["times"]
    assert "10:00" not in times
    assert len(times) == 15
    assert clinic_tools.free_times("2026-11-28")["times"] == []


def test_the_agent_has_its_tools() -> None:
    assert set(Agent.load("examples/clinic").tools) == {"book", "move", "cancel", "free_times"}
