"""What it costs to move 20 ms of audio to another process, and to wake that process up.

    python -m bench.ipc [--seed N] [--json] [--plot PNG]    (about a quarter of a minute)

The contenders take turns within one run, in a new order each round, so that a noisy machine is noisy for all of them.

- *One process*: write a frame (320 samples, int16) and read it, on the same thread: the cost in instructions.
- *Two processes*: another process is told to write a batch as fast as it can, and this one reads it; wall time per
  frame. The rings are read by spinning here, which takes a processor: in Ringline their readers look when a clock or
  a message tells them.
- *Wake-up*: from just before the sender's call to the receiver's next line of Python, with 0.5 to 1.5 ms between two,
  so that the receiver sleeps. ``receiver_cpu`` is the share of a processor that the waiting costs.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing as mp
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.ipc_bells import Bell, bells
from bench.ipc_movers import FRAME_SAMPLES, LINE_WORDS, Mover, Ring, movers, ring_compiled
from bench.reporting import Result, options_of, tell
from ringline.ipc.bus import EngineBus, WorkerBus
from ringline.ipc.messages import FromWorker, SpeechStarted

ONE_PROCESS_ROUNDS, ONE_PROCESS_FRAMES = 40, 300
TWO_PROCESS_ROUNDS, TWO_PROCESS_FRAMES = 40, 1000
WAKE_ROUNDS, WAKE_RINGS = 12, 50
WARM_UP_ROUNDS = 3
MIN_PAUSE_S, MAX_PAUSE_S = 0.0005, 0.0015
COMPILED = "ring, from compiled code"
BUS = "our bus (zmq, msgspec, uvloop)"
WORKER = "bench"

Results = dict[str, list[float]]


def partner(orders: Any, moving: list[Mover], ringing: list[Bell], bus_address: str, seed: int) -> None:
    """The other process: writes frames and rings bells as it is told."""
    chance = random.Random(seed)
    frame: Any = np.arange(FRAME_SAMPLES, dtype=np.int16)
    bus = WorkerBus(bus_address, WORKER)
    by_name: dict[str, Callable[[], None]] = {bell.name: bell.ring for bell in ringing}
    by_name[BUS] = lambda: bus.send(SpeechStarted(1, 1, time.monotonic_ns()))
    writers = {mover.name: mover for mover in moving}
    while (order := orders.recv()) is not None:
        kind, name, count = order
        if kind == "move":
            write = writers[name].write
            for _ in range(count):
                write(frame)
        else:
            for _ in range(count):
                time.sleep(chance.uniform(MIN_PAUSE_S, MAX_PAUSE_S))
                by_name[name]()
    bus.close()


def one_process(moving: list[Mover], chance: random.Random) -> Results:
    """Nanoseconds per frame, written and read, one value a round."""
    frame: Any = np.arange(FRAME_SAMPLES, dtype=np.int16)
    target: Any = np.empty(FRAME_SAMPLES, np.int16)
    own = Ring(4)
    words, samples = own.words, own.samples
    assert words.shape[0] == LINE_WORDS

    def through_python(mover: Mover) -> Callable[[], None]:
        def run() -> None:
            for _ in range(ONE_PROCESS_FRAMES):
                mover.write(frame)
                mover.read(target)

        return run

    runs: list[tuple[str, Callable[[], Any]]] = [(mover.name, through_python(mover)) for mover in moving]
    runs.append((COMPILED, lambda: ring_compiled(words, samples, frame, ONE_PROCESS_FRAMES)))
    results: Results = {name: [] for name, _ in runs}
    for number in range(WARM_UP_ROUNDS + ONE_PROCESS_ROUNDS):
        for name, run in chance.sample(runs, len(runs)):
            start_ns = time.perf_counter_ns()
            run()
            if number >= WARM_UP_ROUNDS:
                results[name].append((time.perf_counter_ns() - start_ns) / ONE_PROCESS_FRAMES)
    return results


def two_processes(moving: list[Mover], orders: Any, chance: random.Random) -> Results:
    """Nanoseconds per frame from one process to the other, one value a round."""
    target: Any = np.empty(FRAME_SAMPLES, np.int16)
    results: Results = {mover.name: [] for mover in moving}
    for number in range(WARM_UP_ROUNDS + TWO_PROCESS_ROUNDS):
        for mover in chance.sample(moving, len(moving)):
            start_ns = time.perf_counter_ns()
            orders.send(("move", mover.name, TWO_PROCESS_FRAMES))
            for _ in range(TWO_PROCESS_FRAMES):
                mover.read(target)
            if number >= WARM_UP_ROUNDS:
                results[mover.name].append((time.perf_counter_ns() - start_ns) / TWO_PROCESS_FRAMES)
            if target[-1] != FRAME_SAMPLES - 1:
                raise AssertionError(f"{mover.name} delivered something else")
    return results


def wake_ups(
    ringing: list[Bell], bus: EngineBus, runner: asyncio.Runner, orders: Any, chance: random.Random
) -> tuple[Results, dict[str, float]]:
    """Microseconds from ring to wake-up, all of them; and the processor's share that waiting took."""

    def listen(bell: Bell) -> list[float]:
        delays: list[float] = []
        while len(delays) < WAKE_RINGS:
            times = bell.wait()
            now_ns = time.monotonic_ns()
            delays.extend((now_ns - then_ns) / 1e3 for then_ns in times)
        return delays

    delivered: list[float] = []
    complete = asyncio.Event()

    def on_message(_: str, message: FromWorker) -> None:
        assert isinstance(message, SpeechStarted)
        delivered.append((time.monotonic_ns() - message.time_ns) / 1e3)
        if len(delivered) == WAKE_RINGS:
            complete.set()

    async def start() -> None:
        bus.start(on_message)

    runner.run(start())

    def listen_on_bus() -> list[float]:
        delivered.clear()
        complete.clear()
        runner.run(_wait(complete))
        return list(delivered)

    listeners: list[tuple[str, Callable[[], list[float]]]] = [
        (bell.name, lambda bell=bell: listen(bell))  # type: ignore[misc]
        for bell in ringing
    ]
    listeners.append((BUS, listen_on_bus))
    results: Results = {name: [] for name, _ in listeners}
    cpu_s = dict.fromkeys(results, 0.0)
    wall_s = dict.fromkeys(results, 0.0)
    for number in range(1 + WAKE_ROUNDS):
        for name, wait in chance.sample(listeners, len(listeners)):
            orders.send(("wake", name, WAKE_RINGS))
            wall, cpu = time.perf_counter(), time.process_time()
            delays = wait()
            if number:
                wall_s[name] += time.perf_counter() - wall
                cpu_s[name] += time.process_time() - cpu
                results[name].extend(delays)
    return results, {name: cpu_s[name] / wall_s[name] for name in results}


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def summary(results: Results, against: str, digits: int) -> dict[str, dict[str, float]]:
    """Percentiles, and the ratio of the medians to one contender's."""
    base = float(np.median(results[against]))
    found = {}
    for name, values in results.items():
        p50, p90, p99 = (round(float(p), digits) for p in np.percentile(values, (50, 90, 99)))
        found[name] = {"p50": p50, "p90": p90, "p99": p99, "ratio": round(float(np.median(values)) / base, 2)}
    return found


