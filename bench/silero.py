"""What Silero VAD costs per window of 32 ms, for many calls: the network as Ringline runs it, and as its file has it.

    python -m bench.silero [--streams 1 8 32 64] [--seed 1] [--json] [--plot PNG]

file     the ONNX file in faster-whisper's wheel as it is: one call of the network per stream
batch    the same file with its convolutions, its LSTM's time axis turned into one of streams: one call for all
ours     written anew with one product of matrices per layer (workers/capture/silero_graph.py): one call for all

The three take turns; all run on one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from rich.console import Console
from rich.table import Table

from bench.reporting import Result, options_of, tell
from ringline.workers.capture import silero
from ringline.workers.capture.silero import MEMORY, SileroModel
from ringline.workers.capture.windows import CONTEXT, WINDOW

ROUNDS = 60
WARM_UP = 5


def _session(source: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _turned(source: bytes) -> bytes:
    """The file with the Transpose before its LSTM turned: streams where it had windows."""
    model = onnx.load_from_string(source)
    next(node for node in model.graph.node if node.name == "/Transpose").attribute[0].ints[:] = (2, 0, 1)
    for value in (*model.graph.input, *model.graph.output):
        if value.name in ("h", "c", "hn", "cn"):
            value.type.tensor_type.shape.dim[1].dim_param = "streams"
    model.graph.ClearField("value_info")
    turned: bytes = model.SerializeToString()
    return turned


def measure(options: argparse.Namespace) -> Result:
    """Median microseconds per window, by number of streams."""
    source = silero._bundled_file().read_bytes()
    file, batch, ours = _session(source), _session(_turned(source)), SileroModel()
    rng = np.random.default_rng(options.seed)
    rows = []
    for streams in options.streams:
        windows = (0.1 * rng.standard_normal((streams, CONTEXT + WINDOW))).astype(np.float32)
        memory = np.zeros((2, streams, MEMORY), np.float32)
        one = np.zeros((1, 1, MEMORY), np.float32)

        def each(windows: Any = windows, one: Any = one) -> None:
            for window in windows:
                file.run(None, {"input": window[None], "h": one, "c": one})

        runs: dict[str, Callable[[], object]] = {
            "file": each,
            "batch": lambda windows=windows, memory=memory: batch.run(
                None, {"input": windows, "h": memory[:1], "c": memory[1:]}
            ),
            "ours": lambda windows=windows, memory=memory: ours.run(windows, memory),
        }
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(WARM_UP + ROUNDS):
            for name, run in runs.items():
                began_s = time.perf_counter()
                run()
                if number >= WARM_UP:
                    spent[name].append((time.perf_counter() - began_s) * 1e6 / streams)
        rows.append({"streams": streams} | {name: float(np.median(values)) for name, values in spent.items()})
    return {"us_per_window": rows}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("us per window", "file", "batch", "ours", "file : ours")
    for row in result["us_per_window"]:
        cells = (f"{row[name]:.1f}" for name in ("file", "batch", "ours"))
        table.add_row(f"{row['streams']} streams", *cells, f"{row['file'] / row['ours']:.1f}")
    out.print(table)


def headlines(result: Result) -> dict[str, str]:
    """The figure to take along: that of the most streams."""
    row = max(result["us_per_window"], key=lambda row: row["streams"])
    figure = f"{row['ours']:.0f} us ({row['file'] / row['ours']:.1f} times as fast as its file)"
    return {f"VAD, per window of 32 ms, {row['streams']} calls": figure}


def plot(result: Result, path: Path) -> None:
    """Cost per window over the number of streams."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rows = result["us_per_window"]
    streams = [row["streams"] for row in rows]
    figure, axes = pyplot.subplots(figsize=(8, 4), dpi=110, layout="constrained")
    for name in ("file", "batch", "ours"):
        axes.plot(streams, [row[name] for row in rows], "o-", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(streams, [str(number) for number in streams])
    axes.set(xlabel="calls at once", ylabel="us per window of 32 ms", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 32, 64])
    given = parser.parse_args()
    tell(measure(given), given, show, plot)
