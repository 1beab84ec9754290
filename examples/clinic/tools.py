"""The clinic's diary, in memory: a stand-in for the real one."""

from __future__ import annotations

import threading
from datetime import date, datetime, time, timedelta
from typing import Any

from ringline import tool

OPENS = time(9)
CLOSES = time(17)
STEP = timedelta(minutes=30)
FIRST_WEEKEND_DAY = 5  # Saturday, as `date.weekday` counts

Result = dict[str, Any]
"""``{"ok": true, ...}`` or ``{"ok": false, "reason": ...}``"""

appointments: set[datetime] = set()
clock = datetime.now
"""The local time; tests set it."""

_lock = threading.Lock()  # tools of several calls run in threads


@tool(confirm=True)
def book(day: str, time: str, name: str = "") -> Result:
    """Book an appointment on a day (YYYY-MM-DD) at a time (HH:MM), for a name if it is known.

    Where the time is taken, the result has the next one that is free.
    """
    with _lock:
        moment = _moment(day, time)
        refusal = _refusal(moment)
        if refusal is None:
            appointments.add(moment)
        return refusal or {"ok": True, "day": day, "time": time, "name": name}


@tool(confirm=True)
def move(old_day: str, old_time: str, day: str, time: str) -> Result:
    """Move an appointment from one day and time to another."""
    with _lock:
        old, moment = _moment(old_day, old_time), _moment(day, time)
        if old not in appointments:
            return {"ok": False, "reason": "not found"}
        refusal = _refusal(moment)
        if refusal is None:
            appointments.remove(old)
            appointments.add(moment)
        return refusal or {"ok": True, "day": day, "time": time}


@tool(confirm=True)
def cancel(day: str, time: str) -> Result:
    """Cancel the appointment on a day (YYYY-MM-DD) at a time (HH:MM)."""
    with _lock:
        moment = _moment(day, time)
        if moment not in appointments:
            return {"ok": False, "reason": "not found"}
        appointments.remove(moment)
        return {"ok": True, "day": day, "time": time}


@tool
def free_times(day: str) -> Result:
    """The free times (HH:MM) of a day (YYYY-MM-DD)."""
    with _lock:
        start = datetime.combine(date.fromisoformat(day), OPENS)
        times = [start + index * STEP for index in range(_steps_a_day())]
        return {"ok": True, "times": [f"{moment:%H:%M}" for moment in times if _refusal(moment) is None]}


def _moment(day: str, time_of_day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(time_of_day))


def _steps_a_day() -> int:
    return int((datetime.combine(date.min, CLOSES) - datetime.combine(date.min, OPENS)) / STEP)


def _refusal(moment: datetime) -> Result | None:
    """Why there can be no new appointment at this moment; None if there can."""
    if moment <= clock():
        return {"ok": False, "reason": "past"}
    if moment.weekday() >= FIRST_WEEKEND_DAY:
        return {"ok": False, "reason": "closed"}
    if not (OPENS <= moment.time() < CLOSES) or moment.minute % 30:
        return {"ok": False, "reason": "outside hours"}
    if moment in appointments:
        free = _next_free(moment)
        alternative = {"alternative_day": f"{free:%Y-%m-%d}", "alternative_time": f"{free:%H:%M}"}
        return {"ok": False, "reason": "taken", **alternative}
    return None


def _next_free(moment: datetime) -> datetime:
    while True:
        moment += STEP
        if moment.time() >= CLOSES:
            moment = datetime.combine(moment.date() + timedelta(days=1), OPENS)
        if moment.weekday() < FIRST_WEEKEND_DAY and moment not in appointments:
            return moment
