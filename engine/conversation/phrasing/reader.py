"""Reads a reply as it streams in: takes out the markup that spans words, and finds the words.

A construct is decided on as soon as its text is there, and taken for ordinary text when its end is too far away to wait
for. So what comes out depends on the text only, and little text is ever held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringline.engine.conversation.phrasing import markup
from ringline.engine.conversation.phrasing.boundaries import CLAUSE_STOPS, CLOSERS, FULL_STOPS
from ringline.engine.conversation.phrasing.events import Break, CutOff, Event, Mark, Start, Text
from ringline.engine.conversation.phrasing.line_start import prefix_chars
from ringline.engine.conversation.phrasing.skipping import LinkTarget, Skip, UntilMarker

MAX_WORD_CHARS = 250
"""Anything longer without a space is passed on in parts."""

_SLICE_CHARS = 4_096
"""A long delta is read in slices, so that taking text off the buffer's front stays cheap."""

_STOPS = FULL_STOPS + CLAUSE_STOPS
_INSIDE_WORD = re.compile(rf"[^\s<\[(*`~|!\]{_STOPS}]+")
_UNSPACED_STOP = re.compile(rf"[{_STOPS}]{{1,10}}[{re.escape(CLOSERS)}{_STOPS}]{{0,10}}")
_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LEFT_OVER = re.compile(r"[.!?,;:…]+")
_CODE = re.compile(r"`{1,20}|~{1,20}")
_STAGE_WORD = re.compile(r"[(*]\w{0,20}")
_STAGE = {"(": re.compile(r"\((?:[\w'’,.…-]{1,20} ?){1,3}"), "*": re.compile(r"\*[^*\n]{1,60}")}
_BRACKET = re.compile(r"\[[^\[\]\n]{0,200}")


