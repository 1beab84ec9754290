"""The marks that models and their servers leave in a text: tags of thought, tokens of chat templates, tags of tools.

What stands here was seen in chat templates, in the parsers of vLLM, SGLang and llama.cpp, and in reports of what a
voice bot has read out. A tag is known by its name, in whatever case, with whatever attributes.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["thought", "answer", "tool", "role", "header", "message", "control"]


class Mark(NamedTuple):
    """A mark in a model's text."""

    kind: Kind
    """``thought``: what is inside is for nobody; ``answer``: what is inside is for the caller; ``tool``: a tool is
    asked for; ``role``: somebody else's turn begins or ends; ``header``, ``message``: of the channels of gpt-oss;
    ``control``: says nothing, and is left out."""
    name: str
    opens: bool
    raw: str


THOUGHTS = frozenset(
    [
        "think",
        "thinking",
        "thought",
        "thoughts",
        "reasoning",
        "reason",
        "reflection",
        "reflect",
        "scratchpad",
        "analysis",
        "monologue",
        "inner_monologue",
        "inner_thoughts",
        "internal_monologue",
        "antthinking",
        "chain_of_thought",
        "cot",
        "plan",
        "planning",
        "rationale",
        "deliberation",
        "seed:think",
        "mm:think",
        "longcat_think",
        "seed:cot_budget_reflect",
        "budget:token_budget",
        "tool_response",
        "tool_result",
        "tool_results",
        "function_results",
        "function_response",
        "function_result",
        "observation",
        "system-reminder",
    ]
)
"""Thoughts, and what models make up as the answers of tools."""

ANSWERS = frozenset(
    ["answer", "response", "final", "final_answer", "reply", "solution", "begin_of_solution", "start_response"]
)

TOOLS = frozenset(
    [
        "tool_call",
        "tool_calls",
        "toolcall",
        "function_call",
        "function_calls",
        "functioncall",
        "function",
        "tool_code",
        "tool_use",
        "tools",
        "invoke",
        "minimax:tool_call",
        "seed:tool_call",
        "longcat_tool_call",
        "use_mcp_tool",
        "antml:function_calls",
        "antml:invoke",
    ]
)

ROLES = frozenset(
    ["user", "system", "tool", "human", "observation", "ipython", "environment", "tool_response", "tool_results"]
)

_CONTROL = frozenset(
    [
        "s",
        "bos",
        "eos",
        "pad",
        "unk",
        "sep",
        "cls",
        "mask",
        "sop",
        "eop",
        "start_of_turn",
        "end_of_turn",
        "end_of_utterance",
        "eot",
        "eod",
        "im_start",
        "im_end",
        "turn",
        "think_on",
        "think_off",
        "startoftext",
        "endoftext",
    ]
)

_TOOL_TOKENS = {
    "python_tag": "",
    "tool_call": "tool_call",
    "tool_calls": "tool_calls",
    "tool_call_start": "tool_call_end",
    "tool_call_begin": "tool_call_end",
    "tool_calls_section_begin": "tool_calls_section_end",
    "tool_calls_begin": "tool_calls_end",
    "start_action": "end_action",
    "action_start": "action_end",
    "plugin": "",
    "function_call": "function_call",
    "dsml|function_calls": "dsml|function_calls",
    "dsml|invoke": "dsml|invoke",
}
"""Tokens between bars, and those at which what they open ends; empty: at the reply's end."""

_TOOL_ENDS = frozenset(end for end in _TOOL_TOKENS.values() if end)
_HEADERS = frozenset(
    ["channel", "start", "start_header_id", "im_start", "start_of_role", "im_system", "im_user", "im_assistant", "turn"]
)
_MESSAGES = frozenset(["message", "end_header_id", "im_middle", "im_sep", "end_of_role"])

_THOUGHT_TOKENS = {
    "begin_of_thought": True,
    "end_of_thought": False,
    "start_thinking": True,
    "end_thinking": False,
    "thought_start": True,
    "thought_end": False,
    "think_start": True,
    "think_end": False,
}
_ANSWER_TOKENS = {"begin_of_solution": True, "end_of_solution": False, "start_response": True, "end_response": False}

