"""Seconds per call -> throughput and latency, by two sets of rules.

The clean rules leave a fixed number of warm-up calls out of every figure. The rules of the reference (NVIDIA's BERT for
TensorFlow 1) are kept beside them only so that its published figures can stand next to figures of the same kind: they
drop the slowest calls from the throughput, and keep compilation in the mean latency.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from bert.pipeline import timings

PERCENTS = (50, 90, 95, 99, 100)

# Rules of the reference, from its utils/utils.py, run_squad.py and run_pretraining.py.
REFERENCE_SKIPPED_FIRST = 100  # steps of fine-tuning, while XLA may still be compiling
REFERENCE_SKIPPED_UPDATES = 5  # of pretraining, after the start as after each checkpoint
REFERENCE_SKIPPED_AFTER_SAVE = 5  # of each `save_every` steps
REFERENCE_FASTEST = 0.99  # of the calls count for the throughput


@dataclass(frozen=True)
class Timings:
    """Seconds of each call, in the order of the calls; the very first one includes compilation."""

    warmup: tuple[float, ...]
    measured: tuple[float, ...]

    @property
    def all(self) -> tuple[float, ...]:
        return self.warmup + self.measured


def time_calls(
    call: Callable[[], object],
    warmup: int,
    iterations: int,
    progress: Callable[[int], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Timings:
    """Call `call` `warmup` + `iterations` times, one after another, no pipelining.

    `call` must return only when its work is done: the result of a device has to be on the host.
    `progress` is called with the number of finished calls, outside of the timed region.
    """
    if warmup < 1 or iterations < 1:
        raise ValueError(
            f"warmup is {warmup} and iterations is {iterations}: expected at least 1 each, "
            "since the first call compiles and must not be measured"
        )
    seconds = []
    for done in range(1, warmup + iterations + 1):
        with timings.call(timings.STEPS, "benchmark"):
            start = clock()
            call()
            seconds.append(clock() - start)
        if progress is not None:
            progress(done)
    return Timings(tuple(seconds[:warmup]), tuple(seconds[warmup:]))


def nearest_rank(seconds: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` % of all values do not exceed; always one of the values.

    Example: nearest_rank([0.4, 0.1, 0.3, 0.2], 50) == 0.2
    """
    if not seconds or not 0 < percent <= 100:
        raise ValueError(f"expected at least one time and a percent in 1..100, got {len(seconds)} and {percent}")
    rank = -(-len(seconds) * percent // 100)  # rounded up, in integers: 0.95 * 20 is a little more than 19 in floats
    return sorted(seconds)[rank - 1]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 4)


def clean_statistics(timings: Timings, sequences_per_call: int, tokens_per_call: int) -> dict[str, Any]:
    """Metrics of the measured calls; and `compile_seconds`, what the very first call took beyond their median.

    tokens_per_call: real tokens, without padding, of all sequences of a call.
    """
    seconds = fsum(timings.measured)
    calls = len(timings.measured)
    return {
        "warmup": len(timings.warmup),
        "iterations": calls,
        "first_call_seconds": round(timings.warmup[0], 4),
        "compile_seconds": round(max(0.0, timings.warmup[0] - nearest_rank(timings.measured, 50)), 4),
        "sequences_per_second": round(calls * sequences_per_call / seconds, 4),
        "tokens_per_second": round(calls * tokens_per_call / seconds, 4),
        "latency_ms": {
            "mean": _milliseconds(seconds / calls),
            **{f"p{p}": _milliseconds(nearest_rank(timings.measured, p)) for p in PERCENTS},
        },
    }


def reference_training(seconds: Sequence[float], global_batch: int, save_every: int | None = None) -> dict[str, Any]:
    """Throughput of fine-tuning as the reference computes it, from all steps since the start, compilation included.

    Its steps are numbered from 1. Skipped are the first 100, and those whose number modulo `save_every` (steps between
    two checkpoints; None: no checkpoints, as in a benchmark) is under 5.

    Returns {} where no step is left: a run of 100 steps or fewer has no such figure.
    """
    kept = [
        s
        for number, s in enumerate(seconds, start=1)
        if number > REFERENCE_SKIPPED_FIRST
        and (save_every is None or number % save_every >= REFERENCE_SKIPPED_AFTER_SAVE)
    ]
    if not kept:
        return {}
    return {
        "skipped_steps": len(seconds) - len(kept),
        "sequences_per_second": round(len(kept) * global_batch / fsum(kept), 4),
    }


def reference_pretraining(seconds: Sequence[float], global_batch: int) -> dict[str, Any]:
    """Throughput of pretraining as the reference computes it, from all updates since the start, compilation included.

    It skips the first updates after its start and after each checkpoint, of which a benchmark takes none; one update is
    all micro-batches of all ranks. Returns {} where no update is left.
    """
    if not (kept := seconds[REFERENCE_SKIPPED_UPDATES:]):
        return {}
    return {
        "skipped_steps": REFERENCE_SKIPPED_UPDATES,
        "sequences_per_second": round(len(kept) * global_batch / fsum(kept), 4),
    }


def reference_inference(seconds: Sequence[float], batch_size: int) -> dict[str, Any]:
    """Inference throughput and latency as the reference computes them, from all calls, compilation included.

    Throughput is over the fastest 99 % of the calls, the mean latency over all of them, and the latency at p is the
    slowest of the fastest int(n * p). A short last batch counts as full.

    Returns {} for fewer than two calls, where its 50 % is no call at all.
    """
    times, n = sorted(seconds), len(seconds)
    if n < 2:
        return {}
    fastest = times[: int(n * REFERENCE_FASTEST)]
    return {
        "sequences_per_second": round(len(fastest) * batch_size / fsum(fastest), 4),
        "latency_ms": {
            "mean": _milliseconds(fsum(times) / n),
            **{f"p{p}": _milliseconds(times[int(n * (p / 100)) - 1]) for p in PERCENTS},
        },
    }