def measure(options: argparse.Namespace) -> Result:
    """Everything, in one run."""
    chance = random.Random(options.seed)
    spawn = mp.get_context("spawn")
    moving, ringing = movers(2 * TWO_PROCESS_FRAMES), bells()
    bus = EngineBus(f"bench-{uuid.uuid4().hex}")
    orders, theirs = spawn.Pipe()
    other = spawn.Process(target=partner, args=(theirs, moving, ringing, bus.address, options.seed), daemon=True)
    other.start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        across = two_processes(moving, orders, chance)
        delays, cpu = wake_ups(ringing, bus, runner, orders, chance)
        orders.send(None)
        other.join()
        bus.close()
    # Last, and on fresh objects: a pipe or a queue is used from both ends here.
    within = one_process(movers(8), chance)
    wake = summary(delays, BUS, 1)
    for name, share in cpu.items():
        wake[name]["receiver_cpu"] = round(share, 3)
    return {
        "seed": options.seed,
        "one_process_ns": summary(within, "ring", 0),
        "two_processes_ns": summary(across, "ring", 0),
        "wake_up_us": wake,
    }


TITLES = {
    "one_process_ns": "One process: ns to write and read a 20 ms frame (320 samples)",
    "two_processes_ns": "Two processes: ns per 20 ms frame, as fast as it goes",
    "wake_up_us": "Wake-up of another process: us one way",
}


def show(result: Result, out: Console) -> None:
    """The tables, the cheapest first."""
    for key, title in TITLES.items():
        rows = sorted(result[key].items(), key=lambda row: row[1]["p50"])
        table = Table("", *rows[0][1], title=title)
        for name, values in rows:
            table.add_row(name, *(f"{value:,.10g}" for value in values.values()))
        out.print(table)


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along."""
    across = {name: values["p50"] / 1e3 for name, values in result["two_processes_ns"].items()}
    others = ", ".join(f"{name} {us:.1f} us" for name, us in across.items() if name != "ring")
    return {
        "20 ms through a ring, between processes": f"{across['ring']:.1f} us ({others})",
        "one-way wake-up over the bus": f"median {result['wake_up_us'][BUS]['p50']:.0f} us",
    }


def plot(result: Result, path: Path) -> None:
    """Bars of the medians, on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(TITLES), 1, figsize=(9, 10), dpi=110, layout="constrained")
    for axis, (key, title) in zip(axes, TITLES.items(), strict=True):
        rows = sorted(result[key].items(), key=lambda row: -row[1]["p50"])
        axis.barh([name for name, _ in rows], [values["p50"] for _, values in rows])
        axis.set_xscale("log")
        axis.set_title(title)
    figure.savefig(path)


if __name__ == "__main__":
    given = options_of(__doc__).parse_args()
    tell(measure(given), given, show, plot)
