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
_DAY_NAME = _any((*WEEKDAYS, *MONTHS, _ORDINAL, "today", "tomorrow", "twenty", "thirty", "mon", "wed", "sat", "sun"))
_MONTH = _any(MONTHS)
_NUMBER = _any((*sorted(CARDINALS), "noon", "midday", "midnight", "half", "quarter"))
_PERIOD = _any(("weeks?", "weekend", "fortnight", "months?"))

_BOUND = _any(("after", "before", "until", "till", "til", "by", "since", "between", "from", "than", "past"))
_NO_REFUSAL = (
    r"(?:but|so|then|if|because|and|or|only|mind|know|sure|well|care|matter|problem|right|correct|true|it"
    rf"|(?:works?|suits?|fits?|possible|good|ideal|great|convenient|okay)(?! on\b| at\b)|{_DAY_NAME}|{_NUMBER})\b"
)
"""Behind a ``not`` that is not said of the value: ``i do not mind, tuesday``."""
_BUT = _any(
    (rf"(?<!why )(?:not|cannot|never)(?: (?!{_NO_REFUSAL})\w+){{0,3}}?", "except", "excluding", "besides",
     "instead of", "rather than", "away", "busy", "closed", r"(?:any\w*|every\w*|all|(?:any|every) (?:day|time)) but")
)  # fmt: skip
_IS_NOT = _any(
    (r"(?:does|do|did|is|are|was|will|would|can|could|might|may)(?: \w+)? not(?! (?:\w+ )?(?:problem|bad|issue)\b)",
     "cannot", "(?:is|are|was|would be|might be|sounds|seems|looks) (?:a (?:bit|little) )?(?:too|no good|bad|difficult"
     "|impossible|out|full|taken|tricky|hard|late|early|awkward|wrong)",
     "no good", "too (?:early|late|soon)", "not (?:possible|good|works?)")
)  # fmt: skip
"""Behind what the caller cannot do: ``monday doesn't work``."""
_INSTEAD = (
    r"(?:(?:no|nope|sorry|wait|actually|i mean|i meant|or rather|rather|correction|scratch that|make (?:it|that)"
    r"|hang on|hold on|instead(?! of)|i said|not that|that is wrong|excuse me|my mistake|let us (?:do|say|make it)"
    r"|better)\b ?)"
    r"(?:(?:no|sorry|wait|actually|i|mean|meant|rather|scratch|that|make|it|hang|hold|on|instead|said|is|wrong|let|us"
    r"|do|say|better|but|well|oh|ah|at|the|a|this|next|for|to|of|course|not|cannot|how|what|about|have|want|would"
    r"|like) )*"
)
"""Between what was said and what is meant: ``monday, no wait, tuesday``."""
_JOINT = _any(("or", "and", "to", "through", "thru", "till", "til", "until"))
"""Between two values; either may be meant, both, or all that lies between."""
_RANGE = _any(("or", "to", "through", "thru", "till", "til", "until"))
_PERHAPS = r"(?: (?:else|maybe|perhaps|possibly|even))*"
_LATER = _any(
    ("(?:or|and) (?:any ?time |some ?time |even |a (?:bit|little) )?(?:later|earlier|sooner|after|before|onwards?)",
     "onwards?", "and up", "at the (?:very )?(?:latest|earliest|soonest)", "latest", "earliest")
)  # fmt: skip
_SMALL = r"(?: (?:on|the|at|a|of|for|this|next|coming|like|about|around|maybe|say|any ?time|some ?time))*$"
"""Words that may stand between what changes a value and the value: ``after about three``."""

_HOUR = rf"(?:(?:about|around|like|a|at|maybe|say) )*(?:{_NUMBER}|lunch|lunchtime|work|school|hours|dark)\b"
"""What is the time's, not the day's: ``tuesday after three``."""
_BEFORE_DAY = re.compile(
    rf"\b(?:{_BOUND}|{_BUT}|last|previous|every|each|other|following|ago|yesterday|around"
    rf"|(?:i was|we were|was born)(?: here| there| born| seen)?|{_PERIOD}|{_DAY_NAME} {_JOINT}{_PERHAPS}"
    rf"|{_NUMBER} {_RANGE}|{_MONTH} (?:{_NUMBER} )+{_JOINT}){_SMALL}"
    rf"|\b(?:on a|any|some)$|\b{_ORDINAL} of$"
)
_AT = rf"(?:(?:at )?(?:{_NUMBER} )+(?:o'clock |[ap] m |in the \w+ )*)"
_BEHIND_DAY = re.compile(
    _any(
        (_DAY_NAME, _PERIOD, _IS_NOT, rf"{_AT}?{_INSTEAD}(?:{_DAY_NAME}|day after|one after|next one)",
         "ago", "through", "thru", _LATER,
         rf"(?:after|before|until|till|til) (?!{_HOUR})", "(?:after|before)$", "following", "or so",
         "mornings", "afternoons", "evenings",
         rf"(?:or|to|through|thru) {_NUMBER}",
         rf"in (?:\w+ ){{1,3}}(?:years?|{_PERIOD})", "of (?:the|that|last|every|each|any)",
         "(?:last|next) (?:week|month|year)", "(?:the|that) (?:week|month|weekend|following)",
         rf"\w+ {_PERIOD} (?:from|after|before|later|earlier|ago)",
         "nineteen", "one nine", "(?:one|two) thousand", "two zero",  # a year, of birth most likely
         "(?:and|or) (?:the )?(?:day|one|week) (?:after|before)", "(?:and|or) (?:the )?(?:next|following|other)",
         rf"{_JOINT} (?:(?:on|the|this|next|maybe|even|any|a|perhaps) )*{_DAY_NAME}")
    ) + r"\b"
)  # fmt: skip
_NEIGHBOUR = re.compile(rf"\b{_DAY_NAME}(?: on| the)?$")
_REFUSED_NEIGHBOUR = re.compile(rf"\b{_BUT}(?: (?:on|the|next|this))* {_DAY_NAME}(?: on| the)?$")
"""Two days without a word between them are two, but for ``not monday, tuesday``."""
_COUNTED = re.compile(r"days|weeks?|fortnight|months?|time")
_FIRST_WHAT = re.compile(
    _any(
        (*WEEKDAYS, "ones?", "available", "appointments?", "slots?", "things?", "openings?", "times?", "free",
         "possible", "half", "days?", "open", "floor", "person", "visit", "choice", "option", "of all", "that",
         "you", "quarter", "door", "line", "attempt", "to")
    ) + r"\b"
)  # fmt: skip
"""Behind an ordinal that is no day: ``the first one``."""

