"""Files that people write, from whatever editor they come."""

from __future__ import annotations

import codecs
from pathlib import Path

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class TextFileError(ValueError):
    """A file is no text; the message names file and line, and says what to do."""


def read_text(path: str | Path) -> str:
    """A file's text: UTF-8 with or without a byte order mark, or UTF-16 with one; any ends of lines become ``\\n``.

    Raises TextFileError for anything else, as it would be guesswork; OSError if the file cannot be read.
    """
    content = Path(path).read_bytes()
    encoding = "utf-8"
    for mark, marked in _MARKS:
        if content.startswith(mark):
            content, encoding = content.removeprefix(mark), marked
            break
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x} is not {encoding.upper().removesuffix('-LE').removesuffix('-BE')}"
        raise TextFileError(f"{path}, line {line}: {found}: save the file as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextFileError(f"{path}, line {line}: a NUL, which no text has: save the file as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
