"""What lies in the folder of a Whisper model in CTranslate2's format: the network, its tokenizer, its vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.models.folders import FOLDERS, problems
from ringline.workers.models.store import locate

EXTRA = "whisper"
NUM_ENGLISH_TOKENS = 50_256
"""Models of English alone have so many tokens of text; those of many languages have more."""


def find(model: str) -> Path:
    """The model's folder: a path, or a name in the store. Raises CannotStart."""
    folder = locate(model)
    if not folder.is_dir():
        raise CannotStart(f"[stt] model: {folder} is no folder")
    if what := problems(folder, FOLDERS["whisper"]):
        raise CannotStart(f"[stt] model: {folder} is no Whisper for CTranslate2: {'; '.join(what)}")
    return folder


def read_tokenizer(folder: Path) -> Any:
    """The tokenizer, of the package ``tokenizers``. Raises CannotStart."""
    file = folder / "tokenizer.json"
    try:
        return require("tokenizers", EXTRA).Tokenizer.from_file(str(file))
    except CannotStart:
        raise
    except Exception as error:  # those of tokenizers are plain
        raise CannotStart(f"[stt] model: {file} cannot be read: {error}") from error


def token_id(tokenizer: Any, token: str) -> int:
    """The number of one of Whisper's own tokens. Raises CannotStart."""
    number = tokenizer.token_to_id(token)
    if number is None:
        raise CannotStart(f"[stt] model: its tokenizer.json has no {token}: it is no Whisper")
    return int(number)


def is_multilingual(tokenizer: Any) -> bool:
    """Whether the model knows more languages than English. Raises CannotStart."""
    return token_id(tokenizer, "<|endoftext|>") > NUM_ENGLISH_TOKENS


def languages(tokenizer: Any) -> frozenset[str]:
    """The codes of the languages that the model knows. Raises CannotStart."""
    if not is_multilingual(tokenizer):
        return frozenset({"en"})
    known = range(token_id(tokenizer, "<|startoftranscript|>") + 1, token_id(tokenizer, "<|translate|>"))
    return frozenset(tokenizer.id_to_token(number).strip("<|>") for number in known)


def check_language(language: str, known: frozenset[str]) -> None:
    """Whether a model that knows these languages can be told to hear this one. Raises CannotStart."""
    if language not in ("", "auto", *known):
        raise CannotStart(f"[stt] language: this model does not know {language!r}")


def examine(model: str, language: str) -> str:
    """Whether the worker would find what it loads, without loading it. Returns what there is, in a few words.

    Raises CannotStart.
    """
    known = languages(read_tokenizer(find(model)))
    check_language(language, known)
    return f"{len(known)} languages" if len(known) > 1 else "English only"
