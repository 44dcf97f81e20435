"""Scores of the same run under several seeds: mean and spread."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean, stdev
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section

# Only scores: the spread of a count or of a speed answers another question.
SCORES = ("accuracy", "exact_match", "f1", "f1_macro", "mcc", "pearson", "spearman")


class StabilitySettings(Section):
    """Params section `stability`: which tasks are repeated, and under which seeds."""

    tasks: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def runs(self) -> list[str]:
        """The file stems of the runs. Example: mrpc-1"""
        return [f"{task}-{seed}" for task in self.tasks for seed in self.seeds]


def split(stem: str) -> tuple[str, str]:
    """Task and seed of a run by its name. Example: mrpc-12 -> ("mrpc", "12")"""
    task, _, seed = stem.rpartition("-")
    if not task or not seed:
        raise StageError(f"{stem}.json: expected a run called <task>-<seed>.json")
    return task, seed


def spread(values: Iterable[float]) -> dict[str, float]:
    """mean, sample standard deviation (n - 1; absent for a single value), min and max."""
    listed = list(values)
    deviation = {"std": round(stdev(listed), 6)} if len(listed) > 1 else {}
    return {"mean": round(fmean(listed), 6), **deviation, "min": min(listed), "max": max(listed)}


def summarize(runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The metrics of each run, by name <task>-<seed> -> {task: {score: its spread, "seeds": number of runs}}.

    Raises:
        StageError: the runs of a task do not have the same scores.
    """
    by_task: dict[str, dict[str, dict[str, Any]]] = {}
    for stem in sorted(runs):
        by_task.setdefault(split(stem)[0], {})[stem] = runs[stem]
    summary: dict[str, dict[str, Any]] = {}
    for task, metrics in by_task.items():
        first = next(iter(metrics))
        scores = [name for name in SCORES if name in metrics[first]]
        for stem, run in metrics.items():
            if [name for name in SCORES if name in run] != scores or not scores:
                raise StageError(
                    f"{stem}.json: expected the scores of {first}.json ({', '.join(scores) or 'none'}), "
                    f"got {', '.join(name for name in SCORES if name in run) or 'none'}",
                    run=f"dvc repro -f -s stability_run@{stem}",
                )
        summary[task] = {name: spread(run[name] for run in metrics.values()) for name in scores}
        summary[task]["seeds"] = len(metrics)
    return summary
