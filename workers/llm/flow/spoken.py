"""Codes as callers say them, in a transcript's words: digits, letters, e-mail addresses.

A value is read only where there is one way to read it: a wrong one is far worse than asking again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from ringline.engine.conversation.number_words import ONES, TENS
from ringline.engine.conversation.spelling import UNCLEAR, spelled_out

Tokens = tuple[str, ...]
Unit = tuple[int, str]
"""(end, text): the words up to ``end`` stand for these digits or letters."""

DIGITS = {name: str(number) for number, name in enumerate(ONES[:10])} | {
    "oh": "0", "o": "0", "nought": "0", "naught": "0",
}  # fmt: skip
_PLURALS = {f"{name}s": str(number) for number, name in enumerate(ONES[:10])} | {
    "zeroes": "0", "sixes": "6", "ohs": "0", "os": "0", "noughts": "0", "naughts": "0",
}  # fmt: skip
_TEENS = {name: str(number) for number, name in enumerate(ONES[10:20], 10)}
_TENS = {name: str(number) for number, name in enumerate(TENS) if name}
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_COUNTS = {"two": 2, "three": 3, "four": 4}
_BETWEEN = frozenset({"dash", "hyphen", "minus", "space", "then", "comma"})
"""Said between digits, and no part of them."""

_ALPHABET = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa"
    " quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu zed zee"
    " anton berta dora emil friedrich gustav heinrich ida julius kaufmann konrad ludwig martha nordpol otto paula"
    " quelle richard samuel siegfried theodor ulrich viktor wilhelm xanthippe ypsilon zacharias zeppelin"
)
_NAMED = {word: word[0] for word in _ALPHABET.split()}
"""Words of spelling alphabets (ICAO, and the German one), and names of letters."""
_AS_IN = (("as", "in"), ("for",), ("like", "in"), ("like",), ("wie",), ("is", "for"))
_CASES = frozenset({"capital", "uppercase", "lowercase", "letter", "big", "small"})

_WRITTEN = re.compile(
    r"(?<![\w.+-])[a-z0-9]+(?:[.+_-]+[a-z0-9]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?![\w@-])", re.IGNORECASE | re.ASCII
)
"""An address as a recogniser writes it, or the end of one."""
_AT, _DOT = frozenset({"at"}), frozenset({"dot", "point", "period"})
_SIGNS = {"underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+"}
_ONE_WORD = (
    ("all", "one", "word"), ("all", "lower", "case"), ("all", "lowercase"), ("in", "one", "word"), ("one", "word"),
    ("no", "spaces"), ("all", "together"), ("all", "small"), ("lowercase",),
)  # fmt: skip
"""Said of the words of an address, and no part of it."""
_BEFORE_ADDRESS = frozenset(
    "um uh er i'd prefer like best work mine personal my the it its it's this that that's is email e mail"
    " address yes yeah sure okay so well and would be of course here hi hello you can use uses send to me reach"
    " write at on".split()
)
"""Words in front of an address; behind any other, it is unsure where the address begins."""
_WORDS = _BEFORE_ADDRESS | frozenset("a an i we are was not no have do does for from with or but what which".split())
"""Words that no address is made of, as far as one can tell."""
_TOP_LEVEL = frozenset(
    "com net org edu gov mil int info biz name pro app dev online shop store site tech cloud email club agency company"
    " group health care clinic law life live media network news page services solutions space team today website work"
    " world xyz academy berlin london".split()
)
"""Those of two letters are countries."""


# --- digits -------------------------------------------------------------------------------------------------------

DIGIT_STARTS = frozenset({*DIGITS, *_TEENS, *_TENS, *_TIMES, "hundred", "thousand"})
"""Words that a run of digits can begin with."""


def digits(tokens: Tokens, start: int, length: int) -> Iterator[Unit]:
    """Runs of so many digits that begin there: said one by one, in groups, as numbers, doubled."""
    if _is_letter(tokens, start - 1) or _is_number(tokens, _before(tokens, start)):
        return
    end, read = start, ""
    while len(read) < length:
        unit = _number(tokens, end)
        if unit is None:
            return
        end, read = unit[0], read + unit[1]
        if len(read) < length and end < len(tokens) and tokens[end] in _BETWEEN:
            end += 1
    behind = end + (_at(tokens, end) in _BETWEEN | {"and"})
    if len(read) == length and not _is_letter(tokens, end) and not _is_number(tokens, behind):
        yield end, read


def _before(tokens: Tokens, index: int) -> int:
    """The place of the word before, but for what stands between digits."""
    return index - 2 if index > 1 and tokens[index - 1] in _BETWEEN | {"and"} else index - 1


def _is_number(tokens: Tokens, index: int) -> bool:
    token = _at(tokens, index) if index >= 0 else ""
    return token in DIGIT_STARTS or token in _PLURALS or token == UNCLEAR


def _is_letter(tokens: Tokens, index: int) -> bool:
    """Whether a letter stands there, which belongs to a code, and is no word."""
    token = _at(tokens, index) if index >= 0 else ""
    if token in ("a", "i"):
        return 0 < index < len(tokens) - 1 and _is_number(tokens, index - 1) and _is_number(tokens, index + 1)
    return len(token) == 1 and token not in DIGITS


def _number(tokens: Tokens, index: int) -> Unit | None:
    """The number that begins there, as far as it goes, in digits; None for none, or one that is unclear."""
    token = _at(tokens, index)
    if token in _TIMES:
        return _repeated(tokens, index)
    if token in _COUNTS and _at(tokens, index + 1) in _PLURALS:
        return index + 2, _PLURALS[tokens[index + 1]] * _COUNTS[token]
    if token in DIGITS and DIGITS[token] == "0":
        return index + 1, "0"
    small = _below_hundred(tokens, index)
    if small is None and token in ("hundred", "thousand") and not _is_number(tokens, index - 1):
        small = (index, "1")
    if small is None:
        return None
    if _at(tokens, small[0]) in ("hundred", "thousand"):
        return _large(tokens, small)
    return small


def _repeated(tokens: Tokens, index: int) -> Unit | None:
    times, again = _TIMES[tokens[index]], _at(tokens, index + 1)
    digit = DIGITS.get(again) or _PLURALS.get(again)
    return (index + 2, digit * times) if digit else None


def _below_hundred(tokens: Tokens, index: int) -> Unit | None:
    """One to ninety-nine."""
    token, behind = _at(tokens, index), _at(tokens, index + 1)
    if token in _TENS:
        if behind in DIGITS and DIGITS[behind] != "0":
            return index + 2, _TENS[token] + DIGITS[behind]
        return index + 1, f"{_TENS[token]}0"
    if token in _TEENS:
        return index + 1, _TEENS[token]
    return (index + 1, DIGITS[token]) if DIGITS.get(token, "0") != "0" else None


def _large(tokens: Tokens, count: Unit) -> Unit | None:
    """``count`` hundreds or thousands, and what belongs to them. None where that is unclear: the five of "one hundred
    oh five" may stand alone."""
    end, total = count[0], int(count[1])
    if _at(tokens, end) == "hundred":
        end, total = end + 1, total * 100
        if _at(tokens, end) == "thousand":
            end, total = end + 1, total * 1_000
            return (end, str(total)) if not _goes_on(tokens, end) else None
        rest = _rest(tokens, end, total, is_count=True)
        if rest is None or _at(tokens, rest[0]) != "thousand":
            return rest
        end, total = rest[0], int(rest[1])
    end, total = end + 1, total * 1_000
    small = _below_hundred(tokens, end + (_at(tokens, end) == "and"))
    if small is not None and _at(tokens, small[0]) == "hundred":
        end, total = small[0] + 1, total + int(small[1]) * 100
        return _rest(tokens, end, total) if len(small[1]) == 1 else None
    return _rest(tokens, end, total)


