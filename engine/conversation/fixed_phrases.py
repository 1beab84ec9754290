"""What is said in every call, or may have to be said at once: TTS can make it before anybody calls."""

from __future__ import annotations

from ringline.engine.agent import Agent
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.engine.conversation.pronunciation import Pronunciations
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.messages import PhraseText, Rehearse


def as_one(text: str, language: str) -> Phrase:
    """A text as a single phrase, such as a filler."""
    phraser = Phraser(language)
    phrases = [*phraser.feed(text), *phraser.flush()]
    return Phrase(tuple(word for phrase in phrases for word in phrase.words), True)


def rehearsal(agent: Agent) -> Rehearse:
    """The greeting, fillers, and what is said when all else fails, in the pieces in which the bot will say them."""
    book = phrasebook(agent.language)
    phrases: list[Phrase] = []
    for text in (agent.greeting, book.apology, book.transfer, book.lost_thread):
        phraser = Phraser(agent.language)
        phrases += [*phraser.feed(text), *phraser.flush()]
    fillers = (*(tool.filler for tool in agent.tools.values() if tool.filler), *book.fillers)
    phrases += [as_one(text, agent.language) for text in fillers]
    pronunciations = Pronunciations(agent.pronunciations)
    texts = []
    for phrase in phrases:
        said, phonemes = pronunciations.apply(phrase)
        texts.append(PhraseText(said.spoken, phonemes))
    return Rehearse(tuple(texts), agent.voice, agent.speed, agent.language)
