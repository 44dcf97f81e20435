"""What training, scores and reports know of a task, whatever its files looked like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task.

    Attributes:
        labels: as the files write them; the index is the class. A regression has none
        metrics: as keys of `metrics.METRICS`, the main one first
        is_pair: of two texts, not one
        scale: of a regression, the smallest and the largest label; None for classes
        devs: names of the dev sets, the main one first
        unlabelled: names of the sets without labels that are there: they are predicted too
        is_own: no task of GLUE's
    """

    name: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    is_pair: bool
    scale: tuple[float, float] | None = None
    devs: tuple[str, ...] = ("dev",)
    unlabelled: tuple[str, ...] = ()
    is_own: bool = False

    @property
    def is_regression(self) -> bool:
        return self.scale is not None

    @property
    def other_devs(self) -> dict[str, str]:
        """{what the metrics call it: a dev set beside the main one}. Example: mismatched"""
        return {dev.removeprefix("dev_"): dev for dev in self.devs[1:]}
