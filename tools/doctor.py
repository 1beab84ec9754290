"""``ringline doctor``: what this machine has, and what to do about what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from ringline.engine.agent import Agent, AgentError
from ringline.engine.config import STAGES, Config
from ringline.tools.finding import Finding
from ringline.tools.models import check_models
from ringline.workers.priority import LOOP_PRIORITY

GIGABYTE = 1 << 30


def examine(config: Config) -> list[Finding]:
    """Everything that a run with this configuration needs."""
    return [*_machine(), *_backends(config), *check_models(config), *_doors(config), _agent(config)]


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("python", version, sys.version_info >= (3, 11), "Ringline needs Python 3.11 or later")
    cores = len(os.sched_getaffinity(0))
    yield Finding("cores", str(cores), cores >= 2, "one core serves a few calls only: audio and models share it")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding("memory", f"{total / GIGABYTE:.1f} GiB", total >= GIGABYTE, "the embedded default needs about 1 GiB")
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
        yield Finding("realtime scheduling", found, True, grant)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield Finding("open files", str(soft), soft >= 1024, "raise it with `ulimit -n 4096` or LimitNOFILE=")


def _backends(config: Config) -> Iterator[Finding]:
    yield _packages("vad backend", config.vad.name, config.vad.packages, config.vad.extra)
    for stage in STAGES:
        for tier, table in enumerate(config.tiers(stage)):
            what = f"{stage} fallback {tier}" if tier else f"{stage} backend"
            yield _packages(what, table.name, table.packages, table.extra)


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


def _agent(config: Config) -> Finding:
    try:
        agent = Agent.load(config.agent.path)
    except AgentError as error:
        return Finding("agent", str(error), False, "see examples/clinic for what an agent's folder holds")
    return Finding("agent", f"{agent.name}, tools: {', '.join(agent.tools) or 'none'}", True)
