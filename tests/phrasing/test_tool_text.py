"""Tools that a model asks for in its text, and JSON that it takes for speech."""

from __future__ import annotations

import pytest

from ringline.engine.conversation.model_text import ModelText, WrittenCall, tools_of

TOOLS = {"note": {"text": "string"}, "book": {"day": "string", "people": "integer"}, "hang_up": {}}
SIZES = (1, 3, 7, 10_000)
NOTE = WrittenCall("note", {"text": "x"})
JSON = '{"name": "note", "arguments": {"text": "x"}}'
BAR = "\uff5c"

WRITTEN = [
    JSON,
    f"<tool_call>\n{JSON}\n</tool_call>",
    f"<tool_call>{JSON}",
    f"<tool_call>[{JSON}]</tool_call>",
    f"<tools>{JSON}</tools>",
    f"<function_call>{JSON}</function_call>",
    f"<|tool_call|>[{JSON}]",
    f"<|tool_call|>{JSON}<|/tool_call|>",
    f"<|python_tag|>{JSON}",
    '<|python_tag|>{"name": "note", "parameters": {"text": "x"}}<|eom_id|>',
    '<|python_tag|>{"type": "function", "name": "note", "parameters": {"text": "x"}}',
    '<|python_tag|>note.call(text="x")<|eom_id|>',
    '<function=note>{"text": "x"}</function>',
    '<function=note>{"text": "x"}',
    '<function name="note">{"text": "x"}</function>',
    "<tool_call>\n<function=note>\n<parameter=text>\nx\n</parameter>\n</function>\n</tool_call>",
    "<function=note>\n<parameter=text>\nx\n</parameter>\n</function>",
    "<tool_call>note\n<arg_key>text</arg_key>\n<arg_value>x</arg_value>\n</tool_call>",
    '<function_calls><invoke name="note"><parameter name="text">x</parameter></invoke></function_calls>',
    '<invoke name="note">\n<parameter name="text">x</parameter>\n</invoke>',
    '<minimax:tool_call><invoke name="note"><parameter name="text">x</parameter></invoke></minimax:tool_call>',
    f'<{BAR}DSML{BAR}function_calls><{BAR}DSML{BAR}invoke name="note">'
    f'<{BAR}DSML{BAR}parameter name="text" string="true">'
    f"x</{BAR}DSML{BAR}parameter></{BAR}DSML{BAR}invoke></{BAR}DSML{BAR}function_calls>",
    f"[TOOL_CALLS][{JSON}]",
    f"[TOOL_CALLS] {JSON}</s>",
    '[TOOL_CALLS]note[ARGS]{"text": "x"}',
    '[TOOL_CALLS]note[CALL_ID]abcDEF123[ARGS]{"text": "x"}',
    '[TOOL_CALLS]note{"text": "x"}',
    f"```json\n{JSON}\n```",
    f"```\n{JSON}\n```",
    f"```tool_call\n{JSON}\n```",
    '```tool_code\nprint(note(text="x"))\n```',
    '```tool_code\nprint(default_api.note(text="x"))\n```',
    f"<{BAR}tool▁calls▁begin{BAR}><{BAR}tool▁call▁begin{BAR}>function<{BAR}tool▁sep{BAR}>note\n```json\n"
    f'{{"text": "x"}}\n```<{BAR}tool▁call▁end{BAR}><{BAR}tool▁calls▁end{BAR}>',
    f"<{BAR}tool▁calls▁begin{BAR}><{BAR}tool▁call▁begin{BAR}>note<{BAR}tool▁sep{BAR}>"
    f'{{"text": "x"}}<{BAR}tool▁call▁end{BAR}><{BAR}tool▁calls▁end{BAR}>',
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.note:0<|tool_call_argument_begin|>"
    '{"text": "x"}<|tool_call_end|><|tool_calls_section_end|>',
    '<|tool_call>call:note{text:<|"|>x<|"|>}<tool_call|>',
    '<|channel|>commentary to=functions.note <|constrain|>json<|message|>{"text": "x"}<|call|>',
    '<|start|>assistant to=functions.note<|channel|>commentary json<|message|>{"text": "x"}<|call|>',
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.note <|constrain|>json"
    '<|message|>{"text": "x"}<|call|>',
    'to=functions.note  json\n{"text": "x"}',
    '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "note", "parameters": {"text": "x"}}]<|END_ACTION|>',
    '<|tool_call_start|>[note(text="x")]<|tool_call_end|>',
    f"functools[{JSON}]",
    '[note(text="x")]',
    "[note(text='x')]",
    'note(text="x")',
    'note({"text": "x"})',
    'functions.note({"text": "x"})',
    'functions.note(text="x")',
    'default_api.note(text="x")',
    'Action: note\nAction Input: {"text": "x"}',
    'Thought: I note it.\nAction: note\nAction Input: {"text": "x"}',
    f"[{JSON}]",
    '{"tool": "note", "tool_input": {"text": "x"}}',
    '{"tool_name": "note", "parameters": {"text": "x"}}',
    '{"function": "note", "args": {"text": "x"}}',
    '{"action": "note", "action_input": {"text": "x"}}',
    '{"function": {"name": "note", "arguments": {"text": "x"}}}',
    '{"tool_calls": [{"type": "function", "function": {"name": "note", "arguments": "{\\"text\\": \\"x\\"}"}}]}',
    '{"name": "functions.note", "arguments": {"text": "x"}}',
    '{"note": {"text": "x"}}',
    '{"name": "note", "text": "x"}',
    "{'name': 'note', 'arguments': {'text': 'x'}}",
    '{"name": "note", "arguments": {"text": "x",},}',
    f"<think>Shall I book(day='Monday')?</think>{JSON}",
]
UNREADABLE = [
    "<tool_call>note the x</tool_call>",
    '<tool_call>{"name": "note", "arguments": {"text": </tool_call>',
    "functions.note(Ellipsis)",
    "functions.note(...)",
    '<|python_tag|>import note; note(text="x"',
    "[TOOL_CALLS]nonsense",
    '{"name": "note", "arguments": "all of it"}',
    "<function=note>{nonsense</function>",
]
UNKNOWN = [
    '<tool_call>{"name": "dance", "arguments": {}}</tool_call>',
    '{"name": "dance", "arguments": {"how": "well"}}',
    "<function=dance>{}</function>",
    '[TOOL_CALLS]dance[ARGS]{"a": 1}',
    'functions.dance({"a": 1})',
]
SPEECH = {
    '{"response": "We are open."}': "We are open.",
    '{"response": "We are open.", "end_call": false}': "We are open.",
    '{"thought": "They want hours.", "reply": "We are open."}': "We are open.",
    '```json\n{"answer": "We are open."}\n```': "We are open.",
    '{"role": "assistant", "content": "We are open."}': "We are open.",
    '[{"type": "text", "text": "We are open."}]': "We are open.",
    '{"message": {"text": "We are open."}}': "We are open.",
    '{"speech": "We are\\nopen."}': "We are open.",
    '{"say": "Zo\\u00eb is here."}': "Zoë is here.",
    '{"antwort": "Wir haben bis fünf geöffnet."}': "Wir haben bis fünf geöffnet.",
    '{"greeting_line": "We are open now."}': "We are open now.",
    '{"response": "We are open. And on Mon': "We are open. And on Mon",
    'Sure. {"response": "We are open."}': "Sure. We are open.",
    '{"intent": "hours", "confidence": 0.9}': "",
    '{"status": "ok"}': "",
    '{"name": "John Smith", "age": 40}': "",
    '{"items": [1, 2, 3]}': "",
}
PLAIN = [
    "note that we close at five.",
    "Please note (it matters) the time.",
    "book(s) are over there.",
    "You can book(online or by phone) as you like.",
    "We have a function for that.",
    "The functions of the heart.",
    "Press [1] for sales.",
    "Use {this} or { that }.",
    'It says { "quoted } there.',
    "He books, she notes.",
]


