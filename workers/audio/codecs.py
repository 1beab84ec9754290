"""The encodings of telephone wires: slin (s16 little-endian) and G.711 mu-law and A-law.

G.711 is table look-up both ways: 256 int16 values to decode, 65,536 bytes to encode. The tables follow the decision
and output values of ITU-T G.711, scaled to 16 bits. Mu-law encodes by magnitude, as Asterisk does, so that +1 and -1
both become zero; CPython's ``audioop`` floors negative samples to 14 bits first and makes -1 a step of -8, which turns
the last bit's noise into audible idle noise. A-law is the same in both.
"""

from __future__ import annotations

import numpy as np

from ringline.ipc.jit import compiled

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]
Payload = np.ndarray[tuple[int], np.dtype[np.uint8]]

SLIN = 0
MULAW = 1
ALAW = 2

ENCODINGS = {"slin": SLIN, "mulaw": MULAW, "alaw": ALAW}
"""Name, as in `WireFormat.encoding`, to the code that the kernels take."""

_MULAW_BIAS = 33 << 2
_MULAW_CLIP = (8159 << 2) - 1


def _mulaw_decode_table() -> Samples:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0xF) << 3) + _MULAW_BIAS) << ((code >> 4) & 7)) - _MULAW_BIAS
    table: Samples = np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    return table


def _mulaw_encode_table() -> Payload:
    sample = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int64)
    biased = np.minimum(np.abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    segment = np.floor(np.log2(biased)).astype(np.int64) - 7  # 0 to 7: biased lies in [2**7, 2**15)
    code = (segment << 4) | ((biased >> (segment + 3)) & 0xF)
    table: Payload = (~np.where(sample < 0, code | 0x80, code) & 0xFF).astype(np.uint8)
    return table


def _alaw_decode_table() -> Samples:
    code = np.arange(256) ^ 0x55
    segment = (code >> 4) & 7
    step = ((code & 0xF) << 4) + 8
    magnitude = np.where(segment == 0, step, (step + 0x100) << np.maximum(segment - 1, 0))
    table: Samples = np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
    return table


def _alaw_encode_table() -> Payload:
    sample = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int64)
    # Ones' complement: the intervals below zero mirror those above, and neither side has a zero of its own to lose.
    magnitude = np.where(sample < 0, ~sample, sample) >> 3
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int64) - 4, 0)
    code = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 0xF)
    table: Payload = (np.where(sample < 0, code, code | 0x80) ^ 0x55).astype(np.uint8)
    return table


MULAW_DECODE = _mulaw_decode_table()
"""int16 [256], indexed by the byte."""
MULAW_ENCODE = _mulaw_encode_table()
"""uint8 [65536], indexed by the sample's 16 bits as an unsigned number."""
ALAW_DECODE = _alaw_decode_table()
"""int16 [256], indexed by the byte."""
ALAW_ENCODE = _alaw_encode_table()
"""uint8 [65536], indexed by the sample's 16 bits as an unsigned number."""


@compiled
def sample_bytes(encoding_code: int) -> int:
    """Bytes in one sample."""
    return 2 if encoding_code == SLIN else 1


@compiled
def decode_into(payload: Payload, encoding_code: int, target: Samples) -> int:
    """Decode uint8 ``payload`` into int16 ``target``, as far as both reach. Returns the number of samples.

    ``sample_bytes(encoding_code)`` bytes were consumed for each; an odd last byte of slin is left for the next time.
    """
    if encoding_code == SLIN:
        count = min(payload.shape[0] >> 1, target.shape[0])
        for i in range(count):
            low, high = np.uint16(payload[2 * i]), np.uint16(payload[2 * i + 1])
            target[i] = np.int16(low | (high << np.uint16(8)))
        return count
    count = min(payload.shape[0], target.shape[0])
    if encoding_code == MULAW:
        for i in range(count):
            target[i] = MULAW_DECODE[payload[i]]
    else:
        for i in range(count):
            target[i] = ALAW_DECODE[payload[i]]
    return count


@compiled
def encode_into(samples: Samples, encoding_code: int, target: Payload) -> int:
    """Encode int16 ``samples`` into uint8 ``target``, as many whole samples as fit. Returns the number of bytes."""
    if encoding_code == SLIN:
        count = min(samples.shape[0], target.shape[0] >> 1)
        for i in range(count):
            bits = np.uint16(samples[i])
            target[2 * i] = np.uint8(bits & np.uint16(0xFF))
            target[2 * i + 1] = np.uint8(bits >> np.uint16(8))
        return 2 * count
    count = min(samples.shape[0], target.shape[0])
    if encoding_code == MULAW:
        for i in range(count):
            target[i] = MULAW_ENCODE[np.uint16(samples[i])]
    else:
        for i in range(count):
            target[i] = ALAW_ENCODE[np.uint16(samples[i])]
    return count


def encoding_code(encoding: str) -> int:
    """The code of an encoding's name. Raises ValueError for a name that is none."""
    code = ENCODINGS.get(encoding)
    if code is None:
        raise ValueError(f"{encoding!r} is no encoding; there are {', '.join(ENCODINGS)}")
    return code


def decode(payload: bytes | bytearray | memoryview, encoding: str) -> Samples:
    """The int16 samples in a wire's payload; slin's odd last byte is ignored. Raises ValueError for ``encoding``."""
    source = np.frombuffer(payload, np.uint8)
    code = encoding_code(encoding)
    if code == SLIN:
        return np.frombuffer(payload, "<i2", count=source.shape[0] // 2).astype(np.int16)
    samples: Samples = (MULAW_DECODE if code == MULAW else ALAW_DECODE)[source]
    return samples


def encode(samples: Samples, encoding: str) -> bytes:
    """The wire's payload for int16 samples. Raises ValueError for ``encoding``."""
    code = encoding_code(encoding)
    if code == SLIN:
        return samples.astype("<i2", copy=False).tobytes()
    table = MULAW_ENCODE if code == MULAW else ALAW_ENCODE
    return table[samples.astype(np.int16, copy=False).view(np.uint16)].tobytes()
