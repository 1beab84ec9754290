"""Where the words that a voice says it speaks stand in the text it was given."""

from __future__ import annotations

import re
import unicodedata


class Words:
    """The words of a text, found in the order in which they are spoken.

    Voices say "ten" for "10", or take "A.B." apart. Letters and digits alone are compared. What is spoken next is
    where the last word ended; further on only if two words in a row are found there, one right behind the other, or
    it is the text's last. A word that is not found has no place: none is better than a wrong one.
    """

    def __init__(self, text: str) -> None:
        self._letters = ""
        """Of all words, one after the other."""
        self._chars: dict[int, int] = {}
        """Where words begin: index in ``_letters`` -> in the text."""
        for match in re.finditer(r"\S+", text):
            if letters := _letters(match.group()):
                self._chars[len(self._letters)] = match.start()
                self._letters += letters
        self._at = 0
        """Index in ``_letters`` of what is spoken next."""
        self._guess: tuple[int, int, int] | None = None
        """(begin, end, sample) of the last word, if it was found further on."""

    def spoken(self, word: str, sample: int) -> list[tuple[int, int]]:
        """The voice says that it speaks this from ``sample`` on: (index in the text, sample) of each word of the text
        that is known to begin."""
        letters = _letters(word)
        if not letters:
            return []
        guess, self._guess = self._guess, None
        if guess is not None and self._letters.startswith(letters, guess[1]):
            self._at = guess[1] + len(letters)
            return self._places((guess[0], guess[2]), (guess[1], sample))
        if self._letters.startswith(letters, self._at):
            begin, self._at = self._at, self._at + len(letters)
            return self._places((begin, sample))
        begin = self._further_on(letters)
        if begin >= 0:
            self._guess = (begin, begin + len(letters), sample)
        return []

    def finish(self) -> list[tuple[int, int]]:
        """Nothing more is spoken."""
        if self._guess is None or self._guess[1] < len(self._letters):
            return []
        return self._places((self._guess[0], self._guess[2]))

    def _further_on(self, letters: str) -> int:
        """Where these letters are one or several whole words, first; -1: nowhere."""
        for begin in self._chars:
            end = begin + len(letters)
            is_whole = end in self._chars or end == len(self._letters)
            if begin >= self._at and is_whole and self._letters.startswith(letters, begin):
                return begin
        return -1

    def _places(self, *found: tuple[int, int]) -> list[tuple[int, int]]:
        return [(self._chars[begin], sample) for begin, sample in found if begin in self._chars]


def _letters(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", word).casefold() if char.isalnum())
