"""The page of all benches: from results that are kept, and from benches that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.performance import BENCHES, OTHERS, Bench, draw, kept, module_of, page, run, trouble

MACHINE = {"cpu": "a CPU", "cores": 2, "kernel": "6.1", "python": "3.11.9", "packages": {"numpy": "2.0"}}
SILERO = {"us_per_window": [{"streams": 8, "file": 200.0, "batch": 50.0, "ours": 40.0}]}
IPC = {
    "one_process_ns": {"ring": {"p50": 900.0}},
    "two_processes_ns": {"ring": {"p50": 1_200.0}, "mp.Pipe": {"p50": 7_400.0}},
    "wake_up_us": {"our bus (zmq, msgspec, uvloop)": {"p50": 72.0}},
}


@pytest.fixture
def results(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Two benches that went well and one that did not, as they are kept."""

    def keep(name: str, result: dict[str, Any]) -> None:
        about = {"machine": MACHINE, "date": "2026-11-26", "command": f"python -m bench.{name} --json"}
        (tmp_path / f"{name}.json").write_text(json.dumps(about | result))

    keep("silero", SILERO | {"load_average": 0.25, "took_s": 19.6})
    keep("ipc", IPC | {"valid": False})
    keep("latency", {"failed": "RuntimeError: no door"})
    return kept(tmp_path)


def test_results_come_in_the_order_of_the_benches(results):
    assert list(results) == ["latency", "ipc", "silero"]


def test_the_page_says_on_what_it_was_measured_and_by_which_commands(results):
    written = page(results, drawn=["ipc"])
    for said in ("a CPU, 2 cores", "Linux 6.1", "Python 3.11.9, numpy 2.0", "2026-11-26", "load average", ": 0.25"):
        assert said in written
    assert "`python -m bench.silero --json`, 2026-11-26, in 20 s." in written


def test_the_page_has_each_benchs_tables_its_headlines_and_plot(results):
    written = page(results, drawn=["ipc"])
    assert "| 8 streams | 200.0 | 50.0 | 40.0 | 5.0 |" in written
    figure = "40 us (5.0 times as fast as its file)"
    assert f"| VAD, per window of 32 ms, 8 calls | {figure} | [silero](#silero) |" in written
    assert written.count("](performance/") == written.count("![ipc](performance/ipc.png)") == 1


def test_a_bench_that_failed_or_was_too_late_is_told_and_gives_no_headline(results):
    glance, sections = page(results, drawn=()).split("## latency")
    assert "failed: RuntimeError: no door | [latency]" in glance
    assert "**Failed: RuntimeError: no door.**" in sections
    assert "not valid: the caller itself was late" in glance
    assert "72" not in glance
    assert "**Not valid: the caller itself was late" in sections
    assert "7,400" in sections


def test_what_is_not_on_the_page_is_named_with_its_command(results):
    left_out = page(results, drawn=()).split("## Not on this page")[1]
    assert "| `python -m bench.capacity --calls 1 8 32 64 128` | How many calls one machine carries" in left_out
    assert "bench.silero" not in left_out


def test_what_a_bench_says_with_other_options_is_named_though_it_is_on_the_page(results):
    results["barge_in"] = results["ipc"] | {"failed": "no time"}
    left_out = page(results, drawn=()).split("## Not on this page")[1]
    assert "| `python -m bench.barge_in --only table --recogniser whisper` | " in left_out
    assert "bench.barge_in --quick" not in left_out


def test_plots_are_drawn_of_what_was_kept_if_there_is_a_result(results, tmp_path):
    assert draw(results, tmp_path / "plots") == ["ipc", "silero"]
    assert (tmp_path / "plots" / "ipc.png").read_bytes().startswith(b"\x89PNG")


def test_a_bench_that_fails_leaves_its_last_words_and_its_command(tmp_path):
    result = run(Bench("no_such_bench", 1), tmp_path)
    assert trouble(result) == f"failed: {result['failed']}"
    assert "No module named bench.no_such_bench" in result["failed"]
    assert kept(tmp_path)["no_such_bench"] == json.loads(json.dumps(result))
    assert result["command"] == "python -m bench.no_such_bench --json"


def test_a_bench_that_is_not_over_in_time_is_ended(tmp_path):
    result = run(Bench("silero", -29.95), tmp_path)
    assert result["failed"] == "not over after 0 s"


def test_a_bench_that_prints_a_result_is_kept_with_what_it_took(tmp_path):
    result = run(Bench("phrasing", 30, ("--rounds", "1")), tmp_path)
    assert not trouble(result)
    assert result["tokens"] > 0
    assert {"took_s", "load_average", "machine"} < kept(tmp_path)["phrasing"].keys()


def test_a_kept_file_that_holds_no_result_is_told(results, tmp_path):
    (tmp_path / "capacity.json").write_text("")
    assert "| failed: no result in capacity.json | [capacity](#capacity) |" in page(kept(tmp_path), drawn=())


def test_every_bench_can_be_shown_and_says_what_it_is():
    for name in (*(bench.name for bench in BENCHES), *OTHERS):
        assert callable(module_of(name).show), name
        assert module_of(name).__doc__, name