BRACKETS = {
    "think": Mark("thought", "think", True, ""),
    "thinking": Mark("thought", "thinking", True, ""),
    "thought": Mark("thought", "thought", True, ""),
    "reasoning": Mark("thought", "reasoning", True, ""),
    "inst": Mark("role", "user", True, ""),
    "system_prompt": Mark("role", "system", True, ""),
    "available_tools": Mark("role", "system", True, ""),
    "tool_results": Mark("role", "tool", True, ""),
    "tool_calls": Mark("tool", "", True, ""),
    "tool_call": Mark("tool", "[/tool_call]", True, ""),
    "tool_request": Mark("tool", "[end_tool_request]", True, ""),
    "gmask": Mark("control", "gmask", True, ""),
    "eos": Mark("control", "eos", True, ""),
    "bos": Mark("control", "bos", True, ""),
}

MAX_MARK_CHARS = 160
"""A tag with its attributes."""

_NAME = re.compile(r"[\w:.-]*")
_FUNCTION = re.compile(r"(function|tool|invoke)\s*=", re.IGNORECASE)
_BARS = "|\uff5c"
_BEHIND_NAME = " \t=/"
_ENDING_IN_BAR = ("channel", "tool_call", "turn", "tool_response")
_KNOWN = THOUGHTS | ANSWERS | TOOLS | _CONTROL
_PREFIXES = {name[:size] for name in _KNOWN | set(_ENDING_IN_BAR) for size in range(1, len(name) + 1)}
_BRACKET_PREFIXES = {name[:size] for name in (*BRACKETS, "end_tool_request") for size in range(len(name) + 1)}
_TOKEN = re.compile(r"[|\uff5c]?/?[\w▁|\uff5c :=.\"'+/-]{0,80}")
_UNUSED = re.compile(r"unused(\d+)")


def read(text: str, at: int, is_final: bool) -> Mark | int:
    """The mark that begins at this ``<``, ``[`` or ``◁``. 0: none does; -1: what follows decides it."""
    match text[at]:
        case "<":
            return _read_tag(text, at, is_final)
        case "[":
            return _read_bracket(text, at, is_final)
    return _read_triangle(text, at, is_final)


def _read_tag(text: str, at: int, is_final: bool) -> Mark | int:
    window = text[at + 1 : at + MAX_MARK_CHARS]
    if window.startswith("<SYS>>"):
        return Mark("role", "system", True, "<<SYS>>")
    if window.startswith("</SYS>>"):
        return Mark("role", "system", False, "<</SYS>>")
    if not is_final and ("<SYS>>".startswith(window) or "</SYS>>".startswith(window)):
        return -1
    stop = next((index for index, char in enumerate(window) if char in "<>\n"), len(window))
    body = window[:stop]
    if window[stop : stop + 1] == ">":
        return _classify(body, f"<{body}>") or 0
    if stop == len(window) and not is_final and len(window) < MAX_MARK_CHARS - 1 and _may_become_tag(body):
        return -1
    return 0


def _may_become_tag(body: str) -> bool:
    bare = body.lstrip("/").lower()
    if not bare or bare[0] in _BARS:
        return _TOKEN.fullmatch(bare) is not None
    bare = bare.lstrip()
    found = _NAME.match(bare)
    name = found[0] if found else ""
    behind = bare[len(name) :]
    if not behind:
        return bare in _PREFIXES or _UNUSED.fullmatch(bare) is not None or "unused".startswith(bare)
    if behind in _BARS:
        return name in _ENDING_IN_BAR
    return behind[0] in _BEHIND_NAME and (name in _KNOWN or _UNUSED.fullmatch(name) is not None)


