"""The grammar for speech over the bot."""

from __future__ import annotations

from ringline.workers.stt.overlap_grammar import MISTAKABLE, overlap_grammar

GRAMMAR = "#JSGF V1.0;\ngrammar g;\npublic <turn> = <answer> | stop;\n<answer> = yes | no;\n"


def everything(word: str) -> bool:
    return True


def alternatives(grammar: str) -> list[str]:
    """Of its public rule, which is optional."""
    (rule,) = [line for line in grammar.splitlines() if line.startswith("public ")]
    assert rule.startswith("public <overlap> = [")
    return rule.partition("[")[2].rstrip("];").split(" | ")


def test_sentences_of_the_grammar_stay() -> None:
    made = overlap_grammar(GRAMMAR, everything)
    assert "\n<turn> = <answer> | stop;\n<answer> = yes | no;\n" in made
    assert alternatives(made)[0] == "<turn>"


def test_backchannels_are_added() -> None:
    assert {"okay", "uh huh", "all right"} <= set(alternatives(overlap_grammar(GRAMMAR, everything)))


def test_interjections_are_added() -> None:
    assert {"stop", "wait a minute", "hold on"} <= set(alternatives(overlap_grammar(GRAMMAR, everything)))


def test_backchannels_that_sound_like_anything_are_not() -> None:
    assert MISTAKABLE.isdisjoint(alternatives(overlap_grammar(GRAMMAR, everything)))


def test_phrases_with_words_that_the_recogniser_does_not_know_are_left_out() -> None:
    made = alternatives(overlap_grammar(GRAMMAR, lambda word: word != "huh"))
    assert "uh huh" not in made
    assert "okay" in made


def test_several_public_rules_all_stay() -> None:
    made = overlap_grammar("#JSGF V1.0;\ngrammar g;\npublic <a> = one;\npublic <b> = two;\n", everything)
    assert alternatives(made)[:2] == ["<a>", "<b>"]


def test_without_a_grammar_there_are_backchannels_and_interjections_alone() -> None:
    made = overlap_grammar("", everything)
    assert made.startswith("#JSGF V1.0;\n")
    assert not any(alternative.startswith("<") for alternative in alternatives(made))
