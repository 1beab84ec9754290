"""Tells what of a model's text is meant for the caller, as it streams in.

What comes out depends on the text only, however it is cut into deltas. Text passes at once, but for what may yet turn
out to be a mark, JSON or a tool's name. Only a reply that begins like a thought is held back to its end: the closing
tag may come, and then all before it was one.
"""

from __future__ import annotations

import re
from typing import Literal

from ringline.engine.conversation.model_text import marks
from ringline.engine.conversation.model_text.json_text import speech_in_part, speech_of, whole_characters
from ringline.engine.conversation.model_text.marks import Mark
from ringline.engine.conversation.model_text.openings import ANSWER_LABEL, BARE_FINAL, thinks, without_role
from ringline.engine.conversation.model_text.tool_text import (
    MAX_SOURCE_CHARS,
    Depth,
    Tools,
    WrittenCall,
    calls_in,
    calls_of,
    json_value,
)

Mode = Literal["say", "hide", "drop", "header", "tool", "value", "fence"]
Hold = Literal["undecided", "thought", "label"]

MAX_HELD_CHARS = 4_000
"""Nobody says so much on the telephone at once: what is longer, and begins like a thought, is one."""

MAX_HEADER_CHARS = 200
_LABEL_CHARS = 60
_SLICE_CHARS = 16_384

_JSON = re.compile(r"\{\s*[\"'][^\"'\n{}]{1,60}[\"']\s*:|\[\s*\{\s*[\"'][^\"'\n{}]{1,60}[\"']\s*:")
_MAY_BE_JSON = re.compile(r"(?:\[\s{0,40})?(?:\{\s{0,40}(?:[\"'](?:[^\"'\n{}]{1,60}(?:[\"']\s{0,40})?)?)?)?")
_TO = re.compile(
    r"to=(?:functions|tools)\.([\w.-]+)[^{<]{0,120}\{"
    r"|Action:[\s`\"*]{0,4}([\w.-]+)[`\"*]{0,3}\s{1,4}\*{0,2}Action[ _]?Input:\*{0,2}\s{0,4}(?:```(?:json)?\s*)?\{"
)
"""A tool is addressed, as gpt-oss does it, or as prompts of the ReAct kind teach it."""
_MAY_BE_TO = re.compile(
    r"to=(?:functions|tools)\.[^{<]{0,160}|Action:[^\n{]{0,60}(?:\n[^{\n]{0,40}(?:\n[a-z`\s]{0,20})?)?"
)
_NAMESPACES = ("functions.", "function.", "default_api.", "functools[")
_CALL_BEGINS = re.compile(r"\(\s*(?:\w+\s*=[^=]|[\"'{\[])")
_LANGUAGE = re.compile(r"```([\w+-]*)")
_MARK = re.compile(r"[<\[◁]")
_MARK_OR_LINE = re.compile(r"[<\[◁\n]")
_WORD_END = re.compile(r"(?:\[\s{0,20})?[A-Za-z_][\w.=]*\Z|\[\s{0,20}\Z")
_MAX_WORD_CHARS = 80


