"""What stands beside a day or a time and makes another of it: ``after three``, ``monday or tuesday``, ``ten minutes``.

A wrong value is far worse than none: what is doubtful is passed over, and asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ringline.engine.conversation.number_words import CARDINALS, ordinal
from ringline.workers.llm.flow.dates import MONTHS, WEEKDAYS

_NUM_WORDS = 8
"""Of the words before and behind, so many are looked at."""


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_ORDINAL = _any(dict.fromkeys(ordinal(number).split()[-1] for number in range(1, 32)))
_DAY_NAME = _any((*WEEKDAYS, *MONTHS, _ORDINAL, "today", "tomorrow", "twenty", "thirty"))
_NUMBER = _any((*sorted(CARDINALS), "noon", "midday", "midnight", "half", "quarter"))
_HOUR = rf"(?:(?:about|around|like|a|at|maybe|say) )*(?:{_NUMBER}|lunch|lunchtime|work|school|hours|dark)\b"
_BOUND = _any(("after", "before", "until", "till", "til", "by", "since", "between", "from", "than", "past"))
_EXCEPT = r"(?:except|excluding|besides|(?:any\w*|every\w*|all|(?:any|every) (?:day|time)) but)"
_ALTERNATIVE = r"(?:or|and|to|through|thru|till|til|until)"
_LATER = (
    r"(?:or|and) (?:(?:any ?time|some ?time|even|a (?:bit|little)) )?(?:later|earlier|sooner|after|before|onwards?|beyond)"
    r"|onwards?|and up|at the (?:very )?(?:latest|earliest|soonest)|latest|earliest"
)

_SMALL = r"(?: (?:on|the|at|a|of|for|this|next|coming|like|about|around|maybe|say|any ?time|some ?time))*$"

_BEFORE_DAY = re.compile(
    rf"\b(?:{_BOUND}|{_EXCEPT}|last|previous|every|each|other|following|ago|yesterday|around|weeks?|fortnight|months?"
    rf"|weekend|{_DAY_NAME} {_ALTERNATIVE}(?: (?:else|maybe|possibly|even))?){_SMALL}"
    rf"|(?<!\bnot )(?<!\bnot on )(?<!\bnot the )(?<!\binstead of )\b{_DAY_NAME}(?: on| the)?$"
)
_BEHIND_DAY = re.compile(
    rf"(?:{_DAY_NAME}|(?:and|or) (?:the )?(?:day|one|week) (?:after|before)|weeks?|weekend|fortnight|ago|through|thru|{_LATER}|(?:after|before|until|till|til) (?!{_HOUR})|(?:after|before)$"
    rf"|in (?:\w+ ){{1,3}}(?:weeks?|months?|years?|fortnight)|of (?:the|that|last|every|each|any)|last (?:week|month|year)"
    rf"|(?:the|that) (?:week|month|weekend|following)|\w+ (?:weeks|months) (?:from|after)|nineteen|one nine|(?:one|two) thousand|two zero"
    rf"|{_ALTERNATIVE} (?:(?:on|the|this|next|maybe|even|any|a|perhaps) )*{_DAY_NAME})\b"
)
_COUNTED = re.compile(r"(?:days|weeks|months|week|fortnight|month|time)")
_COUNTED_NOUN = re.compile(
    rf"(?:{_any(WEEKDAYS)}|ones?|available|appointments?|slots?|things?|openings?|times?|free|possible|half|days?|open|floor|person|visit"
    r"|choice|option|of all|that|you|quarter|door|line|attempt|to)\b"
)
"""Behind an ordinal: ``the first one`` is no day."""

_BEFORE_TIME = re.compile(
    rf"\b(?:{_BOUND}|{_EXCEPT}|in|within|every|last|next|other|number|room|option|floor|line|door|street|ward|extension|code"
    rf"|{_any(MONTHS)}|{_NUMBER}(?: [ap] m| o'clock)? {_ALTERNATIVE}(?: maybe| possibly| even)?){_SMALL}"
)
_ONE = re.compile(
    r"\b(?:the|this|that|these|those|which|any|no|each|every|another|other|first|second|third|last|next|early|earlier"
    r"|earliest|late|later|latest|good|better|best|free|available|only|same|new)$"
)
"""Before ``one`` that is no hour."""
_UNITS = _any(
    ("minutes?", "mins?", "hours?", "hrs?", "days?", "weeks?", "months?", "years?", "people", "persons?", "patients?",
     "adults?", "kids?", "child(?:ren)?", "more", "times", "point", "percent", "euros?", "dollars?", "pounds?", "bucks",
     "appointments?", "slots?", "things?", "questions?", "things?", "or more", "of (?:us|them|you|the|my|our|those|these)",
     "doctors?", "ago", "and a (?:half|quarter)", "half", "hundred", "thousand", "too many")
)  # fmt: skip
_ZONES = _any(
    ("eastern", "pacific", "mountain", "central", "atlantic", "greenwich", "zulu", "gmt", "utc", "[ecmpabi]st",
     "[ecmpa]dt", "a[ecw]?[sd]t", "cest", "[ewc]et", "[ecmp]t")
)  # fmt: skip
_BEHIND_TIME = re.compile(
    rf"(?:o'clock |[ap] m )*(?:{_UNITS}|{_LATER}|{_any(MONTHS)}|of {_any(MONTHS)}|(?:standard |daylight )?{_ZONES}"
    r"|(?:in )?(?!(?:your|local|the|that|this|same|any|some|what|more|no|of|in|it|is)\b)\w+(?: \w+)? time"
    rf"|{_ALTERNATIVE} (?:(?:at|maybe|perhaps|even|around|about|like|a|the) )*{_NUMBER}"
    rf"|(?:through|thru|till|til|until|to) {_HOUR})\b"
)


def day(tokens: tuple[str, ...], begin: int, end: int) -> bool:
    """Whether the words around [begin, end) make another day of the one that stands there, several, or none."""
    before, behind = _around(tokens, begin, end)
    if tokens[end - 1] == "after" and behind:  # ``the tuesday after``: after what?
        return True
    if before.endswith(" in") or before == "in":  # ``in two weeks on monday`` is not two weeks on monday
        return any(map(_COUNTED.fullmatch, tokens[begin:end]))
    if re.fullmatch(_ORDINAL, tokens[end - 1]) and (_COUNTED_NOUN.match(behind) or re.search(r"\b(?:a|my)$", before)):
        return True
    return _BEFORE_DAY.search(before) is not None or _BEHIND_DAY.match(behind) is not None


def time(tokens: tuple[str, ...], begin: int, end: int) -> bool:
    """Whether the words around [begin, end) make another time of the one that stands there, several, or none."""
    before, behind = _around(tokens, begin, end)
    if tokens[end - 1] == "one" and _ONE.search(" ".join(tokens[max(0, end - 3) : end - 1])):
        return True
    return _BEFORE_TIME.search(before) is not None or _BEHIND_TIME.match(behind) is not None


def _around(tokens: tuple[str, ...], begin: int, end: int) -> tuple[str, str]:
    return " ".join(tokens[max(0, begin - _NUM_WORDS) : begin]), " ".join(tokens[end : end + _NUM_WORDS])
