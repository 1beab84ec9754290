"""How much has been said of a code: a telephone or account number, a spelled name, an e-mail address (codes.toml).

Callers pause within codes as they do behind sentences, and their melody falls with each group. What tells is what has
been said: the digits and letters at its end, what the bot has asked for, and how the caller has begun.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from ringline.engine.conversation.code_words import CodeWords, Wanted, any_of, code_words, wanted

MAX_PHRASE_WORDS = 4

FEWEST_DIGITS = 3
"""So many digits, one by one, are a code where nobody has spoken of one: fewer are a count, or an hour."""
FEWEST_LETTERS = 3
MAX_LOCAL_WORDS = 3
"""An answer of so few words to the question for an e-mail address is the beginning of one."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_GLUED = re.compile(r"(?=.*\d)(?=.*[^\W\d])\w{2,12}")
_QUANTITY = re.compile(r"\d+(?:st|nd|rd|th|am|pm|a|p|h|uhr|er|e|k|kg|g|m|km|cm|mm|ml|l|min|s|eur|usd)")
_NO_CODE = re.compile(
    r"(?:[$\u20ac\u00a3]\s?[\d.,]+|\d\s?[%\u20ac\u00b0$]|\b\d{1,2}[:.h]\d{2}|\b\d{1,3}(?:,\d{3})+|\b\d{1,2}[./]\d{1,2}"
    r"(?:[./](?:\d\d)?\d\d)?\.?|\b[ap]\.?\s?m)\W*$"
)
"""At the end: an amount, a time, a date."""
_MAIL_WORDS = re.compile(r"@|[\w-]\.[\w-]+\s+\w+$")


class CodeHeard(msgspec.Struct, frozen=True):
    """A code at the end of what was said."""

    complete: bool
    """Nothing is missing; else more is to come."""
    what: str
    """``4 of 10 digits``"""


class _Part(msgspec.Struct, frozen=True):
    """One word of a code, or several that belong together."""

    text: str
    """Its letters, and a 0 for each digit; empty for what is between."""
    num_words: int
    is_word: bool = False
    """It may as well be a word of a sentence."""
    is_numeral: bool = False


def heard_of_code(text: str, asked: str, language: str) -> CodeHeard | None:
    """What was said of a code at the end of a lower-case text, after the bot's last words; None if it is no code."""
    words = code_words(language)
    if words is None:
        return None
    kind, length = wanted(asked, language)
    return _Text(text, words).heard(kind, length)


def asks_for_code(asked: str, language: str) -> bool:
    """Whether the bot's last words ask for a code."""
    return wanted(asked, language)[0] not in ("", "small")


def num_digits(text: str, language: str) -> int:
    """How many digits were said, or written by the recogniser in whatever groups (``555-01``), anywhere in a lower-case
    text."""
    words = code_words(language) or CodeWords()
    return sum(part.text.count("0") for part in _Text(text, words).parts if part)


def num_keys_asked(asked: str, language: str) -> int:
    """How many keys answer the bot's last words (``your four-digit PIN``, ``press one for sales``); 0 if unknown."""
    words = code_words(language)
    return words.num_keys(asked) if words and asked else 0


