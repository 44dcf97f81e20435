"""Held-out evaluation: the same number on any number of ranks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from bert.model.config import BertConfig
from bert.model.dropout import no_dropout
from bert.model.losses import Sums
from bert.pipeline.progress import track
from bert.training.distributed import World
from bert.training.precision import Precision
from bert.training.records import Records


def unigram_entropy(counts: Mapping[int, int]) -> float:
    """Entropy in nats of a distribution given by counts: the loss of a model that knows frequencies only."""
    values = np.array(sorted(counts.values()), np.float64)
    shares = values / values.sum()
    return float(-(shares * np.log(shares)).sum())


def _in_batches(records: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while batch := list(islice(records, size)):
        yield batch


def evaluate_pretraining(
    parameters: Mapping[str, Any],
    config: BertConfig,
    records: Records,
    sums: Callable[..., Sums],
    batch_size: int,
    precision: Precision,
    world: World,
) -> dict[str, float]:
    """Losses and accuracies over all held-out records, and the unigram entropy of the very tokens predicted.

    Batch i is rank i mod R's; all ranks' sums are added in the order of the batches, in float64. The last batch is
    filled up with rows of zeros, which count for nothing, so that there is one compiled shape.
    """

    @tf.function(jit_compile=precision.xla, reduce_retracing=False)
    def one(batch: dict[str, Any]) -> Sums:
        return sums(parameters, config, batch, no_dropout, precision.dtype)

    mine: list[tuple[int, dict[str, float]]] = []
    labels: Counter[int] = Counter()
    batches = math.ceil(len(records) / batch_size)
    for number, serialized in enumerate(
        track(_in_batches(records.in_order(), batch_size), "evaluation", batches, "batches")
    ):
        if number % world.size != world.rank:
            continue
        missing = batch_size - len(serialized)
        batch = {name: tf.pad(x, [[0, missing], [0, 0]]) for name, x in records.parse(tf.constant(serialized)).items()}
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
    return {
        "mlm_loss": mlm_loss,
        "mlm_accuracy": total["mlm_correct"] / total["predictions"],
        "nsp_loss": total["nsp_loss"] / total["rows"],
        "nsp_accuracy": total["nsp_correct"] / total["rows"],
        "unigram_entropy": entropy,
        "nats_below_unigram": entropy - mlm_loss,
        "held_out_sequences": int(total["rows"]),
        "held_out_predictions": int(total["predictions"]),
    }
