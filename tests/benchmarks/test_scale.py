"""benchmarks/processes.py and benchmarks/scale.py: what a command takes, and the tables of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import watched
from benchmarks.scale import ALONE, IMPORTS, MB, STAGES, command, cost, main, speedup, table

CHILD = "import time; b = bytearray(60_000_000); time.sleep(3)"
PARENT = f"import subprocess, sys; b = bytearray(40_000_000); subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_memory_is_summed_over_a_command_and_its_children(tmp_path: Path) -> None:
    usage = watched([sys.executable, "-c", PARENT], tmp_path, os.environ)
    assert usage.processes == 2 and usage.seconds > 3 and usage.cpu_seconds > 0
    assert 100 * MB < usage.peak_own < 150 * MB
    assert usage.peak_own <= usage.peak_pss < 200 * MB


def test_a_command_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)failed:.*no such stage"):
        watched([sys.executable, "-c", "raise SystemExit('no such stage')"], tmp_path, os.environ)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_run_as_dvc_runs_it(stage: str) -> None:
    words = command(stage)
    assert words[:3] == [sys.executable, "-m", f"stages.{stage.partition('@')[0]}"]
    assert not any("$" in word for word in words) and "--metrics" in words


def of(seconds: float, cpu: float, mb: float, read: float) -> dict[str, Any]:
    memory = {"peak_pss": mb * MB, "peak_own": (mb - 100) * MB}
    return {"seconds": seconds, "cpu_seconds": cpu, **memory, "bytes": read * MB}


TOLD = {
    IMPORTS: {"documents@wikipedia": of(5, 5, 400, 0.1), "vocab": of(5, 5, 500, 0.1), "shards": of(5, 5, 400, 0)},
    "1x": {"documents@wikipedia": of(10, 15, 420, 20), "vocab": of(30, 30, 700, 5), "shards": of(5, 5, 400, 0)},
    "10x": {
        "documents@wikipedia": of(25, 33, 422, 200),
        "vocab": of(36, 36, 710, 50),
        "shards": of(5, 5, 400, 1),
        ALONE: of(45, 40, 400, 200),
    },
}


def test_the_table_has_seconds_speed_and_memory_of_each_stage_that_read_something() -> None:
    _, _, *lines = table(TOLD).splitlines()
    assert lines == [
        "| documents@wikipedia | 400 | 10.0 | 2.0 | 420 | 25.0 | 8.0 | 422 | 20 22 |",
        "| vocab | 500 | 30.0 | 0.2 | 700 | 36.0 | 1.4 | 710 | 200 210 |",
    ]


def test_the_cost_is_the_slope_times_what_english_wikipedia_has() -> None:
    _, _, documents, _, vocab = cost(TOLD).splitlines()
    assert documents == "| documents@wikipedia | 0.100 | 90.0 | 2.5 | 75.0 min | 9.4 min | 0.1 min |"  # 18 s of 180 MB
    assert vocab == "| vocab |  |  | 0.0 | 0.6 min | 0.6 min | 0.6 min |"
    assert speedup(TOLD, 2) == "documents@wikipedia with 2 workers is 2.00 times as fast as with one"


@pytest.mark.slow
def test_two_sizes_of_a_stage_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gensim", reason="carries the sample")
    out = tmp_path / "scale.json"
    stages = ["download@text", "documents@text"]
    main(["--copies", "1", "--sizes", "1", "2", "--workers", "1", "--stages", *stages, "--out", str(out)])
    taken = json.loads(out.read_text())["stages"]
    assert list(taken) == ["imports", "1x", "2x"] and list(taken["2x"]) == stages
    assert taken["2x"]["documents@text"]["bytes"] == 2 * taken["1x"]["documents@text"]["bytes"] > 500_000
    assert capsys.readouterr().out.count("\n| documents@text |") == 1
