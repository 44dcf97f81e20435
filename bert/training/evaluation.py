"""Held-out evaluation: the same number on any number of ranks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.losses import Sums
from bert.model.pieces import compile_by
from bert.pipeline.progress import track
from bert.training.distributed import World
from bert.training.dynamic import DynamicMasking, times_over
from bert.training.examples import held_out_batch
from bert.training.precision import Precision
from bert.training.records import Records


def unigram_entropy(counts: Mapping[int, int]) -> float:
    """Entropy in nats of a distribution given by counts: the loss of a model that knows frequencies only."""
    values = np.array(sorted(counts.values()), np.float64)
    shares = values / values.sum()
    return float(-(shares * np.log(shares)).sum())


def evaluate_pretraining(
    parameters: Mapping[str, Any],
    config: BertConfig,
    records: Records,
    masking: DynamicMasking | None,
    sums: Callable[..., Sums],
    batch_size: int,
    precision: Precision,
    world: World,
) -> dict[str, float]:
    """Losses and accuracies over all held-out records, and the unigram entropy of the very tokens predicted.

    Records that are not masked yet are masked by `masking`, the same way at each call.

    Batch i is rank i mod R's; all ranks' sums are added in the order of the batches, in float64. The last batch is
    filled up with rows of zeros, which count for nothing, so that there is one compiled shape.
    """

    def sums_of(batch: dict[str, Any]) -> Sums:
        return sums(parameters, config, batch, NoDropout(), precision.dtype)

    one = compile_by(precision.xla, sums_of)
    mine: list[tuple[int, dict[str, float]]] = []
    labels: Counter[int] = Counter()
    rows = len(records) * times_over(records)
    batches = math.ceil(rows / batch_size)
    for number in track(range(batches), "evaluation", batches, "batches"):
        if number % world.size != world.rank:
            continue
        wanted = range(number * batch_size, min(rows, (number + 1) * batch_size))
        given = held_out_batch(records, masking, [divmod(row, len(records)) for row in wanted])
        missing = batch_size - len(wanted)
        batch = {name: tf.pad(x, [[0, missing], [0, 0]]) for name, x in given.items()}
        mine.append((number, {name: float(value) for name, value in one(batch).items()}))
        real = batch["masked_lm_weights"].numpy() > 0
        labels.update(batch["masked_lm_ids"].numpy()[real].tolist())
    gathered = world.gather((mine, labels))
    total: dict[str, float] = {}
    for _, told in sorted(pair for of_rank, _ in gathered for pair in of_rank):
        for name, value in told.items():
            total[name] = total.get(name, 0.0) + value
    counts: Counter[int] = Counter()
    for _, of_rank in gathered:
        counts.update(of_rank)
    entropy = unigram_entropy(counts)
    mlm_loss = total["mlm_loss"] / total["predictions"]
    of_pairs = {}
    if records.next_sentence:
        of_pairs["nsp_loss"] = total["nsp_loss"] / total["rows"]
        of_pairs["nsp_accuracy"] = total["nsp_correct"] / total["rows"]
    return {
        "mlm_loss": mlm_loss,
        "mlm_accuracy": total["mlm_correct"] / total["predictions"],
        **of_pairs,
        "unigram_entropy": entropy,
        "nats_below_unigram": entropy - mlm_loss,
        "held_out_sequences": int(total["rows"]),
        "held_out_predictions": int(total["predictions"]),
    }
