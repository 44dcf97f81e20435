"""What test_ranks.py runs in every rank; each leaves what it saw in <folder>/<rank>.json and .safetensors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from bert.model.losses import pretraining_sums
from bert.pipeline.errors import StageError
from bert.training import checkpoint
from bert.training.distributed import Split, join
from bert.training.evaluation import HeldOut
from bert.training.loop import train
from bert.training.memory import peak_memory, peak_rss_mb
from bert.training.pretraining import LOSSES
from bert.training.records import Records
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FP32, make_batch, make_step, tensors, values_of

ROWS, STEPS = 8, 3


def main(folder: Path) -> None:
    world = join()
    (doubled,) = world.sum([tf.constant(float(world.rank + 1))], "test")
    gathered = world.gather({"rank": world.rank})

    split = Split(world.size, 1, ROWS // world.size)
    step = make_step(split, world=world, clip_norm=0.5)
    weights = random_weights({n: v.shape for n, v in step.variables.items() if n.startswith(("bert/", "cls/"))}, seed=1)
    records = Records(folder / "test", "dvc repro tfrecords@phase1")
    held_out = HeldOut(weights, CONFIG, records, None, pretraining_sums, 4, FP32.dtype, world)(FP32.xla)

    mine = slice(world.rank * split.rows_per_rank, (world.rank + 1) * split.rows_per_rank)
    told = []
    for number in range(STEPS):
        batch = {name: values[mine] for name, values in make_batch(ROWS, seed=number).items()}
        told.append({n: float(x) for n, x in step(tensors(batch), tf.constant(number, tf.int64)).items()})
    after = values_of(step)

    # One rank meets a record that is not a number: all of them must leave the update out.
    poisoned = {name: values[mine] for name, values in make_batch(ROWS, seed=STEPS).items()}
    if world.rank == 1:
        poisoned["masked_lm_weights"][0, 0] = np.nan
    finite = float(step(tensors(poisoned), tf.constant(STEPS, tf.int64))["finite"])
    unchanged = all(np.array_equal(value, after[name]) for name, value in values_of(step).items())

    # Each rank with a scratch of its own, as on hosts that share no folder; one of them has a checkpoint.
    alone = folder / f"scratch{world.rank}"
    if world.rank == 1:
        checkpoint.save(
            alone / "checkpoints",
            2,
            after,
            {"curve": [], "gathered": [], "xla": False, "skipped": 0, "skipped_batches": [], "last": {}},
            {},
        )
    try:
        train("test", step, lambda first, stop: iter(()), STEPS, alone, world, {}, LOSSES, 0, ROWS)
        error = ""
    except StageError as stage_error:
        error = str(stage_error)

    if world.rank == 1:
        np.ones(500 * 2**20, np.uint8)
    memory = {"peak_rss_mb": peak_rss_mb(), "memory": peak_memory(world)}

    seen = {"sum": float(doubled), "gathered": gathered, "told": told, "held_out": held_out, "error": error}
    seen |= memory
    seen |= {"poisoned": {"finite": finite, "unchanged": unchanged}}
    (folder / f"{world.rank}.json").write_text(json.dumps(seen))
    save_file(after, folder / f"{world.rank}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