_BEFORE_TIME = re.compile(
    rf"\b(?:{_BOUND}|{_BUT}|in|within|every|last|next|other|number|room|option|floor|line|door|street|ward|extension"
    rf"|code|{_MONTH}|{_NUMBER}(?: ish| o'clock)?(?: [ap] m| in the \w+)? {_JOINT}{_PERHAPS}){_SMALL}"
)
_WHICH_ONE = re.compile(
    r"\b(?:the|this|that|these|those|which|any|no|each|every|another|other|first|second|third|last|next|early|earlier"
    r"|earliest|late|later|latest|good|better|best|free|available|only|same|new)$"
)
_COUNTED_THING = _any(
    ("minutes?", "mins?", "hours?", "hrs?", "days?", "weeks?", "months?", "years?", "people", "persons?", "patients?",
     "adults?", "kids?", "child(?:ren)?", "more", "times", "point", "percent", "euros?", "dollars?", "pounds?", "bucks",
     "appointments?", "slots?", "things?", "questions?", "or more", "of (?:us|them|you|the|my|our|those|these)",
     "doctors?", "ago", "and a (?:half|quarter)", "quarters", "half", "hundred", "thousand", "too many")
)  # fmt: skip
_ZONE = _any(
    ("eastern", "pacific", "mountain", "central", "atlantic", "greenwich", "zulu", "gmt", "utc", "[ecmpabi]st",
     "[ecmpa]dt", "a[ecw]?[sd]t", "cest", "[ewc]et", "[ecmp]t",
     r"(?:in )?(?!(?:your|local|the|that|this|same|any|some|what|more|no|of|in|it|is)\b)\w+(?: \w+)? time")
)  # fmt: skip
_BEHIND_TIME = re.compile(
    rf"(?:o'clock |ish |[ap] m |in the \w+ )*(?:{_COUNTED_THING}|{_IS_NOT}|{_INSTEAD}{_NUMBER}|(?:to|past|till|til|of)$"
    rf"|{_JOINT} [ap] m|{_LATER}|(?:of )?{_MONTH}|(?:standard |daylight )?{_ZONE}"
    rf"|{_JOINT} (?:(?:at|maybe|perhaps|even|around|about|like|a|the) )*{_NUMBER}|{_JOINT} {_HOUR})\b"
)


def day(tokens: tuple[str, ...], begin: int, end: int) -> bool:
    """Whether the words around [begin, end) make another day of the one that stands there, several, or none."""
    before, behind = _around(tokens, begin, end)
    if tokens[end - 1] == "after" and behind:  # ``the tuesday after``: after what?
        return True
    if before.endswith(" in") or before == "in":  # ``in two weeks on monday`` is not two weeks on monday
        return any(map(_COUNTED.fullmatch, tokens[begin:end]))
    if re.fullmatch(_ORDINAL, tokens[end - 1]) and (_FIRST_WHAT.match(behind) or re.search(r"\b(?:a|my)$", before)):
        return True
    if _NEIGHBOUR.search(before) and not _REFUSED_NEIGHBOUR.search(before):
        return True
    return _BEFORE_DAY.search(before) is not None or _BEHIND_DAY.match(behind) is not None


def time(tokens: tuple[str, ...], begin: int, end: int) -> bool:
    """Whether the words around [begin, end) make another time of the one that stands there, several, or none."""
    before, behind = _around(tokens, begin, end)
    if tokens[end - 1] == "one" and _WHICH_ONE.search(" ".join(tokens[max(0, end - 3) : end - 1])):
        return True
    return _BEFORE_TIME.search(before) is not None or _BEHIND_TIME.match(behind) is not None


def _around(tokens: tuple[str, ...], begin: int, end: int) -> tuple[str, str]:
    return " ".join(tokens[max(0, begin - _NUM_WORDS) : begin]), " ".join(tokens[end : end + _NUM_WORDS])