class Reader:
    """Feed it text, get events. `flush` ends the text."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._begin()

    def _begin(self) -> None:
        self._rest = ""
        self._final = False
        self._waits = False
        self._skip: Skip | None = None
        self._word = ""
        self._started = False
        self._glued = False
        self._after_digit = False
        self._line_start = True
        self._first_line = True
        self._in_table = False
        self._cell_ended = False
        self._in_link = False

    def feed(self, text: str) -> Iterator[Event]:
        """More of the reply."""
        text = _SURROGATES.sub("", text)
        for start in range(0, len(text), _SLICE_CHARS):
            self._rest += text[start : start + _SLICE_CHARS]
            yield from self._read()

    def flush(self) -> Iterator[Event]:
        """The reply is complete: what was held back is ordinary text."""
        self._final = True
        yield from self._read()
        yield from self._end_word()
        self._begin()

    def _read(self) -> Iterator[Event]:
        self._waits = False
        while self._rest and not self._waits:
            if self._skip is not None:
                self._rest, ended = self._skip.take(self._rest)
                self._waits = not ended
                self._skip = None if ended else self._skip
            elif self._line_start:
                self._read_line_start()
            elif inside := _INSIDE_WORD.match(self._rest):
                self._rest = self._rest[inside.end() :]
                yield from self._add(inside[0])
            else:
                yield from self._read_special(self._rest[0])

    def _take(self, num_chars: int) -> str:
        taken, self._rest = self._rest[:num_chars], self._rest[num_chars:]
        return taken

    def _is_open(self, found: re.Match[str]) -> bool:
        """Whether what was found may go on in the next delta."""
        return found.end() == len(self._rest) and not self._final

    def _begin_line(self) -> None:
        self._line_start, self._first_line = True, False
        self._in_table = self._cell_ended = self._in_link = False

    def _read_line_start(self) -> None:
        prefix = prefix_chars(self._rest, self._language, self._first_line, self._final)
        if prefix is None:
            self._waits = True
        elif prefix == 0:
            self._line_start = False
        else:
            self._in_table |= self._take(prefix) == "|"

    def _read_special(self, char: str) -> Iterator[Event]:
        match char:
            case "<":
                yield from self._read_tag()
            case "[":
                yield from self._read_bracket()
            case "]":
                yield from self._read_bracket_end()
            case "!":
                yield from self._read_exclamation()
            case "(" | "*":
                yield from self._read_stage_direction(char)
            case "`" | "~":
                yield from self._read_code()
            case "|":
                yield from self._read_bar()
            case _ if char.isspace():
                yield from self._end_word()
                if _LINE_END.match(self._take(1)):
                    yield Break()
                    self._begin_line()
            case _:
                yield from self._read_unspaced_stop()

    def _read_tag(self) -> Iterator[Event]:
        if len(self._rest) < 4 and "<!--".startswith(self._rest) and not self._final:
            self._waits = True
            return
        if self._rest.startswith("<!--"):
            self._skip = UntilMarker("-->")
            return
        tag = markup.TAG.match(self._rest)
        if tag is None:
            if len(self._rest) <= 2 and self._rest in ("<", "</") and not self._final:
                self._waits = True
            else:
                yield from self._add(self._take(1))
            return
        if self._is_open(tag):
            self._waits = True
            return
        if self._rest[tag.end() : tag.end() + 1] != ">":
            self._take(1)  # the half of a tag, or of an address in angle brackets
            return
        self._take(tag.end() + 1)
        name, opens = tag[1].lower(), not tag[0].startswith("</")
        if name == "uninterruptible":
            yield from self._end_word()
            yield Mark(opens)
        elif name in markup.SKIPPED_TAGS and opens:
            self._skip = UntilMarker(f"</{tag[1]}>")
        elif name in markup.BREAKING_TAGS:
            yield from self._end_word()
            yield Break()

    def _read_exclamation(self) -> Iterator[Event]:
        if len(self._rest) == 1 and not self._final:
            self._waits = True
        elif self._rest.startswith("!["):
            self._take(1)
        else:
            yield from self._add(self._take(1))

    def _read_bracket(self) -> Iterator[Event]:
        """A link's text stays; anything else in brackets is for the eye, such as ``[pause]`` and ``[1]``."""
        bracket = _BRACKET.match(self._rest)
        assert bracket is not None
        end = bracket.end()
        if self._is_open(bracket):
            self._waits = True
        elif bracket[0].lower() == markup.CUT_OFF[:-1]:
            self._take(end + 1)
            yield from self._end_word()
            yield CutOff()
        elif self._rest[end : end + 1] != "]":
            self._take(1)
        elif end + 1 == len(self._rest) and not self._final:
            self._waits = True
        elif self._rest[end + 1 : end + 2] in ("(", "["):
            self._in_link = True
            self._take(1)
        else:
            self._take(end + 1)

    def _read_bracket_end(self) -> Iterator[Event]:
        if self._in_link and len(self._rest) == 1 and not self._final:
            self._waits = True
        elif self._in_link:
            self._in_link = False
            if self._rest[1:2] == "(":
                self._skip = LinkTarget()
            self._take(1 if self._skip is None else 2)
        else:
            yield from self._add(self._take(1))

    def _read_stage_direction(self, char: str) -> Iterator[Event]:
        word = _STAGE_WORD.match(self._rest)
        assert word is not None
        if self._is_open(word):
            self._waits = True
            return
        if word[0][1:].lower() not in markup.STAGE_WORDS:
            yield from self._add(self._take(1))
            return
        direction = _STAGE[char].match(self._rest)
        assert direction is not None
        if self._is_open(direction):
            self._waits = True
        elif self._rest[direction.end() : direction.end() + 1] == {"(": ")", "*": "*"}[char]:
            self._take(direction.end() + 1)
        else:
            yield from self._add(self._take(1))

    def _read_code(self) -> Iterator[Event]:
        """A code block is left out. Two tildes or backticks stand in words."""
        fence = _CODE.match(self._rest)
        assert fence is not None
        if self._is_open(fence):
            self._waits = True
            return
        self._take(fence.end())
        if len(fence[0]) >= 3:
            yield from self._end_word()
            yield Break()
            self._skip = UntilMarker(fence[0])
        else:
            yield from self._add(fence[0])

    def _read_bar(self) -> Iterator[Event]:
        char = self._take(1)
        if self._in_table:
            yield from self._end_word()
            self._cell_ended = True
        else:
            yield from self._add(char)

    def _read_unspaced_stop(self) -> Iterator[Event]:
        stop = _UNSPACED_STOP.match(self._rest)
        assert stop is not None
        if self._is_open(stop):
            self._waits = True
            return
        yield from self._add(self._take(stop.end()))
        glued_next = not self._rest[:1].isspace()
        yield from self._end_word()
        self._glued = glued_next

    def _add(self, text: str) -> Iterator[Event]:
        if not self._started and (first := next((char for char in text if char.isalnum()), "")):
            self._started = True
            yield Start(first)
        self._word += text
        while len(self._word) > MAX_WORD_CHARS:
            yield from self._emit(self._word[:MAX_WORD_CHARS])
            self._word, self._glued = self._word[MAX_WORD_CHARS:], True

    def _end_word(self) -> Iterator[Event]:
        if self._word:
            yield from self._emit(self._word)
        self._word, self._started, self._glued = "", False, False

    def _emit(self, raw: str) -> Iterator[Event]:
        is_between_numbers = self._after_digit and raw in ("*", "<", ">")  # 3 * 4
        words = [raw] if is_between_numbers else markup.without_markup(raw).split()
        for index, word in enumerate(words):
            if self._cell_ended:
                self._cell_ended = False
                yield Text(",", glued=True)
            # A full stop from which an emoji was taken belongs to the word before it.
            is_left_over = word != raw and _LEFT_OVER.fullmatch(word) is not None
            yield Text(word, glued=is_left_over or (self._glued and index == 0))
            self._after_digit = word[-1].isdigit()
