"""The cells of the benchmarks: what was timed, and what was published of the same work."""

from __future__ import annotations

from dataclasses import dataclass

from bert.report import published
from bert.report.inputs import Inputs, Metrics
from bert.report.tables import NONE, number

TRAINING, INFERENCE = "benchmark_training", "benchmark_inference"
TASKS = ("pretrain", "squad")


@dataclass(frozen=True)
class Cell:
    """One cell that has run.

    Attributes:
        key: of its metrics. Example: benchmark_training/pretrain-large-128-64
        task: pretrain or squad; `inference` of a cell of that benchmark
        batch: of training the micro-batch of a rank
        precision: that ran; None where the device has no such arithmetic, or no precision is named: the work is then
            the same as nothing else
    """

    key: str
    metrics: Metrics
    task: str
    model: str
    length: int
    batch: int
    precision: str | None

    @property
    def name(self) -> str:
        """Example: squad-large-384-32; of a phase of pretraining its stage"""
        return self.key.partition("/")[2] or self.key

    @property
    def ranks(self) -> int:
        return int(self.metrics.get("ranks") or 1)

    @property
    def global_batch(self) -> int:
        """Sequences in an update."""
        known = self.metrics.get("global_batch")
        return int(known or self.batch * self.ranks * int(self.metrics.get("accumulation") or 1))

    @property
    def fits(self) -> bool:
        """Whether it could run at all."""
        return not self.metrics.get("out_of_memory")

    @property
    def by_the_rules(self) -> Metrics:
        """Figures by the rules of the published benchmarks; empty where there are none."""
        return self.metrics.get("reference_rules") or {}

    @property
    def published(self) -> dict[str, dict[str, published.Speed]]:
        """{hardware: {precision: speed}} of the same work; empty where none was published in this cell's precision."""
        if self.task == "inference":
            found = published.inferences(self.model, self.length, self.batch)
        else:
            work = (self.length, self.batch, self.global_batch, self.ranks)
            found = published.trainings(self.task, self.model, *work)
        return {hardware: speeds for hardware, speeds in found.items() if self.precision in speeds}


def engine(metrics: Metrics) -> str:
    """What computes. Example: TensorFlow, XLA: fused"""
    if metrics.get("engine") == "openvino":
        return "OpenVINO"
    return f"TensorFlow, XLA: {number(metrics['xla'])}" if "xla" in metrics else NONE


def _cell(key: str, metrics: Metrics) -> Cell:
    parts = key.partition("/")[2].split("-")
    task = parts.pop(0) if parts[0] in TASKS else "inference" if key.startswith(INFERENCE) else "squad"
    asked, ran = metrics.get("precision"), metrics.get("precision_effective")
    return Cell(
        key,
        metrics,
        str(metrics.get("task") or task),
        parts[0],
        int(metrics.get("sequence_length") or 0),
        int(metrics.get("batch_size") or 0),
        str(asked) if asked and ran in (None, asked) else None,
    )


def cells(inputs: Inputs, kind: str) -> list[Cell]:
    """Those of a benchmark that have run, in the order of their names and numbers."""
    return [_cell(key, inputs.metrics[key]) for key in inputs.group(kind) if key in inputs.metrics]
