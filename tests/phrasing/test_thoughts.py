"""Of what a model writes, only what is meant for the caller is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.model_text import ModelText, ends_in_thought
from ringline.engine.conversation.phrasing import Phraser

ANSWER = "We are open until five."
SIZES = (1, 3, 7, 10_000)

THOUGHTS = [
    "<think>plan</think>#",
    "<Think>plan</Think>#",
    "<THINKING>plan</THINKING>\n\n#",
    '<thinking budget="low">plan</thinking>#',
    "<thought>plan</thought>#",
    "<reasoning>plan</reasoning>#",
    "<reflection>plan</reflection>#",
    "<scratchpad>plan</scratchpad>#",
    "<inner_monologue>plan</inner_monologue>#",
    "<seed:think>plan</seed:think>#",
    "<mm:think>plan</mm:think>#",
    "<antThinking>plan</antThinking>#",
    "[THINK]plan[/THINK]#",
    "[think]plan[/think]#",
    "◁think▷plan◁/think▷#",
    "<|begin_of_thought|>plan<|end_of_thought|><|begin_of_solution|>#<|end_of_solution|>",
    "<|START_THINKING|>plan<|END_THINKING|><|START_RESPONSE|>#<|END_RESPONSE|>",
    "<|channel>thought\nplan\n<channel|>#",
    "<unused94>thought\nplan<unused95>#",
    "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>#<|return|>",
    "<|channel|>analysis<|message|>plan<|channel|>final<|message|>#",
    "<|channel|>final<|message|>#<|return|>",
    "analysisThe user asks for hours.assistantfinal#",
    "Here is my thought process:\nplan\n\nHere is my response:\n#",
    "Thinking Process:\n1. plan\n\nFinal Answer: #",
    "Thought: I know it.\nAnswer: #",
    "<think></think>#",
    "<think>\n\n</think>\n\n#",
    "<think>plan</think><answer>#</answer>",
    "<think>plan</think>\n<response>#</response>",
    "<think>one<think>two</think>three</think>#",
    "<think>one<think>two<think>three</think></think>four</think>#",
    "<think>I should not write <think> again.</think>#",
    "<think>the tag is </thinking>#",
    "<think>plan<answer>#</answer>",
    "#<think>was that right?</think>",
    "We are <think>until when?</think>open until five.",
    "<think>one</think>We are <think>two</think>open until five.",
    "#<think>plan without an end",
    "<tool_response>{}</tool_response>#",
]
WITHOUT_BEGINNING = [
    "The caller wants hours. I must keep it short.\n</think>\n#",
    "Okay, the user is asking about opening hours.\n\n</think>\n\n#",
    "Hmm, so the customer wants to know when we open.</think>#",
    "We need to answer with the opening hours.</think>#",
    "User asks for the hours.</think>#",
    "I should keep it short.[/THINK]#",
    "I need to look at the hours first. They close at five.\n</think>\n#",
    "Okay. They want the opening hours.</reasoning>#",
    "Alright, let me think about this.</thinking>#",
    "The user's question is simple.</thought>#",
    "Der Anrufer fragt nach den Zeiten.</think>#",
    "L'utilisateur demande les horaires.</think>#",
    "</think>#",
    "The user wants hours.<|end|><|start|>assistant<|channel|>final<|message|>#",
]
CONTROL = [
    "#<|im_end|>",
    "#<|eot_id|>",
    "#</s>",
    "<s>#</s>",
    "#<|endoftext|>",
    "#<end_of_turn>",
    "#<end_of_turn>\n<start_of_turn>user\nAnd on Monday?",
    "#<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>\n<|im_start|>assistant",
    "<|im_start|>assistant\n#<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n#<|eot_id|>",
    "<start_of_turn>model\n#<end_of_turn>",
    "<|assistant|>#<|user|>And on Monday?",
    "[INST] When do you open? [/INST]#",
    "#[INST] And on Monday? [/INST]",
    "<<SYS>>Be short.<</SYS>>#",
    "<\uff5cend\u2581of\u2581sentence\uff5c>#",
    "#<\uff5cend\u2581of\u2581sentence\uff5c>",
    "#<|im_sep|>",
    "<|reserved_special_token_1|>#",
    "[gMASK]<sop>#",
    "#<eos>",
    "#<pad><pad>",
    "Assistant: #",
    "assistant\n\n#",
    "#<|end|>",
    "#<|eom_id|>",
    "#<turn|>",
]
PLAIN = [
    "I think so.",
    "Thinking about it, yes.",
    "If x < y and a > b, that is fine.",
    "It is 5 < 6.",
    "Say {name} and {date}, please.",
    "He said: {well} and left.",
    "Call us, or write to Anna <anna@clinic.example>.",
    "The clinic is open.",
    "The doctor sees you, sir.",
    "Okay, we can do that.",
    "Okay, the doctor is in.",
    "First, your name please.",
    "Now, the date of birth?",
    "Well, the calendar is full.",
    "Let me think. Tuesday works.",
    "I need your name.",
    "We need to see your card.",
    "Final question: your name?",
    "Analysis of the sample takes a day.",
    "finally, your name?",
    "The answer is 42.",
    "I love it <3 so much.",
    "A reason? There is none.",
    "Plan: we call you at nine.",
    "Response times are short.",
]


def said(text: str, size: int, **settings: bool) -> str:
    """What is to be said of a text that comes in deltas of so many characters."""
    model_text = ModelText(**settings)
    parts = [model_text.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return " ".join("".join([*parts, model_text.flush()]).split())


@pytest.mark.kind("thoughts in tags", inputs=len(SIZES))
@pytest.mark.parametrize("text", THOUGHTS)
def test_thoughts_are_not_said(text: str) -> None:
    assert {said(text.replace("#", ANSWER), size) for size in SIZES} == {ANSWER}


@pytest.mark.kind("thoughts without a beginning", inputs=len(SIZES))
@pytest.mark.parametrize("text", WITHOUT_BEGINNING)
def test_thoughts_whose_opening_tag_is_missing_are_not_said(text: str) -> None:
    assert {said(text.replace("#", ANSWER), size) for size in SIZES} == {ANSWER}


@pytest.mark.kind("control tokens", inputs=len(SIZES))
@pytest.mark.parametrize("text", CONTROL)
def test_control_tokens_and_turns_of_others_are_not_said(text: str) -> None:
    assert {said(text.replace("#", ANSWER), size) for size in SIZES} == {ANSWER}


@pytest.mark.kind("speech that looks like markup", inputs=len(SIZES))
@pytest.mark.parametrize("text", [*PLAIN, "The user manual is on our page.", "I need to see your card."])
def test_speech_is_said_though_it_looks_like_markup(text: str) -> None:
    assert {said(text, size) for size in SIZES} == {text}


@pytest.mark.parametrize("text", PLAIN)
def test_speech_passes_at_once(text: str) -> None:
    """But for its last word, which may become something else."""
    model_text = ModelText()
    passed = "".join(map(model_text.feed, text))
    assert len(passed) >= len(text) - len(text.split()[-1]) - 1


@pytest.mark.kind("thoughts without a beginning", inputs=2)
def test_a_prompt_that_opens_a_thought_is_known_to() -> None:
    assert said("No sign of it at all.</think>" + ANSWER, 4, thinks_first=True) == ANSWER
    assert said(ANSWER, 4, thinks_first=True) == ANSWER


@pytest.mark.parametrize("text", ["<think>plan", "The caller wants hours. I must", "Thought: I know", "[THINK]plan"])
def test_a_thought_that_the_limit_cuts_is_not_said(text: str) -> None:
    model_text = ModelText()
    assert model_text.feed(text) + model_text.flush(is_cut=True) == ""


def test_a_thought_without_a_beginning_is_reported() -> None:
    model_text = ModelText()
    model_text.feed("It said so.</think>Yes.")
    assert model_text.has_orphan_end


def test_tools_within_thoughts_are_not_asked_for() -> None:
    model_text = ModelText({"book": {}})
    model_text.feed('<think>Perhaps <tool_call>{"name": "book", "arguments": {}}</tool_call> or book()?</think>Yes.')
    model_text.feed('The user wants <tool_call>{"name": "book", "arguments": {}}</tool_call></think>Yes.')
    model_text.flush()
    assert model_text.calls == []


@pytest.mark.parametrize(
    ("prompt", "thinks"),
    [
        ("<|im_start|>assistant\n<think>\n", True),
        ("<|im_start|>assistantĊ<think>Ċ", True),
        ("[/INST][THINK]", True),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
        ("<|im_start|>assistant\n", False),
    ],
)
def test_a_prompt_tells_whether_the_reply_begins_in_a_thought(prompt: str, thinks: bool) -> None:
    assert ends_in_thought(prompt) is thinks


def test_phrases_hold_no_thoughts_whoever_wrote_the_text() -> None:
    phraser = Phraser()
    phrases = phraser.feed("<thought>plan</thought>We are open.") + phraser.flush()
    assert [phrase.spoken for phrase in phrases] == ["We are open."]


# --- any text ---------------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *(text.replace("#", " Yes. ") for text in (*THOUGHTS, *WITHOUT_BEGINNING, *CONTROL)),
        *PLAIN,
        *"<>[]{}()|/\"':,.\n ◁`",
        *(
            "<think>",
            "</think>",
            "<|",
            "|>",
            "[/",
            "THINK]",
            "```json\n",
            "```",
            '{"response": "Hi',
            "book(",
            "functions.",
        ),
        *(
            "functions.",
            "to=functions.",
            "book {",
            "Action: ",
            "assistantfinal",
            "analysisWe",
            "<|channel|>",
            "<|message|>",
            "final",
        ),
        *("Okay, ", "the user ", "The ", "<tool_call>", "</tool_call>", "<function=book>", "[TOOL", "_CALLS]", "[book"),
        *('{"name": "book", "arguments": {}}', 'book(day="x")', "Zoë", "\\", "call", '[{"', "</s", "Final Answer: "),
    ]
)
_TEXTS = st.lists(_PIECES | st.builds(lambda text, end: text[:end], _PIECES, st.integers(0, 30)), max_size=8).map(
    "".join
)


@given(_TEXTS, st.lists(st.integers(0, 40), max_size=40))
def test_what_is_said_does_not_depend_on_the_deltas(text: str, sizes: list[int]) -> None:
    def outcome(sizes: list[int]) -> tuple[str, list[object], bool]:
        model_text = ModelText({"book": {"day": "string"}})
        made, at = "", 0
        for size in sizes:
            made += model_text.feed(text[at : at + size])
            at += size
        made += model_text.feed(text[at:]) + model_text.flush()
        return made, list(model_text.calls), model_text.has_orphan_end

    assert outcome(sizes) == outcome([]) == outcome([1] * len(text))


@given(st.lists(st.text("abcdefgHIJKLéüßñж019", min_size=1, max_size=9).map(lambda word: word + " "), max_size=30))
def test_no_word_of_prose_is_lost(words: list[str]) -> None:
    text = "Good day, " + "".join(words)
    model_text = ModelText({"book": {}})
    assert model_text.feed(text) + model_text.flush() == text


@pytest.mark.parametrize(
    "unit", ["word ", "<", "[", "{", '{"', "<|", "`", "book(", "<think>", "</think>", '{"a": ', "\n"]
)
def test_a_megabyte_in_one_delta_takes_no_longer_than_its_parts(unit: str) -> None:
    """Each character is looked at a bounded number of times."""
    model_text = ModelText({"book": {}})
    model_text.feed(unit * (1_000_000 // len(unit)))
    model_text.flush()
    assert len(model_text._rest) < 1_000
    assert len(model_text._held) <= 5_000
