"""pocketsphinx: an HMM recogniser for small domains, with the model of its wheel.

A grammar from the flow makes it fast and sure enough for a phone menu; without one it takes free dictation, far worse.
Dictation takes a second to load and 65 MB a decoder, so it is there from the start, or not at all.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ringline.engine.config import PocketsphinxStt
from ringline.ipc.messages import Transcribe
from ringline.workers.base import CannotStart
from ringline.workers.stt.agreement import agreed_words, stable_characters
from ringline.workers.stt.backend import Samples, Stream
from ringline.workers.stt.dictionary import pronunciation, unknown_words
from ringline.workers.stt.overlap_grammar import overlap_grammar
from ringline.workers.stt.telephone_features import HIGH_HZ, LIFTER, LOW_HZ, NUM_BANDS, TelephoneFeatures
from ringline.workers.working import working_on

log = logging.getLogger("ringline.stt.pocketsphinx")

RATE_HZ = 16_000
MAX_GRAMMARS = 48
"""Compiled grammars a decoder keeps: an agent has about half as many states, and each may need two."""
PARTIAL_MS = 100
"""Audio between two looks at the hypothesis: a few words a second are spoken."""

GRAMMAR_WEIGHT = 2.0
WORD_PENALTY = 1e-6
"""Best of a grid over the clinic's phrases in nine voices and over telephone digits (bench/recognition.py). The beams
are wide, which costs little with small grammars: pocketsphinx's own prune the right path away on telephone audio.
Best-path rescoring is off, because with grammars it yields beginnings of sentences, or nothing."""

DICTATION_WEIGHT = 6.5
"""pocketsphinx's own, for its language model."""

_DICTATION = "dictation"
_SPHINX_BANDS = {"lowerf": "133.33334", "upperf": "6855.4976", "nfilt": "40"}
"""Edges and number of mel bands that a model has which does not say."""


def _parameters(model: Path) -> dict[str, str]:
    """What a model's feat.params says of its front end."""
    lines = (model / "feat.params").read_text().splitlines()
    return {name: value.strip() for name, value in (line[1:].split(None, 1) for line in lines if line.startswith("-"))}


def _is_ours(parameters: dict[str, str]) -> bool:
    """Whether our features are those the model was trained on."""
    bands = (float(parameters.get(name, default)) for name, default in _SPHINX_BANDS.items())
    return tuple(bands) == (LOW_HZ, HIGH_HZ, NUM_BANDS) and parameters.get("lifter") == str(LIFTER)


@contextmanager
def _for_our_features(model: str) -> Iterator[Path]:
    """The model's folder with its front end switched off where ours does the work (telephone_features.py). A model of
    other bands keeps its own, with a running mean.

    What stands in a model's feat.params prevails over any setting, so this takes a folder of links with another one.
    """
    import pocketsphinx

    source = Path(model or pocketsphinx.get_model_path("en-us/en-us"))
    with tempfile.TemporaryDirectory(prefix="ringline-model-") as folder:
        for file in source.iterdir():
            if file.name != "feat.params":
                (Path(folder) / file.name).symlink_to(file.resolve())
        parameters = _parameters(source)
        parameters |= {"cmn": "none", "remove_noise": "no"} if _is_ours(parameters) else {"cmn": "live"}
        text = "".join(f"-{name} {value}\n" for name, value in parameters.items())
        (Path(folder) / "feat.params").write_text(text)
        yield Path(folder)


class _Decoder:
    """One pocketsphinx decoder and the grammars it has compiled."""

    def __init__(self, model: Path, dictation: bool) -> None:
        import pocketsphinx

        config = pocketsphinx.Config(
            hmm=str(model), loglevel="FATAL", lm=None, bestpath=False, lw=GRAMMAR_WEIGHT, wip=WORD_PENALTY,
            beam=1e-80, wbeam=1e-60, pbeam=1e-80,
        )  # fmt: skip
        config["lm"] = None
        self.pocketsphinx: Any = pocketsphinx.Decoder(config)
        self.has_front_end = not _is_ours(_parameters(model))
        """It takes audio; else it takes our features."""
        self._grammars: OrderedDict[str, None] = OrderedDict()
        self._refused: set[str] = set()
        self._dictation = dictation
        if dictation:
            self.pocketsphinx.config["lw"] = DICTATION_WEIGHT
            self.pocketsphinx.add_lm_file(_DICTATION, pocketsphinx.get_model_path("en-us/en-us.lm.bin"))
            self.pocketsphinx.config["lw"] = GRAMMAR_WEIGHT  # for the grammars to come

    def select(self, grammar: str, overlap: bool = False) -> None:
        """Make ``grammar`` the active search; with ``overlap``, one that knows what listeners say over the bot.

        Where it is empty or no grammar: dictation, or, without that, what listeners say.
        """
        if grammar and self._activate(grammar, overlap):
            return
        if self._dictation:
            self.pocketsphinx.activate_search(_DICTATION)
        else:
            self._activate("", overlap=True)

    def _activate(self, grammar: str, overlap: bool) -> bool:
        key = hashlib.sha256(f"{overlap}{grammar}".encode()).hexdigest()[:16]
        if key in self._refused:
            return False
        if key not in self._grammars and not self._compile(key, grammar, overlap):
            self._refused.add(key)
            return False
        self._grammars.move_to_end(key)
        self.pocketsphinx.activate_search(key)
        return True

    def _compile(self, key: str, grammar: str, overlap: bool) -> bool:
        for word in unknown_words(grammar, self._knows):
            self._learn(word)
        try:
            self.pocketsphinx.add_jsgf_string(key, overlap_grammar(grammar, self._knows) if overlap else grammar)
        except (RuntimeError, ValueError) as error:
            log.error("a grammar cannot be compiled, speech is recognised without it: %s", error)
            return False
        self._grammars[key] = None
        while len(self._grammars) > MAX_GRAMMARS:
            oldest, _ = self._grammars.popitem(last=False)
            self.pocketsphinx.remove_search(oldest)
        return True

    def _learn(self, word: str) -> None:
        """Put a word into the dictionary: one that it lacks would have the whole grammar refused."""
        phones = pronunciation(word)
        try:
            self.pocketsphinx.add_word(word, phones, True)
        except (RuntimeError, ValueError):  # a model of other phones
            log.error("the dictionary has no word %r, and the model not all of its phones (%s)", word, phones)

    def _knows(self, word: str) -> bool:
        return self.pocketsphinx.lookup_word(word) is not None


