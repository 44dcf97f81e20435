"""benchmarks/scaling.py: what is made of the measurements, and that they can be taken."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import family
from benchmarks.scaling import main, rows_of, table


def figures(rate: float, share: float) -> dict[str, Any]:
    times = {"allreduce_seconds_per_step": share / 100, "allreduce_wait_seconds_per_step": 0.0}
    return {"sequences_per_second": rate, "precision_effective": "fp32", "allreduce_share": share, **times}


def test_scaling_is_the_throughput_over_that_of_the_fewest_ranks_by_medians() -> None:
    rows = rows_of(
        {
            ("squad-tiny-128-8", 2): [figures(18, 0.2), figures(19, 0.1), figures(90, 0.3)],
            ("squad-tiny-128-8", 1): [figures(10, 0), figures(9, 0), figures(11, 0)],
        }
    )
    assert [(r["ranks"], r["sequences_per_second"], r["weak_scaling"]) for r in rows] == [(1, 10, 1.0), (2, 19, 1.9)]
    assert (rows[1]["lowest"], rows[1]["highest"], rows[1]["allreduce_share"]) == (18, 90, 0.2)
    assert "| squad-tiny-128-8 | 2 | fp32 | 19 | 18-90 | 1.90 | 20.0 | 2.00 | 0.00 |" in table(rows)


def cores_of_stages() -> list[set[int]]:
    """The cores that each process of the stage may use which descends from this one."""
    found = []
    for process in family(os.getpid()):
        with suppress(OSError):  # it has ended
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            if words[1:3] == [b"-m", b"stages.benchmark_training"]:  # not yet so what is only to become it
                found.append(os.sched_getaffinity(process))
    return found


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="all is on one core here")
def test_one_rank_is_measured_on_one_core(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--ranks", "1", "--rounds", "1", "--warmup", "1", "--steps", "2", "--out"]
    seen = []
    with ThreadPoolExecutor(1) as pool:
        measuring = pool.submit(main, [*arguments, str(tmp_path / "scaling.json")])
        while not measuring.done():
            seen += cores_of_stages()
            time.sleep(0.05)
        measuring.result()
    first = min(os.sched_getaffinity(0))
    assert seen and all(cores == {first} for cores in seen)
    (row,) = json.loads((tmp_path / "scaling.json").read_text())["rows"]
    assert row["sequences_per_second"] > 0 and row["allreduce_share"] == 0
    assert "| squad-tiny-128-8 | 1 | fp32 |" in capsys.readouterr().out


def test_more_cores_than_there_are_is_an_error() -> None:
    cores = len(os.sched_getaffinity(0))
    with pytest.raises(SystemExit, match=f"2 ranks with {cores} cores each need {2 * cores} cores, there are {cores}"):
        main(["--ranks", "2", "--cores", str(cores)])
