"""Becoming a rank. The only file that imports Horovod."""

from __future__ import annotations

import os

from bert.launch.orphans import end_when_unheard
from bert.training.world import World


def is_rank() -> bool:
    """Whether this process was started by horovodrun."""
    return "HOROVOD_RANK" in os.environ


def join(stall_seconds: int) -> World:
    """Initialise Horovod where horovodrun started us, and share the machine with the other ranks; else a world of one.

    stall_seconds: how long Horovod waits for a silent rank.
    """
    import tensorflow as tf

    if not is_rank():
        return World(stall_seconds=stall_seconds)
    import horovod.tensorflow as hvd

    hvd.init()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[hvd.local_rank() % len(gpus)], "GPU")
    end_when_unheard()
    threads = max(1, len(os.sched_getaffinity(0)) // hvd.local_size())
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    return World(hvd.rank(), hvd.size(), hvd, stall_seconds)