def _rest(tokens: Tokens, end: int, total: int, is_count: bool = False) -> Unit | None:
    """The tens and ones behind hundreds or thousands; ``is_count``: all of it may be so many thousands."""
    begin = end + (_at(tokens, end) == "and")
    small = _below_hundred(tokens, begin)
    if small is None:
        return (end, str(total)) if not _goes_on(tokens, end) else None
    if _at(tokens, small[0]) in ("hundred", "thousand"):
        is_whole = is_count and _at(tokens, small[0]) == "thousand" and total < 1_000
        return (small[0], str(total + int(small[1]))) if is_whole else None
    if len(small[1]) == 1 and _below_hundred(tokens, small[0]):
        return None  # "two hundred five six" and "one hundred two twenty" say two numbers, or one
    return small[0], str(total + int(small[1]))


def _goes_on(tokens: Tokens, index: int) -> bool:
    token = _at(tokens, index)
    return token in DIGITS or token in _TIMES or token == "and"


# --- letters and digits -------------------------------------------------------------------------------------------

MAX_WAYS = 64
"""Readings of one code: of more than six Os none is sure."""

LETTER_STARTS = frozenset({*map(chr, range(97, 123)), *_NAMED, *_CASES, "double", "triple", "treble", "eszett"})


def letter(tokens: Tokens, index: int, alone: bool = False) -> Unit | None:
    """The letter that begins there: ``m``, ``m as in mary``, ``mike``, ``double t``.

    ``alone``: words of spelling alphabets, which are names too, do not count by themselves.
    """
    index += _at(tokens, index) in _CASES
    token = _at(tokens, index)
    if token == "double" and _at(tokens, index + 1) in ("u", "you"):
        return index + 2, "w"
    if token in _TIMES:
        one = letter(tokens, index + 1, alone)
        return (one[0], one[1] * _TIMES[token]) if one and len(one[1]) == 1 else None
    if len(token) == 1:
        for joint in _AS_IN:
            if tokens[index + 1 : index + 1 + len(joint)] == joint:
                word = _at(tokens, index + 1 + len(joint))
                if len(word) > 1:
                    return (index + 2 + len(joint), token) if word[0] == token else None
        return index + 1, token
    return (index + 1, _NAMED[token]) if token in _NAMED and not alone else None


