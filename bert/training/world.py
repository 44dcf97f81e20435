"""Ranks: what one knows of the others, and how they share a batch. Without Horovod, a world of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bert.pipeline.errors import StageError

Tensor = Any


class LostRanks(StageError):
    """This rank is well, but another one is gone."""


# In what TensorFlow raises: Horovod's own words; or where in Gloo's code a connection has failed, if that comes first.
_SIGNS_OF_LOSS = ("Horovod has been shut down", "gloo/transport/")


@dataclass(frozen=True)
class World:
    """This process among all.

    Attributes:
        hvd: horovod.tensorflow, None in a world of one
        stall_seconds: how long Horovod waits for a silent rank before it gives up
    """

    rank: int = 0
    size: int = 1
    hvd: Any = None
    stall_seconds: int = 600

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, tensors: list[Tensor], name: str) -> list[Tensor]:
        """Sums over the ranks, in one round; inside a tf.function too."""
        if self.hvd is None or not tensors:
            return tensors
        return self.hvd.grouped_allreduce(tensors, op=self.hvd.Sum, name=name)

    def gather(self, value: Any) -> list[Any]:
        """Every rank's picklable `value`, in the order of the ranks."""
        return [value] if self.hvd is None else self.hvd.allgather_object(value)

    @contextmanager
    def together(self, where: str, last_act: Callable[[], None] | None = None) -> Iterator[None]:
        """Around what the ranks do together: that one of them is gone, or silent, becomes LostRanks.

        Args:
            where: for the message, such as "squad, step 12".
            last_act: what this rank does then, before it ends.
        """
        try:
            yield
        except Exception as error:
            if self.hvd is None or not any(sign in str(error) for sign in _SIGNS_OF_LOSS):
                raise
            if last_act is not None:
                last_act()
            raise LostRanks(
                f"{where}: rank {self.rank} has lost the others: one has ended, or was silent for "
                f"{self.stall_seconds} s (BERT_STALL_SECONDS)",
                run="see what the other ranks said, then dvc repro: it goes on from the last checkpoint",
            ) from None


@dataclass(frozen=True)
class Split:
    """How a global batch is cut: `ranks` x `accumulate` x `micro_batch` rows."""

    ranks: int
    accumulate: int
    micro_batch: int

    @property
    def rows_per_rank(self) -> int:
        return self.accumulate * self.micro_batch


def split_batch(
    stage: str,
    parameter: str,
    batch_size: int,
    ranks: int,
    micro_batch: int | None = None,
    result_rows: int | None = None,
) -> Split:
    """Cut the global batch evenly.

    Args:
        stage, parameter: for messages: whose batch, and where params.yaml has its size.
        batch_size: rows of the global batch.
        micro_batch: rows that a process holds at a time, as the machine's settings say (BERT_MICRO_BATCH); None: all
            rows of a rank.
        result_rows: the same, where the parameters say it, since the result depends on it.

    Raises:
        StageError: it does not come out even; says which number to change.
    """
    if batch_size % ranks:
        raise StageError(
            f"{parameter} is {batch_size}, which {ranks} ranks cannot share evenly",
            run=f"set BERT_RANKS to a divisor of {batch_size}, or {parameter} to a multiple of {ranks}",
        )
    per_rank = batch_size // ranks
    shares = f"the {per_rank} rows of a rank ({parameter} {batch_size} / {ranks} ranks)"
    if result_rows is not None and micro_batch not in (None, result_rows):
        raise StageError(
            f"BERT_MICRO_BATCH is {micro_batch}, but {stage}'s result depends on micro-batches of {result_rows} rows",
            run=f"unset BERT_MICRO_BATCH for {stage}, or set its micro_batches to null in params.yaml",
        )
    if result_rows is not None and per_rank % result_rows:
        raise StageError(
            f"micro_batches.rows is {result_rows}, which does not divide {shares}",
            run=f"set it to a divisor of {per_rank}, or BERT_RANKS to a divisor of {batch_size // result_rows or 1}",
        )
    rows = result_rows or micro_batch or per_rank
    if per_rank % rows:
        raise StageError(
            f"BERT_MICRO_BATCH is {rows}, which does not divide {shares}",
            run=f"set BERT_MICRO_BATCH to a divisor of {per_rank}",
        )
    return Split(ranks, per_rank // rows, rows)
