from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ringline.tools.caller.script import DEFAULT_VOICE, Item, ScriptError, read_sound, render
from ringline.tools.caller.wire import parse_url

SLIN = parse_url("audiosocket://localhost:9092")
SLIN16 = parse_url("audiosocket://localhost:9092?rate=16000")
TWILIO = parse_url("twilio://localhost:8765/media")


def test_a_text_is_spoken() -> None:
    (rendered,) = render([Item(text="I would like an appointment")], SLIN)
    assert len(rendered.frames) > 40
    assert rendered.item.label == "I would like an appointment"


def test_another_voice_speaks_differently() -> None:
    item = Item(text="hello")
    (one,), (other,) = render([item], SLIN, DEFAULT_VOICE), render([item], SLIN, "en-us+f2")
    assert not np.array_equal(one.samples[:800], other.samples[:800])


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(ScriptError, match="klingon-x"):
        render([Item(text="hello")], SLIN, "klingon-x")


def test_slin_frames_hold_20_ms_behind_their_header(wav: Callable[..., str]) -> None:
    (narrow,), (wide,) = render([Item(wav=wav())], SLIN), render([Item(wav=wav())], SLIN16)
    assert {frame[:3] for frame in narrow.frames} == {b"\x10\x01\x40"}
    assert {len(frame) for frame in narrow.frames} == {323}
    assert {frame[:3] for frame in wide.frames} == {b"\x12\x02\x80"}
    assert {len(frame) for frame in wide.frames} == {643}


def test_twilio_frames_hold_160_bytes_of_mu_law_as_base64(wav: Callable[..., str]) -> None:
    (rendered,) = render([Item(wav=wav())], TWILIO)
    assert {len(frame) for frame in rendered.frames} == {216}


def test_the_audible_part_is_known_to_the_block(wav: Callable[..., str]) -> None:
    (rendered,) = render([Item(wav=wav(ms=100, lead_ms=50, tail_ms=200))], SLIN)
    assert rendered.first_sample == pytest.approx(400, abs=2)
    assert rendered.end_sample == 1_200


def test_the_last_frame_is_that_of_the_last_audible_sample(wav: Callable[..., str]) -> None:
    (rendered,) = render([Item(wav=wav(ms=100, tail_ms=500))], SLIN)
    assert len(rendered.frames) == 5


def test_other_rates_are_resampled(wav: Callable[..., str]) -> None:
    (rendered,) = render([Item(wav=wav(ms=500, rate_hz=44_100))], SLIN)
    assert rendered.end_sample == pytest.approx(4_000, abs=80)


def test_stereo_becomes_mono(wav: Callable[..., str]) -> None:
    samples, rate_hz = read_sound(wav(ms=100, channels=2))
    assert (samples.shape, rate_hz) == ((800,), 8_000)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_pcm_is_read(tmp_path: Path, width: int) -> None:
    path = tmp_path / "ramp.wav"
    loudest = {1: b"\xff", 2: b"\xff\x7f", 3: b"\xff\xff\x7f", 4: b"\xff\xff\xff\x7f"}[width]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, 8_000, 0, "NONE", ""))
        file.writeframes(loudest * 10)
    assert int(read_sound(path)[0][0]) >= 32_512


def test_a_format_of_another_kind_is_read(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "tone.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        tone = (8_000 * np.sin(np.arange(16_000) / 6)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="s16", layout="mono")
        frame.rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples, rate_hz = read_sound(path)
    assert rate_hz == 16_000
    np.testing.assert_array_equal(samples, tone)


def test_a_file_that_is_no_sound_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("not a sound at all")
    with pytest.raises(ScriptError, match=r"notes\.wav"):
        render([Item(wav=str(path))], SLIN)


def test_a_missing_file_is_refused_by_name() -> None:
    with pytest.raises(ScriptError, match="nowhere"):
        render([Item(wav="/nowhere.wav")], SLIN)


def test_a_silent_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    with pytest.raises(ScriptError, match="nothing in it can be heard"):
        render([Item(wav=str(path))], SLIN)


def test_keys_are_pressed_one_after_the_other() -> None:
    (rendered,) = render([Item(keys="1#a")], SLIN)
    assert rendered.digits == {0: "1", 10: "#", 20: "A"}
    assert len(rendered.frames) == 21
    assert rendered.end_sample == 20 * 160


def test_a_key_that_no_telephone_has_is_refused() -> None:
    with pytest.raises(ScriptError, match="X"):
        render([Item(keys="12X")], SLIN)


def test_an_item_is_one_thing() -> None:
    with pytest.raises(ScriptError, match="one of them"):
        render([Item(text="hello", keys="1")], SLIN)


def test_a_pause_lies_between_the_audible_parts() -> None:
    (short,), (long,) = (render([Item(text=f"I'd like [pause {ms}] an appointment")], SLIN) for ms in (100, 700))
    assert long.end_sample - short.end_sample == pytest.approx(600 * 8, abs=40)  # espeak-ng dithers
    assert short.item.label == "I'd like ... an appointment"


def test_a_text_may_have_several_pauses() -> None:
    (rendered,) = render([Item(text="one [pause 300] two [pause 300] three")], SLIN)
    blocks = rendered.samples[: rendered.end_sample].astype(float)
    is_silent = np.abs(blocks) < 50
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_silent, [False]]).astype(int)))
    assert sum(end - start >= 2_400 for start, end in edges.reshape(-1, 2).tolist()) == 2


def test_an_aside_is_said_over_the_bot() -> None:
    with pytest.raises(ScriptError, match="when"):
        render([Item(text="uh huh", aside=True)], SLIN)


def test_keys_sound_in_the_recording_as_on_a_telephone() -> None:
    (rendered,) = render([Item(keys="1")], SLIN)
    spectrum = np.abs(np.fft.rfft(rendered.samples[:800]))
    assert sorted((np.argsort(spectrum)[-2:] * 10).tolist()) == [700, 1_210]
