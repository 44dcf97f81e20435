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
from bert.tasks.glue.data import Example, Split, Task, read_glue, tsv, write_predictions
from bert.tasks.glue.features import Rows, make_rows
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.settings import INIT_STAGES, FinetuneParams, GlueTaskSettings
from bert.training.batches import Arrays
from bert.training.context import Context, Outcome
from bert.training.objectives import classes

PREDICT_BATCH = 64
# What makes the rows, beside what makes the features of all tasks.
CODE = ("bert/tasks/glue/data.py", "bert/tasks/glue/features.py", "bert/tasks/glue/run.py")


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
    cache = FeatureCache.of(CODE, context.code)
    examples: dict[Split, list[Example]] = {}
    dropped: dict[Split, Counter[str]] = {}

    def entry(split: Split) -> str:
        examples[split], dropped[split] = read_glue(data / task.folder, task, split, source)
        shape = {"max_seq_length": params.task.max_seq_length}
        return cache.entry(
            f"glue-{task.name}-{split}",
            {**shape, "task": asdict(task), "do_lower_case": start.do_lower_case},
            [tsv(data / task.folder, split), start.vocab],
            lambda: make_rows(examples[split], start.tokenizer(), **shape),
        )

    entries = by_first_rank(context.world, f"{stage}, features", lambda: (entry("train"), entry("dev")))
    train_rows, dev_rows = (cache.read(name, Rows) for name in entries)

    tuned = tuning.tune(to_arrays(train_rows))
    predicted = tuning.predict(tuned, to_arrays(dev_rows), PREDICT_BATCH).argmax(-1)
    if not context.world.is_first:
        return None
    write_predictions(context.scratch / "predictions.tsv", task, examples["dev"], predicted.tolist())
    scores = {
        **glue_scores(task, dev_rows.labels, predicted),
        "count": len(examples["dev"]),
        "baselines": baseline_scores(task, examples["train"], examples["dev"]),
        "train_examples": len(examples["train"]),
        "dropped": {
            "train": dict(sorted((dropped["train"] + train_rows.counts).items())),
            "dev": dict(sorted((dropped["dev"] + dev_rows.counts).items())),
        },
    }
    return tuning.finish(tuned, scores)
