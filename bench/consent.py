"""Confirmations as callers say them, against the example clinic's flow: how many book what nobody agreed to.

    python -m bench.consent [--number 1200] [--seed 1] [--misses] [--json]

Each call asks for Tuesday at ten and hears "Tuesday, December first, at ten in the morning. Is that right?"; what it
answers is put together by lot from agreement, refusal, negation, correction, conditions, questions and noise words, in
the spelling of several recognisers. A caller who is asked again answers plainly. Wrong is a booking of what the caller
did not agree to, or a second one; asked is a question that a better listener would not have needed. No model hears or
speaks here.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from types import ModuleType

import msgspec
from rich.table import Table

from bench.reporting import console
from ringline.engine.agent import find_agent
from ringline.ipc.messages import ChatMessage, Generate
from ringline.workers.llm.backend import Finished
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.compile import Flow, load

NOW = datetime(2026, 11, 28, 12, 0)
"""A Saturday."""
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = "2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04"
DAYS = {
    "Wednesday": WEDNESDAY,
    "Thursday": THURSDAY,
    "Friday": FRIDAY,
    "the third": THURSDAY,
    "December fourth": FRIDAY,
}
TIMES = {
    "nine": "09:00", "eleven": "11:00", "half past ten": "10:30", "two in the afternoon": "14:00",
    "ten thirty": "10:30", "noon": "12:00", "three": "15:00", "11:30": "11:30", "2 p.m.": "14:00",
}  # fmt: skip

YES = (
    "yes", "yeah", "yep", "yup", "sure", "okay", "of course", "absolutely", "exactly", "right", "fine", "perfect",
    "correct", "that's right", "that's correct", "that's fine", "that's perfect", "that's it", "sounds good",
    "sounds great", "uh-huh", "mm-hm", "mhm", "go ahead", "do it", "book it", "please do", "you got it", "no problem",
    "why not", "definitely", "certainly", "that works", "that works for me", "it is", "yes it is",
    "that would be great", "that'll do", "all right", "yes, Tuesday at ten", "Tuesday at ten is fine",
    "ten is perfect", "yes, on Tuesday", "works for me", "great", "lovely",
)  # fmt: skip
PLEASED = (
    "", "", "", "please", "thank you", "thanks", "thank you very much", "yes", "that's right", "that's great", "bye",
    "then",
)  # fmt: skip
NO = (
    "no", "nope", "nah", "no no no", "negative", "wrong", "incorrect", "that's wrong", "that's not right",
    "that isn't right", "absolutely not", "of course not", "certainly not", "definitely not", "not really",
    "not at all", "not okay", "not right", "I'd rather not", "no way", "don't", "please don't", "don't do that",
    "please don't book it", "don't book it", "I don't think so", "I don't think that's right", "I don't want that",
    "that's not what I said", "that's not correct", "it isn't", "no it's not", "no I don't", "no, that's wrong",
    "that doesn't work", "that won't work", "never", "that's not what I wanted", "no, Psy", "uh-uh",
    "that's incorrect", "no that is not okay", "I do not agree",
)  # fmt: skip
REFUSED = ("", "", "", "thank you", "thanks", "no", "really", "sorry", "sir")
DOUBT = (
    "I guess", "I guess so", "maybe", "perhaps", "probably", "hold on", "wait", "wait a second", "one moment",
    "hang on", "I'm not sure", "not sure", "I don't know", "not yet", "I think so", "I suppose so", "let me see",
    "hm", "well", "uh", "what?", "sorry?", "huh?", "pardon?", "excuse me?", "yes?", "okay?", "is that right?",
    "how much is it?", "who?", "right?", "could you repeat", "say that again please", "what did you say",
    "which day?", "are you sure?", "is it?", "can I call back?",
)  # fmt: skip
MIXED = (
    "yes no", "no yes", "yeah no", "no yeah", "yes, no, wait", "that's fine, no wait", "no, that's right",
    "no, that's correct", "nope that's fine", "yes... no wait", "okay no", "yes, actually no", "sure, no, sorry",
    "no, yes, that's fine", "right, no", "no, I mean yes", "yes, wait", "perfect, hold on", "that's right, not",
    "yes not really", "not wrong", "that's not wrong", "correct, no, incorrect", "okay, stop", "yes, but",
    "yes and no", "well yes, I mean, hm", "yes, or",
)  # fmt: skip
CONDITIONS = (
    "if it is before ten", "if it's with Doctor Lee", "but for two people", "but not with Doctor Lee",
    "unless it rains", "but only if it's free", "as long as my husband can come", "if you have nothing later",
    "but I may be late", "except that I need a wheelchair", "provided it is short", "cancel", "cancel it",
    "please cancel", "cancel that please", "for my daughter", "and one for my son", "but later",
    "if nothing else is free", "or maybe the week after",
)  # fmt: skip
ASIDE = (
    "Yes. Honey, turn that off.", "No, not you, sit down.", "Yes, I'm on the phone!", "Okay mum, in a minute.",
    "Come here. Yes.", "Yes, hang on, someone's at the door.", "Sure, what, no, the other one.",
    "Yes yes I am coming.", "Thanks for watching!", "Tell him yes.", "Right, left, left, stop.", "Good dog.",
    "He said no, she said yes.", "No! Get down! Yes.",
)  # fmt: skip
NOISE = ("", "", "", "uh", "um", "well", "oh", "so", "ah", "er")
CORRECTIONS = (
    "no, {new}", "no, make it {new}", "no, I said {new}", "no {new} please", "make that {new}", "sorry, {new}",
    "actually {new}", "yes, no wait, {new}", "no no, {new}", "not {old}, {new}", "no, not {old}, {new}",
    "{new}, not {old}", "sure but make it {new}", "yes but can we make it {new}", "I meant {new}", "{old}? no, {new}",
    "{new} would be better", "how about {new}", "{old} doesn't work, {new}", "that's wrong, I said {new}",
    "that's not what I said, I said {new}", "I can't do {old}, {new}", "no, that's not right, {new}",
    "{other}, no, {new}", "{other}, I mean {new}", "{other}, sorry, {new}", "no, {other}, no wait, {new}",
    "{other}, or rather {new}", "not {other}, {new}", "yes, on, I mean, {new}", "I don't think that's right, {new}",
    "{new} instead of {old}",
)  # fmt: skip


class Confirmation(msgspec.Struct, frozen=True):
    """What a caller answers, and what they want."""

    kind: str
    said: str
    wants: tuple[str, str] | None
    """The day and the time that may be booked; None for none."""
    at_once: bool
    """Whether it can be told without asking: a plain yes is booked, a correction is read back."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of it."""

    confirmation: Confirmation
    is_wrong: bool
    asked: bool
    """Asked again, or read back something else than was said, where it could have been told."""
    reply: str


