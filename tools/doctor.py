"""``ringline doctor``: what this machine has, and what to do about what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ringline.engine.agent import Agent, AgentError
from ringline.engine.agents import flow_of
from ringline.engine.config import STAGES, Config, OpenAiLlm, Stage
from ringline.tools.finding import Finding
from ringline.tools.models import check_models
from ringline.workers.base import CannotStart
from ringline.workers.models.store import locate
from ringline.workers.priority import LOOP_PRIORITY

GIGABYTE = 1 << 30

MODEL_SHARE = 1.4
"""What a model takes in memory, by the size of its files: weights, and what lies between its layers. A rough
figure, for a warning."""
WORKER_BYTES = 150_000_000
"""What each worker process takes besides, with its libraries and its part of the rings."""

CGROUP = Path("/sys/fs/cgroup")


def examine(config: Config, load: bool = False) -> list[Finding]:
    """Everything that a run with this configuration needs. ``load``: see `check_models`."""
    models = check_models(config, load)
    return [*_machine(config), *_backends(config), *models, *_doors(config), *_agent(config)]


def _machine(config: Config) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("python", version, sys.version_info >= (3, 11), "Ringline needs Python 3.11 or later")
    yield cores_for(config, num_cores())
    yield memory_for(config, memory_bytes())
    try:
        fd = os.memfd_create("ringline-doctor", os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, 1 << 20)
        os.close(fd)
        yield Finding("shared memory", "memfd works", True)
    except OSError as error:
        yield Finding("shared memory", str(error), False, "the kernel must offer memfd_create (Linux 3.17)")
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LOOP_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        yield Finding("realtime scheduling", "granted: frames leave in time whatever the models do", True)
    except OSError:
        found = "not granted: frames may leave some milliseconds late while models use every core"
        grant = f"`ulimit -r {LOOP_PRIORITY}`, LimitRTPRIO={LOOP_PRIORITY} in the unit, or CAP_SYS_NICE would grant it"
        yield Finding("realtime scheduling", found, True, grant, warning=True)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield Finding("open files", str(soft), soft >= 1024, "raise it with `ulimit -n 4096` or LimitNOFILE=")


def _backends(config: Config) -> Iterator[Finding]:
    yield _packages("vad backend", config.vad.name, config.vad.packages, config.vad.extra)
    for stage in STAGES:
        for tier, table in enumerate(config.tiers(stage)):
            what = f"{stage} fallback {tier}" if tier else f"{stage} backend"
            yield _packages(what, table.name, table.packages, table.extra)


def num_cores() -> int:
    """Those that this process may use, by its affinity and its container's share."""
    cores = len(os.sched_getaffinity(0))
    quota, _, period = _cgroup("cpu.max").partition(" ")
    return max(1, min(cores, round(int(quota) / int(period)))) if quota.isdigit() and period.isdigit() else cores


def memory_bytes() -> int:
    """The machine's, or what its container may have of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _cgroup("memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def _cgroup(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:  # no container, or cgroups of the first kind
        return ""


def cores_for(config: Config, cores: int) -> Finding:
    """Whether the models' threads fit on so many cores: what is beyond them makes all of them later, not faster.

    Those of a call take turns: the recogniser computes while the caller speaks, the language model and the voice, which
    overlap, while the bot does.
    """
    threads = _threads(config)
    total = max(threads.get("stt", 0), threads.get("llm", 0) + threads.get("tts", 0))
    if total <= cores or total <= 1:
        return Finding("cores", str(cores), cores >= 2, "one core serves a few calls only: audio and models share it")
    parts = ", ".join(f"{stage} {num}" for stage, num in threads.items())
    advice = (
        f"the configuration was made for a larger machine: where more threads compute than there are cores, all models "
        f"slow down at once. Set `threads` in {' and '.join(f'[{stage}]' for stage in threads)} so that those of "
        f"stt, and those of llm and tts together, are {cores} at most, and take smaller models; or use a profile for "
        f"fewer cores (docs/models.md)"
    )
    return Finding("cores", f"{cores}, and the models want {total} at once ({parts})", True, advice, warning=True)


def _threads(config: Config) -> dict[Stage, int]:
    """How many threads compute in each stage's main workers; those that only talk to a server, or compute next to
    nothing, count for none."""
    threads: dict[Stage, int] = {}
    for stage in STAGES:
        table = config.tiers(stage)[0]
        if not table.models or getattr(table, "device", "cpu") == "cuda":
            continue
        if isinstance(table, OpenAiLlm):
            given = re.search(r"(?:--threads|-t)[ =](\d+)", table.serve)
            threads[stage] = int(given[1]) if given else max(1, num_cores() - 1)
        else:
            threads[stage] = table.workers * table.threads
    return threads


def memory_for(config: Config, total: int) -> Finding:
    """Whether the models that lie here fit into so much memory."""
    wanted = 2 * WORKER_BYTES  # engine and capture
    for stage in STAGES:
        for table in config.tiers(stage):
            on_card = getattr(table, "device", "cpu") == "cuda"
            size = 0 if on_card else sum(_network_bytes(name) for name in table.models)
            wanted += table.workers * (WORKER_BYTES + int(MODEL_SHARE * size))
    found = f"{total / GIGABYTE:.1f} GiB, of which this takes some {wanted / GIGABYTE:.1f}"
    if wanted <= total:
        return Finding("memory", found, True)
    advice = "take smaller models or fewer `workers`: what does not fit is swapped, and no call survives that"
    return Finding("memory", found, True, advice, warning=True)


def _network_bytes(name: str) -> int:
    """The size of a model's largest file, which is its network; 0 where it is not here."""
    try:
        path = locate(name)
    except CannotStart:
        return 0
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return max((file.stat().st_size for file in files), default=0)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is a part of
        return False


def _packages(what: str, backend: str, modules: tuple[str, ...], extra: str = "") -> Finding:
    missing = [module for module in modules if not _is_installed(module)]
    found = f"{backend}: missing {', '.join(missing)}" if missing else f"{backend}: installed"
    return Finding(what, found, not missing, f"pip install 'ringline[{extra}]'" if extra else "pip install ringline")


def _doors(config: Config) -> Iterator[Finding]:
    for door in config.door:
        url = urlsplit(door.url)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((url.hostname or "127.0.0.1", url.port or 0))
                yield Finding("door", f"{door.url} is free", True)
            except OSError as error:
                advice = "another program (or another Ringline) has the port; `ss -ltnp` shows which"
                yield Finding("door", f"{door.url}: {error.strerror}", False, advice)


def _agent(config: Config) -> Iterator[Finding]:
    try:
        agent = Agent.load(config.agent.path)
    except AgentError as error:
        yield Finding("agent", str(error), False, "see examples/clinic for what an agent's folder holds")
        return
    yield Finding("agent", f"{agent.name}, tools: {', '.join(agent.tools) or 'none'}", True)
    try:
        flow = flow_of(agent, config)
    except AgentError as error:
        yield Finding("flow", "cannot be used", False, f"{error}\nSee docs/flow.md for what a flow file holds")
        return
    if flow is not None:
        yield Finding("flow", f"{len(flow.states)} states, the call begins in {flow.start}", True)
