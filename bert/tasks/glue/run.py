"""A GLUE task from a pretrained model to scores: features, fine-tuning, predictions, metrics, baselines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from bert.launch.memory import peak_memory
from bert.model.parameters import classifier_shapes
from bert.tasks.finetuning import CLASSES, Finetuned, forward_classes, predict
from bert.tasks.glue.baselines import baseline_scores
from bert.tasks.glue.data import TASKS, read_glue, write_predictions
from bert.tasks.glue.features import Rows, make_rows
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.settings import FinetuneSettings, GlueTaskSettings
from bert.tasks.tuning import Tuning
from bert.training.batches import Arrays
from bert.training.settings import ComputeSettings
from bert.training.world import World

PREDICT_BATCH = 64


def to_arrays(rows: Rows) -> Arrays:
    """{feature: (N, S) or (N,)} int32."""
    return {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids", "labels")}


def run_glue(
    stage: str,
    task_name: str,
    data: Path,
    source: Any,
    init: Path,
    settings: GlueTaskSettings,
    finetuning: FinetuneSettings,
    compute: ComputeSettings,
    seed: int,
    scratch: Path,
    world: World,
    code: dict[str, str],
) -> None:
    """Fine-tune and score; leaves model/, predictions.tsv, curve.tsv, metrics.json and run.json in `scratch`.

    Args:
        data: folder of the GLUE tasks.
        source: cloze or download; names the command that makes the data.
    """
    task = TASKS[task_name]
    tuning = Tuning(stage, f"glue.{task_name}", init, settings, finetuning, compute, seed, scratch, world, code)
    train_examples, dropped_train = read_glue(data / task.folder, task, "train", source)
    dev_examples, dropped_dev = read_glue(data / task.folder, task, "dev", source)
    train_rows = make_rows(train_examples, tuning.tokenizer, max_seq_length=settings.max_seq_length)
    dev_rows = make_rows(dev_examples, tuning.tokenizer, max_seq_length=settings.max_seq_length)
    tune = partial(
        tuning.tune, CLASSES, lambda config: classifier_shapes(config, len(task.labels)), to_arrays(train_rows)
    )

    def classes(tuned: Finetuned) -> Any:
        logits = predict(tuned, forward_classes, to_arrays(dev_rows), PREDICT_BATCH, tuning.precision, world)
        return logits.argmax(-1)

    tuned = tune()
    predicted = classes(tuned)
    control = {}
    if settings.random_control:
        control = {"from_random_weights": glue_scores(task, dev_rows.labels, classes(tune(from_random=True)))}
    memory = peak_memory(world)
    if not world.is_first:
        return
    write_predictions(scratch / "predictions.tsv", task, dev_examples, predicted.tolist())
    scores = {
        **glue_scores(task, dev_rows.labels, predicted),
        "count": len(dev_examples),
        "baselines": baseline_scores(task, train_examples, dev_examples),
        **control,
        "train_examples": len(train_examples),
        "dropped": {
            "train": dict(sorted((dropped_train + train_rows.counts).items())),
            "dev": dict(sorted((dropped_dev + dev_rows.counts).items())),
        },
    }
    tuning.publish(tuned, scores, memory)
