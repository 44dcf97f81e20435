"""SQuAD from a pretrained model to scores: features, fine-tuning, answers, metrics, baselines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from bert.tasks.finetuning import FineTuning
from bert.tasks.settings import INIT_STAGES, FinetuneParams, SquadSettings
from bert.tasks.squad.answers import best_answers, write_answers
from bert.tasks.squad.baselines import question_blind_scores
from bert.tasks.squad.data import evenly_spaced, has_answers, read_squad
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.metrics import squad_scores, squad_scores_by_type
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
        StageError: a model folder or questions that are not whole, questions of SQuAD v2, params that do not fit; and
            as Training.run.
    """
    settings, seed = params.task, params.seed
    start = load_model(init, f"dvc repro {INIT_STAGES.get(init.name, init.name)}")
    tuning = FineTuning(stage, spans(), start, params, context)
    train_questions, dropped_train = read_squad(data / settings.train_file, settings.data)
    dev_questions, dropped_dev = read_squad(data / settings.dev_file, settings.data)
    if not has_answers(train_questions, data / settings.train_file):
        raise StageError(
            f"{data / settings.train_file}: none of its {len(train_questions)} questions has an answer to learn from",
            run="give a file with answers as squad.train_file in params.yaml, then dvc repro squad",
        )
    is_scored = has_answers(dev_questions, data / settings.dev_file)
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
    predictions = context.scratch / "predictions"
    predictions.mkdir(exist_ok=True)
    write_answers(predictions / "predictions.json", predictions / "nbest_predictions.json", dev_questions, found)
    answers = {q.id: candidates[0].text for q, candidates in zip(dev_questions, found, strict=True)}
    scores: dict[str, Any] = {"count": len(dev_questions)}
    if is_scored:
        scores = {
            **squad_scores(dev_questions, answers),
            "by_type": squad_scores_by_type(dev_questions, answers),
            "baselines": question_blind_scores(train_questions, dev_questions, range(seed, seed + BASELINE_DRAWS)),
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
