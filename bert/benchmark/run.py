"""The two benchmarks: question answering, training steps and inference calls, on full-length random tokens.

As in the reference's finetune_train_benchmark.sh and finetune_inference_benchmark.sh, the task is SQuAD; unlike there
the rows hold no padding, so that sequences a second are a statement about the model and the machine alone.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import tensorflow as tf

from bert.benchmark.flops import encoder, peak_fraction, span_head, training
from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell
from bert.benchmark.timing import clean_statistics, reference_inference, reference_training, time_calls
from bert.inference.forward import make_forward
from bert.inference.settings import EngineName
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, squad_shapes
from bert.optim.settings import UpdateSettings
from bert.training.allreduce import time_metrics
from bert.training.batches import Arrays, array_batches
from bert.training.context import Context, Watcher
from bert.training.objectives import spans
from bert.training.precision import Precision, set_precision, with_attention
from bert.training.settings import ComputeSettings
from bert.training.step import TrainStep

# BERT's uncased vocabulary: the cost of a cell does not depend on the corpus at hand.
VOCAB_SIZE = 30522
PEAK_SIZE = 2048
PEAK_SECONDS = 1.0


def random_rows(cell: Cell, count: int, seed: int) -> Arrays:
    """`count` rows of random tokens without padding, {feature: (count, S) or (count,)} int32."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    shape = (count, cell.sequence_length)
    positions = np.sort(rng.integers(1, cell.sequence_length, (count, 2)), axis=1)
    return {
        "input_ids": rng.integers(1, VOCAB_SIZE, shape).astype(np.int32),
        "input_mask": np.ones(shape, np.int32),
        "segment_ids": np.broadcast_to(np.arange(shape[1]) >= shape[1] // 4, shape).astype(np.int32),
        "start_positions": positions[:, 0].astype(np.int32),
        "end_positions": positions[:, 1].astype(np.int32),
    }


def matmul_peak(dtype: Any) -> float:
    """Operations a second of one large square matrix product in `dtype`, the best of about a second of trials."""
    a = tf.cast(tf.random.stateless_uniform([PEAK_SIZE, PEAK_SIZE], seed=[1, 2]), dtype)
    product = tf.function(lambda: tf.reduce_sum(tf.cast(tf.matmul(a, a), tf.float32)))
    float(product())
    best, until = float("inf"), time.perf_counter() + PEAK_SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        float(product())
        best = min(best, time.perf_counter() - began)
    return 2 * PEAK_SIZE**3 / best


def _forward_flops(config: BertConfig, sequence_length: int) -> int:
    body = encoder(
        sequence_length=sequence_length,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_layers=config.num_hidden_layers,
    )
    return body + span_head(sequence_length=sequence_length, hidden_size=config.hidden_size)


def _conditions(cell: Cell, precision: Precision, ranks: int) -> dict[str, Any]:
    """What is measured, in the metrics' words."""
    return {
        "sequence_length": cell.sequence_length,
        "batch_size": cell.batch_size,
        "ranks": ranks,
        "precision": precision.name,
        "precision_effective": precision.effective,
        "xla": precision.xla,
        "attention": precision.attention,
    }


def benchmark_training(
    cell: Cell,
    settings: BenchmarkTrainingSettings,
    update: UpdateSettings,
    compute: ComputeSettings,
    seed: int,
    context: Context,
) -> dict[str, Any]:
    """Metrics of `settings.steps` steps: input pipeline, forward, backward, all-reduce and update; on every rank.

    The cell's batch is that of one rank, as in the published tables.
    """
    world, split = context.world, context.split
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    if compute.attention == "fused":  # a speed is measured, for which it does not matter what is learned
        config = config.with_dropout(None, attention=0.0)
    precision = set_precision(compute, config.hidden_size, context.recompute)
    precision = with_attention(precision, compute, config, "benchmark_training")
    batch = cell.batch_size * world.size
    step = TrainStep(
        spans(),
        config,
        make_parameters(squad_shapes(config), config, seed),
        update,
        lambda at: tf.constant(1e-5),
        precision=precision,
        split=split,
        world=world,
        seed=seed,
    )
    calls = settings.warmup + settings.steps
    batches = enumerate(array_batches(random_rows(cell, 8 * batch, seed), seed, 0, calls, split, world))

    exchanges: list[float] = []

    def one() -> None:
        number, rows = next(batches)
        figures = step(rows, tf.constant(number, tf.int64))
        float(figures["grad_norm"])
        exchanges.append(float(figures["allreduce_seconds"]))

    with context.watcher.progress(f"benchmark_training {cell.name}", calls, "steps") as progress:
        timings = time_calls(one, settings.warmup, settings.steps, progress.update)
    clean = clean_statistics(timings, batch, batch * cell.sequence_length)
    flops = training(_forward_flops(config, cell.sequence_length))
    return {
        **clean,
        **time_metrics(world, exchanges[settings.warmup :], timings.measured),
        "roofline": peak_fraction(flops, clean["sequences_per_second"] / world.size, matmul_peak(precision.dtype)),
        "reference_rules": reference_training(timings.all, batch),
        **_conditions(cell, precision, world.size),
    }


def benchmark_inference(
    cell: Cell,
    settings: BenchmarkInferenceSettings,
    compute: ComputeSettings,
    seed: int,
    engine: EngineName,
    watcher: Watcher,
) -> dict[str, Any]:
    """Metrics of `settings.iterations` calls, one after the other: rows in host memory -> logits in host memory."""
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    precision = set_precision(compute, config.hidden_size)
    parameters = make_parameters(squad_shapes(config), config, seed)
    rows = random_rows(cell, cell.batch_size, seed)
    features = {name: rows[name] for name in ("input_ids", "input_mask", "segment_ids")}

    forward = make_forward(engine, spans().forward, parameters, config, precision)

    def one() -> None:
        forward(features)

    with watcher.progress(
        f"benchmark_inference {cell.name}", settings.warmup + settings.iterations, "calls"
    ) as progress:
        timings = time_calls(one, settings.warmup, settings.iterations, progress.update)
    clean = clean_statistics(timings, cell.batch_size, cell.batch_size * cell.sequence_length)
    flops = _forward_flops(config, cell.sequence_length)
    return {
        **clean,
        "roofline": peak_fraction(flops, clean["sequences_per_second"], matmul_peak(precision.dtype)),
        "reference_rules": reference_inference(timings.all, cell.batch_size),
        **_conditions(cell, precision, ranks=1),
        "engine": engine,
    }
