"""The grammar that the recogniser gets, and the parser that reads its answer, are one thing."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringline.engine.conversation.spelling import normalise
from ringline.workers.llm.flow import pattern, understand
from ringline.workers.llm.flow.compile import Flow, State
from ringline.workers.llm.flow.grammar import jsgf
from ringline.workers.llm.flow.match import Atoms, Bindings, Reader
from ringline.workers.llm.flow.pattern import Choice, Node, PatternError, Rule, parse, word
from ringline.workers.llm.flow.slots import Setting


def vocabulary(grammar: str) -> set[str]:
    """Every word of a grammar."""
    return set(re.findall(r"(?<![<\w'.])[a-z][a-z'.-]*(?![>\w'.])", grammar.partition("public <turn> =")[2]))


def no_slot(name: str, kind: str) -> Node:
    raise PatternError(name)


def no_rule(name: str) -> Node:
    raise PatternError(name)


def node(text: str) -> Node:
    return parse(text, no_slot, no_rule)


def sample(of: Node, draw: st.DrawFn) -> tuple[list[str], Atoms, Bindings] | None:
    """A sentence of the pattern and what it means; None where only transcripts have one."""
    match of:
        case pattern.Unspoken():
            return None
        case pattern.Word(spoken=spoken):
            return [spoken], (), ()
        case pattern.Sequence(items=items):
            parts = [sample(item, draw) for item in items]
            if any(part is None for part in parts):
                return None
            known = [part for part in parts if part is not None]
            return (
                [text for part in known for text in part[0]],
                tuple(atom for part in known for atom in part[1]),
                tuple(slot for part in known for slot in part[2]),
            )
        case Choice(items=items):
            order = draw(st.permutations(items))
            return next((one for item in order if (one := sample(item, draw)) is not None), None)
        case pattern.Optional(item=item):
            return (sample(item, draw) if draw(st.booleans()) else None) or ([], (), ())
        case pattern.Atom(key=key, value=value, item=item):
            found = sample(item, draw)
            return found and (found[0], ((key, value), *found[1]), found[2])
        case pattern.Slot(name=name, item=item):
            found = sample(item, draw)
            return found and (found[0], (), ((name, found[1]), *found[2]))
        case Rule(item=item):
            return sample(item, draw)
    raise AssertionError(of)


def waiting(flow: Flow) -> list[State]:
    return [state for state in flow.states.values() if state.table.waits]


@given(st.data(), st.datetimes(datetime(2025, 1, 1), datetime(2032, 1, 1)))
def test_what_the_grammar_can_say_is_understood_as_it_was_meant(
    clinic: Flow, data: st.DataObject, now: datetime
) -> None:
    state = data.draw(st.sampled_from(waiting(clinic)))
    heard = data.draw(st.sampled_from(state.heard))
    sentence = data.draw(st.composite(lambda draw: sample(heard.node, draw))())
    assume(sentence is not None)
    assert sentence is not None
    words, _, bindings = sentence
    setting = Setting(now, clinic.hours)
    values = {name: clinic.slots[name].resolve(said, setting) for name, said in bindings}
    assume(None not in values.values())  # the thirty first of june
    meant = understand.speech(clinic, state, " ".join(words), setting)
    assert meant is not None
    assert (meant.goto, meant.clear, meant.slots) == (heard.goto, heard.clear, {**values, **heard.set})


TOKEN = re.compile(r"[()\[\]|]|<\w+>|[^\s()\[\]|<>]+")


class Jsgf:
    """A reader of the grammar's text that knows nothing of patterns."""

    def __init__(self, text: str) -> None:
        body = text.partition("public ")[2]
        rules = (rule.partition(" =") for rule in body.split(";") if rule.strip())
        self.rules = {name.strip(): TOKEN.findall(right) for name, _, right in rules}

    def sentence(self, draw: st.DrawFn, rule: str = "<turn>") -> list[str]:
        tokens = iter([*self.rules[rule], ")"])
        words = self._choice(draw, tokens, ")")
        assert next(tokens, None) is None
        return words

    def _choice(self, draw: st.DrawFn, tokens: Iterator[str], closing: str) -> list[str]:
        alternatives: list[list[str]] = [[]]
        for token in tokens:
            if token == closing:
                return list(draw(st.sampled_from(alternatives)))
            if token == "|":
                alternatives.append([])
            elif token == "(":
                alternatives[-1] += self._choice(draw, tokens, ")")
            elif token == "[":
                inner = self._choice(draw, tokens, "]")
                alternatives[-1] += inner if draw(st.booleans()) else []
            elif token.startswith("<"):
                alternatives[-1] += self.sentence(draw, token)
            else:
                alternatives[-1].append(token)
        raise AssertionError("not closed")


@given(st.data())
def test_every_sentence_of_the_grammars_text_is_understood(clinic: Flow, data: st.DataObject) -> None:
    state = data.draw(st.sampled_from(waiting(clinic)))
    words = data.draw(st.composite(lambda draw: Jsgf(state.expect.grammar).sentence(draw))())
    reader = Reader(normalise(" ".join(words)))
    length = len(reader.tokens)
    whole = [one for heard in state.heard for one in reader.search(heard.node, 0, length) if one[:2] == (0, length)]
    assert whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", "a b"),
        ("a | b c", "(a | b c)"),
        ("[a] b", "[a] b"),
        ("[a | b] c", "[a | b] c"),
        ("(a | b) c", "(a | b) c"),
        ("[(a | b) c] d", "[(a | b) c] d"),
        ("i'd like", "i'd like"),
    ],
)
def test_a_pattern_in_jsgf(text: str, expected: str) -> None:
    assert jsgf("test", [node(text)]) == f"#JSGF V1.0;\ngrammar test;\npublic <turn> =\n    {expected}\n;\n"


def test_what_is_unspoken_is_not_in_the_grammar() -> None:
    spoken = Choice((word("a"), pattern.unspoken("b"), pattern.sequence("c", pattern.unspoken("d"))))
    assert vocabulary(jsgf("test", [spoken, pattern.unspoken("e")])) == {"a"}


def test_a_grammar_of_unspoken_phrases_is_none() -> None:
    assert jsgf("test", [pattern.unspoken("a")]) == ""


def test_rules_of_the_same_name_do_not_meet() -> None:
    grammar = jsgf("test", [Rule("hour", word("one")), Rule("hour", word("two")), Rule("hour", word("one"))])
    assert "<hour>\n  | <hour_2>\n;" in grammar
    assert "<hour> = one;\n<hour_2> = two;\n" in grammar


def test_pocketsphinx_takes_every_grammar_and_knows_every_word(clinic: Flow) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    for state in waiting(clinic):
        decoder.add_jsgf_string(state.name, state.expect.grammar)
        unknown = {one for one in vocabulary(state.expect.grammar) if decoder.lookup_word(one) is None}
        assert unknown == set(), state.name


def test_phrases_have_every_word_of_the_grammar_but_small_ones(clinic: Flow) -> None:
    for state in waiting(clinic):
        words = {word for phrase in state.expect.phrases for word in phrase.split()}
        assert vocabulary(state.expect.grammar) - words <= {"at", "on", "for"}, state.name
