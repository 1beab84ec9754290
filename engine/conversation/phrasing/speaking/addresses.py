"""Internet addresses as people say them."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Language
from ringline.engine.conversation.phrasing.speaking.numbers import Numbers

_EMAIL = re.compile(r"(?:mailto:)?([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")
_URL = re.compile(r"(https?://)?(www\.)?([\w-]+(?:\.[\w-]+)*\.([a-zA-Z]{2,}))(?::\d+)?(/[^?#]*)?(?:[?#].*)?")
_ENDINGS = frozenset(
    "com org net edu gov info biz app dev shop io ai eu de at ch fr es it nl be uk co us ca au nz ie pl se".split()
)
_SPOKEN_ENDINGS = frozenset(("co", "me", "so", "be"))
_PART = re.compile(r"\d+|[a-zA-Z]+|[^\W\d_]+|[./+_~=&%-]")


def address(core: str, language: Language, numbers: Numbers) -> str | None:
    """An e-mail or web address in words; None for anything else."""
    if email := _EMAIL.fullmatch(core):
        return f"{_parts(email[1], language, numbers)} {language.at} {_parts(email[2], language, numbers)}"
    url = _URL.fullmatch(core)
    if url is None or not (url[1] or url[2] or url[4].lower() in _ENDINGS):
        return None
    if not (url[1] or url[2] or url[5]) and core[0].isupper() and len(url[4]) == 2:
        return None  # "Yes.So", a space forgotten
    return _parts(url[3] + (url[5] or "").rstrip("/"), language, numbers)


def _parts(text: str, language: Language, numbers: Numbers) -> str:
    signs = {".": language.dot, "/": language.slash, "-": language.dash, "_": language.underscore, "+": language.plus}
    spoken = []
    before = ""
    for part in _PART.findall(text):
        if part.isdecimal():
            spoken.append(numbers.digits(part))
        elif before == "." and len(part) == 2 and part not in _SPOKEN_ENDINGS:
            spoken.append(" ".join(part.upper()))
        elif part.isalnum():
            spoken.append(part)
        elif part in signs:
            spoken.append(signs[part])
        before = part
    return " ".join(spoken)
