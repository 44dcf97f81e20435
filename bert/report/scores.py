"""SQuAD and GLUE, each score between what needs no pretraining and what was published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from bert.report import figures, published, standing
from bert.report.counts import fold
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import hardware, measured, precision
from bert.report.stability import SCORES
from bert.report.standing import Standing
from bert.report.tables import NONE, Row, Section, Table, heading, is_number, not_run, number, score_name, words
from bert.tasks.glue.average import task_score
from bert.tasks.glue.tasks import TASKS

DIGITS = 2  # of scores in per cent
MODELS = {
    "imported": "the imported model",
    "phase1": "phase 1",
    "phase2": "phase 2",
    "random": "random weights",
}
"""What to call the folders of data/models that fine-tuning starts from."""
GUESSES = {
    "position": "best fixed position",
    "random_span_of_type": "random span of the answer's type",
    "majority": "majority class",
    "positive": "always the positive class",
    "overlap": "word overlap",
}
"""What to call the baselines, where their names as words do not say it."""


def _cells(scores: Metrics, names: list[str]) -> tuple[str, ...]:
    return tuple(number(scores.get(name), DIGITS) for name in names)


def _runs(inputs: Inputs, key: str, init: str, dev: str | None = None) -> Iterator[tuple[str, Metrics, bool]]:
    """(what, its scores, whether it is the result) from the result of `key` by its controls down to the baselines.

    A control that has not run is left to `_not_run`.

    dev: what the metrics call a dev set beside the main one, whose scores to give.
    """

    def of(metrics: Metrics) -> Metrics:
        return metrics if dev is None else metrics.get(dev) or {}

    metrics = of(inputs.metrics[key])
    yield f"fine-tuned from {MODELS.get(init, init)}", metrics, True
    for control in controls(inputs, key):
        yield f"the same from {control_of(control)}", of(inputs.metrics[control]), False
    for name, scores in (metrics.get("baselines") or {}).items():
        yield f"no model: {guess(name)}", scores, False


def task_title(task: str) -> str:
    """A task as its authors write it, one's own as it is called here. Example: sst2 -> SST-2"""
    return TASKS[task].folder if task in TASKS else task


def guess(name: str) -> str:
    """A baseline in words. Examples: overlap -> word overlap; random_span -> random span"""
    return GUESSES.get(name, words(name))


def _task_of(control: str) -> str:
    """Of a control's key: `mrpc` of glue_control/mrpc-random, nothing of squad_control/random."""
    return control.partition("/")[2].rpartition("-")[0]


def controls(inputs: Inputs, key: str) -> list[str]:
    """The keys of the controls of a task that have run. Example: glue/mrpc -> [glue_control/mrpc-random]"""
    group, _, task = key.partition("/")
    return [k for k in inputs.group(f"{group}_control") if k in inputs.metrics and _task_of(k) == task]


def control_of(control: str) -> str:
    """What a control starts from, in words. Example: glue_control/mrpc-random -> random weights"""
    model = control.partition("/")[2].rpartition("-")[2]
    return MODELS.get(model, model)


def main_score(task: str, metrics: Metrics) -> str | None:
    """By which a task is judged: the benchmark's first, of one's own task the first that there is."""
    names = TASKS[task].metrics if task in TASKS else SCORES
    return next((name for name in names if is_number(metrics.get(name))), None)


def _standing(inputs: Inputs, key: str, score: str) -> Standing:
    """Of a task that has run and has this score."""
    metrics = inputs.metrics[key]
    trained: list[Metrics] = [inputs.metrics[control] for control in controls(inputs, key)]
    guessed: list[Metrics] = list((metrics.get("baselines") or {}).values())
    beside, below = ([of[score] for of in group if is_number(of.get(score))] for group in (trained, guessed))
    return Standing(score, metrics[score], beside, below, _count(metrics))


def _not_run(inputs: Inputs, group: str) -> list[Row]:
    """Of the controls in a group that have not run."""
    keys = [key for key in inputs.group(group) if key not in inputs.metrics]
    return [
        not_run(": ".join(filter(None, (_task_of(k), f"the same from {control_of(k)}"))), inputs.first_run(k))
        for k in keys
    ]


def _count(scores: Metrics) -> int:
    """Of how many questions they are, as the official scorers of SQuAD v1.1 (here) and v2.0 name it."""
    count: Any = scores.get("count", scores.get("total", 0))
    return int(count)


def _how(metrics: Metrics) -> str:
    known = {
        "precision": precision(metrics),
        "steps": number(metrics.get("steps")),
        "sequences / s": number(metrics.get("sequences_per_second")),
    }
    return ", ".join(f"{name} {value}" for name, value in known.items() if value != NONE)


def _published(inputs: Inputs, key: str, model: str, data: str | None, names: list[str]) -> tuple[list[Row], list[str]]:
    """Rows of published scores for the same work as `key`'s, and a note with the hardware of both."""
    if data != "download":
        return [], []
    metrics = inputs.metrics[key]
    same = published.scores(key, str(metrics.get("model", model)), metrics.get("count"))
    rows = [Row((f"published: {s.precision}", *_cells(s.figures, names), NONE)) for s in same]
    notes = [f"Published {s.precision}: {s.source}, on {s.hardware}. Here: {hardware(inputs, key)}." for s in same]
    return rows, notes


def _made_here(data: str | None, what: str) -> tuple[str, ...]:
    """A warning where the data are not those of the benchmark's name."""
    if data != "cloze":
        return ()
    return (
        f"The {what} are made from the corpus by the cloze stage. They have the benchmark's form and are scored by its "
        "rules, but they are not its data: compare these scores with each other, not with those of other work.",
    )


