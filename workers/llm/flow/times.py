"""Times of day as callers say them: ``ten``, ``half past two``, ``quarter to four``, ``three p.m.``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time

from ringline.engine.conversation.number_words import cardinal, minutes
from ringline.workers.llm.flow.pattern import Atom, Node, Rule, Word, atoms, choice, optional, sequence, unspoken, word

DEFAULT_STEP_MIN = 15
_NOON_MIN = 12 * 60
_DAY_MIN = 24 * 60
_NIGHT_ENDS_MIN = 6 * 60
"""``three at night`` lies before it, ``ten at night`` on the other side of midnight."""
_RANGE_HOURS = 2
"""``ten to eleven`` is from ten to eleven as likely as ten minutes to eleven; ``ten to three`` hardly."""


def pattern(step_min: int = DEFAULT_STEP_MIN) -> Node:
    """Everything that names a time. The grammar has minutes in steps of ``step_min``; any minute is understood."""
    hour = Rule("hour", atoms("hour", {cardinal(number): number for number in range(1, 13)}))
    hour_24 = atoms("hour_24", {cardinal(number): number for number in (*range(13, 24), 0)})
    military = atoms("hour_24", {cardinal(number): number for number in range(1, 13)})
    stepped = [number for number in range(1, 60) if number % step_min == 0]
    others = [number for number in range(1, 60) if number % step_min]
    minute = choice(
        *([_minutes(stepped)] if stepped else []),
        *([unspoken(_minutes(others))] if others else []),
    )
    part = choice(
        Atom("half", "am", Word("a.m.", ("a", "m"))),
        Atom("half", "pm", Word("p.m.", ("p", "m"))),
        sequence("in the", _part()),
        unspoken(Atom("half", "night", choice("at night", "tonight"))),
    )
    count = atoms("minute", {cardinal(number): number for number in range(1, 30)})
    # Nobody says ``nine to ten`` for a minute past half past nine: that is from nine to ten.
    count_to = atoms("count_to", {cardinal(number): number for number in (5, 10, 20, 25)})
    past = choice("past", unspoken("after"))
    to = Atom("to", 1, choice("to", unspoken("before", "of", "til", "till")))
    half_past = sequence(Atom("minute", 30, word("half")), choice("past", unspoken("after")), hour)
    quarter_past = sequence(optional("a"), Atom("minute", 15, word("quarter")), past, hour)
    quarter_to = sequence(optional("a"), Atom("minute", 15, word("quarter")), to, hour)
    core = choice(
        sequence(hour, optional("o'clock")),
        sequence(hour, minute),
        half_past if 30 % step_min == 0 else unspoken(half_past),
        *(shape if 15 % step_min == 0 else unspoken(shape) for shape in (quarter_past, quarter_to)),
        unspoken(
            sequence(Atom("minute", 30, word("half")), hour),
            sequence(count, optional("minutes", "minute"), past, hour, optional("o'clock")),
            sequence(choice(count_to, sequence(count, choice("minutes", "minute"))), to, hour, optional("o'clock")),
            sequence(hour_24, choice("o'clock", "hundred", _minutes(range(1, 60))), optional("hours")),
            sequence(optional("zero", "oh"), military, "hundred", optional("hours")),
            sequence(choice("zero", "oh"), military, choice("o'clock", _minutes(range(1, 60))), optional("hours")),
        ),
    )
    return choice(
        sequence(core, optional(part)),
        Atom("hour_24", 12, choice("noon", unspoken("midday", "twelve noon"))),
        unspoken(
            Atom("hour_24", 12, Atom("minute", 30, word("noon thirty"))),
            sequence(optional("in the"), _part(), optional("at"), core),
            Atom("hour_24", 0, choice("midnight", "twelve midnight")),
        ),
    )


def _part() -> Node:
    return choice(
        Atom("half", "am", word("morning")),
        Atom("half", "pm", word("afternoon")),
        Atom("half", "pm", word("evening")),
    )


def _minutes(numbers: Iterable[int]) -> Node:
    return choice(*(Atom("minute", number, choice(*_minute_words(number))) for number in numbers))


def _minute_words(number: int) -> list[Node]:
    words = [word(minutes(number))]
    if number < 10:
        words.append(unspoken(f"zero {cardinal(number)}"))
    return words


def resolve(said: tuple[tuple[str, str | int], ...], opens: time, closes: time) -> str | None:
    """The time that was meant, as HH:MM; without morning or afternoon, the one in or next to the opening hours."""
    fields = dict(said)
    minute = int(fields.get("minute", fields.get("count_to", 0)))
    if "hour_24" in fields:
        contradicts = fields.get("half") == "am" and int(fields["hour_24"]) > 12
        return None if contradicts else _text(int(fields["hour_24"]) * 60 + minute)
    if "count_to" in fields and 1 <= (int(fields["hour"]) - minute) % 12 <= _RANGE_HOURS:
        return None
    clock = int(fields["hour"]) % 12 * 60 + (-minute if "to" in fields else minute)
    early, late = clock % _DAY_MIN, (clock + _NOON_MIN) % _DAY_MIN
    if "half" in fields:
        if fields["hour"] == 12 and fields["half"] == "am" and opens <= time(12) <= closes:
            return _text(late)  # ``twelve in the morning`` is noon to whoever closes at night
        before_noon = fields["half"] == "am" or (fields["half"] == "night" and early < _NIGHT_ENDS_MIN)
        return _text(early if before_noon else late)
    return _text(min((early, late), key=lambda moment: (_outside(moment, opens, closes), moment < 7 * 60)))


def _outside(moment: int, opens: time, closes: time) -> int:
    """Minutes between the moment and the opening hours; 0 within."""
    first, last = opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute
    return max(first - moment, moment - last, 0)


def _text(moment: int) -> str:
    hour, minute = divmod(moment % _DAY_MIN, 60)
    return f"{hour:02}:{minute:02}"


def keyed(digits: str, opens: time, closes: time) -> str | None:
    """Keyed digits: the hour (``9``, ``14``) or hour and minutes (``930``, ``1430``)."""
    hour, minute = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if len(digits) > 4 or hour > 23 or minute > 59:
        return None
    if 1 <= hour <= 12:
        return resolve((("hour", hour), ("minute", minute)), opens, closes)
    return _text(hour * 60 + minute)


def spoken(value: str) -> str:
    """``10:30`` -> ``ten thirty in the morning``. Raises ValueError."""
    moment = time.fromisoformat(value)
    if moment.minute == 0 and moment.hour in (0, 12):
        return "noon" if moment.hour else "midnight"
    parts = ("at night", "in the morning", "in the afternoon", "in the evening")
    part = parts[sum(moment.hour >= hour for hour in (1, 12, 18))]
    hour = cardinal(moment.hour % 12 or 12)
    return f"{hour} {minutes(moment.minute)} {part}" if moment.minute else f"{hour} {part}"