def read(text: str, size: int) -> tuple[str, list[WrittenCall]]:
    model_text = ModelText(TOOLS)
    parts = [model_text.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return " ".join("".join([*parts, model_text.flush()]).split()), model_text.calls


@pytest.mark.kind("tools in the text", inputs=2 * len(SIZES))
@pytest.mark.parametrize("text", WRITTEN)
def test_a_tool_that_is_asked_for_in_the_text_is_found_and_not_said(text: str) -> None:
    for size in SIZES:
        assert read(text, size) == ("", [NOTE])
        said, calls = read("One moment. " + text, size)
        assert (said, calls) == ("One moment.", [NOTE]) or text.startswith("Thought:")


@pytest.mark.kind("tools in the text that cannot be read", inputs=len(SIZES))
@pytest.mark.parametrize("text", UNREADABLE)
def test_a_call_that_cannot_be_read_is_kept_for_the_model_and_not_said(text: str) -> None:
    for size in SIZES:
        said, calls = read(text, size)
        assert said == ""
        assert [bool(call.source) for call in calls] == [True]


@pytest.mark.kind("tools in the text that there are not", inputs=len(SIZES))
@pytest.mark.parametrize("text", UNKNOWN)
def test_a_call_of_no_tool_there_is_is_not_said(text: str) -> None:
    for size in SIZES:
        said, calls = read(text, size)
        assert (said, [call.name for call in calls]) == ("", ["dance"])


@pytest.mark.kind("speech as JSON", inputs=len(SIZES))
@pytest.mark.parametrize("text", SPEECH)
def test_of_json_what_is_speech_is_said(text: str) -> None:
    assert {read(text, size)[0] for size in SIZES} == {SPEECH[text]}
    assert read(text, 1)[1] == []


@pytest.mark.kind("speech that looks like markup", inputs=len(SIZES))
@pytest.mark.parametrize("text", PLAIN)
def test_speech_with_braces_brackets_and_names_of_tools_is_said(text: str) -> None:
    for size in SIZES:
        assert read(text, size) == (text, [])


@pytest.mark.kind("tools in the text", inputs=4)
@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "note", "arguments": {"text": "a"}}</tool_call><tool_call>{"name": "hang_up"}</tool_call>',
        '[note(text="a"), hang_up()]',
        '[TOOL_CALLS][{"name": "note", "arguments": {"text": "a"}}, {"name": "hang_up", "arguments": {}}]',
        '[TOOL_CALLS]note[ARGS]{"text": "a"}[TOOL_CALLS]hang_up[ARGS]{}',
    ],
)
def test_several_tools_are_asked_for_at_once(text: str) -> None:
    for size in SIZES:
        assert read(text, size) == ("", [WrittenCall("note", {"text": "a"}), WrittenCall("hang_up", {})])


def test_values_in_tags_have_the_type_that_the_tool_wants() -> None:
    text = "<function=book><parameter=day>12</parameter><parameter=people>12</parameter></function>"
    assert read(text, 5) == ("", [WrittenCall("book", {"day": "12", "people": 12})])


def test_words_around_a_call_are_said() -> None:
    assert read(f"Let me see. <tool_call>{JSON}</tool_call> Done.", 4)[0] == "Let me see. Done."


def test_tools_are_known_by_their_schemas() -> None:
    parameters = {"type": "object", "properties": {"day": {"type": "string"}, "n": {"type": ["null", "integer"]}}}
    schema = {"type": "function", "function": {"name": "book", "parameters": parameters}}
    bare = {"type": "function", "function": {"name": "hang_up"}}
    assert tools_of([schema, bare]) == {"book": {"day": "string", "n": "integer"}, "hang_up": {}}
