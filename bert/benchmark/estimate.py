"""How long a grid of cells will take, before it starts: its operations over the machine's peak and a share of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell, TrainingCell
from bert.benchmark.work import operations

ASSUMED_SHARE = 0.3
"""Of the peak, where no cell has been measured yet."""
START_SECONDS = 20.0
"""Of a cell: starting TensorFlow, compiling, measuring the peak."""
DOUBTFUL = 0.5
"""Of a peak that was measured before: a smaller one was hardly measured on the same machine with nothing beside it."""


@dataclass(frozen=True)
class Planned:
    """A cell before it is measured.

    Attributes:
        operations: of all its calls on all ranks, warm-up included
        on_one_rank: it is then measured on one of several ranks too: one rank's part of the work on one rank's part of
            the machine, which takes as long again (bert/benchmark/weak_scaling.py)
    """

    stage: str
    cell: str
    calls: int
    operations: int
    on_one_rank: bool = False

    @property
    def key(self) -> str:
        """Of its metrics. Example: benchmark_inference/large-384-8"""
        return f"{self.stage}/{self.cell}"


def planned_training(settings: BenchmarkTrainingSettings, ranks: int) -> list[Planned]:
    """The cells of benchmark_training. Raises StageError as TrainingCell.parse and the settings' split."""
    calls = settings.warmup + settings.steps
    plans = []
    for cell in map(TrainingCell.parse, settings.cells):
        rows = ranks * settings.split(cell, ranks).rows_per_rank
        plans.append(Planned("benchmark_training", cell.name, calls, operations(cell) * rows * calls, ranks > 1))
    return plans


def planned_inference(settings: BenchmarkInferenceSettings) -> list[Planned]:
    """The cells of benchmark_inference. Raises StageError as Cell.parse."""
    calls = settings.warmup + settings.iterations
    return [
        Planned("benchmark_inference", cell.name, calls, operations(cell) * cell.batch_size * calls)
        for cell in map(Cell.parse, settings.cells)
    ]


def share(plan: Planned, measured: Mapping[str, Mapping[str, Any]]) -> float:
    """Of the peak: what the cell reached before, or else the mean of the others of its stage, or else an assumption.

    measured: {key: metrics} of cells, also of other machines: a share changes less between them than a speed.
    """
    shares = {key: metrics["roofline"]["peak_fraction"] for key, metrics in measured.items() if "roofline" in metrics}
    if plan.key in shares:
        return float(shares[plan.key])
    others = [value for key, value in shares.items() if key.startswith(f"{plan.stage}/")]
    return mean(others) if others else ASSUMED_SHARE


def doubt(peak: float, precision: str, measured: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why not to trust a peak, in operations a second of one process: cells reached far more; None where none has.

    measured: as of `share`; of one rank, since several share a machine, and in that precision.
    """
    peaks = [
        metrics["roofline"]["matmul_peak_gflops_per_second"]
        for metrics in measured.values()
        if "roofline" in metrics and metrics.get("ranks", 1) == 1 and metrics["precision"] == precision
    ]
    if not peaks or peak / 1e9 >= DOUBTFUL * max(peaks):
        return None
    return (
        f"metrics/ has a peak of {max(peaks):,.0f} GFLOP/s: if it is this machine's, something else runs here now, "
        "and alone the cells take far less than is said below"
    )


def seconds(plan: Planned, peak: float, of_peak: float) -> float:
    """Of a cell. peak: operations a second of all devices; of_peak: the share of it."""
    once = START_SECONDS + plan.operations / (peak * of_peak)
    return 2 * once if plan.on_one_rank else once


def in_words(value: float) -> str:
    """Seconds to the digits that matter. Examples: 40 s, 12 min, 3.5 h, 80 days"""
    for below, size, form in ((90, 1, "{:.0f} s"), (5400, 60, "{:.0f} min"), (3 * 86400, 3600, "{:.1f} h")):
        if value < below:
            return form.format(value / size)
    return f"{value / 86400:,.0f} days"


def table(plans: Sequence[Planned], peak: float, measured: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Lines: a cell each, the sum, and what is in it."""
    yield f"{'cell':46}{'calls':>7}{'TFLOP':>12}{'of peak':>9}{'about':>9}"
    total = 0.0
    for plan in plans:
        of_peak = share(plan, measured)
        total += (took := seconds(plan, peak, of_peak))
        yield (
            f"{f'{plan.stage}@{plan.cell}':46}{plan.calls:7,}{plan.operations / 1e12:12,.1f}{of_peak:9.0%}"
            f"{in_words(took):>9}"
        )
    yield f"{len(plans)} cells, all together about {in_words(total)}"
    if any(plan.on_one_rank for plan in plans):
        yield "Each cell of training is measured on all ranks and on one: its time holds both."
    yield "Cells that an interrupted run has finished are counted too, but not measured again."
