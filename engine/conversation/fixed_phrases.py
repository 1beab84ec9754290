"""What is said in every call, or may have to be said at once: TTS can make it before anybody calls."""

from __future__ import annotations

from collections.abc import Sequence

from ringline.engine.agent import Agent
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.engine.conversation.pronunciation import Pronunciations
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.messages import PhraseText, Rehearse


def as_one(text: str, language: str) -> Phrase:
    """A text as a single phrase, such as a filler."""
    return Phrase(tuple(word for phrase in _phrases(text, language) for word in phrase.words), True)


def rehearsal(agent: Agent, fixed_texts: Sequence[str] = (), number: int = 0) -> Rehearse:
    """The greeting, fillers, what is said when all else fails, and what the flow says in every call, in the
    pieces in which the bot will say them. What a call begins with is awaited.

    ``number``: see `Rehearse`.
    """
    book = phrasebook(agent.language)
    greeting, *others = (agent.greeting, *fixed_texts) if agent.greeting else (*fixed_texts, "")
    phrases = _phrases(greeting, agent.language)
    num_awaited = len(phrases)
    for text in (book.again, book.apology, book.transfer, book.lost_thread):
        phrases += _phrases(text, agent.language)
    fillers = (*(tool.filler for tool in agent.tools.values() if tool.filler), *book.fillers)
    phrases += [as_one(text, agent.language) for text in fillers]
    for text in others:
        phrases += _phrases(text, agent.language)
    pronunciations = Pronunciations(agent.pronunciations)
    texts = []
    for phrase in phrases:
        said, phonemes = pronunciations.apply(phrase)
        texts.append(PhraseText(said.spoken, phonemes))
    return Rehearse(tuple(texts), number, num_awaited, agent.voice, agent.speed, agent.language)


def _phrases(text: str, language: str) -> list[Phrase]:
    phraser = Phraser(language)
    return [*phraser.feed(text), *phraser.flush()]
