"""A task of classes or numbers from a pretrained model to scores: features, fine-tuning, predictions, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.tasks.feature_cache import FeatureCache
from bert.tasks.finetuning import FineTuning
from bert.tasks.first_rank import by_first_rank
from bert.tasks.glue.baselines import baseline_scores
from bert.tasks.glue.examples import Example, file_of, read_examples, read_task
from bert.tasks.glue.features import Rows, make_rows
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.glue.predictions import predictions, write_predictions, write_probabilities
from bert.tasks.glue.task import Task
from bert.tasks.settings import INIT_STAGES, FinetuneParams, GlueTaskSettings
from bert.training.batches import Arrays
from bert.training.context import Context, Outcome
from bert.training.objectives import TaskObjective, classes, regression

PREDICT_BATCH = 64
# What makes the rows, beside what makes the features of all tasks.
CODE = tuple(f"bert/tasks/glue/{name}.py" for name in ("task", "examples", "features", "run"))


def objective(task: Task) -> TaskObjective:
    """What is minimised on a task."""
    return regression() if task.is_regression else classes(len(task.labels))


def to_arrays(rows: Rows) -> Arrays:
    """{feature: (N, S) or (N,)} int32; labels of a regression float32."""
    return {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids", "labels")}


def run_glue(
    stage: str,
    data: Path,
    init: Path,
    params: FinetuneParams[GlueTaskSettings],
    context: Context,
    with_unlabelled: bool,
) -> Outcome | None:
    """Fine-tune and score. The first rank leaves model/, predictions/ and curve.tsv in the scratch.

    Args:
        stage: DVC's name of it, for people.
        data: folder of the task.
        init: model folder to start from.
        with_unlabelled: predict the sets without labels too.

    Returns:
        The metrics, on the first rank: the main dev set's scores, those of another one in a dict of its own.

    Raises:
        StageError: a model folder or data that are not whole, params that do not fit; and as Training.run.
    """
    made_by = f"dvc repro glue_data@{data.name}"
    task = read_task(data, made_by)
    start = load_model(init, f"dvc repro {INIT_STAGES.get(init.name, init.name)}")
    tuning = FineTuning(stage, objective(task), start, params, context)
    cache = FeatureCache.of(CODE, context.code)
    labelled = ("train", *task.devs)
    examples: dict[str, list[Example]] = {}

    def entry(name: str) -> str:
        shape = {"max_seq_length": params.task.max_seq_length}
        return cache.entry(
            f"glue-{task.name}-{name}",
            {**shape, "do_lower_case": start.do_lower_case},
            [file_of(data, name), start.vocab],
            lambda: make_rows(examples[name], start.tokenizer(), **shape),
        )

    def entries() -> dict[str, str]:
        """{a set: its entry}; all files are read before anything is made."""
        for name in (*labelled, *(task.unlabelled if with_unlabelled else ())):
            examples[name] = read_examples(data, name, made_by)
        return {name: entry(name) for name in examples}

    made = by_first_rank(context.world, f"{stage}, features", entries)
    rows = {name: cache.read(entry, Rows) for name, entry in made.items()}
    tuned = tuning.tune(to_arrays(rows["train"]))
    logits = {name: tuning.predict(tuned, to_arrays(rows[name]), PREDICT_BATCH) for name in rows if name != "train"}
    if not context.world.is_first:
        return None
    predicted = {name: predictions(task, values) for name, values in logits.items()}
    folder = context.scratch / "predictions"
    for name, values in predicted.items():
        write_predictions(folder / f"{name}.tsv", task, examples[name], values.tolist())
        if task.is_own and not task.is_regression:
            write_probabilities(folder / f"{name}_probabilities.tsv", task, examples[name], logits[name])

    def scores_of(dev: str) -> dict[str, Any]:
        return {
            **glue_scores(task, rows[dev].labels, predicted[dev]),
            "count": len(examples[dev]),
            "baselines": baseline_scores(task, examples["train"], examples[dev]),
        }

    scores = {
        **scores_of(task.devs[0]),
        **{name: scores_of(dev) for name, dev in task.other_devs.items()},
        "train_examples": len(examples["train"]),
        "dropped": {split: dict(sorted(rows[split].counts.items())) for split in labelled},
    }
    return tuning.finish(tuned, scores)
