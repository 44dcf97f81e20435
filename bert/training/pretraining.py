"""Pretraining of one phase, as one rank does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert.checkpoints.folder import save_model
from bert.examples.dynamic_masking import dynamic_masking
from bert.examples.reading import Records
from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.optim.schedule import learning_rate
from bert.pipeline.files import write_text
from bert.tokens.casing import lower_cases
from bert.tokens.vocabulary import Vocabulary
from bert.training import objectives
from bert.training.checks import check_params, check_records, check_splits
from bert.training.context import Context, Outcome
from bert.training.curves import line
from bert.training.evaluation import HeldOut
from bert.training.held_out_curve import HeldOutCurve
from bert.training.loop import Training
from bert.training.precision import set_precision, with_attention
from bert.training.record_batches import record_batches
from bert.training.settings import PretrainParams
from bert.training.start import load_start
from bert.training.step import TrainStep

HELD_OUT_COLUMNS = ("mlm_loss", "mlm_accuracy")
PAIR_COLUMNS = ("nsp_loss", "nsp_accuracy")


def pretrain(params: PretrainParams, records: Path, vocab: Path, init: Path | None, context: Context) -> Outcome | None:
    """Train and evaluate. The first rank leaves model/, where it is kept, curve.tsv and held_out.tsv in the scratch.

    Args:
        records: folder with train/ and test/.
        vocab: vocab.txt; a phase that starts from a model takes the vocabulary of that.
        init: model folder to start from, with its shape and vocabulary; None for random weights.

    Returns:
        The metrics, on the first rank.

    Raises:
        StageError: params, records, vocabulary and model that do not fit one another; and as Training.run.
    """
    check_params(params)
    own, shared, seed, world, split = params.own, params.shared, params.seed, context.world, context.split
    made_by = f"dvc repro tfrecords@{params.phase}"
    train_records, test_records = Records(records / "train", made_by), Records(records / "test", made_by)
    start = load_start(init, params.phase, train_records.next_sentence) if init is not None else None
    vocab = start.vocab if start is not None else vocab
    vocabulary, do_lower_case = Vocabulary.read(vocab), lower_cases(vocab, "dvc repro vocab")
    config = start.config if start is not None else BertConfig.named(params.model, len(vocabulary.pieces))
    is_imported = params.phase == "phase1" and start is not None
    trained = config.with_dropout(shared.dropout, shared.attention_dropout)
    precision = set_precision(params.compute, config.hidden_size, context.recompute)
    precision = with_attention(precision, params.compute, trained, "pretrain", train_records.packed)
    for part in (train_records, test_records):
        check_records(part, config, vocabulary, vocab, do_lower_case, made_by, is_imported=is_imported)
    check_splits(train_records, test_records, made_by)

    objective = objectives.pretraining(train_records.packed, train_records.next_sentence)
    masking = dynamic_masking(train_records, vocabulary)
    parameters = make_parameters(pretraining_shapes(config), config, seed, start.weights if start else None)
    step = TrainStep(
        objective,
        trained,
        parameters,
        shared,
        lambda at: learning_rate(at, own.learning_rate, own.warmup_steps, own.steps, own.decay_power, own.decay_from),
        precision=precision,
        split=split,
        world=world,
        seed=seed,
        micro_batches=own.micro_batches,
    )

    def sums(batch: Mapping[str, Any]) -> dict[str, Any]:
        return objective.sums(parameters, config, batch, NoDropout(), precision.dtype)

    held_out = HeldOut(sums, test_records, masking, shared.eval_batch_size, world)
    columns = HELD_OUT_COLUMNS + (PAIR_COLUMNS if test_records.next_sentence else ())
    curve = HeldOutCurve(
        own.eval_every or own.steps,
        columns,
        lambda xla: held_out(xla, own.eval_rows),
        keep_weights=shared.keep == "best",
    )
    sequences_a_row = train_records.manifest.get("sequences", len(train_records)) / len(train_records)
    run = Training(
        params.stage,
        step,
        lambda first, stop: record_batches(train_records, masking, seed, first, stop, split, world),
        own.steps,
        shared.max_skipped,
        own.batch_size * sequences_a_row,
        context,
        curve if own.eval_every else None,
    ).run()
    for name, value in curve.best_weights.items():
        parameters[name].assign(value)
    at_the_end = held_out(run.xla, watcher=context.watcher)
    if not world.is_first:
        return None
    if not own.eval_every:
        curve.lines.append(line(own.steps, *(at_the_end[name] for name in columns)))
    if context.keep_model:
        weights = {name: p.numpy() for name, p in parameters.items()}
        save_model(context.scratch / "model", config, weights, vocab, do_lower_case)
    write_text(context.scratch / "curve.tsv", "\n".join(run.curve) + "\n")
    write_text(context.scratch / "held_out.tsv", "\n".join(curve.lines) + "\n")
    rate = run.rate(own.batch_size)
    metrics = {
        **at_the_end,
        "best_step": curve.best_step or own.steps,
        "best_mlm_loss": curve.best_loss if curve.best_step else at_the_end["mlm_loss"],
        "kept_step": curve.best_step if curve.best_weights else own.steps,
        **{f"train_{name}": run.last[name] for name in objective.losses},
        "sequences_per_second": round(rate * sequences_a_row, 2),
        "tokens_per_second": round(rate * train_records.manifest["sequence_length"], 1),
        "steps": own.steps,
        "global_batch": own.batch_size,
        "ranks": world.size,
        "accumulation": split.accumulate,
        "epochs": round(own.steps * own.batch_size / len(train_records), 4),
        "precision": precision.name,
        "precision_effective": precision.effective,
        "recompute": precision.recompute,
        **run.metrics,
    }
    return Outcome(metrics, {"resumed_from_step": run.resumed_from})
