"""A GLUE task from a pretrained model to scores: features, fine-tuning, predictions, metrics, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.tasks.finetuning import FineTuning
from bert.tasks.glue.baselines import baseline_scores
from bert.tasks.glue.data import Task, read_glue, write_predictions
from bert.tasks.glue.features import Rows, make_rows
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.settings import INIT_STAGES, FinetuneParams, GlueTaskSettings
from bert.training.batches import Arrays
from bert.training.context import Context, Outcome
from bert.training.objectives import classes

PREDICT_BATCH = 64


def to_arrays(rows: Rows) -> Arrays:
    """{feature: (N, S) or (N,)} int32."""
    return {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids", "labels")}


def run_glue(
    stage: str,
    task: Task,
    data: Path,
    source: Any,
    init: Path,
    params: FinetuneParams[GlueTaskSettings],
    context: Context,
) -> Outcome | None:
    """Fine-tune and score. The first rank leaves model/, predictions.tsv and curve.tsv in the scratch.

    Args:
        stage: DVC's name of it, for people.
        data: folder of the GLUE tasks.
        source: cloze or download; names the command that makes the data.
        init: model folder to start from.

    Returns:
        The metrics, on the first rank.

    Raises:
        StageError: a model folder or data that are not whole, params that do not fit; and as Training.run.
    """
    start = load_model(init, f"dvc repro {INIT_STAGES.get(init.name, init.name)}")
    tuning = FineTuning(stage, classes(len(task.labels)), start, params, context)
    tokenizer, length = start.tokenizer(), params.task.max_seq_length
    train_examples, dropped_train = read_glue(data / task.folder, task, "train", source)
    dev_examples, dropped_dev = read_glue(data / task.folder, task, "dev", source)
    train_rows = make_rows(train_examples, tokenizer, max_seq_length=length)
    dev_rows = make_rows(dev_examples, tokenizer, max_seq_length=length)

    tuned = tuning.tune(to_arrays(train_rows))
    predicted = tuning.predict(tuned, to_arrays(dev_rows), PREDICT_BATCH).argmax(-1)
    if not context.world.is_first:
        return None
    write_predictions(context.scratch / "predictions.tsv", task, dev_examples, predicted.tolist())
    scores = {
        **glue_scores(task, dev_rows.labels, predicted),
        "count": len(dev_examples),
        "baselines": baseline_scores(task, train_examples, dev_examples),
        "train_examples": len(train_examples),
        "dropped": {
            "train": dict(sorted((dropped_train + train_rows.counts).items())),
            "dev": dict(sorted((dropped_dev + dev_rows.counts).items())),
        },
    }
    return tuning.finish(tuned, scores)