class PocketsphinxStream:
    """One utterance on one decoder of the pool."""

    def __init__(self, backend: PocketsphinxBackend, decoder: _Decoder, overlap: bool = False, call: int = 0) -> None:
        self.partial = ""
        self.stable = 0
        self.final: str | None = None
        self.confidence = 0.0
        self.other_words: float | None = None
        self.closed_vocabulary = True
        self._backend = backend
        self._decoder: _Decoder | None = decoder
        self._overlap = overlap
        self._call = call
        self._best = ""
        """The hypothesis when it was looked at last, whether or not a sentence may end there."""
        self._features = None if decoder.has_front_end else TelephoneFeatures()
        self._begun = False
        self._num_samples = 0
        self._next_partial = RATE_HZ * PARTIAL_MS // 1000

    def feed(self, samples: Samples) -> None:
        if self._decoder is None or self.final is not None or samples.size == 0:
            return
        if not self._begun:
            self._decoder.pocketsphinx.start_utt()
            self._begun = True
        self._decode(samples)
        self._num_samples += samples.size
        if self._num_samples >= self._next_partial:
            self._next_partial = self._num_samples + RATE_HZ * PARTIAL_MS // 1000
            best = self._hypothesis()
            self.stable = stable_characters(best, agreed_words(self._best, best))
            # A wrong guess that is gone 100 ms later would cut the bot off for good.
            if not self._overlap or best == self._best:
                self.partial = best
            self.stable = min(self.stable, len(self.partial))
            self._best = best

    def finalise(self, due_ns: int = 0) -> None:
        if self._decoder is None or self.final is not None:
            return
        if self._begun:
            self._decode(np.zeros(0, np.int16), last=True)
            self._best = self._hypothesis()
        self._end()
        self.final = self._hypothesis() if self._num_samples else ""
        if not self.final and not self._overlap:
            self.final = self._best  # they broke off in the middle of a sentence
        self.partial = self.final
        self.confidence = 0.5 if self.final else 0.0

    def close(self) -> None:
        if self._decoder is not None:
            self._end()
            self._backend.give_back(self._decoder)
            self._decoder = None

    def _decode(self, samples: Samples, last: bool = False) -> None:
        assert self._decoder is not None
        sphinx = self._decoder.pocketsphinx
        with working_on((self._call,)):
            if self._features is not None:
                cepstra = self._features.feed(samples, last)
                if cepstra.shape[0]:
                    sphinx.process_cep(cepstra.tobytes())
            elif samples.size:
                sphinx.process_raw(samples.tobytes())

    def _end(self) -> None:
        if self._begun and self._decoder is not None:
            self._begun = False
            self._decoder.pocketsphinx.end_utt()

    def _hypothesis(self) -> str:
        assert self._decoder is not None
        hypothesis = self._decoder.pocketsphinx.hyp()
        return hypothesis.hypstr.lower() if hypothesis else ""


class PocketsphinxBackend:
    """`SttBackend` on a pool of pocketsphinx decoders, made when they are first needed."""

    pool = None

    def __init__(self, config: PocketsphinxStt, dictation: bool = False) -> None:
        """``dictation``: whether the agent's brain may ask for it, by giving no grammar."""
        self._config = config
        self._dictation = dictation
        self._free: list[_Decoder] = []
        self._num_made = 0
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            raise CannotStart("The pocketsphinx backend needs the package pocketsphinx: pip install it.") from error
        pocketsphinx.set_loglevel("FATAL")
        try:
            # Dictation loads for so long that no decoder can be made while calls wait.
            made = [self._make() for _ in range(self._config.decoders if self._dictation else 1)]
        except (RuntimeError, OSError) as error:
            raise CannotStart(f"[stt] model: pocketsphinx cannot load {self._config.model or 'its model'}") from error
        *self._free, decoder = made
        decoder.select("#JSGF V1.0;\ngrammar warm_up;\npublic <word> = yes | no;\n")
        stream = PocketsphinxStream(self, decoder)
        stream.feed(np.zeros(RATE_HZ // 2, np.int16))
        stream.finalise()
        stream.close()

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        with self._lock:
            if self._free:
                decoder = self._free.pop()
            elif self._num_made < self._config.decoders:
                decoder = self._make()
            else:
                return None
        decoder.select(request.expect.grammar, request.overlap)
        return PocketsphinxStream(self, decoder, request.overlap, request.call)

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        """Nothing is left to do: streams decode as they are fed."""
        return None

    def give_back(self, decoder: _Decoder) -> None:
        with self._lock:
            self._free.append(decoder)

    def _make(self) -> _Decoder:
        with _for_our_features(self._config.model) as model:
            decoder = _Decoder(model, self._dictation)
        self._num_made += 1
        return decoder
