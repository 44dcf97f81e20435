"""A GLUE task from a pretrained model to scores: features, fine-tuning, predictions, metrics, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model, save_model
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, classifier_shapes
from bert.pipeline.files import write_json
from bert.tasks.glue import TASKS, read_glue, write_predictions
from bert.tasks.glue_baselines import baseline_scores
from bert.tasks.glue_features import Rows, make_rows
from bert.tasks.glue_metrics import glue_scores
from bert.tasks.run_squad import rounded
from bert.tasks.settings import FinetuneSettings, GlueTaskSettings
from bert.text.tokenizer import WordPieceTokenizer
from bert.training.batches import Arrays
from bert.training.distributed import World
from bert.training.finetuning import CLASSES, Finetuned, finetune, forward_classes, predict
from bert.training.loop import peak_rss_mb
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings

PREDICT_BATCH = 64


def to_arrays(rows: Rows) -> Arrays:
    """{feature: (N, S) or (N,)} int32."""
    return {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids", "labels")}


def run_glue(
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
    """Fine-tune and score; leaves model/, predictions.tsv, metrics.json and run.json in `scratch`.

    Args:
        data: folder of the GLUE tasks.
        source: cloze or download; names the command that makes the data.
    """
    task = TASKS[task_name]
    start = load_model(init, f"dvc repro {init.name}")
    precision = set_precision(compute, start.config.hidden_size)
    tokenizer = WordPieceTokenizer(start.vocab)
    train_examples, dropped_train = read_glue(data / task.folder, task, "train", source)
    dev_examples, dropped_dev = read_glue(data / task.folder, task, "dev", source)
    train_rows = make_rows(train_examples, tokenizer, max_seq_length=settings.max_seq_length)
    dev_rows = make_rows(dev_examples, tokenizer, max_seq_length=settings.max_seq_length)

    def shapes(config: BertConfig) -> Shapes:
        return classifier_shapes(config, len(task.labels))

    def tune(from_random: bool) -> Finetuned:
        return finetune(
            f"glue@{task_name}",
            CLASSES,
            shapes,
            start,
            from_random,
            to_arrays(train_rows),
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            peak_rate=settings.learning_rate,
            warmup_proportion=settings.warmup_proportion,
            optimizer=finetuning.optimizer,
            loss_scale=finetuning.loss_scale,
            dropout=finetuning.dropout,
            max_skipped=finetuning.max_skipped,
            precision=precision,
            seed=seed,
            scratch=scratch / ("control" if from_random else "tuned"),
            world=world,
            code=code,
        )

    def classes(tuned: Finetuned) -> Any:
        return predict(tuned, forward_classes, to_arrays(dev_rows), PREDICT_BATCH, precision, world).argmax(-1)

    tuned = tune(from_random=False)
    predicted = classes(tuned)
    control = {}
    if settings.random_control:
        control = {"from_random_weights": glue_scores(task, dev_rows.labels, classes(tune(from_random=True)))}
    if not world.is_first:
        return
    rate = tuned.run.rate(settings.batch_size)
    metrics = {
        **glue_scores(task, dev_rows.labels, predicted),
        "count": len(dev_examples),
        "baselines": baseline_scores(task, train_examples, dev_examples),
        **control,
        "train_loss": tuned.run.last["task_loss"],
        "train_examples": len(train_examples),
        "dropped": {
            "train": dict(sorted((dropped_train + train_rows.counts).items())),
            "dev": dict(sorted((dropped_dev + dev_rows.counts).items())),
        },
        "sequences_per_second": round(rate, 2),
        "steps": tuned.steps,
        "global_batch": settings.batch_size,
        "ranks": world.size,
        "precision": precision.name,
        "precision_effective": precision.effective,
        "xla": precision.xla,
        "skipped_steps": tuned.run.skipped_steps,
        "peak_rss_mb": round(peak_rss_mb(), 1),
    }
    save_model(scratch / "model", tuned.config, tuned.weights(), start.vocab)
    write_predictions(scratch / "predictions.tsv", task, dev_examples, predicted.tolist())
    write_json(scratch / "run.json", {"resumed_from_step": tuned.run.resumed_from})
    write_json(scratch / "metrics.json", rounded(metrics))
