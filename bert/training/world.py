"""Ranks: what one knows of the others. The only file that imports Horovod; without it, a world of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bert.launch.orphans import end_when_unheard
from bert.pipeline.errors import StageError

Tensor = Any


class LostRanks(StageError):
    """This rank is well, but another one is gone."""


# In what TensorFlow raises: Horovod's own words; or where in Gloo's code a connection has failed, if that comes first.
_SIGNS_OF_LOSS = ("Horovod has been shut down", "gloo/transport/")


@dataclass(frozen=True)
class World:
    """This process among all. `hvd` is horovod.tensorflow, None in a world of one."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    hvd: Any = None

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
    def lost_ranks_told(self, where: str, last_act: Callable[[], None] | None = None) -> Iterator[None]:
        """Around what the ranks do together: that one of them is gone, or silent, becomes LostRanks.

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
                f"{stall_seconds()} s (BERT_STALL_SECONDS)",
                run="see what the other ranks said, then dvc repro: it goes on from the last checkpoint",
            ) from None


def stall_seconds() -> int:
    """BERT_STALL_SECONDS: how long ranks wait for a silent one, default 600 (the first may be saving). Then all end."""
    told = os.environ.get("BERT_STALL_SECONDS", "600")
    if not told.isdecimal() or int(told) < 1:
        raise StageError(
            f"BERT_STALL_SECONDS is {told!r}, expected a positive number", run="unset BERT_STALL_SECONDS, or correct it"
        )
    return int(told)


def is_rank() -> bool:
    """Whether this process was started by horovodrun."""
    return "HOROVOD_RANK" in os.environ


def join() -> World:
    """Become a rank: initialise Horovod where horovodrun started us, and share the machine with the other ranks."""
    import tensorflow as tf

    if not is_rank():
        return World()
    import horovod.tensorflow as hvd

    hvd.init()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[hvd.local_rank() % len(gpus)], "GPU")
    end_when_unheard()
    threads = max(1, len(os.sched_getaffinity(0)) // hvd.local_size())
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    return World(hvd.rank(), hvd.size(), hvd.local_rank(), hvd)


@dataclass(frozen=True)
class Split:
    """How a global batch is cut: `ranks` x `accumulate` x `micro_batch` rows."""

    ranks: int
    accumulate: int
    micro_batch: int

    @property
    def rows_per_rank(self) -> int:
        return self.accumulate * self.micro_batch


TRAINING_STAGES = ("pretrain_phase1", "pretrain_phase2", "squad", "glue", "stability_run", "benchmark_training")


def wanted_micro_batch(stage: str) -> int | None:
    """BERT_MICRO_BATCH for `stage`: one number, or `pretrain_phase1=64,squad=32`. None where nothing is said."""
    told = os.environ.get("BERT_MICRO_BATCH", "").strip()
    if not told:
        return None
    try:
        if told.isdecimal():
            return int(told)
        by_stage = dict(entry.split("=") for entry in told.replace(" ", "").split(","))
        sizes = {name: int(size) for name, size in by_stage.items()}
    except ValueError:
        raise StageError(
            f"BERT_MICRO_BATCH is {told!r}, expected a number or stage=number,...",
            run="correct it, such as BERT_MICRO_BATCH=pretrain_phase1=64,squad=32",
        ) from None
    if unknown := [name for name in sizes if name.split("@")[0] not in TRAINING_STAGES]:
        raise StageError(
            f"BERT_MICRO_BATCH names {', '.join(unknown)}, expected stages that train: {', '.join(TRAINING_STAGES)}",
            run="correct it, then dvc repro",
        )
    return sizes.get(stage, sizes.get(stage.split("@")[0]))


def split_batch(stage: str, parameter: str, batch_size: int, ranks: int, rows: int | None = None) -> Split:
    """Cut the global batch evenly.

    Args:
        rows: of a micro-batch, where the parameters say it; otherwise the machine does, by BERT_MICRO_BATCH.

    Raises:
        StageError: it does not come out even; says which number to change.
    """
    if batch_size % ranks:
        raise StageError(
            f"{parameter} is {batch_size}, which {ranks} ranks cannot share evenly",
            run=f"set BERT_RANKS to a divisor of {batch_size}, or {parameter} to a multiple of {ranks}",
        )
    per_rank = batch_size // ranks
    wanted = wanted_micro_batch(stage)
    if rows is not None and wanted not in (None, rows):
        raise StageError(
            f"BERT_MICRO_BATCH is {wanted}, but {stage}'s result depends on micro-batches of {rows} rows",
            run=f"unset BERT_MICRO_BATCH for {stage}, or set its micro_batches to null in params.yaml",
        )
    if rows is not None and per_rank % rows:
        raise StageError(
            f"micro_batches.rows is {rows}, which does not divide the {per_rank} rows of a rank "
            f"({parameter} {batch_size} / {ranks} ranks)",
            run=f"set it to a divisor of {per_rank}, or BERT_RANKS to a divisor of {batch_size // rows or 1}",
        )
    wanted = rows or wanted
    micro = per_rank if wanted is None else wanted
    if micro < 1 or per_rank % micro:
        raise StageError(
            f"BERT_MICRO_BATCH is {micro}, which does not divide the {per_rank} rows of a rank "
            f"({parameter} {batch_size} / {ranks} ranks)",
            run=f"set BERT_MICRO_BATCH to a divisor of {per_rank}",
        )
    return Split(ranks, per_rank // micro, micro)