def _classify(body: str, raw: str) -> Mark | None:
    bare = body.strip()
    opens = not bare.startswith(("/", "|/", "\uff5c/"))
    if bare and (bare[0] in _BARS or (bare[:-1].lower() in _ENDING_IN_BAR and bare[-1] in _BARS)):
        return _classify_token(bare, opens, raw)
    if bare.startswith(("/|", "/\uff5c")):
        return _classify_token(bare[1:], False, raw)
    bare = bare.lstrip("/ ")
    if called := _FUNCTION.match(bare):
        return Mark("tool", called[1].lower(), opens, raw)
    found = _NAME.match(bare)
    name = found[0].lower() if found else ""
    if bare[len(name) :] and bare[len(name)] not in _BEHIND_NAME:
        return None
    if unused := _UNUSED.fullmatch(name):
        return Mark("thought", "unused", int(unused[1]) % 2 == 0, raw)  # MedGemma: 94 opens, 95 closes
    if name in THOUGHTS:
        return Mark("thought", name, opens, raw)
    if name in ANSWERS:
        return Mark("answer", name, opens, raw)
    if name in TOOLS:
        return Mark("tool", name, opens, raw)
    if name == "start_of_turn" and opens:
        return Mark("header", name, True, raw)
    return Mark("control", name, opens, raw) if name in _CONTROL else None


def _classify_token(bare: str, opens: bool, raw: str) -> Mark | None:
    """A token between bars. Gemma 4 has one bar only: in front where a part begins, behind where it ends."""
    if not _TOKEN.fullmatch(bare.lower()) or (len(bare) < 2):
        return None
    opens = opens and bare[0] in _BARS
    name = bare.strip("|\uff5c/ ").replace("▁", "_").replace("\uff5c", "|").replace(" ", "_").lower()
    if name in _THOUGHT_TOKENS:
        return Mark("thought", name, _THOUGHT_TOKENS[name], raw)
    if name in THOUGHTS and name not in ROLES:
        return Mark("thought", name, opens, raw)
    if name in _ANSWER_TOKENS:
        return Mark("answer", name, _ANSWER_TOKENS[name], raw)
    if (tool := next((token for token in ("dsml|function_calls", "dsml|invoke") if name.startswith(token)), name)) and (
        opens and tool in _TOOL_TOKENS
    ):
        return Mark("tool", f"|{_TOOL_TOKENS[tool]}", True, raw)
    if tool in _TOOL_ENDS:
        return Mark("tool", f"|{tool}", False, raw)
    if name == "channel" and bare[0] not in _BARS:
        return Mark("thought", "channel", False, raw)  # Gemma 4: <|channel>thought ... <channel|>
    if name in _HEADERS:
        return Mark("header", name, True, raw) if opens else Mark("control", "end", False, raw)
    if name in _MESSAGES:
        return Mark("message", name, True, raw)
    if name in ("end", "return", "call", "eom_id", "im_end", "eot_id", "end_of_text", "endoftext", "end_of_turn"):
        return Mark("control", "end", False, raw)
    if name in ROLES or name in ("user_token", "system_token"):
        return Mark("role", name, True, raw)
    if name in ("assistant", "model", "chatbot_token"):
        return Mark("role", name, False, raw)
    return Mark("control", name, opens, raw)


def _read_bracket(text: str, at: int, is_final: bool) -> Mark | int:
    window = text[at + 1 : at + 24]
    name, end, _ = window.partition("]")
    opens = not name.startswith("/")
    bare = name.lstrip("/").lower()
    if not end:
        return -1 if not is_final and len(window) < 23 and bare in _BRACKET_PREFIXES else 0
    mark = BRACKETS.get(bare)
    if mark is None or (mark.kind == "tool" and not opens):
        return 0
    return mark._replace(opens=opens, raw=f"[{name}]")


def _read_triangle(text: str, at: int, is_final: bool) -> Mark | int:
    for raw, opens in (("◁think▷", True), ("◁/think▷", False)):
        if text.startswith(raw, at):
            return Mark("thought", "think", opens, raw)
        if not is_final and raw.startswith(text[at:]):
            return -1
    return 0
