"""SQuAD from a pretrained model to scores: features, fine-tuning, answers, metrics, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model, save_model
from bert.model.parameters import squad_shapes
from bert.pipeline.files import write_json
from bert.tasks.settings import FinetuneSettings, SquadSettings
from bert.tasks.squad_answers import best_answers, write_answers
from bert.tasks.squad_baselines import question_blind_scores
from bert.tasks.squad_data import Question, evenly_spaced, read_squad
from bert.tasks.squad_features import Windows, make_windows
from bert.tasks.squad_metrics import squad_scores, squad_scores_by_type
from bert.text.tokenizer import WordPieceTokenizer
from bert.training.batches import Arrays
from bert.training.distributed import World
from bert.training.finetuning import SPANS, Finetuned, finetune, forward_spans, predict
from bert.training.loop import peak_rss_mb
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings

# Random baselines are averaged over so many draws.
BASELINE_DRAWS = 5


def to_arrays(windows: Windows) -> Arrays:
    """What the model is trained on, {feature: (N, S) or (N,)} int32."""
    names = ("input_ids", "input_mask", "segment_ids", "start_positions", "end_positions")
    return {name: getattr(windows, name) for name in names}


def rounded(value: Any) -> Any:
    """Floats to 4 digits, through dicts: scores, not noise, in the metrics files."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def run_squad(
    data: Path,
    init: Path,
    settings: SquadSettings,
    finetuning: FinetuneSettings,
    compute: ComputeSettings,
    seed: int,
    scratch: Path,
    world: World,
    code: dict[str, str],
) -> None:
    """Fine-tune and score; leaves model/, predictions/, curve.tsv, metrics.json and run.json in `scratch`."""
    start = load_model(init, f"dvc repro {init.name}")
    precision = set_precision(compute, start.config.hidden_size)
    tokenizer = WordPieceTokenizer(start.vocab)
    train_questions, dropped_train = read_squad(data / settings.train_file, settings.data)
    dev_questions, dropped_dev = read_squad(data / settings.dev_file, settings.data)
    train_questions = evenly_spaced(train_questions, settings.limit_train)
    dev_questions = evenly_spaced(dev_questions, settings.limit_dev)
    shape = {
        "max_seq_length": settings.max_seq_length,
        "doc_stride": settings.doc_stride,
        "max_query_length": settings.max_query_length,
    }
    train_windows = make_windows(train_questions, tokenizer, **shape)
    dev_windows = make_windows(dev_questions, tokenizer, **shape)

    def tune(from_random: bool) -> Finetuned:
        return finetune(
            "squad",
            SPANS,
            squad_shapes,
            start,
            from_random,
            to_arrays(train_windows),
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

    def answer(tuned: Finetuned, predictions: Path | None) -> dict[str, str]:
        logits = predict(tuned, forward_spans, to_arrays(dev_windows), settings.predict_batch_size, precision, world)
        found = best_answers(
            dev_questions,
            dev_windows,
            logits[:, 0],
            logits[:, 1],
            n_best_size=settings.n_best_size,
            max_answer_length=settings.max_answer_length,
        )
        if predictions is not None and world.is_first:
            predictions.mkdir(exist_ok=True)
            write_answers(
                predictions / "predictions.json", predictions / "nbest_predictions.json", dev_questions, found
            )
        return {q.id: candidates[0].text for q, candidates in zip(dev_questions, found, strict=True)}

    tuned = tune(from_random=False)
    answers = answer(tuned, scratch / "predictions")
    control = _control(dev_questions, answer(tune(from_random=True), None)) if settings.random_control else {}
    if not world.is_first:
        return
    rate = tuned.run.rate(settings.batch_size)
    metrics = {
        **squad_scores(dev_questions, answers),
        "by_type": squad_scores_by_type(dev_questions, answers),
        "baselines": question_blind_scores(train_questions, dev_questions, range(seed, seed + BASELINE_DRAWS)),
        **control,
        "train_loss": tuned.run.last["task_loss"],
        "train_questions": len(train_questions),
        "train_windows": len(train_windows),
        "dropped": {
            "train": dict(sorted((dropped_train + train_windows.counts).items())),
            "dev": dict(sorted((dropped_dev + dev_windows.counts).items())),
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
    (scratch / "curve.tsv").write_text("\n".join(tuned.run.curve) + "\n")
    write_json(scratch / "run.json", {"resumed_from_step": tuned.run.resumed_from})
    write_json(scratch / "metrics.json", rounded(metrics))


def _control(questions: list[Question], answers: dict[str, str]) -> dict[str, Any]:
    return {"from_random_weights": squad_scores(questions, answers)}
