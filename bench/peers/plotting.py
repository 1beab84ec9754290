"""Pictures of `bench.peers`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.reporting import Result


def plot(result: Result, path: Path) -> None:
    """What was measured, side by side: distributions of times, and response over the number of calls."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    panels = [name for name in ("response", "barge_in", "capacity") if name in result]
    figure, all_axes = pyplot.subplots(
        1, max(1, len(panels)), figsize=(6 * max(1, len(panels)), 4.5), dpi=110, layout="constrained", squeeze=False
    )
    for name, axes in zip(panels, all_axes[0], strict=False):
        if name == "capacity":
            for system, one in result[name].items():
                calls = [load["calls"] for load in one["loads"]]
                axes.plot(calls, [load["response_p95_ms"] for load in one["loads"]], "o-", label=system)
            axes.set(title="response p95 by calls at once, ms", ylim=(0, 1500), xlabel="calls")
            axes.set_xscale("log", base=2)
        else:
            key = "response_ms" if name == "response" else "cut_ms"
            for system, one in result[name].items():
                values = np.sort(np.array([value for value in one[key] if np.isfinite(value)]))
                share = np.arange(1, len(values) + 1) / max(1, len(one[key]))
                axes.step(values, share, where="post", label=system)
            title = "response on the wire" if name == "response" else "bot silent after the caller's first sound"
            axes.set(title=f"{title}, ms (share of turns)", ylim=(0, 1), xlim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.suptitle(f"{result['machine']['cores']} cores, caller included")
    figure.savefig(path)
