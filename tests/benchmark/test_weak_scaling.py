"""bert/benchmark/weak_scaling.py."""

from __future__ import annotations

from bert.benchmark.weak_scaling import weak_scaling


def test_the_speedup_is_over_one_rank() -> None:
    eight = {"ranks": 8, "global_batch": 65536, "sequences_per_second": 2871.89, "accumulation": 128}
    assert weak_scaling(eight, {"ranks": 1, "global_batch": 8192, "sequences_per_second": 356.845}) == {
        "weak_scaling": [
            {"ranks": 1, "global_batch": 8192, "sequences_per_second": 356.845, "speedup": 1.0},
            {"ranks": 8, "global_batch": 65536, "sequences_per_second": 2871.89, "speedup": 8.048},
        ]
    }


def test_what_did_not_fit_is_held_against_nothing() -> None:
    assert weak_scaling({"out_of_memory": True}, {"ranks": 1, "sequences_per_second": 1.0}) == {}
