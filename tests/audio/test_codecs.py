import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers.audio import codecs

EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)
EVERY_BYTE = bytes(range(256))

# ITU-T G.711, tables 1a to 2b, scaled to 16 bits: largest and smallest output values of either sign.
MULAW_VECTORS = [(0xFF, 0), (0x7F, 0), (0xFE, 8), (0x7E, -8), (0xEF, 132), (0x80, 32_124), (0x00, -32_124)]
ALAW_VECTORS = [(0xD5, 8), (0x55, -8), (0xD4, 24), (0xC5, 264), (0xAA, 32_256), (0x2A, -32_256)]


@pytest.fixture
def audioop():
    if sys.version_info >= (3, 13):
        pytest.skip("audioop left the standard library with Python 3.13")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    return audioop


@pytest.mark.parametrize(
    ("encoding", "code", "value"),
    [("mulaw", *vector) for vector in MULAW_VECTORS] + [("alaw", *vector) for vector in ALAW_VECTORS],
)
def test_decodes_the_values_of_the_recommendation(encoding, code, value):
    assert codecs.decode(bytes([code]), encoding).tolist() == [value]


@pytest.mark.parametrize(("encoding", "decoder"), [("mulaw", "ulaw2lin"), ("alaw", "alaw2lin")])
def test_decodes_every_byte_as_audioop_does(audioop, encoding, decoder):
    expected = np.frombuffer(getattr(audioop, decoder)(EVERY_BYTE, 2), np.int16)
    assert codecs.decode(EVERY_BYTE, encoding).tolist() == expected.tolist()


def test_encodes_every_sample_in_alaw_as_audioop_does(audioop):
    assert codecs.encode(EVERY_SAMPLE, "alaw") == audioop.lin2alaw(EVERY_SAMPLE.tobytes(), 2)


def test_encodes_mulaw_as_audioop_does_where_audioop_does_not_round(audioop):
    exact = EVERY_SAMPLE[(EVERY_SAMPLE >= 0) | (EVERY_SAMPLE % 4 == 0)]  # the others it floors to 14 bits first
    assert codecs.encode(exact, "mulaw") == audioop.lin2ulaw(exact.tobytes(), 2)


def test_mulaw_treats_both_signs_alike():
    positive = np.frombuffer(codecs.encode(np.arange(1, 32_768).astype(np.int16), "mulaw"), np.uint8)
    negative = np.frombuffer(codecs.encode((-np.arange(1, 32_768)).astype(np.int16), "mulaw"), np.uint8)
    assert np.array_equal(positive ^ 0x80, negative)


def test_mulaw_keeps_the_last_bits_noise_silent():
    assert codecs.decode(codecs.encode(np.array([-1, 0, 1], np.int16), "mulaw"), "mulaw").tolist() == [0, 0, 0]


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_a_louder_sample_never_decodes_quieter(encoding):
    assert (np.diff(codecs.decode(codecs.encode(EVERY_SAMPLE, encoding), encoding).astype(int)) >= 0).all()


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_a_second_pass_changes_nothing(encoding):
    once = codecs.decode(codecs.encode(EVERY_SAMPLE, encoding), encoding)
    assert np.array_equal(codecs.decode(codecs.encode(once, encoding), encoding), once)


def test_slin_is_little_endian():
    assert codecs.encode(np.array([0x0102, -2], np.int16), "slin") == b"\x02\x01\xfe\xff"
    assert codecs.decode(b"\x02\x01\xfe\xff", "slin").tolist() == [0x0102, -2]


def test_an_odd_last_byte_of_slin_is_left():
    target = np.full(4, 7, np.int16)
    assert codecs.decode_into(np.frombuffer(b"\x01\x00\x02", np.uint8), codecs.SLIN, target) == 1
    assert target.tolist() == [1, 7, 7, 7]
    assert codecs.decode(b"\x01\x00\x02", "slin").tolist() == [1]


@pytest.mark.parametrize("encoding", ["slin", "mulaw", "alaw"])
@settings(deadline=None)  # the first example compiles
@given(samples=st.lists(st.integers(-32_768, 32_767), max_size=100), room=st.integers(0, 120))
def test_the_kernels_agree_with_the_functions_and_stay_in_their_room(encoding, samples, room):
    source = np.array(samples, np.int16)
    code = codecs.encoding_code(encoding)
    payload = np.full(room + 8, 0xEE, np.uint8)
    num_bytes = codecs.encode_into(source, code, payload[:room])
    count = min(len(samples), room // codecs.sample_bytes(code))
    assert num_bytes == count * codecs.sample_bytes(code)
    assert payload[:num_bytes].tobytes() == codecs.encode(source[:count], encoding)
    assert (payload[num_bytes:] == 0xEE).all()
    target = np.full(room + 8, 77, np.int16)
    num_samples = codecs.decode_into(payload[:num_bytes], code, target[:room])
    assert num_samples == count
    assert np.array_equal(target[:count], codecs.decode(payload[:num_bytes].tobytes(), encoding))
    assert (target[count:] == 77).all()


def test_an_unknown_encoding_is_named():
    with pytest.raises(ValueError, match="'opus' is no encoding"):
        codecs.decode(b"", "opus")
    with pytest.raises(ValueError, match="'opus' is no encoding"):
        codecs.encode(np.zeros(1, np.int16), "opus")