def _export(inputs: Inputs, keys: Sequence[str]) -> Table:
    """Whether the SavedModels answer as the models did."""
    header = ("SavedModel", "asked", "answered alike", "as good", "bytes")
    rows = []
    for key in keys:
        if key not in inputs.metrics:
            rows.append(not_run(inputs.stage(key), inputs.first_run(key)))
            continue
        cells = (number(inputs.metrics[key].get(name)) for name in ("checked", "agreeing", "ties", "bytes"))
        rows.append(Row((inputs.stage(key), *cells)))
    note = "As good: another answer than the predicted one, which scores the same but for rounding."
    return Table("Export", header, tuple(rows), notes=(note,))


def squad(inputs: Inputs, model: str, data: str | None, init: str) -> Section:
    """Exact match and F1, overall and by the type of the answer. data: `squad.data`. init: `finetune.init`."""
    key = "squad"
    # As the official scorers of v1.1 and v2.0 call it.
    names = ["exact" if "exact" in inputs.metrics.get(key, {}) else "exact_match", "f1"]
    text = _made_here(data, "questions")
    if key not in inputs.metrics:
        table = Table("Scores", ("run", "command"), (not_run(inputs.stage(key), inputs.first_run(key)),))
        return Section(key, "SQuAD", text, (table, _export(inputs, ["export"])))
    metrics = inputs.metrics[key]
    count = number(metrics.get("count"))
    rows = [
        Row((what, *_cells(scores, names), count), strong=result) for what, scores, result in _runs(inputs, key, init)
    ]
    theirs, notes = _published(inputs, key, model, data, names)
    header = ("run", *map(heading, names), "questions")
    tables = [
        Table(
            f"Scores ({_how(metrics) or 'not said how'})",
            header,
            (*rows, *_not_run(inputs, "squad_control"), *theirs),
            notes=(*measured(inputs, [key]), *notes),
        )
    ]
    if by_type := metrics.get("by_type"):
        kinds = sorted(by_type.items(), key=lambda item: (-_count(item[1]), item[0]))
        of_type = tuple(Row((words(kind), *_cells(scores, names), number(_count(scores)))) for kind, scores in kinds)
        tables.append(Table("By type of answer", ("answer", *header[1:]), of_type))
    tables.append(_export(inputs, ["export"]))
    stand = {score_name(name): _standing(inputs, key, name) for name in reversed(names) if is_number(metrics.get(name))}
    drawings = (*standing.drawing(stand, "SQuAD"), *figures.drawing(inputs, key))
    return Section(key, "SQuAD", text, tuple(tables), drawings, fold(inputs, key, counted=False))


def glue(inputs: Inputs, model: str, data: str | None, init: str) -> Section:
    """All tasks in one table, with the metrics that any of them has. data: `glue.data`. init: `finetune.init`."""
    keys = inputs.group("glue")
    done = [key for key in keys if key in inputs.metrics]
    names = [name for name in SCORES if any(name in inputs.metrics[key] for key in done)]
    rows: list[Row] = []
    notes: list[str] = []
    for key in keys:
        task = key.partition("/")[2]
        if key not in inputs.metrics:
            rows.append(not_run(task, inputs.first_run(key)))
            continue
        metrics = inputs.metrics[key]
        for dev in (None, *(TASKS[task].other_devs if task in TASKS else ())):
            name, of_dev = (task, metrics) if dev is None else (f"{task}, {dev}", metrics.get(dev) or {})
            count = number(of_dev.get("count"))
            for what, scores, result in _runs(inputs, key, init, dev):
                rows.append(Row((name, what, *_cells(scores, names), count), strong=result))
        theirs, sources = _published(inputs, key, model, data, names)
        rows += [Row((task, *row.cells)) for row in theirs]
        notes += [f"{task}: {_how(metrics) or 'not said how'}.", *sources]
    rows += _not_run(inputs, "glue_control")
    if not keys:
        rows.append(not_run("glue", "dvc repro glue"))
    header = ("task", "run", *map(heading, names), "examples")
    table = Table("Scores", header, tuple(rows), text_columns=2, notes=(*measured(inputs, done), *notes))
    exports = inputs.group("export_glue")
    tables = (table, *_average(inputs, done), *([_export(inputs, exports)] if exports else []))
    title = "GLUE" if all(key.partition("/")[2] in TASKS for key in keys) else "GLUE and tasks of one's own"
    folds = tuple(folded for key in done for folded in fold(inputs, key, counted=False))
    stand = {
        f"{task}, {score_name(score)}": _standing(inputs, key, score)
        for key in done
        if (score := main_score(task := key.partition("/")[2], inputs.metrics[key])) is not None
    }
    drawings = standing.drawing(stand, "Main score of each task" if len(stand) > 1 else "Main score")
    return Section("glue", title, _made_here(data, "pairs"), tables, drawings, folds)


def _average(inputs: Inputs, done: list[str]) -> tuple[Table, ...]:
    """The scores of GLUE's tasks in `done` as it averages them; nothing of a single task."""
    names = {task: key for key in done if (task := key.partition("/")[2]) in TASKS}
    found = {task: task_score(TASKS[task], inputs.metrics[key]) for task, key in names.items()}
    scores = {task: score for task, score in found.items() if score is not None}
    if len(scores) < 2:
        return ()
    rows = [Row((task, number(score, DIGITS))) for task, score in scores.items()]
    rows.append(Row((f"mean of {len(scores)} tasks", number(fmean(scores.values()), DIGITS)), strong=True))
    note = (
        "A task with several metrics, or dev sets, counts with their mean. The leaderboard's average is of all "
        f"{len(TASKS)} tasks, on their test sets."
    )
    return (Table("Average", ("task", "score, %"), tuple(rows), notes=(note,)),)
