"""German days and times -> the English words that `dates`, `times` and `doubts` understand, and back.

A language is a file such as this one: what it says of days and times is put into English, word by word where it can be,
and everything else stays as it is. What a value is, and what stands beside it that makes another of it, is said once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from ringline.engine.conversation.number_words import cardinal, minutes, ordinal
from ringline.workers.llm.flow import dates

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
          "Dezember")  # fmt: skip
_ONES = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
         "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn")  # fmt: skip
_TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
_ORDINALS = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
_FAR = timedelta(days=270)


def number_word(number: int) -> str:
    """0 to 99: ``einundzwanzig``"""
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return f"{_ONES[ones].removesuffix('s') if ones == 1 else _ONES[ones]}und{_TENS[tens]}" if ones else _TENS[tens]


def ordinal_stem(number: int) -> str:
    """1 to 99, without its ending: ``dritt``, ``einundzwanzigst``"""
    return _ORDINALS.get(number, number_word(number) + ("t" if number < 20 else "st"))


def _plain(text: str) -> str:
    """Lower case, without umlauts: some recognisers write none."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(umlaut, letters)
    return text


_NUMBERS = {_plain(number_word(number)): number for number in range(60)} | {"zwo": 2, "ein": 1, "dreissg": 30}
_ORDINAL_OF = {_plain(ordinal_stem(number)): number for number in range(1, 32)} | {"siebent": 7}
_NUMBER = rf"(?:[0-9]{{1,2}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_WEEKDAY = {name.lower(): english for name, english in zip(WEEKDAYS, dates.WEEKDAYS, strict=True)} | {
    "sonnabend": "saturday"
}
_SHORT = {name[:2].lower(): english for name, english in zip(WEEKDAYS, dates.WEEKDAYS, strict=True)}
_MONTH = {_plain(name.lower()): english for name, english in zip(MONTHS, dates.MONTHS, strict=True)} | {
    "jaenner": "january", "jan": "january", "feb": "february", "feber": "february", "apr": "april", "jun": "june",
    "juno": "june", "jul": "july", "julei": "july", "aug": "august", "sept": "september", "sep": "september",
    "okt": "october", "nov": "november", "dez": "december",
}  # fmt: skip
_PART = {
    "morgen": "morning", "frueh": "morning", "vormittag": "morning", "mittag": "afternoon", "nachmittag": "afternoon",
    "abend": "evening",
}  # fmt: skip
_WEEKDAYS = "|".join(_WEEKDAY)
_MONTHS = "|".join(sorted(_MONTH, key=len, reverse=True))
_PARTS = "|".join(_PART)
_ORDINAL = rf"(?:{'|'.join(sorted(_ORDINAL_OF, key=len, reverse=True))})(?:e[nrsm]?)"
_ARTICLES = frozenset({"der", "den", "dem"})
_HALVES = {"vor": -1, "nach": 1}

