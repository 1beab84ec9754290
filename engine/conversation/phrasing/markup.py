"""What a model writes that nobody says: patterns of markup, and one word without it."""

from __future__ import annotations

import html
import re

CUT_OFF = "[interrupted]"
"""Stands in a chat's history behind what an interrupted caller heard. Models imitate it."""

TAG = re.compile(r"</?([a-zA-Z][\w-]{0,40})(?![\w:.@-])[^<>\n]{0,300}")
"""An HTML or SSML tag, up to its ``>``; what holds a colon or an @ in its name is an address in angle brackets."""

BREAKING_TAGS = frozenset("br p div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote hr".split())
"""They end what is before them, as a new line does."""

SKIPPED_TAGS = frozenset(("script", "style"))
"""Nothing between them and their end is meant for the caller."""

STAGE_WORDS = frozenset(
    """
    breathes breathing chuckle chuckles chuckling clap claps clears cough coughs coughing cries crying
    exhale exhales exhaling frowns gasp gasps gasping giggle giggles giggling grins grinning groan groans hums humming
    inhales laugh laughs laughing laughter mutters nods nodding pause pauses pausing shrug shrugs sigh sighs
    sighing smile smiles smiling smirks sniffs sobs whisper whispers whispering
    wink winks winking yawns
    atmet flüstert grinst hustet lacht lachend lächelt lächelnd nickt räuspert seufzt seufzend zwinkert
    chuchote rit rient sourit soupir soupire tousse
    asiente ríe risa risas sonríe suspira susurra tose
    """.split()
)
"""How stage directions begin: ``*laughs softly*``, ``(sighs)``."""

_EMOJI = (
    "\u203c\u2049\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff\U000e0000-\U000e007f"
)
"""Whole blocks of pictures and arrows: Unicode puts new emoji into the last but one, so no list of them is needed."""

_PICTURES = re.compile(rf"[{_EMOJI}][{_EMOJI}\ufe0f\u200d]*")
_UNSEEN = re.compile(
    # Joiners stay: they shape words in Persian and Indian languages.
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u20e3"
    r"\ufe00-\ufe0f\ufeff\ufff9-\ufffd\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"
)
_PLAIN = re.compile(r"[^\W_](?:[^\W_]|['’,.!?-])*")
_EMOTICON = re.compile(r"(?:[:;]['^-]?[()DPpOo/|*]+|=[()DP]|<3+|[xX]D+|\^_?\^|¯\\?_\(ツ\)_/¯)([.!?,]*)")
_ADDRESS = re.compile(r"https?://|www\.|[\w.+-]+@[\w-]+\.\w")
_RULE = re.compile(r"(?!--$)[-=_*|:+~#>`]{2,}|[*_~`#|>]")
_AROUND_ADDRESS = re.compile(r"[*`<>\[\]{}]|^_+|_+$")
_MARKS = re.compile(
    r"\\(?=[^\w\s])"  # escapes
    r"|(?<!\d)\*+|\*+(?!\d)|`+|~~+|~(?!\d)"  # 2*3 stays
    r"|(?<![^\W_])_+|_+(?![^\W_])"  # snake_case stays
    r"|(?<!\w)#+(?!\d)"  # C# and #5 stay
    r"|[\[\]{}•▪‣◦]|[<>](?!\d)"
)


def without_markup(raw: str) -> str:
    """One written word without what is not spoken of it; may be empty, or several words.

    Works on any piece of broken markup, such as half of a pair of asterisks.
    """
    if _PLAIN.fullmatch(raw) and raw[0] not in "xX":  # "xD" is no word
        return raw
    word = _UNSEEN.sub("", _PICTURES.sub(" ", raw)).strip()
    if emoticon := _EMOTICON.fullmatch(word):
        return emoticon[1]
    if "&" in word and ";" in word:
        word = _UNSEEN.sub("", html.unescape(word))
    if _ADDRESS.search(word):
        return _AROUND_ADDRESS.sub("", word)
    if _RULE.fullmatch(word):
        return ""
    return _MARKS.sub("", word)
