"""The optimizer's part of a step, apart: the global norm and the update, beside the bytes that they must move.

    python -m benchmarks.update --model large --optimizer lamb adamw

An update reads gradient, weight and both moments and writes the last three: 28 bytes a parameter. LAMB cannot change a
weight before it knows the norm of the whole direction, so it reads weight and moments once more, 40 bytes. The norm
reads the gradient, 4 bytes. Memory's speed is that of one fused pass that reads two arrays and writes one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from bert.launch.allocator import keep_pages
from bert.model.config import BertConfig
from bert.model.fused import compile_by
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline.params import section, top_level
from bert.training.objectives import pretraining
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings
from bert.training.step import TrainStep
from bert.training.world import Split, World

VOCAB_SIZE = 30522
NORM_BYTES = 4
UPDATE_BYTES = {"adamw": 28, "lamb": 40}
SECTIONS = {"adamw": "finetune", "lamb": "pretrain"}
STREAM_NUMBERS = 100_000_000


def seconds(call: Callable[[], Any], calls: int) -> float:
    """Median, after two calls that are not measured."""
    taken = []
    for _ in range(2 + calls):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[2:])


def memory_speed(calls: int) -> float:
    """Bytes/s of a += b, in float32."""
    total, more = tf.Variable(tf.zeros([STREAM_NUMBERS])), tf.ones([STREAM_NUMBERS])
    add = compile_by(True, lambda more: total.assign(total + more * 0.5))
    return 12 * STREAM_NUMBERS / seconds(lambda: add(more), calls)


def measure(model: str, optimizer: str, calls: int) -> dict[str, Any]:
    config = BertConfig.named(model, VOCAB_SIZE)
    compute = top_level(ComputeSettings).model_copy(update={"precision": "fp32"})
    precision = set_precision(compute, config.hidden_size)
    parameters = make_parameters(pretraining_shapes(config), config, 0)
    settings = UpdateSettings(
        optimizer=section(OptimizerSettings, f"{SECTIONS[optimizer]}.optimizer"),
        loss_scale=section(LossScaleSettings, f"{SECTIONS[optimizer]}.loss_scale"),
    )
    step = TrainStep(
        pretraining(), config, parameters, settings, lambda at: tf.constant(1e-4),
        precision=precision, split=Split(1, 1, 1), world=World(), seed=0,
    )  # fmt: skip
    gradients = [tf.fill(p.shape, 1e-3) for p in parameters.values()]
    one, rate, number = tf.constant(1.0), tf.constant(1e-4), tf.constant(1, tf.int64)
    norm = seconds(lambda: step._norm(gradients).numpy(), calls)
    update = tf.function(lambda: step.update_groups(gradients, one, rate, one, number), autograph=False)
    updating = seconds(update, calls)
    count = sum(p.shape.num_elements() for p in parameters.values())
    return {
        "parameters": count,
        "norm_ms": round(1e3 * norm, 1),
        "norm_gb_per_second": round(NORM_BYTES * count / norm / 1e9, 2),
        "update_ms": round(1e3 * updating, 1),
        "update_gb_per_second": round(UPDATE_BYTES[optimizer] * count / updating / 1e9, 2),
    }


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="large")
    p.add_argument("--optimizer", nargs="+", default=list(UPDATE_BYTES), choices=list(UPDATE_BYTES))
    p.add_argument("--calls", type=int, default=5)
    args = p.parse_args(argv)
    keep_pages()
    print(json.dumps({"memory_gb_per_second": round(memory_speed(args.calls) / 1e9, 2)}), flush=True)
    for optimizer in args.optimizer:
        print(json.dumps({"optimizer": optimizer, **measure(args.model, optimizer, args.calls)}), flush=True)


if __name__ == "__main__":
    main()
