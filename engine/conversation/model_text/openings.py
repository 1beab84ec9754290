"""How thoughts begin whose opening tag is missing, because the chat template has written it."""

from __future__ import annotations

import re

_HESITATIONS = [
    "okay",
    "ok",
    "alright",
    "hmm",
    "hm",
    "so",
    "well",
    "now",
    "first",
    "right",
    "great",
    "good",
    "wait",
    "let's",
    "see",
    "umm",
    "um",
]
_STARTS = tuple(
    tuple(start.split())
    for article in ("the", "this", "our", "a")
    for who in ("user", "caller", "customer", "human", "client", "user's", "caller's", "customer's")
    for start in (f"{article} {who}", f"so {article} {who}", f"since {article} {who}", f"it seems {article} {who}")
) + tuple(
    tuple(start.split())
    for start in (
        "der anrufer",
        "die anruferin",
        "der nutzer",
        "der benutzer",
        "l'utilisateur",
        "l'appelant",
        "el usuario",
        "la usuaria",
        "we need to answer",
        "we need to respond",
        "we need to reply",
        "we need to produce",
        "we need to output",
        "we should answer",
        "we should respond",
        "we have to respond",
        "i need to",
        "i should",
        "i must",
        "they want",
        "they are asking",
        "they're asking",
        "they asked",
        "let me think about",
        "i have to answer",
        "i have to respond",
        "let me analyze",
        "let me analyse",
        "let me figure out what",
        "let me parse",
        "let me recall",
        "user wants",
        "user asks",
        "user is asking",
        "user says",
        "caller wants",
        "caller asks",
        "caller is asking",
        "caller says",
    )
)
_LABELS = tuple(
    tuple(label.split())
    for label in (
        "thought:",
        "thoughts:",
        "thinking:",
        "reasoning:",
        "analysis:",
        "thinking process:",
        "thought process:",
        "reasoning process:",
        "internal monologue:",
        "chain of thought:",
        "here is my thought process:",
        "here's my thought process:",
        "here's a thinking process:",
        "here is a thinking process:",
    )
)
ANSWER_LABEL = re.compile(
    r"(?:^|[\n.!?]\s*)[*#_\s]*(?:(?:final |my |spoken )?(?:answer|response|reply)|here(?: is|'s) my response)[*_]*:",
    re.IGNORECASE,
)
"""Behind a label of thought: what follows is for the caller."""

_BARE_CHANNEL = re.compile(r"\s*(?:assistant)?(analysis|commentary)(?=[A-Z\"'“])")
_BARE_FINAL = re.compile(r"\s*(?:assistant)?final(?=[A-Z\"'“])|\s*[Aa]ssistant\s*(?::|\n)\s*")
BARE_FINAL = re.compile(r"assistant\s?(?:final|commentary(?! to=))")
"""Behind a thought of gpt-oss whose tokens the server has left out."""

_BARE = ("assistantanalysis", "assistantfinal", "assistant:", "Assistant:", "analysis", "commentary", "final")

MAX_OPENING_CHARS = 60
_WORD = re.compile(r"[^\s,!…]+")
_STRIPPED = "*#_\"'“”().…"


def thinks(text: str, is_final: bool) -> str | None:
    """Whether a reply that begins like this is a thought: ``prose`` or ``label`` (what it begins with says so),
    ``channel`` (of gpt-oss, without its tokens), or empty: it is speech. None: what follows decides."""
    text = text[: 2 * MAX_OPENING_CHARS]
    if _BARE_CHANNEL.match(text):
        return "channel"
    words = _WORD.findall(text)
    is_open = not is_final and len(text) < MAX_OPENING_CHARS
    if not words:
        return None if is_open else ""
    if is_open and len(words) == 1 and any(name.startswith(words[0]) for name in _BARE):
        return None
    ends_in_word = is_open and _WORD.match(text[-1]) is not None
    lowered = [word.lower().replace("\u2019", "'").strip(_STRIPPED) for word in words]
    while lowered and lowered[0] in _HESITATIONS and (len(lowered) > 1 or not ends_in_word):
        lowered.pop(0)
    if not lowered or (len(lowered) == 1 and ends_in_word and _begins(lowered[0], _HESITATIONS)):
        return None if is_open else ""
    for kind, starts in (("label", _LABELS), ("prose", _STARTS)):
        for start in starts:
            if tuple(lowered[: len(start)]) == start and not (ends_in_word and len(lowered) == len(start)):
                return kind
    if is_open and any(_may_become(lowered, start, ends_in_word) for start in (*_STARTS, *_LABELS)):
        return None
    return ""


def without_role(text: str) -> str:
    """The beginning of speech without the name of who speaks, which some templates leave there."""
    found = _BARE_FINAL.match(text)
    return text[found.end() :] if found else text


def _begins(part: str, words: list[str]) -> bool:
    return any(word.startswith(part) for word in words)


def _may_become(words: list[str], start: tuple[str, ...], ends_in_word: bool) -> bool:
    if len(words) > len(start):
        return False
    *whole, last = words
    if tuple(whole) != start[: len(whole)]:
        return False
    return start[len(whole)].startswith(last) if ends_in_word else start[len(whole)] == last


_OPENING_TAG = re.compile(r"<\|?(?:think|thinking|thought|reasoning|seed:think)\|?>\s*\Z|\[THINK\]\s*\Z|◁think▷\s*\Z")


def ends_in_thought(prompt: str) -> bool:
    """Whether a prompt ends with the tag that opens a thought, so that the reply begins within it."""
    return _OPENING_TAG.search(prompt.replace("Ġ", " ").replace("Ċ", "\n").replace("▁", " ")) is not None
