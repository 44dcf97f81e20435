"""What real records cost a training step: beside constant tensors, and packed beside padded.

    python -m benchmarks.records_step data/tfrecords/phase2 packed/phase2 --model base --rows 4 --precision bf16

Steps of pretraining (forward, backward, LAMB) as the stage takes them. Of each folder of records, steps that read their
batch take turns with steps over one batch that lies in memory: the difference is the input pipeline's. Real tokens are
those that are not padding.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.examples.dynamic_masking import dynamic_masking
from bert.examples.reading import Records
from bert.launch.allocator import keep_pages
from bert.launch.memory import peak_rss_mb
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline.params import section, top_level
from bert.tokens.vocabulary import Vocabulary
from bert.training.objectives import pretraining
from bert.training.precision import set_precision
from bert.training.record_batches import record_batches
from bert.training.settings import ComputeSettings
from bert.training.step import TrainStep
from bert.training.world import Split, World

WARMUP = 2


def timed(step: TrainStep, batches: Iterator[Any], first: int, count: int) -> tuple[list[float], list[int]]:
    """Seconds of each step, its batch's arrival included, and the real tokens of each batch."""
    seconds, tokens = [], []
    for number in range(first, first + count):
        began = time.perf_counter()
        batch = next(batches)
        float(step(batch, tf.constant(number, tf.int64))["grad_norm"])
        seconds.append(time.perf_counter() - began)
        tokens.append(int(tf.math.count_nonzero(batch["input_mask"])))
    return seconds, tokens


def measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    records = Records(folder / "train", "dvc repro tfrecords")
    vocabulary = Vocabulary.read(args.vocab)
    config = BertConfig.named(args.model, len(vocabulary.pieces))
    compute = top_level(ComputeSettings).model_copy(update={"precision": args.precision})
    precision = set_precision(compute, config.hidden_size)
    parameters = make_parameters(pretraining_shapes(config), config, 0)
    update = UpdateSettings(
        optimizer=section(OptimizerSettings, "pretrain.optimizer"),
        loss_scale=section(LossScaleSettings, "pretrain.loss_scale"),
    )
    objective, split = pretraining(records.packed, records.next_sentence), Split(1, 1, args.rows)
    step = TrainStep(
        objective, config, parameters, update, lambda at: tf.constant(1e-4),
        precision=precision, split=split, world=World(), seed=0,
    )  # fmt: skip
    steps = WARMUP + args.steps * args.turns
    feed = record_batches(records, dynamic_masking(records, vocabulary), 0, 0, steps, split, World())
    constant = next(record_batches(records, dynamic_masking(records, vocabulary), 0, 0, 1, split, World()))
    timed(step, feed, 0, WARMUP)
    read: list[float] = []
    still: list[float] = []
    tokens: list[int] = []
    for turn in range(args.turns):
        seconds, real = timed(step, feed, WARMUP + turn * args.steps, args.steps)
        read, tokens = read + seconds, tokens + real
        still += timed(step, iter([constant] * args.steps), 0, args.steps)[0]
        print(f"{folder}: turn {turn + 1} of {args.turns}", file=sys.stderr)
    ratio = statistics.median(read) / statistics.median(still)
    return {
        "packed": records.packed,
        "sequence_length": records.manifest["sequence_length"],
        "step_seconds_with_records": round(statistics.median(read), 4),
        "step_seconds_with_constant_tensors": round(statistics.median(still), 4),
        "records_over_constant": round(ratio, 4),
        "real_tokens_a_row": round(statistics.mean(tokens) / args.rows, 1),
        "real_tokens_per_second": round(sum(tokens) / sum(read), 1),
        "xla": step.xla,
        "peak_rss_mb": round(peak_rss_mb(), 1),
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("records", type=Path, nargs="+", help="folders of data/tfrecords; the first is what others are over")
    p.add_argument("--vocab", type=Path, default=Path("data/vocab.txt"))
    p.add_argument("--model", default="tiny")
    p.add_argument("--rows", type=int, default=16)
    p.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    p.add_argument("--steps", type=int, default=10, help="of a turn")
    p.add_argument("--turns", type=int, default=5)
    args = p.parse_args()
    measured = {str(folder): measure(folder, args) for folder in args.records}
    first = measured[str(args.records[0])]["real_tokens_per_second"]
    for figures in measured.values():
        figures["real_tokens_over_the_first"] = round(figures["real_tokens_per_second"] / first, 3)
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    keep_pages()
    main()
