"""The command line in docs/vllm.md against vLLM's own flags."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ringline.engine.config import OpenAiLlm, parse

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "vllm.md").read_text(encoding="utf-8")


@pytest.fixture
def llm() -> OpenAiLlm:
    """The documented table."""
    found = re.search(r"```toml\n(.*?)```", DOC, re.DOTALL)
    assert found
    config = parse(found.group(1)).llm
    assert isinstance(config, OpenAiLlm)
    return config


def test_the_documented_command_line_is_one_command(llm: OpenAiLlm) -> None:
    assert shlex.split(llm.serve)[:3] == ["vllm", "serve", "{model}"]
    assert llm.priority == ("--scheduling-policy priority" in llm.serve)


def test_every_flag_on_the_page_is_one_that_vllm_has(llm: OpenAiLlm) -> None:
    known = set(Path(__file__).with_name("vllm_flags.txt").read_text(encoding="utf-8").split("\n")[1:])
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", DOC))
    assert len(named) > 10
    assert named <= known


def test_vllms_own_parser_takes_the_command_line(llm: OpenAiLlm) -> None:
    pytest.importorskip("vllm", reason="vLLM is not installed")
    from vllm.entrypoints.common.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    words = [word.format(model="tiny", host="127.0.0.1", port=8000) for word in shlex.split(llm.serve)[2:]]
    arguments = make_arg_parser(FlexibleArgumentParser()).parse_args(words)
    assert arguments.scheduling_policy == "priority"
    assert arguments.max_num_seqs == 64
