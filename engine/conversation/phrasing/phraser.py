"""Groups the words of a reply into phrases."""

from __future__ import annotations

from ringline.engine.conversation.language_tags import primary_language
from ringline.engine.conversation.model_text import ModelText
from ringline.engine.conversation.phrasing import boundaries
from ringline.engine.conversation.phrasing.events import Break, CutOff, Event, Mark, Start, Text
from ringline.engine.conversation.phrasing.phrase import Phrase, Word
from ringline.engine.conversation.phrasing.reader import Reader
from ringline.engine.conversation.phrasing.speaking import speak_in

MAX_PHRASE_CHARS = 300
"""A sentence that does not end is cut at a word: nobody speaks 20 s in one breath, and TTS must get something."""

LONG_SENTENCE_CHARS = 150
"""From here on, a sentence may be cut at a clause."""


class Phraser:
    """Feed it a reply's text, get phrases.

    The first phrase leaves at the first pause that sounds natural, as it is what the caller waits for; a comma is one
    as soon as what follows shows that no name is called behind it (``here, John.``). Where the first phrase is a very
    short sentence ("Sure!"), the one behind it may leave so too, so that it is there in time. All others are sentences.
    """

    def __init__(self, language: str = "en") -> None:
        """``language`` is a BCP 47 tag, such as ``en`` or ``de-AT``; any other string is taken for English prose whose
        numbers are left alone."""
        self._language = primary_language(language)
        self._reader = Reader(self._language)
        self._speak = speak_in(self._language)
        self._begin()

    def _begin(self) -> None:
        self._drop_pending()
        self._text = ModelText()
        """What a model's text holds besides speech is taken out in the LLM worker; this is for whatever else writes."""
        self._opening = True
        self._uninterruptible = False

    def _drop_pending(self) -> None:
        self._pending: list[str] = []
        self._num_chars = 0
        self._speakable = False
        self._likely_end = False
        self._likely_clause = False
        self._comma_at = 0
        """So many of the pending words end in a comma at which they are cut, unless a name that is called follows."""

    def feed(self, text: str) -> list[Phrase]:
        """More of the reply. Returns the phrases that are complete by it."""
        return [phrase for event in self._reader.feed(self._text.feed(text)) for phrase in self._on(event)]

    def flush(self, drops_fragment: bool = False) -> list[Phrase]:
        """The reply is complete. Returns what is left, perhaps nothing; what is fed then begins another reply.

        ``drops_fragment``: it was cut off, so that a sentence at its end that is not complete is left out.
        """
        phrases = [phrase for event in self._reader.feed(self._text.flush()) for phrase in self._on(event)]
        phrases += [phrase for event in self._reader.flush() for phrase in self._on(event)]
        if not (drops_fragment and self._pending and not self._likely_end):
            phrases += self._cut(ends_sentence=True)
        self._begin()
        return phrases

    def _on(self, event: Event) -> list[Phrase]:
        match event:
            case Text():
                return self._on_text(event)
            case Start():
                return self._on_start(event.char)
            case Break():
                return self._cut(ends_sentence=True)
            case CutOff():
                phrases = self._cut(ends_sentence=True) if self._likely_end else []
                self._drop_pending()  # half a sentence that the model takes from what it said before
                return phrases
            case Mark():
                phrases = self._cut(ends_sentence=self._likely_end)
                self._drop_pending()
                self._uninterruptible = event.uninterruptible
                return phrases

    def _on_start(self, char: str) -> list[Phrase]:
        """The next word begins with this letter or digit: often enough to know where the last one belonged."""
        if self._likely_end and not boundaries.ends_in_number(self._pending[-1]) and self._splits_before(char):
            return self._cut(ends_sentence=True)
        if self._likely_clause and not char.isdigit():
            return self._cut(ends_sentence=False)
        if self._comma_at and not boundaries.may_begin_tail(char, self._language):
            return self._cut_at_comma()
        return []

    def _on_text(self, event: Text) -> list[Phrase]:
        phrases: list[Phrase] = []
        if event.glued and self._pending and self._num_chars + len(event.text) <= MAX_PHRASE_CHARS:
            self._pending[-1] += event.text
            self._num_chars += len(event.text)
        else:
            if self._likely_end and self._splits_before(event.text):
                phrases += self._cut(ends_sentence=True)
            if self._num_chars + len(event.text) > MAX_PHRASE_CHARS:
                phrases += self._cut(ends_sentence=False)
                self._drop_pending()
            self._pending.append(event.text)
            self._num_chars += len(event.text) + 1
        last = self._pending[-1]
        if self._comma_at and not event.glued:
            is_tail = boundaries.is_tail(self._pending[self._comma_at :], self._language)
            if is_tail is False:
                phrases += self._cut_at_comma()
            elif is_tail:
                self._comma_at = 0
        self._speakable = self._speakable or any(map(str.isalnum, event.text))
        self._likely_end = self._speakable and boundaries.is_likely_end(last)
        self._likely_clause = False
        if boundaries.is_sure_end(last):
            return phrases + self._cut(ends_sentence=True)
        if self._may_cut_clause() and boundaries.is_clause_end(self._pending):
            if boundaries.ends_in_number(last):
                self._likely_clause = True  # "24, 2026" is a date
            elif boundaries.ends_in_comma(last):
                self._comma_at = len(self._pending)
            else:
                return phrases + self._cut(ends_sentence=False)
        return phrases

    def _may_cut_clause(self) -> bool:
        if self._opening:
            return self._num_words() >= boundaries.MIN_CLAUSE_WORDS
        return self._num_chars >= LONG_SENTENCE_CHARS

    def _num_words(self) -> int:
        return sum(boundaries.num_words(word) for word in self._pending)

    def _splits_before(self, following: str) -> bool:
        return boundaries.splits(" ".join(self._pending), following, self._language)

    def _cut_at_comma(self) -> list[Phrase]:
        """Cut behind the comma; what follows it begins the next phrase."""
        following = self._pending[self._comma_at :]
        del self._pending[self._comma_at :]
        phrases = self._cut(ends_sentence=False)
        self._pending += following
        self._num_chars = sum(len(word) + 1 for word in following)
        self._speakable = any(char.isalnum() for word in following for char in word)
        return phrases

    def _cut(self, ends_sentence: bool) -> list[Phrase]:
        """What is pending, as a phrase. Marks alone are none: they stay, and go with what follows."""
        if not self._speakable:
            return []
        self._opening = self._opening and self._num_words() < boundaries.MIN_CLAUSE_WORDS
        words = tuple(map(Word, self._pending, self._speak(self._pending)))
        self._drop_pending()
        return [Phrase(words, ends_sentence, self._uninterruptible)]