class _Text:
    """A caller's words, and the code at their end."""

    def __init__(self, text: str, words: CodeWords) -> None:
        self.text = text
        self.words = words
        self.tokens = tuple(_TOKEN.findall(text))
        self.parts: list[_Part | None] = []
        """For each token that begins something; None for a word that belongs to no code."""
        self._starts: list[int] = []
        index = 0
        while index < len(self.tokens):
            part = self._part(index)
            self.parts.append(part)
            self._starts.append(index)
            index += part.num_words if part else 1

    def heard(self, kind: Wanted, length: int) -> CodeHeard | None:
        """What the code at the end lacks."""
        if kind == "email" or self._is_mail():
            return self._mail(kind == "email")
        if more := self._ends_in(self.words.more) or self._announced():
            return CodeHeard(False, f"ends in '{more}'")
        first = len(self.parts)
        while first and self.parts[first - 1]:
            first -= 1
        run = [part for part in self.parts[first:] if part]
        lead = self.tokens[: self._starts[first]] if run else self.tokens
        told = self._told(lead)
        if (
            len(run) == 1
            and self.tokens[-1] in self.words.pronouns
            and not told
            and not self.words.leads.issuperset(lead)
        ):
            return None
        if kind == "address":
            return self._address()
        num_letters = sum(part.text.isalpha() for part in run)
        if not told and kind not in ("code", "letters") and num_letters < FEWEST_LETTERS:
            while run and (not run[0].text or (run[0].is_word and not run[0].text.isdigit())):
                lead = (*lead, *run[0].text)
                run = run[1:]
        code = "".join(part.text for part in run)
        num_digits = code.count("0")
        if not code or (kind == "small" and not told):
            return None if kind == "small" else self._unasked(run, lead, code)
        if kind in ("telephone", "code", "letters") and length:
            return _of(len(code), length)
        if kind == "telephone" or (told == "telephone" and kind != "code"):
            return _of(len(code), self._telephone_digits(run)) if num_digits else None
        if kind == "letters" or told == "letters":
            named = [part for part in run if part.text and not part.is_word]
            return self._spelled(code, lead) if named or len(run) > 1 else None
        if kind == "code" or told:
            is_whole = any(re.fullmatch(pattern, code) for pattern in self.words.whole)
            return CodeHeard(is_whole, "a whole code" if is_whole else "digits of a code")
        return self._unasked(run, lead, code)

    def _unasked(self, run: list[_Part], lead: tuple[str, ...], code: str) -> CodeHeard | None:
        """Where nobody has spoken of a code."""
        num_digits = code.count("0")
        if _NO_CODE.search(self.text):
            return None
        letters = [part for part in run if part.text.isalpha()]
        if len(letters) >= FEWEST_LETTERS or (letters and not num_digits and self._is_spelling(code, lead)):
            return self._spelled(code, lead) if not num_digits else CodeHeard(False, "digits of a code")
        if num_digits < FEWEST_DIGITS:
            return None
        whole = self._telephone_digits(run)
        spoken = [part for part in run if part.text and not part.is_numeral]
        numerals = [part for part in run if part.is_numeral]
        is_group = (
            len(spoken) >= FEWEST_DIGITS
            or any(token.startswith("0") for token in self.tokens[len(lead) :])
            or len(numerals) >= FEWEST_DIGITS
            or (len(numerals) > 0 and num_digits > 4 and not self.words.no_code.intersection(lead[-1:]))
            or self.words.leads.issuperset(lead)
        )
        return _of(len(code), whole) if is_group else None

    def _spelled(self, code: str, lead: tuple[str, ...]) -> CodeHeard:
        """A name, of which the length is known only if it was said before."""
        if code in lead:
            return CodeHeard(True, f"spelled '{code}'")
        return CodeHeard(False, "letters of a name")

    def _is_spelling(self, code: str, lead: tuple[str, ...]) -> bool:
        return bool(lead) and len(code) > 1 and lead[-1].startswith(code)

    def _announced(self) -> str:
        """What the end says that a code follows: ``my number is``."""
        if not self.tokens or self.tokens[-1] not in self.words.open or not self._told(self.tokens):
            return ""
        return self._ends_in(self.words.announcements) or " ".join(self.tokens[-2:])

    def _told(self, lead: tuple[str, ...]) -> Wanted:
        """What the caller says that it is."""
        said = " ".join(lead)
        for kind, pattern in self.words.names:
            if pattern.search(said):
                return kind
        lists: tuple[tuple[Wanted, tuple[str, ...]], ...] = (
            ("telephone", self.words.told_telephone),
            ("code", self.words.told_code),
        )
        for kind, phrases in lists:
            if any(said == phrase or said.endswith(f" {phrase}") for phrase in phrases):
                return kind
        return ""

    def _telephone_digits(self, run: list[_Part]) -> int:
        """So many digits the number begun has; a country code comes on top, in place of a leading zero."""
        digits = "".join(self.tokens[self._starts[self.parts.index(run[0])] :]) if run else ""
        is_international = "+" in self.text or "plus" in self.text.split() or digits.startswith("00")
        size = self.words.telephone_digits
        if is_international:
            return size + (1 if "1" in digits[:1] else 2)
        return size + 1 if digits.startswith("1") and size == 10 else size

    def _address(self) -> CodeHeard | None:
        """A house number, and not yet its street."""
        rest = [token for token in self.tokens if token not in self.words.leads]
        is_numbered = (
            bool(rest)
            and bool(self.words.streets)
            and (rest[0][0].isdigit() or self._part(len(self.tokens) - len(rest)))
        )
        if is_numbered and len(rest) <= MAX_LOCAL_WORDS and rest[-1] not in self.words.streets:
            return CodeHeard(False, "half an address")
        return None

    # --- e-mail addresses -----------------------------------------------------------------------------------------

    def _is_mail(self) -> bool:
        """Whether the end is of an e-mail address, whatever was asked."""
        last = self.tokens[-1] if self.tokens else ""
        if self._num_told():
            return True
        if last not in self.words.at | self.words.dot:
            return "@" in self.text
        asks = re.search(any_of(self.words.ask_email), self.text) if self.words.ask_email else None
        return bool(asks or _MAIL_WORDS.search(self.text) or len(self.tokens) <= MAX_LOCAL_WORDS)

    def _num_told(self) -> int:
        """How many words stand behind ``my e-mail is``, of the first few; 0 for none."""
        counts = range(1, min(MAX_LOCAL_WORDS, len(self.tokens) - 1) + 1)
        return next((count for count in counts if self._told(self.tokens[:-count]) == "email"), 0)

    def _mail(self, is_asked: bool) -> CodeHeard | None:
        tokens, words = self.tokens, self.words
        if not tokens:
            return None
        places = [index for index, token in enumerate(tokens) if token in words.at]
        written = re.search(r"@\s*[\w-]*([\w.-]*)\W*$", self.text)
        if written or places:
            # The domain: what is behind the at, its dots spoken or written.
            behind = self.text.rpartition("@")[2] if written else " ".join(tokens[places[-1] + 1 :])
            behind = re.sub(rf"\s*(?:{any_of(words.dot)})\s*", ".", behind) if words.dot else behind
            domain = re.sub(r"[^\w.-]+", "", behind.strip())
            if re.fullmatch(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d]{2,}\.?", domain) and not domain.endswith(".co"):
                return CodeHeard(True, "an e-mail address")
            if tokens[-1] in words.at | words.dot or is_asked or written:
                return CodeHeard(False, "half an e-mail address")
            return None
        is_piece = tokens[-1] in words.dot or self._ends_in(words.more) or self.parts[-1]
        if (is_piece and tokens[-1] not in words.pronouns) or len(tokens) <= MAX_LOCAL_WORDS or self._num_told():
            return CodeHeard(False, "half an e-mail address")
        return None

    # --- words of codes -------------------------------------------------------------------------------------------

    def _ends_in(self, phrases: frozenset[str]) -> str:
        for count in range(min(MAX_PHRASE_WORDS, len(self.tokens)), 0, -1):
            tail = " ".join(self.tokens[-count:])
            if tail in phrases:
                return tail
        return ""

    def _phrase(self, index: int, phrases: Iterable[str]) -> int:
        """How many words the longest of the phrases has that stands there; 0: none."""
        for count in range(min(MAX_PHRASE_WORDS, len(self.tokens) - index), 0, -1):
            if " ".join(self.tokens[index : index + count]) in phrases:
                return count
        return 0

    def _part(self, index: int) -> _Part | None:
        words, tokens = self.words, self.tokens
        token = tokens[index]
        if len(token) > 1 and token.isalpha() and token not in words.firsts and "und" not in token:
            return None
        if token.isdecimal():
            return _Part("0" * len(token), 1, is_numeral=True)
        if _GLUED.fullmatch(token):
            text = re.sub(r"\d", "0", token)
            return None if _QUANTITY.fullmatch(token) else _Part(text, 1, is_numeral=True)
        times = 2 if self._phrase(index, words.doubles) else 3 if self._phrase(index, words.triples) else 1
        if times > 1:
            count = self._phrase(index, words.doubles | words.triples)
            again = self._part(index + count) if index + count < len(tokens) else None
            if again and len(again.text) == 1:
                return _Part(again.text * times, count + again.num_words)
        if count := self._phrase(index, words.teens):
            return self._number(index, count, 2)
        if count := self._phrase(index, words.tens):
            rest = index + count
            rest += rest < len(tokens) - 1 and tokens[rest] in words.tens_joints
            is_completed = rest < len(tokens) and tokens[rest] in words.digits
            return self._number(index, rest + 1 - index if is_completed else count, 2)
        if token in words.digits:
            return self._number(index, 1, 1)
        if token in words.hundreds:
            return _Part("0" * (words.hundreds[token] + 1), 1)
        if "und" in token and any(token.endswith(tens) for tens in words.tens):
            return _Part("00", 1)
        if len(token) == 1:
            count = self._phrase(index + 1, words.as_in)
            word = tokens[index + 1 + count : index + 2 + count]
            if count and word and word[0].startswith(token):
                return _Part(token, 2 + count)
            return _Part(token, 1, is_word=token in words.not_letters)
        if token in words.letters:
            return _Part(token[0], 1, is_word=True)
        if count := self._phrase(index, words.joints | words.fillers):
            return _Part("", count)
        return None

    def _number(self, index: int, num_words: int, size: int) -> _Part:
        """A number, with the hundreds or thousands that it counts: ``one hundred twenty three``."""
        end = index + num_words
        zeros = self.words.hundreds.get(self.tokens[end], 0) if end < len(self.tokens) else 0
        if not zeros:
            return _Part("0" * size, num_words)
        end += 1
        rest = end + (end < len(self.tokens) - 1 and self.tokens[end] in self.words.number_joints)
        more = self._part(rest) if rest < len(self.tokens) else None
        if more and set(more.text) == {"0"} and len(more.text) <= zeros and not more.is_numeral:
            end = rest + more.num_words
        return _Part("0" * (size + zeros), end - index)


def _of(count: int, length: int) -> CodeHeard:
    if count < length:
        return CodeHeard(False, f"{count} of {length} digits")
    return CodeHeard(True, f"all {length} digits")