_WORDS = {
    # whole phrases first
    "guten morgen": "", "guten tag": "", "guten abend": "", "am wochenende": "at the weekend",
    "uebernaechste woche": "the week after next", "uebernaechster woche": "the week after next",
    "naechste woche": "next week", "naechster woche": "next week", "kommende woche": "next week",
    "kommender woche": "next week", "der kommenden woche": "of next week", "der naechsten woche": "of next week",
    "diese woche": "this week", "dieser woche": "this week", "letzte woche": "last week",
    "letzter woche": "last week", "naechsten monats": "next month", "naechsten monat": "next month",
    "des naechsten monats": "of next month", "diesen monats": "this month", "dieses monats": "this month",
    "des monats": "of the month", "naechsten jahres": "next year", "naechstes jahr": "next year",
    "dieses jahres": "this year", "dieses jahr": "this year", "in einer woche": "in a week",
    "in einem monat": "in a month", "in einem tag": "in one day", "eine woche": "a week", "einer woche": "a week",
    "einem monat": "a month", "in einer stunde": "in one hour", "eine stunde": "one hour", "einer stunde": "one hour",
    "heute morgen": "today in the morning", "morgen frueh": "tomorrow morning", "am morgen": "in the morning",
    "am vormittag": "in the morning", "am nachmittag": "in the afternoon", "am abend": "in the evening",
    "in der frueh": "in the morning", "in der nacht": "at night", "zu mittag": "lunchtime", "am mittag": "lunchtime",
    "ueber mittag": "lunchtime", "gegen mittag": "lunchtime", "um mittag": "lunchtime", "um den": "around the",
    "um mitternacht": "at midnight", "irgendwann": "sometime", "jederzeit": "any time", "oder so": "or so",
    "ich meine": "i mean", "ich meinte": "i meant", "ich wollte sagen": "i mean", "kann ich nicht": "cannot",
    "kann ich leider nicht": "cannot", "kann nicht": "cannot", "ist schlecht": "is bad",
    "ist ganz schlecht": "is bad", "waere schlecht": "would be bad", "ist unguenstig": "is bad",
    "ist zu frueh": "is too early", "ist zu spaet": "is too late", "oder spaeter": "or later",
    "oder frueher": "or earlier", "einen moment": "one moment", "ein moment": "one moment", "moment": "wait",
    "noch nicht": "not", "der tag danach": "the day after", "am tag danach": "the day after",
    "am tag darauf": "the day after", "einen tag": "one day", "jeden tag": "every day", "alle tage": "every day",
    # words
    "heute": "today", "uebermorgen": "the day after tomorrow", "morgen": "tomorrow", "gestern": "yesterday",
    "vorgestern": "yesterday", "morgens": "in the morning", "frueh": "in the morning", "vormittags": "in the morning",
    "vormittag": "in the morning", "mittags": "in the afternoon", "nachmittags": "in the afternoon",
    "nachmittag": "in the afternoon", "abends": "in the evening", "abend": "in the evening", "nachts": "at night",
    "mitternacht": "midnight", "mittag": "noon", "naechsten": "next", "naechster": "next", "naechste": "next",
    "naechstem": "next", "kommenden": "this coming", "kommender": "this coming", "diesen": "this", "dieser": "this",
    "diesem": "this", "letzten": "last", "letzter": "last", "vorigen": "last", "vergangenen": "last",
    "jeden": "every", "jeder": "every", "jedem": "every", "wochen": "weeks", "woche": "week", "tagen": "days",
    "tage": "days", "monaten": "months", "monate": "months", "termin": "appointment", "termine": "appointments",
    "stunden": "hours", "stunde": "hours", "minuten": "minutes", "minute": "minutes", "personen": "people",
    "leute": "people", "kinder": "kids", "kindern": "kids", "jahre": "years", "jahren": "years", "mal": "times",
    "prozent": "percent", "nicht": "not", "kein": "not", "keinen": "not", "keine": "not", "nie": "never",
    "niemals": "never", "ausser": "except", "statt": "instead of", "anstatt": "instead of", "sondern": "but",
    "aber": "but", "nein": "no", "nee": "no", "ne": "no", "quatsch": "no", "doch": "", "entschuldigung": "sorry",
    "sorry": "sorry", "verzeihung": "sorry", "warte": "wait", "warten": "wait", "besser": "better",
    "lieber": "rather", "beziehungsweise": "or rather", "bzw": "or rather", "ich war": "i was",
    "wir waren": "we were", "warten sie": "wait", "ach": "oh", "nach": "after", "vor": "before", "bis": "until",
    "ab": "from", "seit": "since", "zwischen": "between", "von": "from", "fruehestens": "not before",
    "spaetestens": "by", "und": "and", "oder": "or", "danach": "after", "spaeter": "later", "gegen": "around",
    "ungefaehr": "around", "etwa": "around", "circa": "around", "ca": "around", "so": "", "ist": "is", "am": "on",
    "um": "at", "der": "the", "den": "the", "dem": "the", "des": "of the", "im": "in", "erstes": "first",
    "zum": "to the", "bitte": "please", "ja": "yes",
}  # fmt: skip
_PHRASES = re.compile(
    rf"\b(?:{'|'.join(re.escape(phrase) for phrase in sorted(_WORDS, key=lambda one: (-one.count(' '), -len(one))))})\b"
)


def in_english(text: str) -> str:
    """The text with its days and times in English."""
    text = _plain(text.lower().replace("\u2019", "'"))
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return _PHRASES.sub(lambda match: _WORDS[match[0]], text)


