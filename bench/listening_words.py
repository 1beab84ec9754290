"""What `bench/listening.py` teaches the ear for short sounds over the bot, and in whose voices."""

from __future__ import annotations

from bench.overlap_sounds import NATURAL_VOICES, PARTS, TUNE
from bench.recognition import VOICES
from ringline.workers.stt.overlap_grammar import INTERJECTIONS


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


LISTENING = _phrases(
    "okay, right, uh huh, yeah, yes, sure, all right, i see, um hum, hmm, got it, oh okay, good, exactly, yep, oh, "
    "great, mm hmm, oh yeah, of course, very good, fine, perfect, i understand, yup, aha, really, cool, nice, makes "
    "sense, that's right, yes okay, okay good, yeah okay, yeah yeah, right right, wow, ok sure"
)
ASKING = (
    *(phrase for phrase in INTERJECTIONS if phrase != "hey"),
    *_phrases("zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve"),
)
"""Other words that are often said over a bot: each has an output of its own. Those of the group "other commands" of
bench/barge_in.py are not among them, so that it shows what becomes of words that were not taught."""
MORE = _phrases(
    "monday, tuesday, wednesday, thursday, friday, saturday, tomorrow, next friday, at eleven, half past two, ten "
    "thirty, ten o'clock, two thirty, speak to a person, cancel, opening hours, that's all, goodbye, no thank you, no "
    "tuesday, in the morning, not today, change it, repeat that, say that again, again, louder, slower, a different "
    "day, another time, question, operator, agent, person, human, doctor, appointment, name, back, next, start over, "
    "never mind, wrong, wrong number, i don't, i can't, but, because, actually, well, when, where, who, why, how much, "
    "how, which, can you, could you, i want, i need, i'd like, my name is, let me, is it, do you, are you, it's not, "
    "don't, never, nothing, later, earlier, before, after, today, yesterday, afternoon, evening, week, morning, "
    "number, address, phone, money, price, street, table, water, people, house, time, first, second, last, little, "
    "big, long, under, over, inside, somebody, anything, nobody, maybe, perhaps, and then, so what, go back, quiet, "
    "silence, shut up, come on, enough, too fast, i heard that, skip, move it, booked, insurance, february, london, "
    "smith, johnson"
)

ESPEAK = (
    *VOICES[PARTS.index(TUNE) :: 2], "en-us+f1", "en-us+f4", "en-us+f5", "en-us+m1", "en-us+m5", "en-us+m7",
    "en-us+m8", "en-gb+m2", "en-gb+m6", "en-gb+f4", "en-029",
)  # fmt: skip
KOKORO = (*NATURAL_VOICES[TUNE], "am_eric", "bf_alice", "bm_daniel", "af_nicole", "am_puck", "af_kore", "bm_fable")
MORE_IN_KOKORO = MORE[::3]
FLITE = ("kal", "awb", "rms")
"""Debian's package flite; its voices but the first are pieces of recordings. Left out where it is not installed."""