def confirmations(number: int, seed: int) -> list[Confirmation]:
    """So many, the same for the same seed."""
    rng = random.Random(seed)
    makers: tuple[Callable[[random.Random], Confirmation], ...] = (
        _agreement, _agreement, _refusal, _doubt, _mixed, _condition, _day, _time, _both, _aside,
    )  # fmt: skip
    return [_spelled(makers[index % len(makers)](rng), rng) for index in range(number)]


def _words(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _agreement(rng: random.Random) -> Confirmation:
    said = _words(rng.choice(NOISE), ", ".join(filter(None, (rng.choice(YES), rng.choice(PLEASED)))))
    return Confirmation("yes", said, (TUESDAY, "10:00"), True)


def _refusal(rng: random.Random) -> Confirmation:
    said = _words(rng.choice(NOISE), ", ".join(filter(None, (rng.choice(NO), rng.choice(REFUSED)))))
    return Confirmation("no", said, None, True)


def _doubt(rng: random.Random) -> Confirmation:
    said = _words(rng.choice(NOISE), rng.choice(("", "", "", "yes,", "okay,", "no,")), rng.choice(DOUBT))
    return Confirmation("doubt and questions", said, None, False)


def _mixed(rng: random.Random) -> Confirmation:
    if rng.random() < 0.5:
        return Confirmation("yes and no", _words(rng.choice(NOISE), rng.choice(MIXED)), None, False)
    both = [
        rng.choice(YES),
        rng.choice(("no", "nope", "not", "wait", "no no", "that's wrong", "not really", "I said no")),
    ]
    rng.shuffle(both)
    said = _words(*both) if both[-1] in YES or rng.random() < 0.5 else ", ".join(both)
    # "of course not" and "not exactly" are refusals; nobody may book either way.
    return Confirmation("yes and no", said, None, False)


def _condition(rng: random.Random) -> Confirmation:
    said = _words(rng.choice(NOISE), rng.choice(YES), rng.choice(CONDITIONS))
    return Confirmation("conditions", said, None, False)


def _aside(rng: random.Random) -> Confirmation:
    return Confirmation("other persons", rng.choice(ASIDE), None, False)


def _two(rng: random.Random, values: dict[str, str], taken: str) -> tuple[str, str]:
    new, other = rng.sample(list(values), 2)
    while values[new] in (values[other], taken) or values[other] == taken:
        new, other = rng.sample(list(values), 2)
    return new, other


def _day(rng: random.Random) -> Confirmation:
    new, other = _two(rng, DAYS, TUESDAY)
    on = rng.choice(("", "on "))
    said = rng.choice(CORRECTIONS).format(new=on + new, old=on + "Tuesday", other=on + other)
    return Confirmation("corrected day", _words(rng.choice(NOISE), said), (DAYS[new], "10:00"), True)


def _time(rng: random.Random) -> Confirmation:
    new, other = _two(rng, TIMES, "10:00")
    at = rng.choice(("", "at "))
    said = rng.choice(CORRECTIONS).format(new=at + new, old=at + "ten", other=at + other)
    return Confirmation("corrected time", _words(rng.choice(NOISE), said), (TUESDAY, TIMES[new]), True)


def _both(rng: random.Random) -> Confirmation:
    day, other_day = _two(rng, DAYS, TUESDAY)
    time, other_time = _two(rng, TIMES, "10:00")
    shapes = ("{day} at {time}", "on {day} at {time}", "on {day} {time}")
    new = rng.choice(shapes).format(day=day, time=time)
    other = rng.choice(shapes).format(day=other_day, time=other_time)
    said = rng.choice(CORRECTIONS).format(new=new, old="Tuesday at ten", other=other)
    return Confirmation("corrected both", _words(rng.choice(NOISE), said), (DAYS[day], TIMES[time]), True)


def _spelled(one: Confirmation, rng: random.Random) -> Confirmation:
    """As one recogniser or the other writes it."""
    said = one.said
    # Without its mark, nobody can tell "okay?" from "okay".
    match rng.randrange(1 if said.endswith("?") else 0, 4):
        case 0:
            said = said.lower().replace(",", "").replace(".", "").replace("?", "").replace("!", "")
        case 1:
            said = said[:1].upper() + said[1:] + ("" if said[-1] in ".?!" else ".")
        case 2 if not said.endswith("?"):
            said = ". ".join(part[:1].upper() + part[1:] for part in said.split(", ")) + (
                "" if said[-1] in ".?!" else "."
            )
    return msgspec.structs.replace(one, said=said)


class _Call:
    """One call to the flow, without an engine."""

    def __init__(self, flow: Flow, tools: ModuleType) -> None:
        self._flow, self._tools = flow, tools
        self._state, self._turn = b"", 0
        self._messages: list[ChatMessage] = []
        self.booked: list[tuple[str, str]] = []
        self.is_over = False
        self._reply("opening")

    def say(self, text: str) -> str:
        self._messages.append(ChatMessage("user", text))
        return self._reply("speech")

    def _reply(self, cause: str) -> str:
        self._turn += 1
        text, finished = self._step(cause, 0)
        step = 0
        while finished.tool_calls and not self.is_over:
            step += 1
            for tool_call in finished.tool_calls:
                if tool_call.name in ("hang_up", "transfer"):
                    self.is_over = True
                    continue
                result = getattr(self._tools, tool_call.name)(**tool_call.arguments)
                if tool_call.name == "book" and result["ok"]:
                    self.booked.append((result["day"], result["time"]))
                content = msgspec.json.encode(result).decode()
                self._messages.append(ChatMessage("tool", content, tool_call_id=tool_call.id))
            if not self.is_over:
                more, finished = self._step("tools", step)
                text = f"{text} {more}".strip()
        return text

    def _step(self, cause: str, step: int) -> tuple[str, Finished]:
        request = Generate(1, self._turn, step, cause, tuple(self._messages), self._state)  # type: ignore[arg-type]
        text, finished = answer(self._flow, request, NOW)
        self._state = finished.state
        self._messages.append(ChatMessage("assistant", text, finished.tool_calls))
        return text, finished


def outcomes(tried: list[Confirmation]) -> Iterator[Outcome]:
    """What comes of each."""
    clinic = find_agent("clinic")
    flow = load(clinic)
    spec = importlib.util.spec_from_file_location("clinic_tools", clinic / "tools.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{clinic} has no tools")
    tools = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tools)
    tools.clock = lambda: NOW  # type: ignore[attr-defined]
    for one in tried:
        tools.appointments.clear()
        yield _outcome(one, flow, tools)


