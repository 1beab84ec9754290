"""Llamas of random weights in llama.cpp's file format. They mostly write letters and spaces, and mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.models.llm_size import TINY, Size

CONTEXT = 8_192

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] or '' }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def write(path: Path, size: Size = TINY, is_quantised: bool = False) -> None:
    """Write a model to a file, in 32 or 8 bits. Its vocabulary is the 256 bytes, and tokens that nobody writes."""
    import gguf

    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2, *[gguf.TokenType.BYTE] * 256]
    unused = size.vocabulary - len(tokens)
    tokens += [f"[unused {number}]".encode() for number in range(unused)]
    kinds += [gguf.TokenType.UNUSED] * unused
    rng = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")

    def add(name: str, rows: int, columns: int, gain: np.ndarray[Any, Any] | None = None) -> None:
        weights = rng.standard_normal((rows, columns), np.float32) * np.float32(columns**-0.5)
        if gain is not None:
            weights *= gain[:, None]
        if is_quantised:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quantize(weights, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, weights)

    head = size.width // size.heads
    writer.add_name("random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(head)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if is_quantised else gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    likely = np.zeros(len(tokens), np.float32)
    likely[[3 + letter for letter in b"abcdefghijklmnopqrstuvwxyz ."]] = 8
    add("token_embd.weight", len(tokens), size.width)
    add("output.weight", len(tokens), size.width, likely)
    writer.add_tensor("output_norm.weight", np.ones(size.width, np.float32))
    for layer in range(size.layers):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", np.ones(size.width, np.float32))
        writer.add_tensor(f"{block}.ffn_norm.weight", np.ones(size.width, np.float32))
        add(f"{block}.attn_q.weight", size.width, size.width)
        add(f"{block}.attn_k.weight", size.heads_kv * head, size.width)
        add(f"{block}.attn_v.weight", size.heads_kv * head, size.width)
        add(f"{block}.attn_output.weight", size.width, size.width)
        add(f"{block}.ffn_gate.weight", size.feed_forward, size.width)
        add(f"{block}.ffn_up.weight", size.feed_forward, size.width)
        add(f"{block}.ffn_down.weight", size.width, size.feed_forward)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