def codes(tokens: Tokens, start: int, fits: Callable[[str], bool]) -> Iterator[Unit]:
    """The code of letters and digits that stands there, if it fits. An ``o`` is a letter or a zero, whichever does."""
    if start and (len(tokens[start - 1]) == 1 or _number(tokens, start - 1) or _is_misspelled(tokens, start)):
        return
    end, read = start, [""]
    while end < len(tokens):
        unit = letter(tokens, end) or _number(tokens, end)
        if unit is None:
            break
        is_both = tokens[end] in ("o", "oscar") and len(unit[1]) == 1
        ways = ("o", "0") if tokens[end] == "o" and is_both else ("0", "o") if tokens[end] == "oh" else (unit[1],)
        end = unit[0]
        read = [whole + way for whole in read for way in ways][:MAX_WAYS]
        end += end < len(tokens) and tokens[end] in _BETWEEN
    found = {whole.upper() for whole in read if fits(whole.upper())}
    if len(found) == 1 and end > start:
        yield end, found.pop()


def spelled(tokens: Tokens, start: int) -> Iterator[Unit]:
    """The word spelled letter by letter that stands there, of two letters at least."""
    if _is_letter(tokens, start - 1) or _is_misspelled(tokens, start):
        return
    end, read, is_spelled = start, "", False
    while (unit := letter(tokens, end)) is not None:
        is_spelled = is_spelled or tokens[end] not in _NAMED
        end, read = unit[0], read + unit[1]
        end += _at(tokens, end) in ("dash", "hyphen", "then")
    if len(read) > (1 if is_spelled else 2) and not _is_number(tokens, end):
        yield end, read


def _is_misspelled(tokens: Tokens, index: int) -> bool:
    """Whether a letter stands in front that does not begin its word: ``m as in nancy``."""
    return any(
        index > len(joint) + 1
        and tokens[index - 1 - len(joint) : index - 1] == joint
        and len(tokens[index - 2 - len(joint)]) == 1
        for joint in _AS_IN
    )


def characters(tokens: Tokens, start: int) -> Iterator[Unit]:
    """Runs of digits, or of letters, that begin there, as far as they go and shorter."""
    for unit in (_number, letter):
        end, read = start, ""
        while (one := unit(tokens, end)) is not None:
            end, read = one[0], read + one[1]
            yield end, read
            end += end < len(tokens) and tokens[end] in _BETWEEN


_TAKEN_BACK = frozenset({"no", "sorry", "actually", "wait", "correction", "mean", "meant", "rather", "oops"})
"""Behind such a word callers put right what they have said."""


def is_taken_back(tokens: Tokens, begin: int, end: int, read: Callable[[Tokens, int], Iterable[Unit]]) -> bool:
    """Whether another value stands in the transcript than the one in [begin, end), which is not the one that counts: of
    two, the last one does, if the caller says that it is put right."""
    if begin and tokens[begin - 1] == "not":
        return True
    marks = [index for index in range(end, len(tokens)) if tokens[index] in _TAKEN_BACK]
    if marks and any(_is_number(tokens, index) or _is_letter(tokens, index) for index in range(marks[0], len(tokens))):
        return True
    values = {value for start in range(begin, end) for stop, value in read(tokens, start) if stop == end}
    for start in range(len(tokens)):
        is_denied = start > 0 and tokens[start - 1] == "not"
        for stop, value in read(tokens, start):
            is_apart = stop <= begin or start >= end
            is_put_right = is_denied or (stop <= begin and bool(_TAKEN_BACK.intersection(tokens[stop:begin])))
            if is_apart and value not in values and not is_put_right:
                return True
    return False


# --- e-mail addresses ---------------------------------------------------------------------------------------------


