"""What test_ranks.py runs in every rank; each leaves what it saw in <folder>/<rank>.json and .safetensors."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from bert.examples.reading import Records
from bert.launch.join import join
from bert.launch.memory import peak_memory, peak_rss_mb
from bert.optim.settings import LossScaleSettings
from bert.pipeline.errors import StageError
from bert.tasks.feature_cache import FeatureCache
from bert.tasks.first_rank import by_first_rank
from bert.training import checkpoints
from bert.training.allreduce import all_reduce, time_metrics
from bert.training.context import Context
from bert.training.evaluation import HeldOut
from bert.training.loop import Training
from bert.training.world import Split, World
from tests.model.reference import random_weights
from tests.training.tiny import FP32, held_out_sums, make_batch, make_step, tensors, values_of

ROWS, STEPS = 8, 3
SLEEP, LATE = 1.0, 3.0


@dataclass(frozen=True)
class Counting(World):
    """A world that notes what its steps send: {name of the exchange: bytes}, by the dtypes of the tensors."""

    sent: dict[str, int] = field(default_factory=dict)

    def sum(self, tensors: list[Any], name: str) -> list[Any]:
        self.sent[name] = sum(t.shape.num_elements() * t.dtype.size for t in tensors)
        return super().sum(tensors, name)


def counting(world: World) -> Counting:
    return Counting(world.rank, world.size, world.hvd)


def skipped(step: Any, batch: Any) -> dict[str, Any]:
    """What a step has changed whose update is not finite."""
    before = values_of(step)
    finite = float(step(batch, tf.constant(1, tf.int64))["finite"])
    after = values_of(step)
    scale = float(after.pop("loss_scale/scale"))
    same = all(np.array_equal(value, before[name]) for name, value in after.items() if name != "loss_scale/good_steps")
    return {"finite": finite, "unchanged": same, "scale": scale}


def compressed(split: Split, world: World, rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """A step whose gradients are summed as float16, then one whose loss scale is too large for that, then a bad row."""
    batch = tensors(rows)
    half = replace(FP32, allreduce=tf.float16, scales_loss=True)
    counted = counting(world)
    scale = LossScaleSettings(initial=2.0**10, growth_steps=1000)
    step = make_step(split, world=counted, clip_norm=0.0, precision=half, loss_scale=scale)
    first = {n: float(x) for n, x in step(batch, tf.constant(0, tf.int64)).items()}
    moments = {n: v.numpy().tolist() for n, v in step.variables.items() if n.startswith("m/")}
    # No gradient is infinite in float32; rounded to float16 it is.
    step.loss_scale_variables["loss_scale/scale"].assign(2.0**40)
    overflow = skipped(step, batch)
    step.loss_scale_variables["loss_scale/scale"].assign(2.0**10)
    bad = {name: values.copy() for name, values in rows.items()}
    if world.rank == 1:
        bad["masked_lm_weights"][-1, 0] = np.nan  # in the last micro-batch of the last rank
    bad_row = skipped(step, tensors(bad))
    (large,), sums, _ = all_reduce(
        world, [tf.constant([7.0, 1e5 if world.rank == 1 else 1.0, 4e4])], {"n": tf.constant(100001.0)}, tf.float16
    )
    return {
        **{"first": first, "moments": moments, "sent": counted.sent},
        **{"overflow": overflow, "bad_row": bad_row},
        **{"large": large.numpy().tolist(), "sums": float(sums["n"])},
    }


def timed(step: Any, batch: Any, world: World) -> dict[str, Any]:
    """A step for which the second rank comes late."""
    time.sleep(LATE * world.rank)
    began = time.perf_counter()
    seconds = float(step(batch, tf.constant(STEPS, tf.int64))["allreduce_seconds"])
    return {"seconds": seconds, **time_metrics(world, [seconds], [time.perf_counter() - began])}


@dataclass(frozen=True)
class Ids:
    """Features of nothing."""

    ids: np.ndarray
    counts: Counter[str]


def features(world: World, folder: Path) -> dict[str, Any]:
    """What the first rank makes, each rank reads; and what the others hear where it fails, or sees another folder."""
    made: list[int] = []

    def make() -> Ids:
        made.append(world.rank)
        time.sleep(SLEEP)
        return Ids(np.arange(6), Counter({"rows": 6}))

    def entry(cache: FeatureCache) -> str:
        return by_first_rank(world, "test, features", lambda: cache.entry("test", {}, [], make))

    def fail() -> str:
        raise StageError("questions.json: no such file", run="dvc repro cloze")

    seen: dict[str, Any] = {}
    cache = FeatureCache(folder / "features", {})
    read = [cache.read(entry(cache), Ids) for _ in range(2)]
    seen |= {"made": made, "read": [[ids.ids.tolist(), ids.counts] for ids in read]}
    alone = FeatureCache(folder / f"features{world.rank}", {})
    for name, work in {
        "failed": lambda: by_first_rank(world, "test, features", fail),
        "unseen": lambda: alone.read(entry(alone), Ids),
    }.items():
        began = time.perf_counter()
        try:
            work()
            seen[name] = ""
        except StageError as error:
            seen[name] = f"{type(error).__name__}: {error}"
        seen[f"{name} after"] = time.perf_counter() - began
    return seen


def main(folder: Path) -> None:
    world = join(600)
    (doubled,) = world.sum([tf.constant(float(world.rank + 1))], "test")
    gathered = world.gather({"rank": world.rank})

    split = Split(world.size, 1, ROWS // world.size)
    counted = counting(world)
    step = make_step(split, world=counted, clip_norm=0.5)
    weights = random_weights({n: v.shape for n, v in step.variables.items() if n.startswith(("bert/", "cls/"))}, seed=1)
    records = Records(folder / "test", "dvc repro tfrecords@phase1")
    held_out = HeldOut(held_out_sums(weights), records, None, 4, world)(FP32.xla)

    mine = slice(world.rank * split.rows_per_rank, (world.rank + 1) * split.rows_per_rank)
    figures = []
    for number in range(STEPS):
        batch = {name: values[mine] for name, values in make_batch(ROWS, seed=number).items()}
        figures.append({n: float(x) for n, x in step(tensors(batch), tf.constant(number, tf.int64)).items()})
        assert figures[-1].pop("allreduce_seconds") > 0  # its own on each rank
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
        checkpoints.save(
            alone / "checkpoints",
            2,
            after,
            {
                "curve": [],
                "gathered": [],
                "xla": False,
                "attention": "plain",
                "skipped": 0,
                "skipped_batches": [],
                "last": {},
            },
            {},
        )
    try:
        Training("test", step, lambda first, stop: iter(()), STEPS, 0, ROWS, Context(alone, world, split)).run()
        error = ""
    except StageError as stage_error:
        error = str(stage_error)

    if world.rank == 1:
        np.ones(500 * 2**20, np.uint8)
    memory = {"peak_rss_mb": peak_rss_mb(), "memory": peak_memory(world)}

    seen = {"sum": float(doubled), "gathered": gathered, "figures": figures, "held_out": held_out, "error": error}
    seen |= memory
    first = {name: values[mine] for name, values in make_batch(ROWS, seed=0).items()}
    in_two = Split(world.size, 2, ROWS // world.size // 2)
    seen |= {"compressed": compressed(in_two, world, first), "sent": counted.sent}
    seen |= {"timed": timed(step, tensors(first), world)}
    seen |= {"features": features(world, folder)}
    seen |= {"poisoned": {"finite": finite, "unchanged": unchanged}}
    (folder / f"{world.rank}.json").write_text(json.dumps(seen))
    save_file(after, folder / f"{world.rank}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
