"""bert/benchmark/timing.py: every expected number below was worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.benchmark.timing import (
    Timings,
    clean_statistics,
    nearest_rank,
    reference_inference,
    reference_pretraining,
    reference_training,
    time_calls,
)


class Clock:
    """A clock that calls move forward, by the next of `durations`."""

    def __init__(self, *durations: float) -> None:
        self.now, self.durations = 1000.0, iter(durations)

    def __call__(self) -> float:
        return self.now

    def call(self) -> None:
        self.now += next(self.durations)


def test_calls_are_timed_one_by_one_and_split_after_the_warm_up() -> None:
    clock = Clock(8, 2, 1, 4, 0.5)
    counts: list[int] = []

    def slow_progress(done: int) -> None:
        counts.append(done)
        clock.now += 100  # a progress bar costs time, which is nobody's latency

    timings = time_calls(clock.call, warmup=2, iterations=3, progress=slow_progress, clock=clock)
    assert timings == Timings(warmup=(8, 2), measured=(1, 4, 0.5))
    assert counts == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("warmup", "iterations"), [(0, 3), (3, 0)])
def test_the_first_call_cannot_be_measured(warmup: int, iterations: int) -> None:
    with pytest.raises(ValueError, match=f"warmup is {warmup} and iterations is {iterations}"):
        time_calls(lambda: None, warmup, iterations)


@pytest.mark.parametrize(
    ("percent", "expected"),
    # Twenty values 1..20. 50 % -> rank 10; 90 % -> 18; 95 % -> 19; 99 % -> 19.8, rounded up to 20.
    [(50, 10), (90, 18), (95, 19), (99, 20), (100, 20), (1, 1)],
)
def test_percentiles_are_by_nearest_rank(percent: int, expected: int) -> None:
    assert nearest_rank(list(range(20, 0, -1)), percent) == expected


@given(st.lists(st.floats(0.001, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(seconds: list[float], percent: int) -> None:
    value = nearest_rank(seconds, percent)
    covered = sum(s <= value for s in seconds)
    assert value in seconds
    assert covered * 100 >= percent * len(seconds)
    assert sum(s < value for s in seconds) * 100 < percent * len(seconds)


@pytest.mark.parametrize(("seconds", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_no_times_or_no_percent_is_an_error(seconds: list[float], percent: int) -> None:
    with pytest.raises(ValueError, match="expected at least one time"):
        nearest_rank(seconds, percent)


def test_clean_statistics_leave_the_warm_up_out_of_every_figure() -> None:
    timings = Timings(warmup=(30.0, 5.0), measured=(0.2, 0.1, 0.3, 0.4))  # 1 s for 4 calls
    assert clean_statistics(timings, sequences_per_call=8, tokens_per_call=600) == {
        "warmup": 2,
        "iterations": 4,
        "first_call_seconds": 30.0,
        "compile_seconds": 29.8,  # beyond the median, 0.2
        "sequences_per_second": 32.0,
        "tokens_per_second": 2400.0,
        "latency_ms": {"mean": 250.0, "p50": 200.0, "p90": 400.0, "p95": 400.0, "p99": 400.0, "p100": 400.0},
    }


def test_reference_training_skips_the_first_hundred_steps() -> None:
    seconds = [9.0] * 100 + [0.5, 0.25, 0.25]  # 3 steps of 16 in 1 s
    assert reference_training(seconds, global_batch=16) == {"skipped_steps": 100, "sequences_per_second": 48.0}


def test_reference_training_skips_five_steps_around_each_checkpoint() -> None:
    # Steps 1..112, a checkpoint each 110: 101..109 stay, 110, 111, 112 are 0, 1, 2 modulo 110.
    seconds = [9.0] * 100 + [0.5] * 9 + [7.0] * 3
    assert reference_training(seconds, global_batch=4, save_every=110) == {
        "skipped_steps": 103,
        "sequences_per_second": 8.0,
    }
    # A step of remainder 4 is still skipped, one of remainder 5 is not.
    assert reference_training([9.0] * 114, 4, save_every=110)["skipped_steps"] == 105
    assert reference_training([9.0] * 115, 4, save_every=110)["skipped_steps"] == 105


def test_a_run_of_a_hundred_steps_has_no_reference_throughput() -> None:
    assert reference_training([1.0] * 100, global_batch=16) == {}


def test_reference_pretraining_skips_the_first_five_updates() -> None:
    seconds = [9.0] * 5 + [2.0, 1.0]  # 2 updates of 24 in 3 s
    assert reference_pretraining(seconds, global_batch=24) == {"skipped_steps": 5, "sequences_per_second": 16.0}
    assert reference_pretraining([9.0] * 5, global_batch=24) == {}


def test_a_first_call_faster_than_the_others_compiled_nothing() -> None:
    assert clean_statistics(Timings((0.1,), (0.3,)), 1, 1)["compile_seconds"] == 0.0


def test_reference_inference_drops_the_slowest_percent_from_the_throughput_only() -> None:
    # 200 calls: 120 of 0.1 s, 78 of 0.2 s, one of 1 s, one of 50 s that compiles, in any order.
    seconds = [50.0] + [0.2] * 78 + [1.0] + [0.1] * 120
    assert reference_inference(seconds, batch_size=2) == {
        # floor(.99 * 200) = 198 calls in 12 + 15.6 = 27.6 s; 396 / 27.6
        "sequences_per_second": 14.3478,
        # (12 + 15.6 + 1 + 50) / 200; the 100th, 180th, 190th, 198th and 200th fastest
        "latency_ms": {"mean": 393.0, "p50": 100.0, "p90": 200.0, "p95": 200.0, "p99": 200.0, "p100": 50000.0},
    }


def test_reference_percentiles_round_the_rank_down() -> None:
    # Three calls: int(3 * .5) = 1, int(3 * .9) = int(3 * .95) = int(3 * .99) = 2. Nearest rank would say 2 and 3.
    figures = reference_inference([0.3, 0.1, 0.2], batch_size=1)
    assert figures["latency_ms"] == {
        "mean": 200.0,
        "p50": 100.0,
        "p90": 200.0,
        "p95": 200.0,
        "p99": 200.0,
        "p100": 300.0,
    }
    assert figures["sequences_per_second"] == 6.6667  # floor(2.97) = 2 calls in 0.3 s


@pytest.mark.parametrize("seconds", [[], [1.0]])
def test_fewer_than_two_calls_have_no_reference_figures(seconds: list[float]) -> None:
    assert reference_inference(seconds, batch_size=1) == {}
