"""Scores of the same training under several seeds: mean and spread, by task and precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section
from bert.report.inputs import Metrics, stage_of
from bert.training.seed_run import DEFAULT, SeedRun
from bert.training.settings import PrecisionName

# Only scores: the spread of a count or of a speed answers another question.
SCORES = ("accuracy", "exact_match", "exact", "f1", "f1_macro", "mcc", "pearson", "spearman")
FINAL_LOSS = "final_loss"
LOSSES = ("mlm_loss", "nsp_loss")
PRETRAINING = ("pretrain_phase1", "pretrain_phase2")

Seeds = tuple[Annotated[int, Field(ge=0)], ...]
Summary = dict[str, dict[str, dict[str, Any]]]
"""{task: {precision: {score: {mean, std, min, max}, "seeds": {seed: {score: value}}}}}"""


@dataclass(frozen=True)
class Run:
    """One training: of which task, where its metrics are, and under which seed.

    Attributes:
        task: a task of GLUE, squad, pretrain_phase1 or pretrain_phase2
        key: the file's path below metrics/, without suffix
        precision: as params.yaml has it; its metrics say what `default` was
    """

    task: str
    key: str
    seed: int
    precision: str = DEFAULT

    @property
    def again(self) -> str:
        """The command that runs it once more, and nothing else."""
        return f"dvc repro -f -s {stage_of(self.key)}"


class StabilitySettings(Section):
    """Params section `stability`: what is trained again, under which seeds and in which precisions.

    Attributes:
        precisions: names, or `default` for the parameter `precision`
        tasks: of `glue.tasks`
        seeds: of these tasks; squad_seeds: of SQuAD; pretrain_seeds: of both phases of pretraining
    """

    precisions: tuple[Literal["default"] | PrecisionName, ...]
    tasks: tuple[str, ...]
    seeds: Seeds
    squad_seeds: Seeds
    pretrain_seeds: Seeds

    @field_validator("tasks")
    @classmethod
    def _have_names_of_their_own(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        if taken := sorted({"squad", *PRETRAINING}.intersection(tasks)):
            raise ValueError(f"{', '.join(taken)}: expected tasks of glue.tasks; the others have lists of their own")
        return tasks

    @property
    def runs(self) -> list[Run]:
        """All runs beside the results, each group of stages in the order of its matrix."""
        found = []
        for precision in self.precisions:
            for phase in PRETRAINING:
                group = phase.replace("pretrain", "stability")
                found += [Run(phase, f"{group}/{SeedRun(s, precision)}", s, precision) for s in self.pretrain_seeds]
            found += [Run("squad", f"stability_squad/{SeedRun(s, precision)}", s, precision) for s in self.squad_seeds]
            for task in self.tasks:
                key = f"stability_glue/{task}"
                found += [Run(task, f"{key}-{SeedRun(s, precision)}", s, precision) for s in self.seeds]
        return found

    @property
    def members(self) -> dict[str, list[str]]:
        """{stage of dvc.yaml: its items}. Example of an item: mrpc-default-1"""
        found: dict[str, list[str]] = {
            name: [] for name in ("stability_phase1", "stability_phase2", "stability_squad", "stability_glue")
        }
        for run in self.runs:
            group, _, item = run.key.partition("/")
            found[group].append(item)
        return found


def results(runs: Iterable[Run], seed: int, glue_tasks: Iterable[str]) -> list[Run]:
    """Of each task among the runs, the result itself: one run more, under the parameter `seed`."""
    keys = {task: f"glue/{task}" for task in glue_tasks} | {name: name for name in ("squad", *PRETRAINING)}
    return [Run(task, keys[task], seed) for task in dict.fromkeys(run.task for run in runs) if task in keys]


def scores_of(run: Run, metrics: Metrics) -> dict[str, float]:
    """The scores by which runs of a task are compared.

    Of pretraining: the final loss, of all objectives on the training text as NVIDIA publishes it, and the losses on
    held-out text; nats.
    """
    if run.task not in PRETRAINING:
        return {name: metrics[name] for name in SCORES if name in metrics}
    final = [metrics[f"train_{name}"] for name in LOSSES if f"train_{name}" in metrics]
    losses = {FINAL_LOSS: round(sum(final), 6)} if final else {}
    return losses | {name: round(metrics[name], 6) for name in LOSSES if name in metrics}


def spread(values: Iterable[float]) -> dict[str, float]:
    """mean, sample standard deviation (n - 1; absent for a single value), min and max."""
    listed = list(values)
    deviation = {"std": round(stdev(listed), 6)} if len(listed) > 1 else {}
    return {"mean": round(fmean(listed), 6), **deviation, "min": min(listed), "max": max(listed)}


def summarize(runs: Mapping[Run, Metrics]) -> Summary:
    """The metrics of each run -> means and spreads, by task and by the precision that the metrics name.

    The same seed in the same precision counts once: `default` may be a precision that is named too. `ran_as` stands
    beside the scores where the device has no such arithmetic.

    Raises:
        StageError: the runs of a task do not have the same scores, or one does not say its precision.
    """
    by_task: dict[str, dict[str, dict[int, tuple[Run, Metrics]]]] = {}
    for run, metrics in runs.items():
        precision = metrics.get("precision")
        if not isinstance(precision, str) or precision not in get_args(PrecisionName):
            raise StageError(f"metrics/{run.key}.json: expected a precision, got {precision!r}", run=run.again)
        by_task.setdefault(run.task, {}).setdefault(precision, {}).setdefault(run.seed, (run, metrics))
    summary: Summary = {}
    for task, precisions in by_task.items():
        first = next(run for of in precisions.values() for run, _ in of.values())
        expected = list(scores_of(first, runs[first]))
        for precision, of in precisions.items():
            seeds: dict[str, dict[str, float]] = {}
            for seed, (run, metrics) in of.items():
                seeds[str(seed)] = scores = scores_of(run, metrics)
                if list(scores) != expected or not expected:
                    raise StageError(
                        f"metrics/{run.key}.json: expected the scores of metrics/{first.key}.json "
                        f"({', '.join(expected) or 'none'}), got {', '.join(scores) or 'none'}",
                        run=run.again,
                    )
            found: dict[str, Any] = {name: spread(scores[name] for scores in seeds.values()) for name in expected}
            ran = {str(metrics.get("precision_effective", precision)) for _, metrics in of.values()} - {precision}
            summary.setdefault(task, {})[precision] = (
                found | {"seeds": seeds} | ({"ran_as": ", ".join(sorted(ran))} if ran else {})
            )
    return summary
