"""Pretraining of one phase, as one rank does it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.checkpoints.folder import load_model, save_model
from bert.examples.dynamic_masking import dynamic_masking
from bert.examples.reading import Records
from bert.launch.memory import peak_memory
from bert.model.config import BertConfig
from bert.model.losses import pretraining_sums, sequences_in
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.optim.loss_scale import LossScale
from bert.optim.optimizer import make_optimizer
from bert.optim.schedule import learning_rate
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_json, write_text
from bert.tokens.vocabulary import Vocabulary
from bert.training.curves import line
from bert.training.evaluation import HeldOut
from bert.training.held_out_curve import HeldOutCurve
from bert.training.loop import train
from bert.training.precision import set_precision
from bert.training.record_batches import record_batches
from bert.training.settings import ComputeSettings, PhaseTraining, PretrainSettings
from bert.training.step import Batch, Objective, TrainStep
from bert.training.world import World, split_batch


def _weigh(batch: Batch) -> dict[str, Any]:
    rows = tf.shape(batch["next_sentence_labels"])[0]
    return {"predictions": tf.reduce_sum(batch["masked_lm_weights"]), "rows": tf.cast(rows, tf.float32)}


PRETRAINING = Objective(pretraining_sums, _weigh, {"mlm_loss": "predictions", "nsp_loss": "rows"})
HELD_OUT_COLUMNS = ("mlm_loss", "mlm_accuracy")
PAIR_COLUMNS = ("nsp_loss", "nsp_accuracy")
LOSSES = {"mlm_loss": "mlm_loss/predictions", "nsp_loss": "nsp_loss/rows"}


def _weigh_sequences(batch: Batch) -> dict[str, Any]:
    rows = tf.reduce_sum(sequences_in(batch["input_mask"]))
    return {"predictions": tf.reduce_sum(batch["masked_lm_weights"]), "rows": tf.cast(rows, tf.float32)}


def objective_of(records: Records) -> Objective:
    """What is minimised on records of that kind."""
    sums = partial(pretraining_sums, packed=True) if records.packed else pretraining_sums
    terms = PRETRAINING.terms if records.next_sentence else {"mlm_loss": "predictions"}
    return Objective(sums, _weigh_sequences if records.packed else _weigh, terms)


# Both splits must agree in these.
_KIND = ("sequence_length", "max_predictions", "masking", "objective", "max_sequences", "whole_word", "max_ngram")


def check_records(records: Records, config: BertConfig, vocabulary: Vocabulary, vocab: Path, made_by: str) -> None:
    """Records, vocabulary and model must belong together. Raises StageError naming the stage to run again."""
    told = records.manifest
    if told["vocab_sha256"] != vocabulary.sha256:
        raise StageError(
            f"the records were made with another vocabulary ({told['vocab_size']} pieces, sha256 "
            f"{told['vocab_sha256'][:12]}) than {vocab} ({len(vocabulary.pieces)} pieces, {vocabulary.sha256[:12]})",
            run=made_by,
        )
    if told["sequence_length"] > config.max_position_embeddings:
        raise StageError(
            f"the records are {told['sequence_length']} tokens long but the model has positions for "
            f"{config.max_position_embeddings}",
            run=f"{made_by} with a shorter tfrecords sequence_length",
        )


def check_splits(train: Records, test: Records, made_by: str) -> None:
    """Both splits must be of one make. Raises StageError naming what differs and the stage to run again."""
    for name in _KIND:
        one, other = train.manifest.get(name), test.manifest.get(name)
        if one != other:
            raise StageError(f"the records to train on have {name} {one}, those held out {other}", run=made_by)


def pretrain(
    phase: str,
    model: str,
    training: PhaseTraining,
    settings: PretrainSettings,
    compute: ComputeSettings,
    seed: int,
    records: Path,
    vocab: Path,
    init: Path | None,
    scratch: Path,
    world: World,
    code: dict[str, str],
) -> None:
    """Train, evaluate, and leave model/, metrics.json and two curves in `scratch` (the first rank does).

    Args:
        records: folder with train/ and test/.
        vocab: vocab.txt; phase 2 takes that of `init`.
        init: model folder to start from, None for random weights.
    """
    stage, made_by = f"pretrain_{phase}", f"dvc repro tfrecords@{phase}"
    own = training.micro_batches
    if own is not None and own.clip and not settings.optimizer.clip_norm:
        raise StageError(
            f"pretrain.{phase}.micro_batches.clip is true, but pretrain.optimizer.clip_norm is 0: nothing is clipped",
            run="set clip_norm above 0, or micro_batches.clip to false, in params.yaml",
        )
    if settings.keep == "best" and training.eval_every is None:
        raise StageError(
            f"pretrain.keep is best, but pretrain.{phase}.eval_every is null: there is only the last step to choose",
            run="set eval_every to a number of steps, or keep to last, in params.yaml",
        )
    rows = own.rows if own else None
    split = split_batch(stage, f"pretrain.{phase}.batch_size", training.batch_size, world.size, rows)
    train_records, test_records = Records(records / "train", made_by), Records(records / "test", made_by)
    start = load_model(init, "dvc repro pretrain_phase1") if init is not None else None
    vocab = start.vocab if start is not None else vocab
    vocabulary = Vocabulary.read(vocab)
    config = start.config if start is not None else BertConfig.named(model, len(vocabulary.pieces))
    precision = set_precision(compute, config.hidden_size)
    for part in (train_records, test_records):
        check_records(part, config, vocabulary, vocab, made_by)
    check_splits(train_records, test_records, made_by)
    objective = objective_of(train_records)
    losses = {name: ratio for name, ratio in LOSSES.items() if name in objective.terms}
    masking = dynamic_masking(train_records, vocabulary)
    trained = config.with_dropout(settings.dropout)
    parameters = make_parameters(pretraining_shapes(config), config, seed, start.weights if start else None)
    step = TrainStep(
        objective,
        trained,
        parameters,
        make_optimizer(parameters, settings.optimizer),
        LossScale(settings.loss_scale if precision.scales_loss else None),
        lambda at: learning_rate(
            at,
            training.learning_rate,
            training.warmup_steps,
            training.steps,
            training.decay_power,
            training.decay_from,
        ),
        settings.optimizer.clip_norm,
        precision,
        split,
        world,
        seed,
        training.micro_batches,
    )
    held_out = HeldOut(
        parameters, config, test_records, masking, objective.sums, settings.eval_batch_size, precision.dtype, world
    )
    columns = HELD_OUT_COLUMNS + (PAIR_COLUMNS if test_records.next_sentence else ())
    watched = HeldOutCurve(
        training.eval_every or training.steps,
        columns,
        lambda xla: held_out(xla, training.eval_rows),
        keep_weights=settings.keep == "best",
    )
    sequences_a_row = train_records.manifest.get("sequences", len(train_records)) / len(train_records)
    run = train(
        stage,
        step,
        lambda first, stop: record_batches(train_records, masking, seed, first, stop, split, world),
        training.steps,
        scratch,
        world,
        code,
        losses,
        settings.max_skipped,
        training.batch_size * sequences_a_row,
        watched if training.eval_every else None,
    )
    precision = replace(precision, xla=run.xla)
    for name, value in watched.best_weights.items():
        parameters[name].assign(value)
    at_the_end = held_out(run.xla, shown=True)
    if not training.eval_every:
        watched.lines.append(line(training.steps, *(at_the_end[name] for name in columns)))
    memory = peak_memory(world)
    if not world.is_first:
        return
    rate = run.rate(training.batch_size)
    metrics = {
        **at_the_end,
        "best_step": watched.best_step or training.steps,
        "best_mlm_loss": watched.best_loss if watched.best_step else at_the_end["mlm_loss"],
        "kept_step": watched.best_step if watched.best_weights else training.steps,
        **{f"train_{name}": run.last[name] for name in losses},
        "sequences_per_second": round(rate * sequences_a_row, 2),
        "tokens_per_second": round(rate * train_records.manifest["sequence_length"], 1),
        **run.exchange,
        "steps": training.steps,
        "global_batch": training.batch_size,
        "ranks": world.size,
        "accumulation": split.accumulate,
        "epochs": round(training.steps * training.batch_size / len(train_records), 4),
        "precision": precision.name,
        "precision_effective": precision.effective,
        "xla": precision.xla,
        "recompute": precision.recompute,
        "skipped_steps": run.skipped_steps,
        "rollbacks": int(bool(run.skipped_batches)),
        "skipped_batches": len(run.skipped_batches),
        **memory,
    }
    save_model(scratch / "model", config, {name: p.numpy() for name, p in parameters.items()}, vocab)
    write_text(scratch / "curve.tsv", "\n".join(run.curve) + "\n")
    write_text(scratch / "held_out.tsv", "\n".join(watched.lines) + "\n")
    write_json(scratch / "run.json", {"resumed_from_step": run.resumed_from})
    write_json(scratch / "metrics.json", json.loads(json.dumps(metrics)))