class ModelText:
    """Feed it a reply's text, get what is to be said of it. `flush` ends the reply."""

    def __init__(self, tools: Tools | None = None, thinks_first: bool = False) -> None:
        """``tools``: those that are offered; ``thinks_first``: the prompt ends with the tag that opens a thought."""
        self._tools = tools or {}
        names = "|".join(sorted(map(re.escape, self._tools), key=len, reverse=True))
        call = rf"(?:functions|function|default_api)\.[\w.]+{f'|(?:{names})(?:[.]call)?' if names else ''}"
        self._candidate = re.compile(
            rf"(?:\[\s{{0,20}})?(?<![\w.])(?:{call})\(|(?<![\w.])(?:functools\[|to=(?:functions|tools)\.|Action:)|[<\[{{◁]|```"
        )
        self._words = (
            *self._tools,
            *(f"{name}.call" for name in self._tools),
            *_NAMESPACES,
            "to=functions.",
            "to=tools.",
            "Action:",
        )
        self.calls: list[WrittenCall] = []
        """Tools that the text asks for."""
        self.has_orphan_end = False
        """A thought ended that had not begun in the text."""
        self.has_thoughts = False
        self.omitted = ""
        """The beginning of what was not understood, and is not said."""
        self._rest = ""
        self._last = ""
        self._mode: Mode = "say"
        self._open = 0
        """So many tags of thought are open."""
        self._hold: Hold | None = "thought" if thinks_first else "undecided"
        self._held = ""
        self._held_calls = 0
        self._is_too_long = False
        self._again = ""
        """Is read once more: it was taken for something else."""
        self._is_bare = False
        """The thought is one of gpt-oss without its tokens."""
        self._is_channel = False
        self._source: list[str] = []
        self._source_chars = 0
        self._end = ""
        self._name = ""
        self._depth = Depth()
        self._is_plain = False
        self._said: list[str] = []
        self._said_any = ""

    def feed(self, text: str) -> str:
        """More of the reply. Returns what is to be said of it."""
        for start in range(0, len(text), _SLICE_CHARS):
            self._rest += text[start : start + _SLICE_CHARS]
            self._read(False)
        return self._taken()

    def flush(self, is_cut: bool = False) -> str:
        """The reply is complete, or ``is_cut`` off by its limit. Returns what was held back and is to be said."""
        self._read(True)
        if self._hold == "undecided":
            self._decide(True)
            self._read(True)
        match self._mode:
            case "tool":
                self._end_tool()
            case "value":
                self._end_value("".join(self._source), is_whole=False)
            case "fence":
                self._end_fence()
        if self._hold == "undecided":
            self._decide(True)
        if self._hold == "thought" and not (is_cut or self._is_too_long):
            self._release()
        elif self._hold is not None and self._held.strip():
            self.omitted = self.omitted or self._held[:_LABEL_CHARS]
        self._held, self._hold = "", None
        return self._taken()

    def _taken(self) -> str:
        said = "".join(self._said)
        self._said.clear()
        return said

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, is_final: bool) -> None:
        at = 0
        while True:
            if self._again:
                self._rest, self._again, at = self._again + self._rest[at:], "", 0
            if at >= len(self._rest):
                break
            match self._mode:
                case "value":
                    step = self._read_value(at)
                case "fence":
                    step = self._read_fence(at, is_final)
                case "say":
                    step = self._read_speech(at, is_final)
                case "hide" if self._is_bare:
                    step = self._read_bare_thought(at, is_final)
                case _:
                    step = self._read_hidden(at, is_final)
            if step < 0:
                break
            self._last = self._rest[step - 1]
            at = step
        self._rest = self._rest[at:]

    def _read_hidden(self, at: int, is_final: bool) -> int:
        """Text that is not said, up to the next mark. Returns where it goes on, -1 where that is not known yet."""
        rest = self._rest
        found = (_MARK_OR_LINE if self._mode == "header" else _MARK).search(rest, at)
        start = found.start() if found else len(rest)
        if start > at:
            self._hidden(rest[at:start])
            return start
        if rest[at] == "\n":
            self._end_header()
            return at + 1
        mark = marks.read(rest, at, is_final)
        if isinstance(mark, Mark):
            self._on_mark(mark)
            return at + len(mark.raw)
        if mark < 0:
            return -1
        self._hidden(rest[at])
        return at + 1

    def _hidden(self, text: str) -> None:
        if self._mode in ("tool", "header"):
            self._collect(text)
        if self._mode == "header" and self._source_chars > MAX_HEADER_CHARS:
            self._end_header()

    def _read_bare_thought(self, at: int, is_final: bool) -> int:
        """A thought of gpt-oss without tokens, up to where the answer begins."""
        if found := BARE_FINAL.search(self._rest, at):
            self._close_thought()
            return found.end()
        end = len(self._rest) - (0 if is_final else _LABEL_CHARS)
        return end if end > at else -1

    def _read_speech(self, at: int, is_final: bool) -> int:
        rest = self._rest
        if at == 0 and self._last and (self._last.isalnum() or self._last in "_."):
            inside = re.match(r"[\w.]+", rest)  # goes on within a word: no tool's name begins here
            if inside is not None:
                self._text(inside[0])
                return inside.end()
        found = self._candidate.search(rest, at)
        start = found.start() if found else len(rest)
        if not found and not is_final:
            start = self._held_from(at)
        if start > at:
            self._text(rest[at:start])
            return start
        if found is None:
            return -1
        if found[0] == "```":
            self._begin("fence")
            return at
        if found[0].startswith(("to=", "Action:")):
            return self._read_recipient(at, is_final)
        if found[0] == "functools[":
            self._begin_value(is_plain=False)
            self._source.append("functools")
            return found.end() - 1
        if len(found[0]) > 1:
            self._begin_value(is_plain=not found[0].lstrip("[ \n").startswith(_NAMESPACES))
            return at
        return self._read_mark(at, is_final)

    def _read_mark(self, at: int, is_final: bool) -> int:
        rest = self._rest
        char = rest[at]
        if char in "<[◁":
            mark = marks.read(rest, at, is_final)
            if isinstance(mark, Mark):
                self._on_mark(mark)
                return at + len(mark.raw)
            if mark < 0:
                return -1
        if char in "{[":
            if _JSON.match(rest, at):
                self._begin_value(is_plain=False)
                return at
            if not is_final and (part := _MAY_BE_JSON.match(rest, at)) and part.end() == len(rest):
                return -1
            if not is_final and char == "[" and self._may_be_call(rest[at:]):
                return -1
        self._text(char)
        return at + 1

    def _may_be_call(self, text: str) -> bool:
        if len(text) > _MAX_WORD_CHARS or not (found := _WORD_END.match(text)):
            return False
        word = found[0].lstrip("[ \n\t")
        return not word or any(name.startswith(word) or word.startswith(name) for name in self._words)

    def _held_from(self, at: int) -> int:
        """Where text begins that may yet become a tool's name, or a fence."""
        rest = self._rest
        tail = max(at, len(rest) - _MAX_WORD_CHARS)
        if rest.endswith("`"):
            return max(tail, len(rest) - (2 if rest.endswith("``") else 1))
        word = re.search(r"(?<![\w.])[A-Za-z_][\w.=]*\Z", rest[tail:])
        if word and any(name.startswith(word[0]) or _continues(word[0], name) for name in self._words):
            return tail + word.start()
        return len(rest)

    def _read_recipient(self, at: int, is_final: bool) -> int:
        """``to=functions.book ...{`` and the like."""
        if found := _TO.match(self._rest, at):
            self._begin_value(is_plain=False, name=found[1] or found[2])
            return found.end() - 1
        part = _MAY_BE_TO.match(self._rest, at)
        assert part is not None
        if part.end() == len(self._rest) and not is_final and len(part[0]) < MAX_HEADER_CHARS:
            return -1
        if part[0].startswith("to="):
            return part.end()  # nobody says so
        self._text(part[0])
        return part.end()

    # --- values: JSON, and calls as in a program --------------------------------------------------------------------

    def _begin(self, mode: Mode) -> None:
        self._mode = mode
        self._source, self._source_chars = [], 0

    def _begin_value(self, is_plain: bool, name: str = "") -> None:
        self._begin("value")
        self._depth, self._is_plain, self._name = Depth(), is_plain, name

    def _collect(self, text: str) -> None:
        if self._source_chars < MAX_SOURCE_CHARS:
            self._source.append(text)
        self._source_chars += len(text)

    def _read_value(self, at: int) -> int:
        part = self._rest[at:]
        end = self._depth.feed(part)
        self._collect(part if end < 0 else part[:end])
        if end < 0:
            return len(self._rest)
        self._end_value("".join(self._source), is_whole=True)
        return at + end

    def _end_value(self, source: str, is_whole: bool) -> None:
        self._begin("say")
        begins_json = _JSON.match(source) is not None
        if begins_json and not self._name:
            value = json_value(source)
            if value is None and not is_whole and (speech := speech_in_part(source)):
                self._text(f" {speech} ")
            else:
                self._on_json(value, source)
            return
        calls = calls_in(source, self._tools, self._name)
        if all(not call.source for call in calls) or not self._is_plain or _CALL_BEGINS.search(source):
            self.calls += calls
            self._note(source)
            self._text(" ")
        else:
            self._text(source)

    def _on_json(self, value: object, source: str) -> None:
        calls = calls_of(value, self._tools)
        self.calls += calls
        speech = "" if calls and len(calls) > 1 else speech_of(_without_call(value) if calls else value)
        self._text(f" {whole_characters(speech)} " if speech else " ")
        if not speech or calls:
            self._note(source)

    def _note(self, source: str) -> None:
        self.omitted = self.omitted or source[:MAX_HEADER_CHARS]

    def _read_fence(self, at: int, is_final: bool) -> int:
        part = self._rest[at:]
        opened = "".join(self._source) if self._source_chars <= 3 else "..."
        begin = max(0, 3 - len(opened)) if len(opened) < 3 else 0
        end = part.find("```", begin)
        if end >= 0:
            self._collect(part[: end + 3])
            self._end_fence()
            return at + end + 3
        keep = 0 if is_final else len(part) - len(part.rstrip("`"))
        size = len(part) - keep
        if size <= begin and not is_final:
            return -1
        self._collect(part[:size])
        return at + size if size else -1

    def _end_fence(self) -> None:
        source = "".join(self._source)
        self._begin("say")
        found = _LANGUAGE.match(source)
        language = found[1].lower() if found else ""
        content = source[found.end() if found else 0 :].removesuffix("```").strip()
        value = json_value(content)
        if isinstance(value, dict | list):
            self._on_json(value, source)
            return
        if language.startswith("tool") or re.match(
            r"(?:print\()?(?:functions\.|default_api\.)?\w+(?:\.call)?\(", content
        ):
            calls = calls_in(content, self._tools)
            if language.startswith("tool") or all(call.name in self._tools and not call.source for call in calls):
                self.calls += calls
                self._note(source)
                self._text(" ")
                return
        self._text(source)

    # --- marks ------------------------------------------------------------------------------------------------------

    def _on_mark(self, mark: Mark) -> None:
        match self._mode:
            case "tool":
                self._on_mark_in_tool(mark)
            case "header":
                self._on_mark_in_header(mark)
            case "hide":
                self._on_mark_in_thought(mark)
            case "drop":
                if mark.kind == "header":
                    self._begin("header")
                elif mark.kind == "role" and not mark.opens:
                    self._mode = "say"
            case _:
                self._on_mark_in_speech(mark)

    def _on_mark_in_speech(self, mark: Mark) -> None:
        match mark.kind:
            case "thought" if mark.opens:
                self._open += 1
                self._mode = "hide"
                self.has_thoughts = True
            case "thought":
                self._close_thought()
            case "answer":
                if not mark.opens and self._hold == "thought" and self._open:
                    self._open = 0
                    self._release()
            case "tool" if mark.opens:
                self._begin_tool(mark)
            case "role" if mark.opens:
                self._mode = "drop"
            case "header":
                self._begin("header")
        if mark.kind != "control" or mark.name == "end":
            self._text(" ")

    def _on_mark_in_thought(self, mark: Mark) -> None:
        if mark.kind == "header":
            self._begin("header")
        elif self._is_channel:
            if mark.kind == "control" and mark.name == "end":
                self._close_thought()
        elif mark.kind == "thought":
            if mark.opens:
                self._open += 1
            else:
                self._close_thought()
        elif mark.kind == "answer" and mark.opens:
            # Its end may be missing, or it is only spoken of: what follows decides.
            self._mode, self._hold = "say", "thought"
            self._drop_held()

    def _close_thought(self) -> None:
        """What is held was a thought, too."""
        self.has_orphan_end |= self._mode == "say" and not self._open
        self.has_thoughts = True
        self._open = max(0, self._open - 1)
        self._drop_held()
        self._hold = "thought" if self._open else None
        self._mode, self._is_channel, self._is_bare = "say", False, False

    def _drop_held(self) -> None:
        del self.calls[self._held_calls :]
        self._held, self._is_too_long = "", False
        self._held_calls = len(self.calls)

    def _begin_tool(self, mark: Mark) -> None:
        self._begin("tool")
        self._end, self._name = mark.name, ""
        if "=" in mark.raw or ":" in mark.raw:
            self._collect(mark.raw)

    def _on_mark_in_tool(self, mark: Mark) -> None:
        source = "".join(self._source)
        is_end = mark.kind == "tool" and not mark.opens and (mark.name == self._end or f"<{mark.name}" not in source)
        if mark.raw.lower() == self._end:
            is_end = True
        if is_end:
            if mark.name == "function" or "invoke" in mark.name:
                self._collect(mark.raw)
            self._end_tool()
        elif mark.kind == "control" and mark.name == "end":
            self._end_tool()
        elif mark.kind == "header":
            self._end_tool()
            self._begin("header")
        else:
            self._collect(mark.raw)

    def _end_tool(self) -> None:
        source = "".join(self._source)
        self._begin("say")
        self.calls += calls_in(source, self._tools, self._name)
        self._note(source)
        self._name = ""

    def _on_mark_in_header(self, mark: Mark) -> None:
        if mark.kind == "message" or (mark.kind == "control" and mark.name == "end"):
            self._end_header()
        else:
            self._collect(f" {mark.raw if mark.kind == 'control' else ''} ")

    def _end_header(self) -> None:
        """Whose turn it is, and in which of gpt-oss's channels."""
        header = "".join(self._source).lower()
        addressed = re.search(r"to=([\w.-]+)", "".join(self._source))
        self._begin("say")
        words = re.findall(r"\w+", header)
        if addressed and addressed[1] not in ("user", "assistant", "all"):
            self._begin("tool")
            self._end, self._name = "|", addressed[1].removeprefix("functions.")
        elif "analysis" in words or "thought" in words or "thinking" in words:
            self._mode, self._is_channel = "hide", "analysis" in words
            self._open += not self._is_channel
            self.has_thoughts = True
        elif words and (words[0] in marks.ROLES or words[0] == "functions"):
            self._mode = "drop"
        elif self._hold is not None and "final" in words:
            self._close_thought()
        elif "final" in words:
            self._open = 0
        self._is_channel = self._is_channel and self._mode == "hide"

    # --- text -------------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        if self._mode == "say":
            self._say(text)
        else:
            self._hidden(text)

    def _say(self, text: str) -> None:
        if self._hold is None:
            self._said.append(text)
            return
        before = len(self._held)
        self._held += text
        if len(self._held) > MAX_HELD_CHARS and self._hold != "undecided":
            self._is_too_long = True
            self._held = self._held[-_LABEL_CHARS:]
            before = 0
        if self._hold == "undecided":
            self._decide(False)
        elif self._hold == "label" and (found := ANSWER_LABEL.search(self._held, max(0, before - _LABEL_CHARS))):
            rest = self._held[found.end() :]
            self._drop_held()
            self._hold = None
            self._again = rest

    def _decide(self, is_final: bool) -> None:
        match thinks(self._held, is_final):
            case "prose":
                self._hold = "thought"
            case "label":
                held, self._held, self._hold = self._held, "", "label"
                self.has_thoughts = True
                self._say(held)
            case "channel":
                held, self._held, self._hold = self._held, "", None
                self._mode, self._is_bare, self.has_thoughts = "hide", True, True
                self._again = held
            case "":
                self._held = without_role(self._held)
                self._release()

    def _release(self) -> None:
        """What is held is speech."""
        self._said.append(self._held)
        self._held, self._hold, self._is_too_long = "", None, False
        self._held_calls = len(self.calls)


def _continues(word: str, name: str) -> bool:
    """Whether a name that ends in a dot goes on in the word."""
    return name.endswith(".") and word.startswith(name)


def _without_call(value: object) -> object:
    """What is beside a call in JSON: its own values are not said."""
    if not isinstance(value, dict):
        return None
    return {
        key: inner
        for key, inner in value.items()
        if isinstance(inner, str) and key in ("response", "reply", "say", "speech")
    }
