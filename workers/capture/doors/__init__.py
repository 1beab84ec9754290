"""The doors: one protocol each through which calls reach Ringline."""

from __future__ import annotations

from urllib.parse import urlsplit

from ringline.engine.config import DoorConfig
from ringline.workers.base import CannotStart
from ringline.workers.capture.doors.door import Door, Reception


def open_door(config: DoorConfig, reception: Reception) -> Door:
    """The door for a URL, not yet listening (`Door.open`). Once open, its ``port`` tells the port it is bound to.

    Raises CannotStart for a scheme no door has, or a secret that is not in the environment.
    """
    scheme = urlsplit(config.url).scheme
    if scheme == "audiosocket":
        from ringline.workers.capture.doors.audiosocket import AudioSocketDoor

        return AudioSocketDoor(config, reception)
    if scheme == "twilio":
        from ringline.workers.capture.doors.twilio import TwilioDoor

        return TwilioDoor(config, reception)
    raise CannotStart(f"no door for `{scheme}://` URLs")
