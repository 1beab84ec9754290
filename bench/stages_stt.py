"""Recognition: how long after the last word the final is there; and Whisper beside faster-whisper.

Calls speak at the pace of a line, each half a second after the one before. Whisper has the true size of base.en, but
random weights: it costs what base.en costs, and says a sentence it was told. `WhisperModel.transcribe` gets the same
model, the same audio and one core; both do the same in turn, and medians are compared.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.table import Table

from bench.processes import memory_mb
from bench.stages import Row, in_a_process, percentile
from ringline.engine.config import PocketsphinxStt, SttConfig, SyntheticStt, WhisperStt
from ringline.ipc.messages import Transcribe
from ringline.workers.stt import make_backend

RATE_HZ, FRAME = 16_000, 320
SPEECH_S = 3.0
ASKED_AFTER_S = 0.12
"""The final is asked for so long after the last word, as `draft_after_ms` has it by default."""
STAGGER_S = 0.5
LIMIT_S = 30.0
SENTENCE = "i would like to book an appointment"
"""As many words as are said in `SPEECH_S`, at 150 a minute. Each costs as much with one as with the other."""
CALLS = (1, 4, 16)
BATCHES = (1, 2, 4, 8, 16)

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


def rows(rounds: int) -> list[Row]:
    """All backends, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="ringline-bench-") as folder:
        in_a_process(_write_model, folder)
        whisper = WhisperStt(model=folder, compute_type="int8", device="cpu")
        found: list[Row] = []
        configs: list[tuple[str, SttConfig]] = [
            ("synthetic", SyntheticStt()),
            ("pocketsphinx", PocketsphinxStt(decoders=16)),
            ("whisper base.en int8, random weights", whisper),
        ]
        for name, config in configs:
            found += [in_a_process(_call, name, config, calls, max(2, rounds // 4)) for calls in CALLS]
        return [*found, *in_a_process(_side_by_side, folder, rounds)]


def table(rows: list[Row]) -> Table:
    """For people."""
    shown = Table("backend", "calls", "final p50 ms", "p95 ms", "more", title="STT")
    for row in rows:
        more = ", ".join(f"{name} {value}" for name, value in row.more.items())
        shown.add_row(row.backend, str(row.calls), f"{row.p50_ms:.0f}", f"{row.p95_ms:.0f}", more)
    return shown


def speech(seed: int) -> Samples:
    """`SPEECH_S` of noise that rises and falls like syllables, to the last sample: only what it costs matters."""
    rng = np.random.default_rng(seed)
    count = int(SPEECH_S * RATE_HZ)
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE_HZ)
    return (3_000 * envelope * rng.standard_normal(count)).clip(-32_768, 32_767).astype(np.int16)


def _write_model(folder: str) -> None:
    from bench.models.whisper import BASE, write_whisper

    write_whisper(Path(folder), BASE, SENTENCE)


def _call(name: str, config: SttConfig, calls: int, rounds: int) -> Row:
    """``calls`` at the same time, ``rounds`` times."""
    woken = threading.Event()
    backend = make_backend(config, wake=woken.set)
    backend.warm_up()
    batches = _count_batches(backend)
    finals: list[float] = []
    firsts: list[float] = []
    cpu_s = time.process_time()
    for _ in range(rounds):
        some_finals, some_firsts = _round(backend, woken, calls)
        finals += some_finals
        firsts += some_firsts
    cpu_s = time.process_time() - cpu_s
    audio_s = calls * rounds * (SPEECH_S + ASKED_AFTER_S)
    more: dict[str, int | float | str] = {
        "first partial ms": round(median(firsts)) if firsts else "-",
        "CPU s per s": round(cpu_s / audio_s, 3),
        "RSS MB": round(memory_mb(os.getpid())[0]),
    }
    if batches:
        more["batch"] = f"{sum(batches) / len(batches):.1f} (at most {max(batches)})"
    waited = 1e3 * ASKED_AFTER_S
    p50 = percentile(finals, 50)
    parts = {"asked for": waited, "final": max(0.0, p50 - waited)}
    return Row("stt", name, calls, p50, percentile(finals, 95), parts, more)


def _clocks() -> tuple[float, float]:
    """Seconds: wall, CPU."""
    return time.perf_counter(), time.process_time()


def _round(
    backend: Any, woken: threading.Event, calls: int, on_asked: Callable[[], Any] = lambda: None
) -> tuple[list[float], list[float]]:
    """Milliseconds from the end of speech to the final, and from its start to the first partial. ``on_asked``: called
    when a final is about to be asked for."""
    silence = np.zeros(int((ASKED_AFTER_S + 0.5) * RATE_HZ), np.int16)
    audio = [np.concatenate([speech(index), silence]) for index in range(calls)]
    streams: list[Any] = [None] * calls
    position, asked = [0] * calls, [False] * calls
    finals: dict[int, float] = {}
    firsts: dict[int, float] = {}
    began = time.monotonic()
    while len(finals) < calls:
        now = time.monotonic() - began
        if now > LIMIT_S:
            raise TimeoutError(f"{calls - len(finals)} finals are missing after {LIMIT_S} s")
        for index in range(calls):
            said = int((now - index * STAGGER_S) * RATE_HZ) // FRAME * FRAME
            if said <= 0 or index in finals:
                continue
            if streams[index] is None:
                streams[index] = backend.open(Transcribe(index, 0, 1, 0, language="en"), time.monotonic_ns())
            if not asked[index]:
                end = min(said, int((SPEECH_S + ASKED_AFTER_S) * RATE_HZ))
                streams[index].feed(audio[index][position[index] : end])
                position[index] = end
                if end >= (SPEECH_S + ASKED_AFTER_S) * RATE_HZ:
                    asked[index] = True
                    on_asked()
                    streams[index].finalise(time.monotonic_ns())
        open_streams = [stream for index, stream in enumerate(streams) if stream is not None and index not in finals]
        backend.step(open_streams, time.monotonic_ns())
        now = time.monotonic() - began
        for index, stream in enumerate(streams):
            if stream is None or index in finals:
                continue
            if stream.partial and index not in firsts:
                firsts[index] = 1e3 * (now - index * STAGGER_S)
            if stream.final is not None:
                finals[index] = 1e3 * (now - index * STAGGER_S - SPEECH_S)
                stream.close()
        woken.wait(0.005)
        woken.clear()
    return list(finals.values()), list(firsts.values())


def _count_batches(backend: Any) -> list[int]:
    """The sizes of the batches to come, for backends on a pool."""
    sizes: list[int] = []
    if backend.pool is not None:
        run = backend.pool._run

        def counted(jobs: Any) -> None:
            sizes.append(len(jobs))
            run(jobs)

        backend.pool._run = counted
    return sizes


def _side_by_side(folder: str, rounds: int) -> list[Row]:
    """`WhisperModel.transcribe` and the pool, on one core, in turn."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from faster_whisper import WhisperModel

    woken = threading.Event()
    backend: Any = make_backend(
        WhisperStt(model=folder, compute_type="int8", device="cpu", partial_ms=0), wake=woken.set
    )
    backend.warm_up()
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
    audio = speech(0)
    wide = audio.astype(np.float32) / 32_768

    spoken_woken = threading.Event()
    spoken: Any = make_backend(WhisperStt(model=folder, compute_type="int8", device="cpu"), wake=spoken_woken.set)
    spoken.warm_up()

    def as_spoken() -> tuple[float, float]:
        """One call at the pace of a line. Wall and CPU time from the moment that the final is asked for."""
        asked = [0.0, 0.0]
        _round(spoken, spoken_woken, 1, lambda: asked.__setitem__(slice(None), _clocks()))
        wall_s, cpu_s = _clocks()
        return wall_s - asked[0], cpu_s - asked[1]

    def timed(task: Any) -> tuple[float, float]:
        wall_s, cpu_s = _clocks()
        task()
        now_wall_s, now_cpu_s = _clocks()
        return now_wall_s - wall_s, now_cpu_s - cpu_s

    def ours(calls: int) -> None:
        """Nothing of the audio was looked at before the final is asked for."""
        streams = [backend.open(Transcribe(call, 0, 1, 0, language="en"), 0) for call in range(calls)]
        for stream in streams:
            stream.feed(audio)
        for stream in streams:
            stream.finalise()
        while any(stream.final is None for stream in streams):
            woken.wait(1.0)
            woken.clear()
            backend.step(streams, time.monotonic_ns())
        assert all(stream.final == SENTENCE for stream in streams)

    def plain(calls: int, **settings: Any) -> None:
        def one() -> None:
            segments, _ = model.transcribe(wide, language="en", **settings)
            assert any(SENTENCE in segment.text for segment in segments)

        threads = [threading.Thread(target=one) for _ in range(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    greedy = {"beam_size": 1, "temperature": 0.0, "without_timestamps": True}
    tasks: dict[tuple[str, int], Any] = {}
    for calls in BATCHES:
        tasks["pool, cold", calls] = lambda calls=calls: timed(lambda: ours(calls))
    tasks["pool, as spoken", 1] = as_spoken
    tasks["transcribe, defaults", 1] = lambda: timed(lambda: plain(1))
    for calls in (1, 8):
        tasks["transcribe, greedy", calls] = lambda calls=calls: timed(lambda: plain(calls, **greedy))
    cpu: dict[tuple[str, int], list[float]] = defaultdict(list)
    wall: dict[tuple[str, int], list[float]] = defaultdict(list)
    for number in range(-1, rounds):
        for key, task in tasks.items():
            wall_s, cpu_s = task()
            if number < 0:
                continue  # the first time is slower
            wall[key].append(1e3 * wall_s)
            cpu[key].append(1e3 * cpu_s)
    found = []
    for (name, calls), values in wall.items():
        spent = median(cpu[name, calls])
        more: dict[str, int | float | str] = {"CPU ms": round(spent), "CPU ms per call": round(spent / calls)}
        for rival in ("transcribe, defaults", "transcribe, greedy"):
            if name.startswith("pool") and (rival, calls) in wall:
                ratio, cpu_ratio = median(wall[rival, calls]) / median(values), median(cpu[rival, calls]) / spent
                more[f"times faster than {rival}"] = f"{ratio:.1f} (CPU {cpu_ratio:.1f})"
        found.append(Row("stt", f"3 s, one core: {name}", calls, median(values), percentile(values, 95), {}, more))
    return found
