"""Stacks that a sampling profiler saw: who was at work, in which library or system call, and a flame graph of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import msgspec

Stack = tuple[str, ...]
"""Function names, outermost first."""


class PerfSample(msgspec.Struct, frozen=True):
    """One sample of `perf`."""

    pid: int
    tid: int
    frames: tuple[tuple[str, str], ...]
    """(symbol, file it lies in), innermost first."""

    @property
    def subsystem(self) -> str:
        """What was at work: the library of the innermost frame, or the system call that the kernel did."""
        if not self.frames:
            return "unknown"
        file = self.frames[0][1]
        return _kernel_work(self.frames) if file.startswith(("[kernel", "[guest.kernel")) else library(file)


def library(file: str) -> str:
    """A name for the library that a mapped file belongs to: the Python package, or the file itself."""
    if "site-packages/" in file:
        return file.rsplit("site-packages/", 1)[1].split("/")[0].split(".")[0]
    name = Path(file).name
    if name.startswith(("libpython", "python")) or "lib-dynload/" in file:
        return "CPython"
    if file.startswith(("[JIT]", "//anon")) or re.fullmatch(r"perf-\d+\.map", name):
        return "compiled kernels (numba)"
    return "unknown" if file.startswith("[unknown") else name.split(".so")[0].strip("[]")


def _kernel_work(frames: Iterable[tuple[str, str]]) -> str:
    for symbol, _ in frames:
        if call := re.fullmatch(r"__(?:x64|arm64|ia32)_sys_(\w+)", symbol):
            return f"kernel: {call[1]}"
    return "kernel: interrupts, faults"


def parse_perf(text: str) -> list[PerfSample]:
    """The output of ``perf script -F pid,tid,ip,sym,dso``: paragraphs of a header and one line per frame."""
    samples = []
    for paragraph in text.split("\n\n"):
        header, *lines = [line.strip() for line in paragraph.strip().splitlines()] or [""]
        if found := re.match(r"(\d+)/(\d+)", header):
            frames = [re.fullmatch(r"[0-9a-f]+ (.+) \((.*)\)", line) for line in lines]
            known = tuple((frame[1].split("+0x")[0], frame[2]) for frame in frames if frame)
            samples.append(PerfSample(int(found[1]), int(found[2]), known))
    return samples


def parse_spy(text: str) -> dict[tuple[int, str], Counter[Stack]]:
    """The output of ``py-spy record --format raw --threads``: (thread id, thread name) -> stacks and their samples."""
    threads: dict[tuple[int, str], Counter[Stack]] = {}
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        if found := re.fullmatch(r"thread \((\d+)\)(?:: (.*))?", thread):
            threads.setdefault((int(found[1]), found[2] or ""), Counter())[tuple(frames)] += int(count)
    return threads


def self_samples(stacks: Mapping[Stack, int]) -> Counter[str]:
    """Samples in which each function was the innermost."""
    innermost: Counter[str] = Counter()
    for stack, count in stacks.items():
        if stack:
            innermost[stack[-1]] += count
    return innermost


class _Frame:
    """A function as called from its caller, and what it calls."""

    def __init__(self) -> None:
        self.samples = 0
        self.inner: dict[str, _Frame] = {}


ROW, WIDTH, MIN_WIDTH = 17, 1600, 0.5  # pixels; what is narrower cannot be seen


def flame_graph(stacks: Mapping[Stack, int], title: str) -> str:
    """An SVG: outermost functions at the bottom, as wide as the share of samples they were on the stack. Each says what
    it is under the pointer."""
    root = _Frame()
    for stack, count in stacks.items():
        frame = root
        frame.samples += count
        for name in stack:
            frame = frame.inner.setdefault(name, _Frame())
            frame.samples += count
    height = (max((len(stack) for stack in stacks), default=0) + 2) * ROW
    boxes: list[str] = []
    _draw(root, f"{title}, {root.samples} samples", 0.0, WIDTH / max(1, root.samples), height - ROW, boxes)
    style = "<style>text { font: 11px monospace; pointer-events: none } rect { stroke: white }</style>"
    size = f'width="{WIDTH}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(boxes)}</svg>\n'


def _draw(frame: _Frame, name: str, left: float, scale: float, top: int, boxes: list[str]) -> None:
    width = frame.samples * scale
    if width < MIN_WIDTH:
        return
    share = 100 * width / WIDTH
    colour = "#f4a261" if "ringline/" in name else "#a8c5da"
    boxes.append(
        f'<g><title>{escape(name)}: {frame.samples} samples, {share:.1f} %</title><rect x="{left:.1f}" y="{top}" '
        f'width="{width:.1f}" height="{ROW}" fill="{colour}"/>'
        f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(name[: int(width / 7)])}</text></g>'
    )
    for inner_name, inner in sorted(frame.inner.items()):
        _draw(inner, inner_name, left, scale, top - ROW, boxes)
        left += inner.samples * scale
