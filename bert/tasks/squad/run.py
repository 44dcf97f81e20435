"""SQuAD from a pretrained model to scores: features, fine-tuning, answers, metrics, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.tasks.finetuning import FineTuning
from bert.tasks.first_rank import by_first_rank
from bert.tasks.settings import INIT_STAGES, FinetuneParams, SquadSettings
from bert.tasks.squad.cached_windows import make_entries, window_cache
from bert.tasks.squad.features import Windows
from bert.tasks.squad.postprocessing import postprocess
from bert.tasks.squad.scores import Answered, full_scores
from bert.tasks.squad.splits import Splits, read_splits
from bert.training.batches import Arrays
from bert.training.context import Context, Outcome
from bert.training.objectives import spans

# Random baselines are averaged over so many draws.
BASELINE_DRAWS = 5


def to_arrays(windows: Windows) -> Arrays:
    """What the model is trained on, {feature: (N, S) or (N,)} int32."""
    names = ("input_ids", "input_mask", "segment_ids", "start_positions", "end_positions")
    return {name: getattr(windows, name) for name in names}


def run_squad(
    stage: str, data: Path, init: Path, params: FinetuneParams[SquadSettings], context: Context
) -> Outcome | None:
    """Fine-tune and score. The first rank leaves model/, predictions/ and curve.tsv in the scratch.

    Args:
        stage: DVC's name of it, for people.
        data: folder of the questions.
        init: model folder to start from.

    Returns:
        The metrics, on the first rank; without scores, baselines and control where the questions are only asked.

    Raises:
        StageError: a model folder or questions that are not whole, questions without an answer where `squad.version` is
            1.1, params that do not fit; and as Training.run.
    """
    settings, seed = params.task, params.seed
    start = load_model(init, f"dvc repro {INIT_STAGES.get(init.name, init.name)}")
    tuning = FineTuning(stage, spans(), start, params, context)
    cache = window_cache(context.code)
    splits: Splits | None = None

    def entries() -> tuple[str, str]:
        nonlocal splits
        splits = read_splits(data, settings)
        return make_entries(cache, data, splits, settings, start)

    train_windows, dev_windows = (
        cache.read(entry, Windows) for entry in by_first_rank(context.world, f"{stage}, features", entries)
    )
    tuned = tuning.tune(to_arrays(train_windows))
    logits = tuning.predict(tuned, to_arrays(dev_windows), settings.predict_batch_size)
    if splits is None:  # on the other ranks
        return None
    predicted = postprocess(splits.dev, dev_windows, logits, settings, splits.version)
    predictions = context.scratch / "predictions"
    predictions.mkdir(exist_ok=True)
    predicted.write(predictions)
    answers = Answered(predicted.texts(), predicted.odds(), predicted.threshold)
    scores: dict[str, Any] = {"count": len(splits.dev)}
    if splits.is_scored:
        scores = {
            **scores,
            **full_scores(splits.train, splits.dev, answers, range(seed, seed + BASELINE_DRAWS)),
        }
    scores |= {
        "train_questions": len(splits.train),
        "train_windows": len(train_windows),
        "dropped": {
            "train": dict(sorted((splits.dropped_train + train_windows.counts).items())),
            "dev": dict(sorted((splits.dropped_dev + dev_windows.counts).items())),
        },
    }
    return tuning.finish(tuned, scores)
