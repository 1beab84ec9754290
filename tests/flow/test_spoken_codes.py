"""Numbers, codes, spelled names and e-mail addresses as callers say them and recognisers write them.

What is understood is exactly what was said, or nothing: then it is asked for again.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringline.engine.conversation.number_words import CARDINALS, ONES, cardinal, digit_by_digit, ordinal
from ringline.workers.llm.flow import understand
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.flow_file import parse
from ringline.workers.llm.flow.slots import Setting

FLOW = """
start = "ask"
defaults.otherwise = "end"
slots.value = SLOT
state.ask = { say = "Yes?", ask = "value", goto = "sure" }
state.sure = { say = "{value}. Is that right?", confirm = ["value"], yes = "end", no = "ask" }
state.end = { hang_up = true }
"""
EMAIL = '{ type = "email" }'
SPELLED = '{ type = "spelled" }'


@lru_cache
def flow(slot: str) -> Flow:
    return compile_flow(parse(FLOW.replace("SLOT", slot)))


def digits(length: int) -> str:
    return f'{{ type = "digits", length = {length} }}'


def code(form: str) -> str:
    return f'{{ type = "code", format = "{form}" }}'


def answer(slot: str, text: str, known: str = "") -> tuple[str, str | None]:
    """Where the flow goes, and the value, after an answer to the question, or to ``known`` read back."""
    states = flow(slot).states
    setting = Setting(datetime(2026, 11, 22), flow(slot).hours)
    state = states["sure" if known else "ask"]
    meant = understand.speech(flow(slot), state, text, setting, {"value": known} if known else {})
    return (meant.goto, meant.slots.get("value")) if meant else ("", None)


def value(slot: str, text: str) -> str | None:
    return answer(slot, text)[1]


@pytest.mark.kind("numbers as they are said and written")
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("one hundred twenty three", "123"), ("one hundred and twenty three", "123"), ("a hundred", "100"),
        ("one hundred", "100"), ("five hundred five", "505"), ("five hundred and five", "505"),
        ("two hundred ten", "210"), ("nine hundred ninety nine", "999"), ("eleven hundred", "1100"),
        ("twelve hundred thirty four", "1234"), ("nineteen hundred", "1900"), ("twenty five hundred", "2500"),
        ("two thousand", "2000"), ("two thousand five", "2005"), ("two thousand and five", "2005"),
        ("two thousand twenty five", "2025"), ("one thousand two hundred thirty four", "1234"),
        ("five thousand five hundred", "5500"), ("ten thousand twenty three", "10023"),
        ("ninety thousand two hundred ten", "90210"), ("five hundred thousand", "500000"),
        ("one hundred twenty three thousand four hundred fifty six", "123456"),
        ("triple seven", "777"), ("treble five", "555"), ("double four", "44"), ("quadruple nine", "9999"),
        ("double nought", "00"), ("double zero", "00"), ("double zeros", "00"), ("double zeroes", "00"),
        ("double oh seven", "007"), ("double o seven", "007"), ("oh oh seven", "007"), ("nought nought seven", "007"),
        ("naught one", "01"), ("triple zero one two", "00012"), ("two double five two", "2552"),
        ("double one double two", "1122"), ("triple two triple three", "222333"), ("two fours", "44"),
        ("three zeros", "000"), ("four ones", "1111"), ("two sixes one", "661"), ("double sixes", "66"),
        ("twenty twenty five", "2025"), ("five fifty five", "555"), ("five fifty-five", "555"), ("four eleven", "411"),
        ("ninety ten", "9010"), ("twelve thirty four", "1234"), ("forty seven eleven", "4711"),
        ("one twenty three", "123"), ("seventy oh one", "7001"), ("nineteen oh five", "1905"),
        ("nineteen eighty four", "1984"),
        ("one two three four", "1234"), ("one, two, three, four.", "1234"), ("One Two Three Four", "1234"),
        ("four dash seven dash one one", "4711"), ("four seven then one one", "4711"),
        ("four hyphen seven one one", "4711"), ("four seven space one one", "4711"),
        ("um four seven uh one one", "4711"),
        ("it's four seven one one", "4711"), ("my pin is four seven one one", "4711"), ("4711, please", "4711"),
        ("yes it is 4711 thank you", "4711"), ("the code is 4711", "4711"), ("4711, I repeat, 4711", "4711"),
        ("555-01", "55501"), ("555 01", "55501"), ("(555) 01", "55501"), ("1,2,3", "123"), ("1, 2, 3.", "123"),
        ("5 5 5", "555"), ("5-5-5", "555"), ("5.5.5", "555"), ("1-2-3-4", "1234"), ("47 11", "4711"),
        ("4 711", "4711"), ("471 1", "4711"), ("2,025", "2025"), ("12,345", "12345"), ("555,012", "555012"),
        ("1 000", "1000"), ("100 23", "10023"), ("300 5", "3005"), ("20 5", "205"), ("20 500", "20500"),
        ("5 100", "5100"),
        ("100 100", "100100"), ("12 1000", "121000"), ("00 7", "007"), ("007", "007"), ("0170 123", "0170123"),
        ("0170 1234567", "01701234567"), ("+49 170 1234567", "491701234567"), ("212-555-0123", "2125550123"),
        ("(212) 555-0123", "2125550123"), ("212.555.0123", "2125550123"), ("212 5550123", "2125550123"),
        ("area code 212, 555 0123", "2125550123"),
        ("area code two one two then five five five oh one two three", "2125550123"),
        ("06 42 78 90 12", "0642789012"), ("06.42.78.90.12", "0642789012"), ("07700 900 123", "07700900123"),
        ("double 5 1", "551"),
        ("triple 5 oh one", "55501"), ("double 07", "007"), ("3 double 0 1", "3001"), ("one two 34", "1234"),
        ("5 fifty-five", "555"), ("1984", "1984"), ("1030", "1030"), ("2400", "2400"),
        ("10:30", "1030"), ("4242 4242 4242 4242", "4242424242424242"), ("12 34 56 78", "12345678"),
        ("one two, no, four seven one one", "4711"), ("4711, sorry, 4712", "4712"), ("4711 no wait 4712", "4712"),
        ("four seven one one, I mean four seven one two", "4712"), ("not 4711 but 4712", "4712"),
        ("twelve, no, thirteen", "13"),
    ],
)  # fmt: skip
def test_a_number_in_any_form(text: str, number: str) -> None:
    assert value(digits(len(number)), text) == number
    for length in {*range(1, 13)} - {len(number)}:
        assert value(digits(length), text) is None


@pytest.mark.kind("unclear numbers")
@pytest.mark.parametrize(
    ("length", "text"),
    [
        (3, "100 23"), (3, "300 5"), (5, "one hundred oh five"), (4, "one hundred oh five"), (3, "one hundred oh five"),
        (4, "five hundred five five"), (5, "five hundred five five"), (4, "double 77 1"), (5, "double 77 1 2"),
        (4, "4711 B"), (4, "B 4711"), (4, "four seven one one b"), (4, "4.711"), (4, "ten point five"), (3, "10.5"),
        (4, "4711 or 4712"), (4, "4711 4712"), (4, "4711, 4712"), (4, "not 4711"), (4, "one two three"),
        (4, "one two three four five"), (4, "one two three four and five"), (4, "five and one two three four"),
        (4, "12345"), (4, "123"), (4, ""), (4, "four"), (4, "hello"), (4, "double"), (2, "double"),
        (4, "double twenty"),
        (6, "two hundred one two hundred"), (10, "555 0123"), (10, "1 212 555 0123"), (10, "+1 212 555 0123"),
        (11, "oh seven seven double oh nine hundred one two three"), (4, "twenty hundred thousand"),
        (4, "twenty first"),
        (2, "twenty first"), (3, "01:23"), (3, "0123"), (2, "one moment twelve three"), (1, "one moment"), (3, "a b c"),
        (3, "00-I-8-22"), (2, "00-I-8-22"), (5, "00-I-8-22"), (3, "4 a 711"), (3, "1 hundred 23"), (3, "twenty 5"),
        (2, "20 five"), (3, "20 five"), (5, "1 hundred 23"),
        (5, "hundred twenty 11"),
        (4, "4711, no, 471"), (4, "4711, sorry, the last one is five"),
    ],
)  # fmt: skip
def test_of_an_unclear_number_nothing_is_taken(length: int, text: str) -> None:
    assert value(digits(length), text) is None


PLATE, REFERENCE, POSTCODE = "[A-Z]{2}[0-9]{2}[A-Z]", "[A-Z]{2}[0-9]{3}", "[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"


@pytest.mark.kind("letters with digits")
@pytest.mark.parametrize(
    ("form", "text", "read"),
    [
        (PLATE, "A B 12 C", "AB12C"), (PLATE, "AB12C", "AB12C"), (PLATE, "AB 12C", "AB12C"),
        (PLATE, "AB 12 C", "AB12C"),
        (PLATE, "A-B-1-2-C", "AB12C"), (PLATE, "a b one two c", "AB12C"), (PLATE, "a b twelve c.", "AB12C"),
        (PLATE, "alpha bravo one two charlie", "AB12C"), (PLATE, "Alfa, Bravo, 12, Charlie", "AB12C"),
        (PLATE, "A as in apple, B as in boy, one two, C as in cat", "AB12C"),
        (PLATE, "A for Adam, B for Bob, twelve, C like Charlie", "AB12C"), (PLATE, "double A one two C", "AA12C"),
        (PLATE, "capital a capital b one two capital c", "AB12C"), (PLATE, "my plate is AB12C, thanks", "AB12C"),
        (PLATE, "anton berta eins", None), (PLATE, "A B 1 2 C 3", None), (PLATE, "A B 12", None),
        (PLATE, "A 12 C", None),
        (PLATE, "M as in Nancy B 12 C", None), (PLATE, "X A B 12 C", None), (PLATE, "A B 12 C D", None),
        (REFERENCE, "BA 249", "BA249"), (REFERENCE, "BA249", "BA249"), (REFERENCE, "B A two four nine", "BA249"),
        (REFERENCE, "B A two hundred forty nine", "BA249"), (REFERENCE, "bravo alpha two forty nine", "BA249"),
        (REFERENCE, "double A three zeros", "AA000"), (REFERENCE, "A O oh one two", "AO012"),
        (REFERENCE, "O O O O O", "OO000"), (REFERENCE, "A zero one two three", None), (REFERENCE, "BA 249 B", None),
        (REFERENCE, "BA 2490", None), (REFERENCE, "BA 249 or BA 250", None), (REFERENCE, "BA 249, no, BA 250", "BA250"),
        (REFERENCE, "zulu zulu triple nine", "ZZ999"), (REFERENCE, "zed zee nine nine nine", "ZZ999"),
        (REFERENCE, "double u a one two three", "WA123"), (REFERENCE, "it's B for Bertha, A for Anna, 249", "BA249"),
        (REFERENCE, "hello", None), (REFERENCE, "", None), (REFERENCE, "one two three", None),
        (POSTCODE, "SW1A 1AA", "SW1A1AA"), (POSTCODE, "S W 1 A 1 A A", "SW1A1AA"), (POSTCODE, "M1 1AE", "M11AE"),
        (POSTCODE, "s w one a one double a", "SW1A1AA"), (POSTCODE, "EC1A 1BB.", "EC1A1BB"), (POSTCODE, "SW1A", None),
        ("[A-Z0-9]{4}", "A O 1 0", None), ("[A-Z0-9]{4}", "A B 1 2", "AB12"),
        ("[0-9]{3}[A-Z]", "one two three a", "123A"),
        ("[A-Z][0-9]{2}", "A B 1 2", None), ("[A-Z][0-9]{2}", "B twelve", "B12"), ("[A-Z][0-9]{2}", "b12", "B12"),
    ],
)  # fmt: skip
def test_letters_with_digits(form: str, text: str, read: str | None) -> None:
    assert value(code(form), text) == read


@pytest.mark.kind("spelled names")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("M I L L E R", "Miller"), ("M-I-L-L-E-R", "Miller"), ("m i double l e r", "Miller"),
        ("Miller, M-I-L-L-E-R.", "Miller"),
        ("M as in Mary, I as in India, L L E R", "Miller"), ("M for Mike, I for India, double L, E, R", "Miller"),
        ("mike india lima lima echo romeo", "Miller"), ("Mike India Lima Lima Echo Romeo", "Miller"),
        ("M like Mary, E like Edward", "Me"), ("M wie Martha, Ü", None),
        ("Martha Ida Ludwig Ludwig Emil Richard", "Miller"),
        ("M wie Martha, E wie Emil, Y wie Ypsilon, E, R", "Meyer"), ("T U double T L E", "Tuttle"),
        ("it's S M I T H", "Smith"),
        ("double u e s t", "West"), ("my name is Lee, L double E", "Lee"), ("J O N E S, Jones", "Jones"),
        ("capital B, O, N, D", "Bond"), ("it is spelled B A N", "Ban"), ("zed a k", "Zak"), ("X-ray", None),
        ("xray a v i e r", "Xavier"), ("O apostrophe", None), ("Miller", None), ("Mike", None), ("mike", None),
        ("Oscar Papa", None),
        ("m as in nancy i l", None), ("M I L L E R, no, M I L A R", "Milar"), ("S M I T H or S M Y T H", None),
        ("SMI-T-H", "Smith"), ("S-MITH", "Smith"),
        ("", None),
        ("I don't know", None), ("a", None), ("S. M. I. T. H.", "Smith"), ("s, m, i, t, h", "Smith"),
        ("S M I T H 5", None),
        ("B, as in boy, A, N", "Ban"), ("l like in lima, e, e", "Lee"), ("F as in Frank, double O", "Foo"),
    ],
)  # fmt: skip
def test_spelled_names(text: str, name: str | None) -> None:
    assert value(SPELLED, text) == name


@pytest.mark.kind("e-mail addresses")
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("anna dot schmidt at gmail dot com", "anna.schmidt@gmail.com"),
        ("anna.schmidt@gmail.com", "anna.schmidt@gmail.com"),
        ("My email is Anna.Schmidt@Gmail.com.", "anna.schmidt@gmail.com"),
        ("anna point schmidt at web point de", "anna.schmidt@web.de"),
        ("anna underscore schmidt at web dot de", "anna_schmidt@web.de"),
        ("anna_schmidt@web.de", "anna_schmidt@web.de"),
        ("anna hyphen lena at web dot de", "anna-lena@web.de"), ("anna dash lena at web dot de", "anna-lena@web.de"),
        ("anna-lena@web.de", "anna-lena@web.de"), ("anna minus lena at web dot de", "anna-lena@web.de"),
        ("anna schmidt all one word at gmail dot com", "annaschmidt@gmail.com"),
        ("all one word anna schmidt at gmail dot com", "annaschmidt@gmail.com"),
        ("anna schmidt, no spaces, at gmail dot com", "annaschmidt@gmail.com"),
        ("anna at my hyphen company dot co dot uk", "anna@my-company.co.uk"),
        ("anna@my-company.co.uk", "anna@my-company.co.uk"),
        ("a n n a at gmail dot com", "anna@gmail.com"), ("A-N-N-A at gmail.com", "anna@gmail.com"),
        ("anna eighty five at gmail dot com", "anna85@gmail.com"), ("anna85@gmail.com", "anna85@gmail.com"),
        ("anna 85 at gmail dot com", "anna85@gmail.com"),
        ("anna one nine eight five at gmail dot com", "anna1985@gmail.com"),
        ("anna1985@gmail.com", "anna1985@gmail.com"), ("anna double seven at gmail dot com", "anna77@gmail.com"),
        ("it's anna dot schmidt at gmail dot com thank you", "anna.schmidt@gmail.com"),
        ("anna.schmidt at gmail.com", "anna.schmidt@gmail.com"),
        ("anna dot schmidt at gmail.com", "anna.schmidt@gmail.com"),
        ("j dot smith at example dot org", "j.smith@example.org"),
        ("you can reach me at bob at example dot net", "bob@example.net"),
        ("yes, sure, it is bob at example dot com", "bob@example.com"),
        ("info plus news at example dot com", "info+news@example.com"),
        ("b o b at g m x dot n e t", "bob@gmx.net"), ("bob at mail dot example dot com", "bob@mail.example.com"),
        ("bob@example.com or so", "bob@example.com"), ("<bob@example.com>", "bob@example.com"),
        ("m as in mary dot miller at example dot com", "m.miller@example.com"),
        ("bob@one.com", "bob@one.com"), ("bob at one dot com", None),
        ("anna dot schmidt@gmail.com", "anna.schmidt@gmail.com"), ("Anna Schmidt@gmail.com", None),
        ("anna underscore schmidt@gmail.com", "anna_schmidt@gmail.com"), ("A N N A@gmail.com", "anna@gmail.com"),
        ("bob@o2.de", "bob@o2.de"), ("bob@gmail.con", None), ("Mar-M-A-D-5 at example.com", None),
        ("and a dot-mit at example dot com", None),
        ("bob b o b at example dot com", None), ("b o b 85 at example dot com", "bob85@example.com"),
         ("bob@bbc.co", None),
        ("bob at nil dot com", "bob@nil.com"), ("I'd prefer my work address, bob@example.com", "bob@example.com"),
        ("aaa@jan.com", "aaa@jan.com"), ("dr.sat@mon.de", "dr.sat@mon.de"),
        ("just.ok@example.com", "just.ok@example.com"), ("um, it's anna dot lee at web dot de", "anna.lee@web.de"),
        ("anna double 77 at web dot de", None), ("anna twenty-five at web dot de", "anna25@web.de"),
        ("anna schmidt at gmail dot com", None), ("anna at gmail", None), ("anna at gmail dot con", None),
        ("anna at", None),
        ("at gmail dot com", None), ("anna dot at gmail dot com", None), ("dot anna at gmail dot com", None),
        ("anna dot dot schmidt at gmail dot com", None), ("bob at example dot co", None), ("I am at home", None),
        ("write to bob at gmail dot com or ann at gmail dot com", None), ("bob@gmail.com or ann@gmail.com", None),
        ("my husband bob at gmail dot com", None), ("info at my company dot com", None),
        ("bob at at gmail dot com", None),
        ("no", None), ("", None), ("I don't have one", None), ("anna gmail dot com", None),
        ("bob at gmail at home dot com", None),
    ],
)  # fmt: skip
def test_addresses(text: str, address: str | None) -> None:
    assert value(EMAIL, text) == address


@pytest.mark.kind("corrections digit by digit")
@pytest.mark.parametrize(
    ("known", "text", "after"),
    [
        ("4711", "no, the last one is a 5", "4715"), ("4711", "the third digit is 7", "4771"),
        ("4711", "The 2nd digit is 8.", "4811"),
        ("4711", "the second number should be eight", "4811"), ("4711", "no the first one is five", "5711"),
        ("4711", "the last digit is two", "4712"), ("4711", "second to last is 3", "4731"),
        ("4711", "the last but one is a 3", "4731"),
        ("4711", "the last two are 4 2", "4742"), ("4711", "no the last two digits are 42", "4742"),
        ("4711", "the first two are eight nine", "8911"), ("4711", "the last three should be double oh 1", "4001"),
        ("4711", "it ends with 42", "4742"), ("4711", "no, it ends in forty two", "4742"),
        ("4711", "it should end with a 5", "4715"),
        ("4711", "it starts with 58", "5811"), ("4711", "it begins with oh", "0711"), ("4715", "not 5, 9", "4719"),
        ("4715", "not five but nine", "4719"), ("4715", "9 not 5", "4719"), ("4715", "it's 9 instead of 5", "4719"),
        ("4715", "the 5 should be a 9", "4719"), ("4715", "no, not a five, a nine", "4719"),
        ("4715", "nine, not five, sorry", "4719"),
        ("4711", "the last one should be a 2 not a 1", "4712"), ("4711", "yes but the last one is a 2", "4712"),
        ("4711", "almost, the last one is 2", "4712"), ("4711", "actually the fourth one is 2", "4712"),
        ("4711", "not 47, 48", "4811"),
        ("4711", "no, 4712", "4712"), ("4711", "no, it's four seven one two", "4712"), ("4711", "4712", "4712"),
        ("2125550123", "no, it ends in 0 1 2 4", "2125550124"), ("2125550123", "the area code is 213", None),
        ("2125550123", "not 555, 556", "2125560123"), ("2125550123", "the tenth digit is 9", "2125550129"),
        ("4711", "not 1, 2", None), ("4711", "the fifth one is 2", None),
        ("4711", "the last one should be a 2 not a 3", None),
        ("4711", "the last two are 4", None), ("4711", "one of them is wrong", None),
        ("4711", "the last digit is wrong", None),
        ("4711", "not 8, 9", None), ("4711", "it ends with 12345", None), ("4711", "not 7", None),
    ],
)  # fmt: skip
def test_digits_are_corrected_one_by_one(known: str, text: str, after: str | None) -> None:
    goto, corrected = answer(digits(len(known)), text, known)
    assert corrected == after
    assert goto != "end"


@pytest.mark.kind("corrections digit by digit")
@pytest.mark.parametrize(
    ("slot", "known", "text", "after"),
    [
        (code("[A-Z]{2}[0-9]{2}"), "AB12", "the first letter is C", "CB12"),
        (code("[A-Z]{2}[0-9]{2}"), "AB12", "not B, D", "AD12"),
        (code("[A-Z]{2}[0-9]{2}"), "AB12", "not B as in boy, D as in dog", "AD12"),
        (code("[A-Z]{2}[0-9]{2}"), "CB12", "the first one is an A", "AB12"),
        (code("[A-Z]{2}[0-9]{2}"), "CB12", "the first letter is a", "AB12"),
        (code("[A-Z]{2}[0-9]{2}"), "AB12", "the last one is C", None),
        (SPELLED, "Niller", "not N, M", "Miller"),
        (SPELLED, "Niller", "the first letter is M as in Mary", "Miller"),
        (SPELLED, "Schmitt", "it ends with D T", "Schmidt"),
        (SPELLED, "Miler", "no, M I L L E R", "Miller"),
    ],
)
def test_letters_are_corrected_one_by_one(slot: str, known: str, text: str, after: str | None) -> None:
    assert answer(slot, text, known)[1] == after


@pytest.mark.parametrize("text", ["yes", "yes that's right", "correct", "yes please"])
def test_agreement_to_a_number_is_no_correction(text: str) -> None:
    assert answer(digits(4), text, "4711") == ("end", None)


@pytest.mark.kind("codes read back")
@pytest.mark.parametrize(
    ("slot", "known", "read"),
    [
        (digits(4), "4711", "four seven one one"), (digits(5), "90210", "nine zero two, one zero"),
        (digits(6), "123456", "one two three, four five six"),
        (digits(7), "5550123", "five five five, zero one two three"),
        (digits(10), "2125550123", "two one two, five five five, zero one two three"),
        (digits(16), "4242424242424242", ", ".join(["four two four two"] * 4)),
        (code("[A-Z]{2}[0-9]{3}"), "BA249", "B A, two four nine"),
        (SPELLED, "Miller", "M I L, L E R"),
        (EMAIL, "anna.w12@my-company.com", "anna dot w one two at my hyphen company dot com"),
    ],
)  # fmt: skip
def test_values_are_read_back_one_by_one_in_groups(slot: str, known: str, read: str) -> None:
    one = flow(slot).slots["value"]
    assert one.spoken(known) == read
    assert value(slot, read) == known


@pytest.mark.parametrize(
    ("slot", "bad"), [(digits(3), "12a"), (code("[A-Z]"), "1"), (SPELLED, "M1"), (EMAIL, "nobody"), (digits(2), "٣٣")]
)
def test_what_is_no_value_is_not_read_back(slot: str, bad: str) -> None:
    with pytest.raises(ValueError):
        flow(slot).slots["value"].spoken(bad)


def test_a_form_that_is_no_regular_expression_is_an_error() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        flow(code("[A-Z"))


# --- any digits, in any form --------------------------------------------------------------------------------------


@st.composite
def said(draw: st.DrawFn, group: str) -> str:
    """One group of digits in one of the forms that people and recognisers have for it."""
    forms = [digit_by_digit(group), group, " ".join(group), "-".join(group), ",".join(group)]
    zero = st.sampled_from(("zero", "oh", "o", "nought"))
    forms.append(" ".join(draw(zero) if digit == "0" else ONES[int(digit)] for digit in group))
    if len(set(group)) == 1 and len(group) in (2, 3):
        times = {2: "double", 3: "triple"}[len(group)]
        forms += [f"{times} {ONES[int(group[0])]}", f"{times} {group[0]}"]
    if group[0] != "0":
        forms.append(cardinal(int(group)))
        if len(group) == 3 and group[1:] != "00":
            forms.append(f"{ONES[int(group[0])]} hundred and {cardinal(int(group[1:]))}")
            if group[1] != "0":
                forms.append(f"{ONES[int(group[0])]} {cardinal(int(group[1:]))}")
        if len(group) == 4:
            forms.append(f"{group[0]},{group[1:]}")
            if group[2:] != "00":
                behind = f"oh {ONES[int(group[3])]}" if group[2] == "0" else cardinal(int(group[2:]))
                forms.append(f"{cardinal(int(group[:2]))} {behind}")
    return draw(st.sampled_from(forms))


@st.composite
def spoken_numbers(draw: st.DrawFn) -> tuple[str, str]:
    number = draw(st.text("0123456789", min_size=1, max_size=16))
    text, rest = draw(st.sampled_from(["", "it's ", "my number is ", "um "])), number
    while rest:
        size = draw(st.integers(1, min(4, len(rest))))
        text += draw(said(rest[:size]))
        rest = rest[size:]
        text += draw(st.sampled_from([" ", ", ", " - ", ". ", " then ", " dash ", "... "])) if rest else ""
    return text + draw(st.sampled_from(["", ".", ", please", "?"])), number


@pytest.mark.kind("numbers as they are said and written", inputs=100)
@given(spoken_numbers())
def test_any_number_in_any_form_is_exactly_it_or_nothing(pair: tuple[str, str]) -> None:
    text, number = pair
    assert value(digits(len(number)), text) in (number, None)


@pytest.mark.kind("numbers as they are said and written", inputs=100)
@given(st.text("0123456789", min_size=1, max_size=16), st.sampled_from([" ", ", ", "-", "... ", " then ", " dash "]))
def test_any_number_said_digit_by_digit_is_understood(number: str, between: str) -> None:
    assert value(digits(len(number)), between.join(ONES[int(digit)] for digit in number)) == number


@pytest.mark.kind("spelled names", inputs=100)
@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=2, max_size=12))
def test_any_name_spelled_is_understood(name: str) -> None:
    assert value(SPELLED, " ".join(name)) == name.capitalize()
    assert value(SPELLED, ", ".join(f"{letter} as in {letter}xyz" for letter in name)) == name.capitalize()


@pytest.mark.kind("e-mail addresses", inputs=100)
@given(st.from_regex(r"[a-z]{3,8}([._-][a-z]{3,8}){0,2}@[a-z]{3,8}(-[a-z]{3,8})?\.(com|de|co\.uk|org)", fullmatch=True))
def test_any_address_is_exactly_it_or_nothing(address: str) -> None:
    names = {"@": " at ", ".": " dot ", "-": " hyphen ", "_": " underscore "}
    assert value(EMAIL, address) == address
    assume(
        not set(re.findall("[a-z]+", address)) & {*CARDINALS, "hundred", "thousand", "double", "triple"}
    )  # are digits
    assert value(EMAIL, "".join(names.get(sign, sign) for sign in address)) in (address, None)


@pytest.mark.kind("corrections digit by digit", inputs=100)
@given(
    st.text("0123456789", min_size=2, max_size=12), st.integers(0, 11), st.sampled_from("0123456789"),
    st.sampled_from(["the {} digit is {}", "no, the {} one is a {}", "the {} number should be {}"]),
)  # fmt: skip
def test_any_digit_is_corrected_by_its_place(number: str, place: int, digit: str, form: str) -> None:
    place %= len(number)
    after = number[:place] + digit + number[place + 1 :]
    corrected = answer(digits(len(number)), form.format(ordinal(place + 1), ONES[int(digit)]), number)[1]
    assert corrected == (after if after != number else None)


@given(st.text(max_size=60), st.sampled_from([digits(4), SPELLED, EMAIL, code(PLATE)]))
def test_any_text_is_read(text: str, slot: str) -> None:
    value(slot, text)
    answer(slot, text, "4711")
