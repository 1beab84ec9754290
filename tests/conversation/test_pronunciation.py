"""Words that are said as the agent's dictionary has them, and kept as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import World

from ringline import Agent
from ringline.engine.agent import AgentError
from ringline.engine.conversation.actions import BotSaid
from ringline.engine.conversation.phrasing import Phrase, Word
from ringline.engine.conversation.pronunciation import Pronunciations
from ringline.ipc.messages import Speak


def said(dictionary: dict[str, str], *written: str) -> tuple[str, dict[str, str]]:
    phrase, phonemes = Pronunciations(dictionary).apply(Phrase(tuple(Word(word, word) for word in written), True))
    assert phrase.written == " ".join(written)
    return phrase.spoken, phonemes


@pytest.mark.parametrize("written", ["Siobhan", "siobhan", "SIOBHAN"])
def test_respelling_is_spoken_in_any_case(written: str) -> None:
    assert said({"Siobhan": "shi-vawn"}, "Dear", written) == ("Dear shi-vawn", {})


def test_marks_and_genitive_stay_around_the_word() -> None:
    assert said({"Siobhan": "shi-vawn"}, "“Siobhan’s,”")[0] == "“shi-vawn’s,”"
    assert said({"Siobhan": "shi-vawn"}, "Siobhan!")[0] == "shi-vawn!"


def test_part_of_a_word_is_no_word() -> None:
    assert said({"cat": "dog"}, "catalogue")[0] == "catalogue"


def test_ipa_goes_with_the_phrase_that_has_the_word() -> None:
    dictionary = {"Nguyen": "/wˈɪn/", "Siobhan": "shi-vawn /ʃɪvˈɔːn/"}
    assert said(dictionary, "Mister", "Nguyen,") == ("Mister Nguyen,", {"nguyen": "wˈɪn"})
    assert said(dictionary, "Siobhan") == ("shi-vawn", {"shi-vawn": "ʃɪvˈɔːn"})
    assert said(dictionary, "Good", "morning") == ("Good morning", {})


@pytest.mark.parametrize(
    "line", ['"two words" = "x"', 'word = ""', 'word = "a/b"', 'word = "//"', 'word = "two words /ɪpa/"']
)
def test_entry_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "agent.toml").write_text(f'name = "test"\n[pronunciations]\n{line}\n', encoding="utf-8")
    with pytest.raises(AgentError, match=r"agent\.toml"):
        Agent.load(tmp_path)


def test_agent_file_has_a_dictionary(tmp_path: Path) -> None:
    text = 'name = "test"\n[pronunciations]\nNguyen = "/wˈɪn/"\n'
    (tmp_path / "agent.toml").write_text(text, encoding="utf-8")
    assert Agent.load(tmp_path).pronunciations == {"Nguyen": "/wˈɪn/"}


def test_history_keeps_the_written_word() -> None:
    world = World(Agent("test", greeting="Siobhan speaking.", pronunciations={"Siobhan": "shi-vawn"}))
    world.answer()
    world.run(5000)
    assert next(action.text for action in world.actions if isinstance(action, Speak)) == "shi-vawn speaking."
    assert [action.text for action in world.actions if isinstance(action, BotSaid)] == ["Siobhan speaking."]
