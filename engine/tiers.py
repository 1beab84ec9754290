"""Which backend of a stage serves a request: the main one, or a fallback of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ringline.engine.config import STAGES, Config, Stage
from ringline.engine.supervisor import Supervisor

MAX_FAILURES = 3
"""Failures in a row after which a tier gets no new requests: one may be bad luck, three are not."""

PAUSE_S = 30.0
"""How long it gets none; then a single request probes it."""


class Breaker:
    """Keeps new requests off a tier that fails. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until_s = 0.0

    def admit(self) -> bool:
        """Whether a new request may try the tier. After a pause one may, and the others wait for what becomes of it."""
        if self._failures < MAX_FAILURES:
            return True
        now_s = self._clock()
        if now_s < self._closed_until_s:
            return False
        self._closed_until_s = now_s + PAUSE_S
        return True

    def succeeded(self) -> None:
        """The tier has answered a request."""
        self._failures = 0

    def failed(self) -> None:
        """The tier has failed a request, or was late with it."""
        self._failures += 1
        self._closed_until_s = self._clock() + PAUSE_S


class Tiers:
    """The tiers of all stages."""

    def __init__(self, config: Config, supervisor: Supervisor, clock: Callable[[], float] = time.monotonic) -> None:
        self._supervisor = supervisor
        self._backends = {stage: config.tiers(stage) for stage in STAGES}
        self._breakers = {stage: [Breaker(clock) for _ in config.tiers(stage)] for stage in STAGES}
        turn = config.turn
        self._timeouts_ms = {"stt": turn.stt_timeout_ms, "llm": turn.llm_timeout_ms, "tts": turn.tts_timeout_ms}
        self.relieved: frozenset[Stage] = frozenset()
        """Stages whose main tier lags behind: new requests go to a fallback."""

    def choose(self, stage: Stage) -> int:
        """The tier for a new request: the first that works, or else the main one.

        One whose worker died and loads its models again has its turn behind those that are ready: that takes seconds,
        in which somebody would wait for `timeout_s` in each turn.
        """
        breakers = self._breakers[stage]
        if len(breakers) == 1:
            return 0
        tiers = [tier for tier in range(len(breakers)) if tier or stage not in self.relieved]
        ready = [tier for tier in tiers if self._supervisor.ready(stage, tier)]
        loading = [tier for tier in tiers if tier not in ready and self._supervisor.expected(stage, tier)]
        return next((tier for tier in ready + loading if breakers[tier].admit()), 0)

    def after(self, stage: Stage, tier: int) -> int | None:
        """Where a request goes that ``tier`` has failed; None if that was the last."""
        tiers = range(tier + 1, len(self._breakers[stage]))
        return next((other for other in tiers if self._supervisor.expected(stage, other)), None)

    def breaker(self, stage: Stage, tier: int) -> Breaker:
        """Whom to tell what became of a request."""
        return self._breakers[stage][tier]

    def backend(self, stage: Stage, tier: int) -> str:
        """The name of its backend."""
        return self._backends[stage][tier].name

    def timeout_s(self, stage: Stage) -> float:
        """How late a stage may be, by the configuration."""
        return self._timeouts_ms[stage] / 1000

    def num(self, stage: Stage) -> int:
        """How many tiers the stage has."""
        return len(self._breakers[stage])
