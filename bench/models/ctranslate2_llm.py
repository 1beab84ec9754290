"""Decoders of random weights as CTranslate2 model folders, with the architecture and sizes of real ones.

The vocabulary is bytes, whatever its size: what such a model writes means nothing, but costs what the real one's would.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.models.llm_size import TINY, Size

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>")

TEMPLATE = (
    "{% if tools %}<|im_start|>tools\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content or '' }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write(folder: Path, size: Size = TINY, quantization: str = "int8", favoured: str = "abcdefghijklmnop .") -> None:
    """Write a model. It mostly writes the ``favoured`` characters; empty: any token."""
    from ctranslate2.specs import common_spec, transformer_spec

    tokenizer = _tokenizer()
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        size.layers, size.heads, activation=common_spec.Activation.SWISH, pre_norm=True, ffn_glu=True, rms_norm=True,
        rotary_dim=0, rotary_interleave=False, rotary_base=1_000_000, num_heads_kv=size.heads_kv,
    )  # fmt: skip
    rng = np.random.default_rng(1)

    def linear(target: Any, rows: int, columns: int, bias: bool = False) -> None:
        target.weight = rng.standard_normal((rows, columns), np.float32) * np.float32(columns**-0.5)
        if bias:
            target.bias = np.zeros(rows, np.float32)

    decoder = spec.decoder
    decoder.scale_embeddings = False
    linear(decoder.embeddings, size.vocabulary, size.width)
    linear(decoder.projection, size.vocabulary, size.width)
    if favoured:
        loud = [tokenizer.token_to_id(tokenizer.encode(letter).tokens[0]) for letter in favoured]
        decoder.projection.weight[loud] *= 8
        decoder.projection.weight[: len(SPECIAL)] = 0
    decoder.layer_norm.gamma = np.ones(size.width, np.float32)
    head = size.width // size.heads
    for layer in decoder.layer:
        layer.self_attention.layer_norm.gamma = np.ones(size.width, np.float32)
        layer.ffn.layer_norm.gamma = np.ones(size.width, np.float32)
        linear(layer.self_attention.linear[0], size.width + 2 * size.heads_kv * head, size.width, bias=True)
        linear(layer.self_attention.linear[1], size.width, size.width)
        linear(layer.ffn.linear_0, size.feed_forward, size.width)
        linear(layer.ffn.linear_0_noact, size.feed_forward, size.width)
        linear(layer.ffn.linear_1, size.width, size.feed_forward)
    known = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])]
    spec.register_vocabulary(known + [f"<extra_id_{n}>" for n in range(size.vocabulary - len(known))])
    spec.config.bos_token = spec.config.unk_token = SPECIAL[0]
    spec.config.eos_token = SPECIAL[2]
    spec.config.layer_norm_epsilon = 1e-6
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"chat_template": TEMPLATE, "eos_token": SPECIAL[2]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _tokenizer() -> Any:
    """Bytes as tokens, in the form of GPT-2 and Qwen, and the special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = {token: number for number, token in enumerate((*SPECIAL, *alphabet))}
    tokenizer = Tokenizer(models.BPE(vocab=tokens, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL[:3]])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in SPECIAL[3:]])
    return tokenizer
