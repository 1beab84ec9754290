"""How words stand to a JSGF grammar."""

from __future__ import annotations

import pytest

from ringline.engine.conversation.grammar import Fit, fit

HEAD = "#JSGF V1.0;\ngrammar test;\n"


@pytest.mark.parametrize(
    ("rules", "text", "complete", "goes_on"),
    [
        ("public <t> = yes | no;", "yes", True, False),
        ("public <t> = yes | no;", "maybe", False, False),
        ("public <t> = yes [sir];", "yes", True, True),
        ("public <t> = one two;", "one", False, True),
        ("public <t> = one two;", "one two three", False, False),
        ("public <t> = <a> <a>; <a> = one | two three;", "two three", False, True),
        ("public <t> = <a> <a>; <a> = one | two three;", "two three one", True, False),
        ("public <t> = now* go;", "now now go", True, False),
        ("public <t> = now+ go;", "go", False, False),
        ("public <t> = /0.5/ yes {tag} | /2/ no;", "yes", True, False),
        ("public <t> = (one | one two) three;", "one two three", True, False),
        ("public <t> = Yes;", "yes", True, False),
        ("public <t> = <missing> go;", "go", False, False),
        ("public <t> = <t> go | go;", "go", True, False),
        ("public <t> = [x]* go;", "go", True, False),
    ],
)
def test_fit(rules: str, text: str, complete: bool, goes_on: bool) -> None:
    assert fit(HEAD + rules, tuple(text.split())) == Fit(complete, goes_on)


@pytest.mark.parametrize("grammar", ["", "no grammar", "#JSGF V1.0;\npublic <t> = (open", "#JSGF V1.0;\n<t> = yes;"])
def test_what_is_no_grammar_fits_nothing(grammar: str) -> None:
    assert fit(grammar, ("yes",)) == Fit(False, False)


def test_no_words_are_no_sentence() -> None:
    assert not fit(HEAD + "public <t> = [yes];", ()).complete
