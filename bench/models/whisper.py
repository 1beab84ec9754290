"""Whisper models for CTranslate2 of any size, with random weights, that say what they are told.

All is as in a real one: format, layers, vocabulary and special tokens. Only the weights are random, and the decoder's
position table is so strong that it alone decides which word comes where, and when the sentence ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import msgspec
import numpy as np
import tokenizers
from faster_whisper.tokenizer import _LANGUAGE_CODES

NUM_TEXT_TOKENS = {True: 50_257, False: 50_256}
"""By whether the model is multilingual: what stands before ``<|endoftext|>``."""
NUM_TIMESTAMPS = 1_501
POSITIONS = 448
STRENGTH = 30.0
"""Of a position's word beside what the layers add, each with a variance of about 1."""


class Shape(msgspec.Struct, frozen=True):
    """A Whisper's size."""

    layers: int
    width: int
    heads: int


TINY, BASE, SMALL = Shape(4, 384, 6), Shape(6, 512, 8), Shape(12, 768, 12)
MINI = Shape(1, 64, 2)
"""For tests."""


def write_whisper(
    folder: Path, shape: Shape = MINI, says: str = "", multilingual: bool = False, seed: int = 1,
    quantization: str = "int8", free: Sequence[int] = (),
) -> Path:  # fmt: skip
    """Write a model into ``folder`` (model.bin, config.json, vocabulary.json, tokenizer.json). Returns the folder.

    It says the words of ``says``, whatever it hears; but the words with an index in ``free`` are decided by what it
    hears.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    tokens, tokenizer = _vocabulary(says.split(), multilingual)
    spec = ctranslate2.specs.WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    width = shape.width
    scale = 20 / width  # so that the word meant is all but certain, whatever the width
    embeddings = rng.normal(0, scale, (len(tokens), width)).astype(np.float32)
    _encoder(spec.encoder, width, rng)
    _decoder(spec.decoder, width, rng, embeddings)
    start = 1 + 2 * multilingual
    sentence = [*tokenizer.encode(says, add_special_tokens=False).ids, tokens.index("<|endoftext|>")]
    positions = rng.normal(0, 0.01, (POSITIONS, width)).astype(np.float32)
    for index, token in enumerate(sentence):
        if index not in free:
            positions[start + index] = STRENGTH / scale * embeddings[token]
    positions[start + len(sentence) :] = STRENGTH / scale * embeddings[sentence[-1]]
    spec.decoder.position_encodings.encodings = positions
    spec.register_vocabulary(tokens)
    languages = [tokens.index(f"<|{code}|>") for code in _LANGUAGE_CODES[:99]] if multilingual else []
    spec.config.lang_ids = languages
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.alignment_heads = [(shape.layers - 1, head) for head in range(shape.heads)]
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _vocabulary(words: Sequence[str], multilingual: bool) -> tuple[list[str], tokenizers.Tokenizer]:
    """All tokens by number, and the tokenizer: the words of the sentence are tokens, all others are made up."""
    text = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    for word in words:
        left = "Ġ"
        for letter in word:
            if (left, letter) not in merges:
                merges.append((left, letter))
            left += letter
            if left not in text:
                text.append(left)
    size = NUM_TEXT_TOKENS[multilingual]
    text += [f"Ġw{number}" for number in range(size - len(text))]
    special = [
        "<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES[:99]),
        "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    ]  # fmt: skip
    times = [f"<|{index * 0.02:.2f}|>" for index in range(NUM_TIMESTAMPS)]
    vocabulary = {token: number for number, token in enumerate(text)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([*special, *times])
    return [*text, *special, *times], tokenizer


def _encoder(spec: ctranslate2.specs.whisper_spec.WhisperEncoderSpec, width: int, rng: np.random.Generator) -> None:
    _convolution(spec.conv1, 80, width, rng)
    _convolution(spec.conv2, width, width, rng)
    spec.position_encodings.encodings = _sinusoids(1_500, width)
    _norm(spec.layer_norm, width)
    for layer in spec.layer:
        _attention(layer.self_attention, width, rng)
        _feed_forward(layer.ffn, width, rng)


def _decoder(
    spec: ctranslate2.specs.transformer_spec.TransformerDecoderSpec, width: int, rng: np.random.Generator,
    embeddings: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:  # fmt: skip
    spec.embeddings.weight = embeddings
    spec.projection.weight = embeddings
    _norm(spec.layer_norm, width)
    for layer in spec.layer:
        _attention(layer.self_attention, width, rng)
        _attention(layer.attention, width, rng, gain=3.0)
        _feed_forward(layer.ffn, width, rng)


def _attention(
    spec: ctranslate2.specs.attention_spec.MultiHeadAttentionSpec,
    width: int,
    rng: np.random.Generator,
    gain: float = 1.0,
) -> None:
    _norm(spec.layer_norm, width)
    sizes = (3, 1) if len(spec.linear) == 2 else (1, 2, 1)
    for linear, size in zip(spec.linear, sizes, strict=True):
        _linear(linear, width, size * width, rng)
        linear.weight *= gain


def _feed_forward(
    spec: ctranslate2.specs.transformer_spec.FeedForwardSpec, width: int, rng: np.random.Generator
) -> None:
    _norm(spec.layer_norm, width)
    _linear(spec.linear_0, width, 4 * width, rng)
    _linear(spec.linear_1, 4 * width, width, rng)


def _linear(
    spec: ctranslate2.specs.common_spec.LinearSpec, inputs: int, outputs: int, rng: np.random.Generator
) -> None:
    spec.weight = rng.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
    spec.bias = np.zeros(outputs, np.float32)


def _convolution(
    spec: ctranslate2.specs.common_spec.Conv1DSpec, inputs: int, outputs: int, rng: np.random.Generator
) -> None:
    spec.weight = rng.normal(0, (3 * inputs) ** -0.5, (outputs, inputs, 3)).astype(np.float32)
    spec.bias = np.zeros(outputs, np.float32)


def _norm(spec: ctranslate2.specs.common_spec.LayerNormSpec, width: int) -> None:
    spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def _sinusoids(length: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Whisper's position encodings of the encoder."""
    scales = np.exp(-np.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(length)[:, None] * scales[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
