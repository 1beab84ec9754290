"""How large a decoder is."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """Of a decoder like Llama or Qwen2."""

    layers: int
    width: int
    heads: int
    heads_kv: int
    feed_forward: int
    vocabulary: int


TINY = Size(2, 32, 4, 2, 64, 320)
QWEN25_05B = Size(24, 896, 14, 2, 4_864, 151_936)
"""That of Qwen2.5-0.5B."""
