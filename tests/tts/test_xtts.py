"""XTTS: what is made of its chunks, and that the vendor's package takes the calls that are made."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tts_models import ScriptedXtts

from ringline.engine.config import XttsTts, load
from ringline.workers.base import CannotStart
from ringline.workers.tts.backend import Order
from ringline.workers.tts.computed import ComputedBackend
from ringline.workers.tts.xtts import XttsModel


def loaded(network: Any, **keys: Any) -> XttsModel:
    model = XttsModel(XttsTts(**keys), network)
    model.load()
    return model


@pytest.fixture
def started() -> Iterator[Callable[[ScriptedXtts], Any]]:
    backends: list[ComputedBackend] = []

    def start(network: ScriptedXtts) -> ComputedBackend:
        backends.append(ComputedBackend(XttsModel(XttsTts(), network), lambda: None))
        backends[-1].warm_up()
        return backends[-1]

    yield start
    for backend in backends:
        backend.close()


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    file = tmp_path / "anna.wav"
    file.write_bytes(b"RIFF")
    return file


def test_cloned_voices_are_known_from_the_start_and_computed_once(wav: Path) -> None:
    network = ScriptedXtts()
    model = loaded(network, voices={"anna": (str(wav),)}, voice="anna")
    model.check(Order("Hello."))
    model.check(Order("Hello.", "Claribel Dervla"))
    assert network.cloned == [[str(wav)]]


def test_voice_whose_recording_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"anna.*gone\.wav"):
        loaded(ScriptedXtts(), voices={"anna": (str(tmp_path / "gone.wav"),)})


def test_unknown_voice_and_language_are_named() -> None:
    model = loaded(ScriptedXtts())
    with pytest.raises(ValueError, match="nobody"):
        model.check(Order("Hello.", "nobody"))
    with pytest.raises(ValueError, match="`fi`"):
        model.check(Order("Hello.", language="fi"))


@pytest.mark.parametrize(("asked", "used"), [("", "en"), ("de-AT", "de"), ("zh", "zh-cn"), ("zh-CN", "zh-cn")])
def test_language_is_as_the_network_calls_it(started: Callable[..., Any], asked: str, used: str) -> None:
    network = ScriptedXtts()
    for _ in started(network).synthesize(Order("Hello there.", language=asked)):
        pass
    assert network.streamed[-1][:2] == ("Hello there.", used)


def test_first_chunk_is_handed_out_before_the_second_is_made(started: Callable[..., Any]) -> None:
    network = ScriptedXtts()
    backend = started(network)
    network.hold_after = 1
    parts: Iterator[Any] = backend.synthesize(Order("This is a sentence of some length."))
    first = next(part for part in parts if part is not None)
    assert isinstance(first, np.ndarray)
    assert network.num_chunks == 1
    network.go.set()
    assert [part for part in parts if part is not None]


def test_cancelled_phrase_frees_the_network_at_its_next_chunk(started: Callable[..., Any]) -> None:
    network = ScriptedXtts()
    backend = started(network)
    network.hold_after = 1
    phrase: Any = backend.synthesize(Order("This is a sentence of some length; nobody hears its end."))
    next(part for part in phrase if part is not None)
    phrase.close()
    network.go.set()
    for _ in backend.synthesize(Order("Hello.")):
        pass
    assert network.num_unfinished == 1


def test_recordings_lie_relative_to_the_configuration_file(tmp_path: Path) -> None:
    text = '[tts]\nbackend = "xtts"\n[tts.voices]\nanna = ["voices/anna.wav"]\n'
    (tmp_path / "ringline.toml").write_text(text, encoding="utf-8")
    tts = load(tmp_path / "ringline.toml").tts
    assert isinstance(tts, XttsTts)
    assert tts.voices == {"anna": (str(tmp_path / "voices" / "anna.wav"),)}


def test_file_of_the_model_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CannotStart, match=r"model\.pth"):
        XttsModel(XttsTts(model=str(tmp_path))).load()


def test_vendors_methods_take_what_they_are_called_with() -> None:
    package = importlib.util.find_spec("TTS")
    if package is None or not package.submodule_search_locations:
        pytest.skip("coqui-tts is not installed")
    file = Path(package.submodule_search_locations[0]) / "tts" / "models" / "xtts.py"
    source = ast.parse(file.read_text(encoding="utf-8"))
    (xtts,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "Xtts"]
    methods = {
        node.name: [arg.arg for arg in node.args.args] for node in xtts.body if isinstance(node, ast.FunctionDef)
    }
    assert methods["load_checkpoint"][1:3] == ["config", "checkpoint_dir"]
    assert "eval" in methods["load_checkpoint"]
    assert methods["get_conditioning_latents"][1] == "audio_path"
    assert methods["inference_stream"][1:5] == ["text", "language", "gpt_cond_latent", "speaker_embedding"]
    assert "speed" in methods["inference_stream"]
