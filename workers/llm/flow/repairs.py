"""What callers take back within one answer: ``monday, no, tuesday``, ``not monday, tuesday``, ``i can't do monday``.

The words are mended before any pattern sees them, alike for all types of slots: of a value that is taken back, nothing
is left but a mark that no pattern knows, or the value that is said in its stead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

Tokens = tuple[str, ...]

TAKEN_BACK = "~"
"""A token that stands for a value that was taken back: no word of any pattern."""

_SMALL = (
    r"(?:on|at|for|in|with|the|a|an|to|this|next|of|is|it|that|be|was|oh|so|well|then|please|and|or|but|about"
    r"|like|maybe|my"
    r"|name|number)"
)
_REVISION = (
    r"(?:no|nope|nah|wait|sorry|hold on|hang on|stop|rather|actually|correction|oops|whoops|instead|better"
    r"|pardon|excuse me"
    r"|apologies|my mistake|my bad|my fault"
    r"|(?:i|we) (?:mean|meant|said|say|would prefer|would rather|would like)|scratch that|strike that"
    r"|forget that|let us (?:say|make it|do)|let me (?:say|see)"
    r"|(?:make|made) (?:it|that)|i am sorry|wrong|not|that is (?:not (?:right|it)|wrong)|it is|change that"
    r"|how about|what about"
    r"|(?:one|a|wait a|just a) (?:moment|second|minute|sec))"
)
_BETWEEN = re.compile(rf"(?:{_SMALL} )*{_REVISION}(?: (?:{_SMALL}|{_REVISION}))*")
_TRAILING = re.compile(
    r"(?:(?:oh|well|but|so|or|and) )*(?:no(?! (?:thank|thanks|problem|more|doubt|worries|one|matter|hurry|rush"
    r"|preference|later|earlier))"
    r"|nope|wait|hold on|hang on|scratch that|strike that|i mean|actually no|sorry no|rather|correction)\b"
)
"""Behind a value: something is wrong with it, and what is right did not follow, or was not understood."""

_NOT = re.compile(
    r"(?:.* )?(?:(?<!why )(?:not|cannot|never)(?! (?:mind|care|know|we|you|i|sure|only|until|before|after|hear"
    r"|understand)\b)"
    r"|except|besides|excluding|unless|without|busy|any\w* but|any (?:day|time|one) but|(?:other|rather) than"
    r"|instead of"
    r"|dislike|hate|impossible|unavailable|away)"
    r"(?: (?:on|at|for|in|with|the|a|an|to|this|next|of|do|come|make|it|have|want|need|like|be|me|think|time"
    r"|free|available|there"
    r"|here|really|even|say|said|mean|meant|book|take|my|any|that|able|actually|possible|possibly|attend|is|was"
    r"|so|well|both|"
    r"work|put|pick|appointment|believe|going|good|through))*"
)
_NOT_TO = re.compile(
    r"(?:.* )?(?<!why )(?:not|never|cannot)(?: (?:want|need|like|wish|to|really|yet|even|think|ever|i|going|go"
    r"|ahead|and|dare|try"
    r"|would|my|the|an?|us|me|please|yet|actually|have|intend|plan|mean))*"
)
_JOINT = re.compile(rf"(?:{_SMALL}(?: {_SMALL})*)?")
_REFUSED_CLAUSE = re.compile(
    r"(\b(?:not|can't|cannot|can not)(?! (?:before|until|till|after|later|earlier)\b)(?: [\w':-]+){1,4})"
    r"[,.;]+(?= [\w'])",
    re.IGNORECASE,
)
_OR = re.compile(rf"(?:{_SMALL} )*or(?: {_SMALL})*")
_CONTINUES = re.compile(r"(?:or|nor|and)(?: (?:not|on|at|the|with|for))*")
_MAX_REVISIONS = 8
_MAX_BETWEEN = 12
"""Words of a revision; bounds the work, too."""
_IS_NO_GOOD = re.compile(
    r"(?:(?:is|will|would|does|was|that|it|at|all|just|really|too|be|are|morning|afternoon|o'clock|[ap] m"
    r"|in the \w+) )*"
    r"(?:not(?! (?:bad|a problem|only|until|before|after))(?! (?:(?:on|at|the|a) )*(?:~|\d))"
    r"(?= (?:work|good|possible|great|suit|okay|fine|right|ideal|convenient|an option|going|be|so good"
    r"|available|really|fit|it"
    r"|what|do|quite|the right|correct)\b)|cannot work|no good|impossible|bad|wrong|too (?:early|late|soon|far)"
    r"|out\b|full|unavailable"
    r"|incorrect|busy)"
)


class Mention(msgspec.Struct, frozen=True):
    """A value that stands in what was said."""

    begin: int
    end: int
    kind: str
    """Values of one kind may stand for one another."""


def mended(tokens: Tokens, find: Callable[[Tokens], Sequence[Mention]]) -> Tokens:
    """The words without what was taken back.

    ``find`` gives the values that stand in them, apart from each other and in the order of the words. Where something
    is wrong with a value, and it is not clear what is right, the value is taken back.
    """
    found = find(tokens)
    if not found:
        return tokens
    refused = _refused(tokens, found)
    if refused:
        tokens = _without(tokens, refused)
        found = find(tokens)
    for _ in range(_MAX_REVISIONS):
        revised = _revised(tokens, found)
        if revised is None:
            break
        tokens = revised
        found = find(tokens)
    trailing = [one for one in found if _TRAILING.match(" ".join(tokens[one.end :]))]
    return _without(tokens, trailing) if trailing else tokens


def told_apart(text: str) -> str:
    """The text with a word where the pause behind a refused value would be lost: ``not nine, ten`` is not nine ten."""
    return _REFUSED_CLAUSE.sub(r"\1 but ", text)


def is_negated(tokens: Tokens, begin: int) -> bool:
    """Whether what begins there is what the caller does not want: ``i don't want to`` book an appointment."""
    return _NOT_TO.fullmatch(" ".join(tokens[:begin])) is not None