def _outcome(one: Confirmation, flow: Flow, tools: ModuleType) -> Outcome:
    call = _Call(flow, tools)
    call.say("I would like to book an appointment on Tuesday at ten")
    reply = call.say(one.said)
    at_first = list(call.booked)
    if one.kind == "yes":
        asked = not at_first
        if not call.is_over and asked:
            call.say("yes")
        return Outcome(one, bool(call.booked) and call.booked != [one.wants], asked, reply)
    if one.wants is None:
        asked = one.at_once and "Which day would you like?" not in reply
        for _ in range(3):
            if call.is_over or call.booked:
                break
            call.say("no")
        return Outcome(one, bool(call.booked), asked, reply)
    if at_first:
        return Outcome(one, True, False, reply)
    understood = _reads_back(flow, one.wants, reply)
    return Outcome(one, False, not understood, reply)


def _reads_back(flow: Flow, wants: tuple[str, str], reply: str) -> bool:
    return all(flow.slots[name].spoken(value) in reply for name, value in zip(("day", "time"), wants, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.consent", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--number", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true", help="list what was wrong, or asked again needlessly")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = list(outcomes(confirmations(options.number, options.seed)))
    if options.json:
        print(msgspec.json.encode(found).decode())
        return
    table = Table("kind", "tried", "wrong bookings", "asked needlessly", title="confirmations")
    for kind in dict.fromkeys(one.confirmation.kind for one in found):
        of_kind = [one for one in found if one.confirmation.kind == kind]
        table.add_row(kind, *map(str, (len(of_kind), sum(o.is_wrong for o in of_kind), sum(o.asked for o in of_kind))))
    table.add_row("all", *map(str, (len(found), sum(o.is_wrong for o in found), sum(o.asked for o in found))))
    console(options).print(table)
    if options.misses:
        for one in found:
            if one.is_wrong or one.asked:
                print("WRONG" if one.is_wrong else "asked", repr(one.confirmation.said), "->", one.reply)


if __name__ == "__main__":
    main()