def address(text: str) -> str | None:
    """The one e-mail address in a transcript, in lower case; None where it is unsure what belongs to it."""
    written = _WRITTEN.search(text)
    if written and text.count("@") == 1 and _BEFORE_ADDRESS.issuperset(spelled_out(text[: written.start()])):
        one = written[0].lower()
        return one if _is_domain(one.partition("@")[2]) else None
    tokens = spelled_out(text)
    places = [index for index, token in enumerate(tokens) if token in _AT and index]
    found = {(_local(tokens[:place]), domain) for place in places if (domain := _domain(tokens, place + 1))}
    local, domain = found.pop() if len(found) == 1 else (None, "")
    return f"{local}@{domain}" if local else None


def _local(tokens: Tokens) -> str | None:
    """The name in front of the at."""
    for start in range(len(tokens)):
        if all(token in _BEFORE_ADDRESS for token in tokens[:start]):
            read = _pieces(tokens[start:], _SIGNS | dict.fromkeys(_DOT, "."))
            if read is not None and read[0] == len(tokens) - start and not _is_odd(read[1]):
                return read[1]
    return None


def _domain(tokens: Tokens, start: int) -> str | None:
    """The domain behind the at, up to where it ends."""
    signs = {"dash": "-", "hyphen": "-", "minus": "-"} | dict.fromkeys(_DOT, ".")
    end, read = _pieces(tokens[start:], signs, _is_domain) or (0, "")
    return read if _is_domain(read) and _at(tokens, start + end) not in _AT else None


def _pieces(tokens: Tokens, signs: dict[str, str], is_whole: Callable[[str], bool] | None = None) -> Unit | None:
    """Words, letters and digits, joined by signs, up to what ``is_whole``, if that is asked, and has no sign behind it.

    Words side by side are one only if it is said of them: who says "anna schmidt at" may mean one, or forget a dot.
    """
    end, read, last, is_unsure, is_one = 0, "", "", False, False
    while end < len(tokens):
        token = tokens[end]
        is_letter = last == "letter" and len(token) == 1
        if is_whole and is_whole(read) and token not in signs and not is_letter:
            break
        phrase = next((one for one in _ONE_WORD if tokens[end : end + len(one)] == one), ())
        if phrase:
            is_one, end = True, end + len(phrase)
            continue
        if token in signs:
            end, read, kind = end + 1, read + signs[token], "sign"
        elif one := letter(tokens, end, alone=True):
            end, read, kind = one[0], read + one[1], "letter"
        elif number := (None if is_whole else _number(tokens, end)):
            end, read, kind = number[0], read + number[1], "number"
        elif token.isalpha() and (not _is_number(tokens, end) if is_whole else token not in _WORDS):
            end, read, kind = end + 1, read + token, "word"
        else:
            break
        is_unsure = is_unsure or (kind, last) in (("word", "word"), ("word", "letter"), ("letter", "word"))
        last = kind
    return None if is_unsure and not is_one else (end, read)


def _is_domain(text: str) -> bool:
    """Whether there is such a top-level domain. Of ``co`` the rest is missing more often than not."""
    name, _, top = text.rpartition(".")
    return bool(name) and not _is_odd(text) and top != "co" and (top in _TOP_LEVEL or (len(top) == 2 and top.isalpha()))


def _is_odd(text: str) -> bool:
    """Whether signs stand where none can."""
    signs = "._-+"
    pairs = itertools.pairwise(text)
    return not text or text[0] in signs or text[-1] in signs or any(a in signs and b in signs for a, b in pairs)


# --- read back ----------------------------------------------------------------------------------------------------


def read_back(text: str) -> str:
    """Digits and letters one by one, in the groups that people say them in: ``two one two, five five five``."""
    runs = re.findall(r"[0-9]+|[^0-9]+", text)
    return ", ".join(" ".join(map(_name, group)) for run in runs for group in grouped(run))


def read_address(text: str) -> str:
    """``anna.w12@example.com`` as ``anna dot w one two at example dot com``"""
    names = {"@": "at", ".": "dot", "_": "underscore", "-": "hyphen", "+": "plus"}
    words = (
        names.get(part) or (" ".join(map(_name, part)) if part.isdigit() else part)
        for part in re.findall(r"[0-9]+|[@._+-]|[^0-9@._+-]+", text)
    )
    return " ".join(words)


def grouped(text: str) -> Iterable[str]:
    """Groups of three or four, the longer ones last."""
    size = len(text)
    if size <= 4:
        return [text]
    if size == 5:
        return [text[:3], text[3:]]
    fours = size // 4 if size % 4 == 0 else size % 3
    threes = (size - 4 * fours) // 3
    ends = itertools.accumulate([3] * threes + [4] * fours, initial=0)
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def _name(character: str) -> str:
    return ONES[int(character)] if character in "0123456789" else character.upper()


def _at(tokens: Tokens, index: int) -> str:
    return tokens[index] if index < len(tokens) else ""
