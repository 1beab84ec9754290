"""Where a sentence or a clause may end."""

from __future__ import annotations

import re

import sentencex

from ringline.engine.conversation.phrasing.speaking.abbreviations import PLACES, STREETS

CLOSERS = "\"')]}»”’›」』）】》〉"
"""Quotes and brackets that may close behind a full stop."""

FULL_STOPS = "。！？｡।॥۔؟።፧។៕။།"
"""Marks that end a sentence in their scripts whatever follows, with or without a space behind them."""

CLAUSE_STOPS = "，、；："
"""Marks that end a clause in scripts without spaces."""

MIN_CLAUSE_WORDS = 4
"""A first phrase shorter than this sounds chopped off, and is over before TTS has the second."""

_ABBREVIATIONS = {
    "": frozenset("incl. excl. approx. ext. tel. т.е. apt. ste. rm. max. min. no. nr. fig.".split()),
    "en": frozenset("fri. sat. mon. tue. tues. wed. thu. thur. thurs. bldg. est. dept. p.o.".split()),
    "de": frozenset(
        "inkl. zzgl. exkl. evtl. mind. usw. ca. bzw. tgl. geb. abs. art. kap. hr. fr. mo. di. mi. do. sa. so. st."
        " app. str. ust-idnr. vgl. whg. std. mio. mrd.".split()
    ),
    "fr": frozenset("bd. av. pl. env. c.-à-d. lun. mar. mer. jeu. ven. sam. dim. tél. appt. p. ex. réf.".split()),
    "es": frozenset(
        "aprox. máx. mín. avda. av. pza. d. dña. izq. dcha. ud. uds. vd. vds. núm. pág. tel. lun. mar. mié. jue."
        " vie. sáb. dom. ee. p. ej. sra. sr. srta.".split()
    ),
}
"""Those that the library does not know, by language; under "" of all."""
_BEFORE_CAPITALS = frozenset("usw. fr. so. do. est.".split())
"""Of these, the ones that end a sentence as well: what follows decides."""
GERMAN_ORDINAL_NOUN = re.compile(r"(?:Stock|Etage|Obergeschoss|OG|Klasse|Platz|Mahnung|Quartal)\b")
_ORDINAL_END = re.compile(r"(?:^|.*\s)(?:im|zum|beim|vom) \d{1,2}\.$", re.IGNORECASE)

_STREET = "|".join(STREETS)
_STREET_END = re.compile(
    rf"\S (?!(?:{'|'.join(PLACES)})\b)(?:[A-Z][\w'’]*|\d+(?:st|nd|rd|th)) (?!Dr\b)(?:{_STREET})\.$"
)
"""The library takes it for ``St. Mary`` whatever stands before it."""
_ADDRESS_COMMA = re.compile(rf"(?:{_STREET})\.?,")
"""An address goes on in the same breath: ``Baker St., apt. 4``."""

MAX_TAIL_WORDS = 3
"""What is called behind a comma: ``Mr. John Miller``."""
_TAILS = {
    "en": frozenset("sir madam ma'am miss everyone folks dear too though then thanks please right okay".split()),
    "de": frozenset(("bitte", "danke")),
    "fr": frozenset(("monsieur", "madame", "merci")),
    "es": frozenset(("señor", "señora", "gracias")),
}
"""By language: said in the same breath behind a comma, where the sentence ends there."""
_TITLE = re.compile(r"(?:Mr|Mrs|Ms|Dr|Prof)\.?")
_COMMA_END = re.compile(rf"[,،][{re.escape(CLOSERS)}]*$")

_SURE_END = re.compile(rf"[{FULL_STOPS}][{re.escape(CLOSERS)}]*$")
_LIKELY_END = re.compile(rf"[.!?…‼⁇⁈⁉;։؟][{re.escape(CLOSERS)}]*$")
_CLAUSE_END = re.compile(rf"(?:[,;:،؛{CLAUSE_STOPS}—–]|--)[{re.escape(CLOSERS)}]*$")
_DASH = re.compile(r"[-–—]|--")
_NUMBER_END = re.compile(rf"\d[.,:;][{re.escape(CLOSERS)}]*$")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def is_sure_end(text: str) -> bool:
    """Whether ``text`` ends a sentence, whatever follows."""
    return _SURE_END.search(text) is not None


def is_likely_end(text: str) -> bool:
    """Whether ``text`` may end a sentence, depending on what follows."""
    return _LIKELY_END.search(text) is not None


def ends_in_number(text: str) -> bool:
    """Whether the mark at the end stands behind a digit: the next word decides whether it is part of a date."""
    return _NUMBER_END.search(text) is not None


def splits(text: str, following: str, language: str) -> bool:
    """Whether a sentence ends between ``text`` and ``following``, a word or its beginning."""
    if text == "No." and not following[0].isdigit():
        return True  # the answer, where the library always sees "number"
    last = _last_word(text)
    if last in _ABBREVIATIONS[""] or (language == "fr" and text.endswith("M.")):
        return False
    if last in _ABBREVIATIONS.get(language, ()) and not (last in _BEFORE_CAPITALS and following[0].isupper()):
        return False
    if language == "de" and re.search(r"(?:^|\s)\d{1,2}\.$", text) and GERMAN_ORDINAL_NOUN.match(following):
        return False  # "1. Stock"
    if language == "de" and following[0].isalpha() and _ORDINAL_END.match(text):
        return False  # "im 3. Stock"
    if language == "en" and following[0].isupper() and _STREET_END.search(text):
        return True
    # Brackets that close behind the full stop hide it from the library.
    sentence = sentencex.segment(language, f"{text.rstrip(')]}')} {following}")[-1]
    return bool(sentence.strip() == following)


def _last_word(text: str) -> str:
    return text.rpartition(" ")[2].lstrip("(").lower()


def is_clause_end(words: list[str]) -> bool:
    """Whether a speaker could pause behind ``words``."""
    last = words[-1]
    if _DASH.fullmatch(last):
        return len(words) > 1 and not words[-2][-1].isdigit()  # "9 - 17" is a range
    if _ADDRESS_COMMA.fullmatch(last) and len(words) > 1 and words[-2][0].isupper():
        return False
    return _CLAUSE_END.search(last) is not None


def ends_in_comma(text: str) -> bool:
    """Whether what follows may belong to the same breath, as a name that is called does."""
    return _COMMA_END.search(text) is not None


def may_begin_tail(char: str, language: str) -> bool:
    """Whether a word with this first letter behind a comma may be said in the same breath."""
    return char.isupper() or any(word[0] == char for word in _TAILS.get(language, ()))


def is_tail(words: list[str], language: str) -> bool | None:
    """Whether the words behind a comma are a name that is called, or the like, and end what was said. None where the
    next word decides it."""
    last = words[-1]
    if len(words) > MAX_TAIL_WORDS:
        return False
    names = all(word[0].isupper() for word in words)
    core = last.rstrip(".,;:!?…\"'”’)")
    if not names and not (len(words) == 1 and core.lower() in _TAILS.get(language, ())):
        return False
    if _TITLE.fullmatch(last):
        return None
    return True if core != last else None


def num_words(text: str) -> int:
    """How many words a text without spaces amounts to: a word has about two characters where they are not spaced."""
    return max(1, len(_UNSPACED.findall(text)) // 2)
