"""What a model's folder must hold, by backend: the store goes by it, and so does the backend that opens it.

Only what a backend opens is asked for, under any name by which it finds it. So a folder that was put together by hand,
or converted by another tool, is as good as one that was pulled.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

_LFS_POINTER = b"version https://git-lfs"


class Part(msgspec.Struct, frozen=True):
    """Something that must be there, as a file by any of these names."""

    what: str
    names: tuple[str, ...]
    """Patterns, below the folder."""

    def files(self, folder: Path) -> list[Path]:
        """The files that are it."""
        return [file for file in self._named(folder) if not _is_pointer(file)]

    def problem(self, folder: Path) -> str:
        """What is wrong with it in a folder; empty: nothing is."""
        named = self._named(folder)
        if any(not _is_pointer(file) for file in named):
            return ""
        if named:
            return f"{named[0].relative_to(folder)} only points to the file in Git LFS (`git lfs pull` fetches it)"
        return f"{self.what} ({' or '.join(self.names)}) is missing"

    def _named(self, folder: Path) -> list[Path]:
        found = {file for name in self.names for file in folder.glob(name) if file.is_file()}
        return sorted(found)


KOKORO_NETWORK = Part("the network", ("*.onnx", "onnx/*.onnx", "*.pth"))
KOKORO_VOICES = Part(
    "voices", tuple(f"{folder}*{suffix}" for folder in ("voices/", "") for suffix in (".bin", ".npy", ".npz", ".pt"))
)

FOLDERS: dict[str, tuple[Part, ...]] = {
    "whisper": (
        Part("the network", ("model.bin",)),
        Part("the tokenizer", ("tokenizer.json",)),
        Part("the vocabulary", ("vocabulary.json", "vocabulary.txt")),  # CTranslate2 itself opens it
    ),
    "sherpa": (
        *(Part(f"the {part}", (f"{part}*.onnx",)) for part in ("encoder", "decoder", "joiner")),
        Part("the tokens", ("tokens.txt",)),
    ),
    "ctranslate2": tuple(
        Part(what, (name,))
        for what, name in (
            ("the network", "model.bin"),
            ("its description", "config.json"),
            ("the tokenizer", "tokenizer.json"),
            ("the tokenizer's description", "tokenizer_config.json"),
        )
    ),
    "openai": (Part("the network", ("*.gguf",)),),
    "kokoro": (KOKORO_NETWORK, KOKORO_VOICES),  # and its alphabet, unless the network holds that itself
    "piper": (Part("a voice", ("*.onnx",)), Part("its description", ("*.onnx.json",))),
    "xtts": tuple(
        Part(what, (name,))
        for what, name in (
            ("the network", "model.pth"),
            ("its description", "config.json"),
            ("the vocabulary", "vocab.json"),
        )
    ),
    "smart_turn": (Part("the network", ("*.onnx",)),),
}


def problems(folder: Path, parts: tuple[Part, ...]) -> list[str]:
    """What is wrong with a folder, one text each; empty: it holds all that it must."""
    return [problem for part in parts if (problem := part.problem(folder))]


def _is_pointer(file: Path) -> bool:
    """Whether only Git LFS's stand-in for the file was cloned."""
    if file.stat().st_size > 1024:
        return False
    with file.open("rb") as content:
        return content.read(len(_LFS_POINTER)) == _LFS_POINTER
