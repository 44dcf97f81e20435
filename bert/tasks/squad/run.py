"""SQuAD from a pretrained model to scores: features, fine-tuning, answers, metrics, baselines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_json
from bert.tasks.finetuning import FineTuning
from bert.tasks.settings import INIT_STAGES, FinetuneParams, SquadSettings
from bert.tasks.squad.answers import best_answers, write_answers
from bert.tasks.squad.data import evenly_spaced, has_answers, read_squad, squad_version
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.no_answer import NULL_THRESHOLD, best_threshold, null_answers, with_null
from bert.tasks.squad.scores import Answered, full_scores
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
    train_questions, dropped_train = read_squad(data / settings.train_file, settings.data)
    dev_questions, dropped_dev = read_squad(data / settings.dev_file, settings.data)
    if not any(question.answers for question in train_questions):
        raise StageError(
            f"{data / settings.train_file}: none of its {len(train_questions)} questions has an answer to learn from",
            run="give a file with answers as squad.train_file in params.yaml, then dvc repro squad",
        )
    is_scored = has_answers(dev_questions)
    version = squad_version(
        {data / settings.train_file: train_questions, data / settings.dev_file: dev_questions},
        settings.version,
        "set squad.version to auto or 2.0 in params.yaml, or give files of v1.1 there (squad.train_file, "
        "squad.dev_file), then dvc repro squad",
    )
    if version == "2.0" and settings.null_score_diff_threshold is None and not is_scored:
        raise StageError(
            f"squad.null_score_diff_threshold is null: the best one is searched on answered questions, but "
            f"{data / settings.dev_file} only asks",
            run="set it to a number in params.yaml, such as 0.0, then dvc repro squad",
        )
    train_questions = evenly_spaced(train_questions, settings.limit_train)
    dev_questions = evenly_spaced(dev_questions, settings.limit_dev)
    windows = partial(
        make_windows,
        tokenizer=start.tokenizer(),
        max_seq_length=settings.max_seq_length,
        doc_stride=settings.doc_stride,
        max_query_length=settings.max_query_length,
    )
    train_windows, dev_windows = windows(train_questions), windows(dev_questions)
    rows = to_arrays(train_windows)

    tuned = tuning.tune(rows)
    logits = tuning.predict(tuned, to_arrays(dev_windows), settings.predict_batch_size)
    if not context.world.is_first:
        return None
    found = best_answers(
        dev_questions,
        dev_windows,
        logits[:, 0],
        logits[:, 1],
        n_best_size=settings.n_best_size,
        max_answer_length=settings.max_answer_length,
    )
    null_odds, threshold = None, None
    if version == "2.0":
        null = null_answers(found, dev_windows, logits[:, 0], logits[:, 1])
        threshold = settings.null_score_diff_threshold
        if threshold is None:
            threshold = best_threshold(dev_questions, found, null.odds)
        found = with_null(found, null, threshold)
        null_odds = {q.id: odds for q, odds in zip(dev_questions, null.odds, strict=True)}
    predictions = context.scratch / "predictions"
    predictions.mkdir(exist_ok=True)
    write_answers(predictions / "predictions.json", predictions / "nbest_predictions.json", dev_questions, found)
    if null_odds is not None:
        write_json(predictions / "null_odds.json", null_odds)
        write_json(predictions / NULL_THRESHOLD, {"null_score_diff_threshold": threshold})
    texts = {q.id: candidates[0].text for q, candidates in zip(dev_questions, found, strict=True)}
    answers = Answered(texts, null_odds, threshold)
    scores: dict[str, Any] = {"count": len(dev_questions)}
    if is_scored:
        scores = {
            **scores,
            **full_scores(train_questions, dev_questions, answers, range(seed, seed + BASELINE_DRAWS)),
        }
    scores |= {
        "train_questions": len(train_questions),
        "train_windows": len(train_windows),
        "dropped": {
            "train": dict(sorted((dropped_train + train_windows.counts).items())),
            "dev": dict(sorted((dropped_dev + dev_windows.counts).items())),
        },
    }
    return tuning.finish(tuned, scores)
