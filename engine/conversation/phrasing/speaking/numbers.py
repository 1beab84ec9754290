"""Numbers in words, by the rules of Unicode's CLDR."""

from __future__ import annotations

from unicode_rbnf import RbnfEngine

MAX_NUMBER = 10**15


class Numbers:
    """Spells whole numbers below `MAX_NUMBER` in one language."""

    def __init__(self, language: str) -> None:
        self._engine = RbnfEngine.for_language(language)
        self._is_genderless = language == "en"
        self._digits = [self.cardinal(digit) for digit in range(10)]

    def cardinal(self, number: int) -> str:
        """``twenty-five``"""
        return self._spell(number, "spellout-numbering")

    def masculine(self, number: int) -> str:
        """Before a masculine noun: ``ein``, ``veintiún``."""
        return self._spell(number, "spellout-cardinal" if self._is_genderless else "spellout-cardinal-masculine")

    def feminine(self, number: int) -> str:
        """Before a feminine noun: ``eine``, ``vingt-et-une``, ``veintiuna``."""
        return self._spell(number, "spellout-cardinal-feminine")

    def ordinal(self, number: int, form: str = "") -> str:
        """``twenty-fifth``; ``form`` is the ending of a CLDR rule set's name, such as ``-masculine``."""
        return self._spell(number, "spellout-ordinal" + form)

    def year(self, number: int) -> str:
        """``nineteen ninety-nine``"""
        return self._spell(number, "spellout-numbering-year")

    def pairs(self, digits: str) -> str:
        """A room or a house of three or four digits, in English: ``two oh four``, ``twelve hundred``."""
        first, last = int(digits[:-2]), int(digits[-2:])
        if not last:
            whole = int(digits)
            return self.cardinal(whole) if whole % 1_000 == 0 or whole < 1_000 else f"{self.cardinal(first)} hundred"
        return f"{self.cardinal(first)} {'oh ' if last < 10 else ''}{self.cardinal(last)}"

    def ruler(self, number: int, language: str, *, is_feminine: bool) -> str:
        """A king's number: ``the eighth``, ``der Achte``, ``premier``, ``octavo``."""
        gender = "-feminine" if is_feminine else "-masculine"
        if language == "en":
            return f"the {self.ordinal(number)}"
        if language == "de":
            return f"{'die' if is_feminine else 'der'} {self.ordinal(number).capitalize()}"
        is_ordinal = number == 1 if language == "fr" else number <= 10
        return self.ordinal(number, gender) if is_ordinal else self.cardinal(number)

    def digits(self, digits: str) -> str:
        """``four seven one one``"""
        return " ".join(self._digits[int(digit)] for digit in digits)

    def _spell(self, number: int, ruleset: str) -> str:
        text = self._engine.format_number(number, ruleset_names=[ruleset]).text
        return text.replace("\u00ad", "")
