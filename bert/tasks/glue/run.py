"""A GLUE task from a pretrained model to scores: features, fine-tuning, predictions, metrics, baselines."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.tasks.feature_cache import FeatureCache
from bert.tasks.finetuning import FineTuning
from bert.tasks.first_rank import by_first_rank
from bert.tasks.glue.baselines import baseline_scores
from bert.tasks.glue.data import Example, Source, files_of, read_glue, read_unlabelled
from bert.tasks.glue.features import Rows, make_rows
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.glue.predictions import predictions, write_predictions
from bert.tasks.glue.tasks import Task
from bert.tasks.settings import INIT_STAGES, FinetuneParams, GlueTaskSettings
from bert.training.batches import Arrays
from bert.training.context import Context, Outcome
from bert.training.objectives import TaskObjective, classes, regression

PREDICT_BATCH = 64
# What makes the rows, beside what makes the features of all tasks.
CODE = tuple(f"bert/tasks/glue/{name}.py" for name in ("tasks", "tables", "mrpc", "data", "features", "run"))


def objective(task: Task) -> TaskObjective:
    """What is minimised on a task."""
    return regression() if task.is_regression else classes(len(task.labels))


def to_arrays(rows: Rows) -> Arrays:
    """{feature: (N, S) or (N,)} int32; labels of a regression float32."""
    return {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids", "labels")}


def run_glue(
    stage: str,
    task: Task,
    data: Path,
    source: Source,
    init: Path,
    params: FinetuneParams[GlueTaskSettings],
    context: Context,
    with_submissions: bool,
) -> Outcome | None:
    """Fine-tune and score. The first rank leaves model/, predictions/ and curve.tsv in the scratch.

    Args:
        stage: DVC's name of it, for people.
        data: folder of the GLUE tasks.
        source: cloze or download; names the command that makes the data.
        init: model folder to start from.
        with_submissions: predict the files without labels too, those of them that are there.

    Returns:
        The metrics, on the first rank: the main dev set's scores, those of another one in a dict of its own.

    Raises:
        StageError: a model folder or data that are not whole, params that do not fit; and as Training.run.
    """
    start = load_model(init, f"dvc repro {INIT_STAGES.get(init.name, init.name)}")
    tuning = FineTuning(stage, objective(task), start, params, context)
    cache = FeatureCache.of(CODE, context.code)
    examples: dict[str, list[Example]] = {}
    dropped: dict[str, Counter[str]] = {}

    def entry(name: str, file: str) -> str:
        shape = {"max_seq_length": params.task.max_seq_length}
        return cache.entry(
            f"glue-{task.name}-{name}",
            {**shape, "task": asdict(task), "file": file, "do_lower_case": start.do_lower_case},
            [*files_of(data, file), start.vocab],
            lambda: make_rows(examples[name], start.tokenizer(), **shape),
        )

    def entries() -> dict[str, str]:
        """{train, a dev set or a submission: its entry}; all files are read before anything is made."""
        files = {split: task.file(split) for split in ("train", *task.devs)}
        for split in files:
            examples[split], dropped[split] = read_glue(data, task, split, source)
        for submission in task.submissions if with_submissions else ():
            if (unlabelled := read_unlabelled(data, task, submission, source)) is not None:
                examples[submission.name], files[submission.name] = unlabelled, submission.file
        return {name: entry(name, file) for name, file in files.items()}

    made = by_first_rank(context.world, f"{stage}, features", entries)
    rows = {name: cache.read(entry, Rows) for name, entry in made.items()}
    tuned = tuning.tune(to_arrays(rows["train"]))
    predicted = {
        name: predictions(task, tuning.predict(tuned, to_arrays(rows[name]), PREDICT_BATCH))
        for name in rows
        if name != "train"
    }
    if not context.world.is_first:
        return None
    for name, values in predicted.items():
        write_predictions(context.scratch / "predictions" / f"{name}.tsv", task, examples[name], values.tolist())

    def scores_of(dev: str) -> dict[str, Any]:
        return {
            **glue_scores(task, rows[dev].labels, predicted[dev]),
            "count": len(examples[dev]),
            "baselines": baseline_scores(task, examples["train"], examples[dev]),
        }

    labelled = ("train", *task.devs)
    scores = {
        **scores_of(task.devs[0]),
        **{name: scores_of(dev) for name, dev in task.other_devs.items()},
        "train_examples": len(examples["train"]),
        "dropped": {split: dict(sorted((dropped[split] + rows[split].counts).items())) for split in labelled},
    }
    return tuning.finish(tuned, scores)