def _value(number: str) -> int:
    return int(number) if number.isdigit() else _NUMBERS[number]


def _hour(hour: int) -> str:
    """On the clock's face, where the hour before one is twelve."""
    return cardinal((hour - 1) % 12 + 1)


def _half(match: re.Match[str]) -> str:
    """``fünf vor halb drei`` -> ``two twenty five``, ``halb drei`` -> ``half past two``"""
    hour = _hour(_value(match["hour"]) - 1)
    if not match["count"]:
        return f" half past {hour} "
    return f" {hour} {cardinal(30 + _HALVES[match['side']] * _value(match['count']))} "


def _quarter(match: re.Match[str]) -> str:
    """``viertel nach drei``, ``dreiviertel drei``, and ``viertel drei``, which is a quarter past two."""
    hour = _value(match["hour"])
    if match["side"] == "nach":
        return f" quarter past {_hour(hour)} "
    if match["side"] == "vor" or match["three"]:
        return f" quarter to {_hour(hour)} "
    return f" quarter past {_hour(hour - 1)} "


def _count(match: re.Match[str]) -> str:
    past = "past" if match["side"] == "nach" else "to"
    return f" {cardinal(_value(match['count']))} minutes {past} {_hour(_value(match['hour']))} "


def _clock(match: re.Match[str]) -> str:
    hour, minute = _value(match["hour"]), _value(match["minute"]) if match["minute"] else 0
    if hour > 23 or minute > 59:
        return " no such time "
    return f" {cardinal(hour)} {minutes(minute)} "


def _numbered(match: re.Match[str]) -> str:
    number = int(match["day"])
    return f"{_lead(match['lead'])} the {ordinal(number)} " if 1 <= number <= 31 else " no such day "


def _lead(word: str | None) -> str:
    """What stands before the number: an article is no more than the English ``the``."""
    return "" if word is None or word.strip() in _ARTICLES else word


def _of_month(match: re.Match[str]) -> str:
    day = match["day"]
    number = int(day) if day.isdigit() else _ORDINAL_OF[re.sub("e[nrsm]?$", "", day)]
    return f" the {ordinal(number)} of {_MONTH[match['month']]} " if 1 <= number <= 31 else " no such day "


def _ordinals(match: re.Match[str]) -> str:
    the = f"{_lead(match['lead'])} the " if match["lead"] else " "
    return f"{the}{ordinal(_ORDINAL_OF[re.sub('e[nrsm]?$', '', match['day'])])} "


def _two_ordinals(match: re.Match[str]) -> str:
    day, month = (_ORDINAL_OF[re.sub("e[nrsm]?$", "", match[name])] for name in ("day", "month"))
    return f" the {ordinal(day)} of {dates.MONTHS[month - 1]} " if month <= 12 else " no such day "


_Replace = Callable[[re.Match[str]], str]
_LEADS = "(?:am|den|der|dem|zum|vom|bis|und|oder|nach|vor|ab)"
_COUNTS = "|".join(sorted((name for name in _NUMBERS if name != "ein"), key=len, reverse=True))


def _thousands(match: re.Match[str]) -> str:
    """``zweitausendsechsundzwanzig``"""
    return f" two thousand {cardinal(_NUMBERS[match[1]])} " if match[1] in _NUMBERS else " no such day "


