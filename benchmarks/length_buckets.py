"""What it gains on SQuAD to compute windows of like length together, cut to it: in training and in prediction.

    python -m benchmarks.length_buckets squad data/models/imported --length 384 --stride 128

`squad` holds train-v1.1.json and dev-v1.1.json. Batches are planned for all windows, as fine-tuning (--epochs of them)
and prediction plan theirs; then steps at each length take turns, and the median of each length counts as often as the
plan has it. So the whole set is spoken for after some dozens of steps, and the model has learned nothing. A first step
is one that compiles. The difference of logits is between the same windows cut and padded.

SQuAD v1.1, the six-layer MiniLM (hidden size 384), fp32, two cores of an AMD EPYC with AVX512-BF16, which were
shared with others:

    windows of                 384                    256
    training (16 rows)         padding 0.55 -> 0.18   0.35 -> 0.11
      lengths                  144, 192, 264, 384     136, 168, 208, 256
      windows/s                2.75 -> 5.19 (1.9 x)   3.07 -> 4.53 (1.5 x)
    prediction (64 rows)       padding 0.54 -> 0.21   0.33 -> 0.13
      windows/s                16.7 -> 30.7 (1.8 x)   9.5 -> 13.1 (1.4 x)
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bert.checkpoints.folder import Model, load_model
from bert.launch.allocator import keep_pages
from bert.model.fused import compile_by
from bert.model.parameters import make_parameters
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline.params import section, top_level
from bert.tasks.length_buckets import LengthBatch, LengthGroups, length_batches, token_counts
from bert.tasks.squad.data import read_squad
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.run import to_arrays
from bert.training.batches import Arrays
from bert.training.objectives import spans
from bert.training.precision import Precision, set_precision
from bert.training.settings import ComputeSettings
from bert.training.step import TrainStep
from bert.training.world import Split, World

Features = Mapping[str, Any]


def epoch(windows: Windows, rows: int, epochs: float) -> list[LengthBatch]:
    """The batches of a training's first epoch."""
    steps = max(1, round(len(windows) * epochs / rows))
    groups, generator = LengthGroups.of(windows.input_mask, steps), np.random.Generator(np.random.Philox(0))
    order = groups.grouped(generator.permutation(len(windows)), 0, rows, generator)
    places = order[: len(order) // rows * rows].reshape(-1, rows)
    return [LengthBatch(batch, groups.length(batch)) for batch in places]


def cut(arrays: Arrays, places: Any, length: int) -> Features:
    return {name: tf.constant(x[places, :length] if x.ndim > 1 else x[places]) for name, x in arrays.items()}


def measure(windows: Windows, plan: list[LengthBatch], run: Callable[[Features], Any], turns: int) -> dict[str, Any]:
    """Figures of batches by the plan beside those of batches of whole rows."""
    arrays, longest = to_arrays(windows), windows.input_ids.shape[1]
    rows, counts = len(plan[0].places), Counter(batch.length for batch in plan)
    of_length = {batch.length: batch.places for batch in plan} | (
        {} if longest in counts else {longest: plan[0].places}
    )
    seconds: dict[int, list[float]] = {length: [] for length in sorted(of_length)}
    for _ in range(1 + turns):
        for length in seconds:
            batch = cut(arrays, of_length[length], length)
            began = time.perf_counter()
            run(batch)
            seconds[length].append(time.perf_counter() - began)
    medians = {length: statistics.median(taken[1:]) for length, taken in seconds.items()}
    grouped = sum(medians[length] * count for length, count in counts.items())
    tokens = int(token_counts(windows.input_mask)[np.concatenate([batch.places for batch in plan])].sum())
    return {
        "windows": len(windows),
        "batches_of_length": dict(sorted(counts.items())),
        "padding": round(1 - tokens / (len(plan) * rows * longest), 3),
        "padding_grouped": round(1 - tokens / sum(length * rows * count for length, count in counts.items()), 3),
        "windows_per_second": round(rows / medians[longest], 2),
        "windows_per_second_grouped": round(rows * len(plan) / grouped, 2),
        "times_as_fast": round(len(plan) * medians[longest] / grouped, 2),
        "first_seconds": {length: round(taken[0], 1) for length, taken in seconds.items()},
        "seconds": {length: round(median, 3) for length, median in medians.items()},
    }


def train_step(model: Model, parameters: Mapping[str, Any], precision: Precision, rows: int) -> TrainStep:
    """One that changes next to nothing."""
    update = UpdateSettings(
        optimizer=section(OptimizerSettings, "finetune.optimizer"),
        loss_scale=section(LossScaleSettings, "finetune.loss_scale"),
    )
    return TrainStep(
        spans(), model.config.with_dropout(0.0), parameters, update, lambda at: tf.constant(1e-9),
        precision=precision, split=Split(1, 1, rows), world=World(), seed=0,
    )  # fmt: skip


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("squad", type=Path)
    p.add_argument("model", type=Path, help="a folder of data/models")
    p.add_argument("--length", type=int, default=384)
    p.add_argument("--stride", type=int, default=128)
    p.add_argument("--query", type=int, default=64)
    p.add_argument("--rows", type=int, default=16, help="of a training batch")
    p.add_argument("--epochs", type=float, default=2)
    p.add_argument("--predicted-rows", type=int, default=64, help="of a batch of prediction")
    p.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    p.add_argument("--turns", type=int, default=7)
    args = p.parse_args()
    model = load_model(args.model, "dvc repro import_checkpoint")
    compute = top_level(ComputeSettings).model_copy(update={"precision": args.precision})
    precision = set_precision(compute, model.config.hidden_size)
    encoder = {name: w for name, w in model.weights.items() if name.startswith("bert/")}
    objective = spans()
    parameters = make_parameters(objective.shapes(model.config), model.config, 0, encoder)
    tokenizer = model.tokenizer()
    train, dev = (
        make_windows(
            read_squad(args.squad / f"{split}-v1.1.json", "download")[0],
            tokenizer,
            max_seq_length=args.length,
            doc_stride=args.stride,
            max_query_length=args.query,
        )
        for split in ("train", "dev")
    )

    step = train_step(model, parameters, precision, args.rows)
    figures: dict[str, Any] = {
        "xla": step.xla,
        "training": measure(
            train,
            epoch(train, args.rows, args.epochs),
            lambda batch: float(step(batch, tf.constant(0, tf.int64))["loss"]),
            args.turns,
        ),
    }
    forward = compile_by(step.xla, lambda batch: objective.forward(parameters, model.config, batch, precision.dtype))
    plan = length_batches(token_counts(dev.input_mask), args.length, args.predicted_rows)
    figures["prediction"] = measure(dev, plan, lambda batch: forward(batch).numpy(), args.turns)
    places, length = plan[0].places, plan[0].length
    short, padded = (forward(cut(to_arrays(dev), places, size)).numpy()[..., :length] for size in (length, args.length))
    apart = np.abs(short - padded).max(axis=1)[dev.input_mask[places, :length] != 0].max()
    figures["largest_difference_of_logits"] = float(f"{apart:.1e}")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    keep_pages()
    main()
