"""The tables of `bench.peers`, and what they come to."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.reporting import Result


def percentile(values: list[float], percent: float) -> float:
    """Not interpolated, so that what never happened (infinity) stays what it is; NaN without values."""
    return float(np.percentile(values, percent, method="higher")) if values else float("nan")


def show(result: Result, out: Console) -> None:
    """A table for each measure."""
    for peer, versions in result["versions"].items():
        out.print(f"[dim]{peer}: {', '.join(f'{name} {version}' for name, version in versions.items())}[/]")
    if "response" in result:
        _show_times(f"response, ms (stages: {result['stages']['sum_ms']})", result["response"], "response_ms", out)
    if "barge_in" in result:
        _show_times("barge-in: bot silent after, ms", result["barge_in"], "cut_ms", out)
    if "cost" in result:
        _show_cost(result["cost"], out)
    if "capacity" in result:
        _show_capacity(result["capacity"], out)
    for line in verdicts(result):
        out.print(line)


def _show_times(title: str, found: dict[str, Any], key: str, out: Console) -> None:
    table = Table(title, "p50", "p95", "p99", "max", "number", "caller in time")
    for name, one in found.items():
        values = one[key]
        number = f"{len(values)} of {one['turns']}" if "turns" in one else str(len(values))
        percentiles = [f"{percentile(values, percent):.0f}" for percent in (50, 95, 99, 100)]
        table.add_row(name, *percentiles, number, "yes" if one["valid"] else "no")
    out.print(table)


def _show_cost(found: dict[str, list[dict[str, float]]], out: Console) -> None:
    calls = [cost["calls"] for cost in next(iter(found.values()))]
    table = Table(
        "per call", *(f"{what}, {number} calls" for number in calls for what in ("cores listening", "speaking"))
    )
    table.add_column("PSS per further call, MB")
    for name, costs in found.items():
        cores = [f"{cost[what]:.3f}" for cost in costs for what in ("cores_listening", "cores_speaking")]
        table.add_row(name, *cores, f"{further_mb(costs):.1f}")
    out.print(table)


def further_mb(costs: list[dict[str, float]]) -> float:
    """What one call more adds to the memory of all processes, from the fewest to the most; NaN of one number."""
    first, last = costs[0], costs[-1]
    more = last["calls"] - first["calls"]
    return (last["pss_mb"] - first["pss_mb"]) / more if more else float("nan")


def _show_capacity(found: dict[str, Any], out: Console) -> None:
    table = Table(
        "capacity",
        "calls",
        "then",
        "response p50 / p95 of 1 call, ms",
        "... of so many",
        "cores",
        "MB per further call",
    )
    for name, one in found.items():
        within = [load for load in one["loads"] if load["calls"] <= one["capacity"]]
        first, last = one["loads"][0], (within or one["loads"])[-1]
        times = [f"{load['response_p50_ms']:.0f} / {load['response_p95_ms']:.0f}" for load in (first, last)]
        table.add_row(
            name,
            str(one["capacity"]),
            one["limit"] or "not reached",
            *times,
            f"{last['cores']:.2f}",
            f"{further_mb([first, last]):.1f}",
        )
    out.print(table)


def verdicts(result: Result) -> list[str]:
    """Ringline's figures as shares of the peers', each of its best set-up."""
    lines = []
    if "ringline" in result.get("response", {}):
        medians = {name: percentile(one["response_ms"], 50) for name, one in result["response"].items()}
        own = medians.pop("ringline")
        for name, median in medians.items():
            lines.append(f"response, median: {own / median:.2f} of that of {name}")
    if "ringline" in result.get("barge_in", {}):
        cuts = {name: percentile(one["cut_ms"], 50) for name, one in result["barge_in"].items()}
        own = cuts["ringline"]
        peers = {name: median for name, median in cuts.items() if not name.startswith("ringline")}
        if peers:
            best = min(peers, key=lambda name: peers[name])
            lines.append(f"barge-in, median: {own / peers[best]:.2f} of that of {best}, the best peer")
    capacity = result.get("capacity", {})
    if "ringline" in capacity:
        for peer in ("pipecat", "livekit"):
            most = max((one["capacity"] for name, one in capacity.items() if name.startswith(peer)), default=0)
            if most:
                lines.append(f"capacity: {capacity['ringline']['capacity'] / most:.1f} times that of {peer}")
    return lines
