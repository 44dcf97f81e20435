"""Held-out evaluation: the same number on any number of ranks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.examples.dynamic_masking import DynamicMasking, times_over
from bert.examples.reading import Records
from bert.model.fused import Xla, compile_by
from bert.model.losses import Batch, Sums
from bert.pipeline import timings
from bert.training.context import Nobody, Watcher
from bert.training.record_batches import held_out_batch
from bert.training.world import World


def unigram_entropy(counts: Mapping[int, int]) -> float:
    """Entropy in nats of a distribution given by counts: the loss of a model that knows frequencies only."""
    values = np.array(sorted(counts.values()), np.float64)
    shares = values / values.sum()
    return float(-(shares * np.log(shares)).sum())


class HeldOut:
    """Evaluation of the weights as they are at each call, compiled once for all calls.

    Batch i is rank i mod R's; all ranks' sums are added in the order of the batches, in float64. The last batch is
    filled up with rows of zeros, which count for nothing, so that there is one compiled shape.
    """

    def __init__(
        self,
        sums: Callable[[Batch], Sums],
        records: Records,
        masking: DynamicMasking | None,
        batch_size: int,
        world: World,
    ) -> None:
        """Take what is evaluated, and on what; nothing is compiled before the first call.

        Args:
            sums: those of a batch, without dropout, see bert.model.losses.pretraining_sums.
            masking: for records that are not masked yet: it masks them the same way at each call.
            batch_size: rows that a rank evaluates at a time.
        """
        self._records, self._masking, self._batch_size, self._world = records, masking, batch_size, world
        compilations: tuple[Xla, ...] = (False, True, "fused")
        self._compiled = {xla: compile_by(xla, sums) for xla in compilations}  # traced when it is first called

    def __call__(self, xla: Xla, at_most: int | None = None, watcher: Watcher | None = None) -> dict[str, float]:
        """Losses and accuracies, and the unigram entropy of the very tokens predicted; the same on every rank.

        Args:
            xla: what XLA compiles of it.
            at_most: so many rows, evenly spaced over all held-out ones; None for all of them.
            watcher: who is shown its progress.
        """
        rows = len(self._records) * times_over(self._records)
        count = min(rows, at_most or rows)
        chosen = [place * rows // count for place in range(count)]
        batches = math.ceil(count / self._batch_size)
        mine: list[tuple[int, dict[str, float]]] = []
        labels: Counter[int] = Counter()
        with (watcher or Nobody()).progress("evaluation", batches, "batches") as progress:
            for number in range(self._world.rank, batches, self._world.size):
                batch = self._batch(chosen[number * self._batch_size : (number + 1) * self._batch_size])
                with timings.call(timings.EVALUATING, xla):
                    sums = self._compiled[xla](batch)
                    mine.append((number, {name: float(value) for name, value in sums.items()}))
                real = batch["masked_lm_weights"].numpy() > 0
                labels.update(batch["masked_lm_ids"].numpy()[real].tolist())
                progress.update(number + 1)
        gathered = self._world.gather((mine, labels))
        total: dict[str, float] = {}
        for _, of_batch in sorted((pair for of_rank, _ in gathered for pair in of_rank), key=lambda pair: pair[0]):
            for name, value in of_batch.items():
                total[name] = total.get(name, 0.0) + value
        counts: Counter[int] = Counter()
        for _, of_rank in gathered:
            counts.update(of_rank)
        return self._figures(total, unigram_entropy(counts))

    def _batch(self, rows: list[int]) -> dict[str, Any]:
        """{feature: (batch size, length)} of these rows."""
        given = held_out_batch(self._records, self._masking, [divmod(row, len(self._records)) for row in rows])
        missing = self._batch_size - len(rows)
        return {name: tf.pad(x, [[0, missing], [0, 0]]) for name, x in given.items()}

    def _figures(self, total: Mapping[str, float], entropy: float) -> dict[str, float]:
        mlm_loss = total["mlm_loss"] / total["predictions"]
        of_pairs = {}
        if self._records.next_sentence:
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
