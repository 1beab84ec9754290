"""Whatever happens in a call, these rules hold: see `simulation`. A failing call is printed as the shortest script of
decisions that still fails; `SimulatedCall(Tape(script=...))` runs it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulation.call import SimulatedCall
from simulation.stand_ins import AnyEndpointing, SimplePhraser
from simulation.tape import Tape, smaller

from ringline.engine.conversation import caller, fixed_phrases, reply


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fixed_phrases, "Phraser", SimplePhraser)
    monkeypatch.setattr(reply, "Phraser", SimplePhraser)
    monkeypatch.setattr(caller, "Endpointing", AnyEndpointing)
    return


def run_seed(seed: int) -> int:
    """Run a call; returns how many turns of the caller's it had."""
    tape = Tape(seed)
    call = SimulatedCall(tape)
    try:
        call.run()
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError) as error:
        kind, problem = type(error), str(error)
        script = smaller(tape.record, lambda script: fails(script) is not None)
        raise AssertionError(f"seed {seed}: {kind.__name__}: {problem}\nscript: {script}\n{fails(script)}") from error
    return call.num_turns


def fails(script: list[int]) -> str | None:
    call = SimulatedCall(Tape(script=script))
    try:
        call.run()
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError) as error:
        lines = [f"{(time_ns - 10**12) / 1e9:8.3f}  {what}" for time_ns, what in call.log[-60:]]
        return "\n".join([*lines, f"{type(error).__name__}: {error}"])
    return None


@pytest.mark.parametrize("part", range(10))
def test_rules_hold_in_random_calls(part: int) -> None:
    num_turns, seed = 0, part * 1_000_000
    while num_turns < 10_000:
        num_turns += run_seed(seed)
        seed += 1
    assert num_turns >= 10_000
