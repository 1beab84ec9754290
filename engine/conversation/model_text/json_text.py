"""Replies that a model has written as JSON: which of it is meant for the caller."""

from __future__ import annotations

import re

_SPOKEN = [
    "response",
    "reply",
    "answer",
    "text",
    "message",
    "content",
    "speech",
    "say",
    "speak",
    "spoken",
    "output",
    "utterance",
    "assistant",
    "bot",
    "final_answer",
    "final",
    "final_response",
    "assistant_response",
    "spoken_response",
    "voice_response",
    "voice",
    "response_text",
    "reply_text",
    "say_text",
    "response_to_user",
    "response_to_caller",
    "message_to_user",
    "message_to_caller",
    "tts",
    "tts_text",
    "result",
    "agent",
    "agent_response",
    "antwort",
    "text_to_speak",
    "respuesta",
    "réponse",
    "reponse",
]
_UNSPOKEN = frozenset(
    [
        "thought",
        "thoughts",
        "thinking",
        "reasoning",
        "reason",
        "analysis",
        "plan",
        "intent",
        "action",
        "status",
        "type",
        "id",
        "error",
        "language",
        "emotion",
        "mood",
        "sentiment",
        "state",
        "scratchpad",
        "rationale",
        "confidence",
        "name",
        "role",
    ]
)
_BEGUN = re.compile(rf"\{{\s*[\"'](?:{'|'.join(_SPOKEN)})[\"']\s*:\s*\"((?:[^\"\\]|\\.)*)", re.DOTALL | re.IGNORECASE)
_ESCAPES = {"n": " ", "t": " ", "r": " "}
MIN_PROSE_WORDS = 3
"""A text of so many words under a key that nobody knows is what is to be said, if it is alone."""


def speech_of(value: object) -> str:
    """What of a JSON value is to be said; empty where nothing is."""
    if isinstance(value, list):
        return " ".join(filter(None, (item if isinstance(item, str) else speech_of(item) for item in value)))
    if not isinstance(value, dict):
        return ""
    by_name = {str(key).lower().replace("-", "_"): inner for key, inner in value.items()}
    for key in _SPOKEN:
        inner = by_name.get(key)
        if spoken := inner if isinstance(inner, str) else speech_of(inner):
            return spoken
    prose = [
        inner
        for key, inner in by_name.items()
        if key not in _UNSPOKEN and isinstance(inner, str) and len(inner.split()) >= MIN_PROSE_WORDS
    ]
    return prose[0] if len(prose) == 1 else ""


def speech_in_part(source: str) -> str:
    """What is to be said of JSON whose end is missing."""
    found = _BEGUN.match(source)
    if found is None:
        return ""
    return whole_characters(re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, found[1], flags=re.DOTALL))


def whole_characters(text: str) -> str:
    """The text with surrogates joined in pairs, as JSON escapes them; a single one, which no message can carry, becomes
    a replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)
