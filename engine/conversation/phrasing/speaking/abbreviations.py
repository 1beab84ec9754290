"""English abbreviations whose word the neighbours decide: ``Baker St.`` and ``St. Mary's``, ``Dr. Fox``, ``Elm Dr.``"""

from __future__ import annotations

STREETS = {
    "St": "Street", "Ave": "Avenue", "Rd": "Road", "Blvd": "Boulevard", "Dr": "Drive", "Ln": "Lane", "Ct": "Court",
    "Pl": "Place", "Sq": "Square", "Hwy": "Highway", "Pkwy": "Parkway", "Ter": "Terrace",
}  # fmt: skip
"""Behind a name."""

_TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Dr": "Doctor", "Prof": "Professor", "St": "Saint", "Mt": "Mount", "Ft": "Fort",
    "Capt": "Captain", "Sgt": "Sergeant", "Lt": "Lieutenant", "Gen": "General", "Rev": "Reverend",
}  # fmt: skip
"""Before a name."""

_BEFORE_NUMBERS = {
    "apt": "apartment", "ste": "suite", "bldg": "building", "rm": "room", "no": "number", "ext": "extension",
    "fl": "floor", "p": "page", "pp": "pages", "ch": "chapter",
}  # fmt: skip

_NEED_NO_STOP = frozenset(("St", "Mr", "Mrs", "Dr", "Prof", "apt", "Apt"))
"""Words of one case only: British writers leave the full stop out."""

PLACES = frozenset(("Mount", "Port", "Fort", "Lake"))
"""Before a saint."""

KNOWN = frozenset({*STREETS, *_TITLES, *_BEFORE_NUMBERS, *(name.capitalize() for name in _BEFORE_NUMBERS), "Jr", "Sr"})


def word_for(core: str, tail: str, before: str, after: str, is_second: bool) -> str | None:
    """The word of an abbreviation; None where it is none, or nobody can tell.

    ``tail`` is its punctuation, ``is_second`` says that only one word stands before it: that may be any word with a
    capital letter, such as ``Visit``.
    """
    if core not in KNOWN or not (tail.startswith(".") or core in _NEED_NO_STOP):
        return None
    if core in ("Jr", "Sr"):
        return {"Jr": "Junior", "Sr": "Senior"}[core] if before[:1].isupper() else None
    if after[:1].isdigit() and (said := _BEFORE_NUMBERS.get(core.lower())):
        return said.capitalize() if core[0].isupper() else said
    is_named = before[:1].isupper() or before[:1].isdigit()  # "5th Ave."
    precedes_name = after[:1].isupper() and "," not in tail
    if core in STREETS and is_named and not (precedes_name and (core == "Dr" or is_second or before in PLACES)):
        return STREETS[core]
    if core in _TITLES and (precedes_name or core == "Dr"):
        return _TITLES[core]
    return None