_TABLE: tuple[tuple[str, _Replace], ...] = (
    (r"(?:geht|passt|klappt)(?:'s)?(?: \w+){0,2} nicht\b", lambda match: " does not work "),
    (r"habe? (?:ich|wir) (?:da |leider |schon |aber )*(?:keine zeit|e?t?was vor)\b", lambda match: " does not work "),
    (r"(?:kann|koennen|will|moechte)(?: ich| wir)? ((?:[^\s,.]+ ){1,4}?)nicht\b", lambda match: f" cannot {match[1]} "),
    # times
    (r"([0-9]{1,2}) ?[-\u2013] ?(?=[0-9]{1,2} ?(?:uhr|h)\b)", lambda match: f"{match[1]} until "),
    (rf"(?:(?P<count>{_NUMBER}) (?:minuten )?(?P<side>vor|nach) )?halb (?P<hour>{_NUMBER})\b", _half),
    (rf"(?P<three>drei)?viertel (?:(?P<side>vor|nach) )?(?P<hour>{_NUMBER})\b", _quarter),
    (rf"(?P<count>{_NUMBER}) (?:minuten )?(?P<side>vor|nach) (?P<hour>{_NUMBER})\b(?![.:])", _count),
    (r"(?<![0-9.:])(?P<hour>[0-9]{1,2})[.:](?P<minute>[0-9]{2}) ?(?:uhr|h)\b", _clock),
    (rf"(?P<hour>{_NUMBER}) ?(?:uhr|h)\b(?: (?P<minute>{_NUMBER})\b(?! (?:minuten|tagen?|wochen?)))?", _clock),
    # days
    (r"(heute|morgen) in (?:einer woche|(?:acht|8) tagen)\b", lambda match: f" {match[1]} week "),
    (r"(heute|morgen) in (?:zwei wochen|(?:vierzehn|14) tagen)\b", lambda match: f" {match[1]} fortnight "),
    (rf"({_WEEKDAYS}) in (?:acht|8) tagen\b", lambda match: f" {_WEEKDAY[match[1]]} week "),
    (r"in (?:acht|8) tagen\b", lambda match: " in a week "),
    (r"in (?:vierzehn|14) tagen\b", lambda match: " in two weeks "),
    (rf"({_WEEKDAYS}) ?({_PARTS})s?\b", lambda match: f"{_WEEKDAY[match[1]]} {_PART[match[2]]} "),
    (rf"morgen ({_PARTS})\b", lambda match: f" tomorrow {_PART[match[1]]} "),
    (rf"(?:den |am |der )?uebernaechsten ({_WEEKDAYS})\b", lambda match: f" the {_WEEKDAY[match[1]]} after next "),
    (rf"({'|'.join(_SHORT)})\.?,?\s+(?=(?:den |der |dem )?[0-9]{{1,2}}\.)", lambda match: f" {_SHORT[match[1]]} "),
    (rf"({_WEEKDAYS})(s?)\b", lambda match: _WEEKDAY[match[1]] + match[2]),
    (rf"(?:(?:der|den|dem|am) )?(?P<day>[0-9]{{1,2}}|{_ORDINAL})\.? ?(?P<month>{_MONTHS})\b\.?", _of_month),
    (rf"(?:(?:der|den|dem|am) )?(?P<day>{_ORDINAL}) (?:(?:im|des) )?(?P<month>{_ORDINAL})\b", _two_ordinals),
    (rf"um den (?=[0-9]|{_ORDINAL})", lambda match: " around the "),
    (rf"(?P<lead>{_LEADS} )(?:den |dem |der |zum )?(?P<day>[0-9]{{1,2}})\.(?!\s?[0-9])", _numbered),
    (rf"(?P<lead>(?:am|der|den|dem|zum) )?(?P<day>{_ORDINAL})\b", _ordinals),
    (rf"({_MONTHS})\b", lambda match: _MONTH[match[1]]),
    (r"zweitausend(?:und)?([a-z]+)\b", _thousands),
    (rf"({_COUNTS})\b", lambda match: f" {cardinal(_NUMBERS[match[1]])} "),
)
"""In this order: what is longer comes before what is a part of it."""
_RULES = tuple((re.compile(rf"\b{pattern}"), replace) for pattern, replace in _TABLE)


def spoken_day(value: str, now: datetime | None = None) -> str:
    """``2026-11-24`` -> ``Dienstag, der vierundzwanzigste November``; the year as `dates.spoken`. Raises ValueError."""
    day = date.fromisoformat(value)
    said = f"{WEEKDAYS[day.weekday()]}, der {ordinal_stem(day.day)}e {MONTHS[day.month - 1]}"
    far = now is not None and day - now.date() >= _FAR
    return f"{said} zweitausend{number_word(day.year - 2000)}" if far else said


def spoken_time(value: str) -> str:
    """``10:30`` -> ``zehn Uhr dreißig``. Raises ValueError."""
    moment = time.fromisoformat(value)
    hour = "ein" if moment.hour == 1 else number_word(moment.hour)
    return f"{hour} Uhr {number_word(moment.minute)}" if moment.minute else f"{hour} Uhr"