def _refused(tokens: Tokens, found: Sequence[Mention]) -> list[Mention]:
    """The values that the caller does not want: ``not monday``, ``monday is no good``."""
    refused: list[Mention] = []
    kinds: set[str] = set()  # of the values that one "not" stands in front of: ``not monday at ten``
    begin = 0  # of what may say something about the next one
    for index, one in enumerate(found):
        before = " ".join(tokens[begin : one.begin])
        last = _joined(tokens, found, index)[-1]
        bad = _IS_NO_GOOD.match(" ".join(tokens[last.end :]))
        continued = refused and _CONTINUES.fullmatch(" ".join(tokens[refused[-1].end : one.begin])) is not None
        joined = kinds and one.kind not in kinds and _JOINT.fullmatch(" ".join(tokens[refused[-1].end : one.begin]))
        if joined:
            refused.append(one)
            kinds.add(one.kind)
        elif bad or continued or _NOT.fullmatch(before):
            refused.append(one)
            kinds = set() if bad else {one.kind}
            begin = last.end + len(bad[0].split()) if bad else one.end
        else:
            kinds = set()
    return refused


def _joined(tokens: Tokens, found: Sequence[Mention], index: int) -> list[Mention]:
    """The value and those of other kinds that belong to it: ``tuesday at ten``."""
    run = [found[index]]
    for one in found[index + 1 :]:
        if any(one.kind == other.kind for other in run):
            break
        if not _JOINT.fullmatch(" ".join(tokens[run[-1].end : one.begin])):
            break
        run.append(one)
    return run


def _without(tokens: Tokens, mentions: Sequence[Mention]) -> Tokens:
    for one in reversed(mentions):
        tokens = (*tokens[: one.begin], TAKEN_BACK, *tokens[one.end :])
    return tokens


def _alternatives(tokens: Tokens, found: Sequence[Mention]) -> list[Mention]:
    """The last value, and those of its kind that the caller names with it: ``tuesday or thursday``."""
    offered = [found[-1]]
    for one in reversed(found[:-1]):
        between = " ".join(tokens[one.end : offered[0].begin])
        if one.kind != offered[0].kind or not _OR.fullmatch(between):
            break
        offered.insert(0, one)
    return offered


def _revised(tokens: Tokens, found: Sequence[Mention]) -> Tokens | None:
    """The words with the first revision done, None if there is none: the new values stand where the old ones did."""
    for index, first in enumerate(found):
        if index == 0:
            continue
        gap = found[index - 1].end
        start = next(
            (
                at
                for at in range(max(gap, first.begin - _MAX_BETWEEN), first.begin)
                if _BETWEEN.fullmatch(" ".join(tokens[at : first.begin]))
            ),
            None,
        )
        if start is None:
            continue
        offered = _alternatives(tokens, found[:index])
        said = tokens[first.begin : first.end]
        if len(offered) > 1 and any(tokens[one.begin : one.end] == said for one in offered):
            return (*tokens[: offered[0].begin], *said, *tokens[gap:start], *tokens[first.end :])
        run = [first]
        for one in found[index + 1 :]:
            if not _JOINT.fullmatch(" ".join(tokens[run[-1].end : one.begin])):
                break
            run.append(one)
        latest = {one.kind: one for one in found[:index]}
        if not any(one.kind in latest for one in run):
            continue
        replaced = sorted(
            (latest[kind] for kind in {one.kind for one in run} & latest.keys()), key=lambda one: one.begin
        )
        stays = len(replaced) < len(run)  # the new values say more than the old ones did
        words: list[str] = []
        at = 0
        for old in replaced:
            new = next(one for one in run if one.kind == old.kind)
            words += [*tokens[at : old.begin], *(() if stays else tokens[new.begin : new.end])]
            at = old.end
        words += tokens[at:start]
        return (*words, *(tokens[first.begin :] if stays else tokens[run[-1].end :]))
    return None
