import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.workers.llm.flow.__main__ import main
from ringline.workers.llm.flow.compile import Flow, compile_flow, load
from ringline.workers.llm.flow.flow_file import FlowError, parse

WHOLE = """
start = "hello"
[hours]
open = "08:00"
close = "18:00"
[slots.day]
type = "date"
[slots.colour]
type = "choice"
values = { red = "red", blue = "blue" }
[rules]
want = "i want"
[defaults]
otherwise = "end"
[state.hello]
say = "Hello?"
[[state.hello.expect]]
phrases = ["[<want>] {colour} [on {day}]"]
goto = "check"
[state.check]
confirm = ["colour"]
say = "{colour}?"
yes = "run"
no = "hello"
[state.run]
tool = "paint"
arguments = { colour = "{colour}" }
on_ok = "end"
on_error = "end"
[state.end]
say = "Bye."
hang_up = true
"""


def test_a_whole_flow_is_read() -> None:
    flow = compile_flow(parse(WHOLE))
    assert list(flow.states) == ["hello", "check", "run", "end"]
    assert flow.states["hello"].expect.grammar
    assert not flow.states["end"].expect.grammar


@pytest.mark.parametrize(
    ("change", "to", "where"),
    [
        ('start = "hello"', 'start = "hullo"', r"flow.toml: start: there is no \[state.hullo\]"),
        ('start = "hello"', "start = 1", r"flow.toml: start: "),
        ('start = "hello"', 'begin = "hello"', r"flow.toml: begin: no such table"),
        ('start = "hello"', "start = ", r"flow.toml: .*line 2"),
        ('open = "08:00"', 'open = "8 am"', r"hours.open: "),
        ('open = "08:00"', 'open = "19:00"', r"hours: opens at 19:00"),
        ('type = "date"', 'type = "data"', r"slots.day.type: .*data"),
        ('type = "date"', 'type = "date"\nform = []', r"slots.day: .*form"),
        ('"red", blue', '"re(d", blue', r"slots.colour: `\(` is not closed"),
        ('want = "i want"', 'want = "i <want>"', r"rules.want: rule `want` leads back to itself"),
        ('want = "i want"', 'want = "i (want"', r"rules.want: `\(` is not closed"),
        ('otherwise = "end"', 'otherwise = "ende"', r"defaults.otherwise: there is no \[state.ende\]"),
        ('otherwise = "end"', "", r"state.hello.otherwise: missing"),
        ('say = "Hello?"', 'says = "Hello?"', r"state.hello: .*says"),
        ('say = "Hello?"', "", r"state.hello.say: .*says nothing"),
        ('say = "Hello?"', 'say = "Hello {you}?"', r"state.hello.say: slot `you`"),
        ('say = "Hello?"', 'say = "Hello?"\nno_input = ["{day} {prompt} {you}"]', r"state.hello.no_input: slot `you`"),
        ('say = "Hello?"', 'say = "Hello?"\nalso = ["hey"]', r"state.hello.also: there is no \[state.hey\]"),
        ('say = "Hello?"', 'say = "Hello?"\nalso = ["end"]', r"state.hello.also: \[state.end\] expects nothing"),
        ('say = "Hello?"', 'say = "Hello?"\ngoto = "end"', r"state.hello.goto: belongs to"),
        ('say = "Hello?"', 'say = "Hello?"\ndtmf = { "a" = "end" }', r"state.hello.dtmf.a: keys are"),
        ('say = "Hello?"', 'say = "Hello?"\ndtmf = { "1" = "fin" }', r"state.hello.dtmf.1: there is no \[state.fin\]"),
        ("[<want>]", "[<wish>]", r"state.hello.expect\[0\].phrases: rule `wish`"),
        ("{colour} [on", "{color} [on", r"state.hello.expect\[0\].phrases: slot `color`: there is no \[slots.color\]"),
        ("{colour} [on", "{colour:date} [on", r"state.hello.expect\[0\].phrases: slot `colour` is of type `choice`"),
        ("{colour} [on", "{size:digits} [on", r"state.hello.expect\[0\].phrases: slot `size`: `digits` needs a"),
        ('goto = "check"', 'goto = "czech"', r"state.hello.expect\[0\].goto: there is no \[state.czech\]"),
        ('goto = "check"', 'goto = "check"\nset = { size = "1" }', r"state.hello.expect\[0\].set: slot `size`"),
        ('goto = "check"', 'goto = "check"\nset = { colour = "green" }', r"expect\[0\].set.colour: `green` is not one"),
        ('goto = "check"', 'goto = "check"\nclear = ["size"]', r"state.hello.expect\[0\].clear: slot `size`"),
        ('confirm = ["colour"]', 'confirm = ["color"]', r"state.check.confirm: slot `color`"),
        ('no = "hello"', "", r"state.check.no: missing"),
        ('yes = "run"', 'yes = "fun"', r"state.check.yes: there is no \[state.fun\]"),
        ('yes = "run"', 'yes = "end"', r"state.run: no other state leads here"),
        ('yes = "run"', 'yes = "run"\nask = "day"', r"state.check.confirm: a state asks or confirms"),
        ('on_error = "end"', "", r"state.run.on_error: missing"),
        ('on_error = "end"', 'on_error = "end"\nhang_up = true', r"state.run.hang_up: .*only one of these"),
        ('on_error = "end"', 'on_error = "end"\n[state.x]\nsay = ""', r"state.x.goto: missing"),
        ('colour = "{colour}"', 'colour = "{color}"', r"state.run.arguments.colour: slot `color`"),
        ("hang_up = true", 'hang_up = "yes"', r"state.end.hang_up: Expected `bool`"),
        ("hang_up = true", 'on_ok = "hello"\ngoto = "hello"', r"state.end.on_ok: belongs to `tool`"),
        ("hang_up = true", 'yes = "hello"\ngoto = "hello"', r"state.end.yes: belongs to `confirm`"),
        ("hang_up = true", 'goto = "end"', r"state.end.goto: leads in a circle"),
        ("[slots.day]", "[slots.prompt]", r"slots.prompt|slot `day`"),
    ],
)
def test_an_invalid_flow_is_an_error_that_names_the_key(change: str, to: str, where: str) -> None:
    assert change in WHOLE
    with pytest.raises(FlowError, match=where):
        compile_flow(parse(WHOLE.replace(change, to, 1)))


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.sampled_from(['"', "[", "{", "\n", "x", "= ", "()"])), max_size=3)
)
def test_a_damaged_file_is_a_flow_or_a_named_error(changes: list[tuple[int, str]]) -> None:
    source = WHOLE
    for place, text in changes:
        source = source[:place] + text + source[place:]
    with contextlib.suppress(FlowError):
        compile_flow(parse(source))


def test_a_pattern_may_name_a_type_that_has_no_table(flow_of: Callable[[str], Flow]) -> None:
    flow = flow_of(WHOLE.replace("[on {day}]", "[on {day}] [at {moment:time}]"))
    assert flow.slots["moment"].spoken("10:00") == "ten in the morning"


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_the_command_prints_the_grammar_of_a_state(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text(WHOLE)
    assert main([str(tmp_path), "hello"]) == 0
    printed = capsys.readouterr().out
    assert "grammar hello;" in printed
    assert "grammar check;" not in printed


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
    assert "flow.toml" in capsys.readouterr().err


def test_state_that_asks_for_digits_expects_so_many() -> None:
    source = (
        'start = "ask"\n[defaults]\notherwise = "end"\n[slots]\ncode = { type = "digits", length = 4 }\n'
        '[state.ask]\nsay = ["Your code?"]\nask = "code"\ngoto = "end"\n[state.end]\nsay = ["Bye."]\nhang_up = true\n'
    )
    states = compile_flow(parse(source)).states
    assert states["ask"].expect.spoken_digits == 4
    assert states["end"].expect.spoken_digits == 0
