"""English number words."""

from __future__ import annotations

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINAL_ONES = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
                 "tenth", "eleventh", "twelfth", *(f"{name}th" for name in ONES[13:]))  # fmt: skip

CARDINALS = frozenset({*ONES, *TENS[2:], "oh", "o"})
"""Words that belong to the same number as such a word next to them."""

MAX_CARDINAL = 999_999


def cardinal(number: int) -> str:
    """0 to `MAX_CARDINAL` in words, without hyphens or ``and``: ``twenty four``, ``two hundred five``."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f" {ONES[ones]}" if ones else "")
    size, name = (1_000, "thousand") if number >= 1_000 else (100, "hundred")
    count, rest = divmod(number, size)
    return f"{cardinal(count)} {name}" + (f" {cardinal(rest)}" if rest else "")


def ordinal(number: int) -> str:
    """1 to 99 in words, without hyphens: ``twenty fourth``."""
    if number < 20:
        return _ORDINAL_ONES[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens]} {_ORDINAL_ONES[ones]}" if ones else f"{TENS[tens][:-1]}ieth"


def minutes(number: int) -> str:
    """0 to 59 as said behind an hour: ``o'clock``, ``oh five``, ``thirty``."""
    if number == 0:
        return "o'clock"
    return f"oh {ONES[number]}" if number < 10 else cardinal(number)


def digit_by_digit(digits: str) -> str:
    """``007`` -> ``zero zero seven``"""
    return " ".join(ONES[int(digit)] for digit in digits)
