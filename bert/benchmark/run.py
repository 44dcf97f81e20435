"""The two benchmarks: training steps and inference calls, on full-length random tokens.

The tasks are those of the published tables: pretraining in the reference's scripts/run_pretraining_lamb.sh, question
answering in its finetune_train_benchmark.sh and finetune_inference_benchmark.sh. Unlike there the rows hold no padding,
so that sequences a second are a statement about the model and the machine alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bert.benchmark.energy import Meter, energy_metrics, host, meter
from bert.benchmark.flops import peak_fraction
from bert.benchmark.peak import matmul_peak
from bert.benchmark.rows import VOCAB_SIZE, random_rows
from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell, TrainingCell
from bert.benchmark.timing import (
    clean_statistics,
    reference_inference,
    reference_pretraining,
    reference_training,
    time_calls,
)
from bert.benchmark.work import operations
from bert.inference.forward import make_forward
from bert.inference.settings import EngineName
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, pretraining_shapes, squad_shapes
from bert.optim.settings import UpdateSettings
from bert.training.allreduce import time_metrics
from bert.training.batches import array_batches
from bert.training.context import Context, Progress, Stop, Stopped
from bert.training.objectives import pretraining, spans
from bert.training.precision import Precision, set_precision, with_attention
from bert.training.settings import ComputeSettings
from bert.training.step import TrainStep

MOST_ROWS = 4096
"""Rows are taken again after so many: those of a large global batch would fill the memory, and be no other work."""


def _gpu() -> int | None:
    """The number of the GPU that this process computes on, among those that CUDA shows it."""
    gpus = tf.config.get_visible_devices("GPU")
    return int(gpus[0].name.rpartition(":")[2]) if gpus else None


def _after_each(progress: Progress, energy: Meter, stop: Stop, warmup: int) -> Callable[[int], None]:
    """What is done between two calls, in no time that is measured; `done` calls are finished."""

    def after(done: int) -> None:
        progress.update(done)
        if stop.asked:
            raise Stopped(f"stopped as asked after call {done}; nothing is kept", run="dvc repro, or dvc exp run again")
        if done == warmup:
            energy.start()
        else:
            energy.read()

    return after


def _arithmetic(precision: Precision) -> dict[str, Any]:
    """How it was computed, in the metrics' words; what was computed stands in bert/benchmark/conditions.py."""
    return {
        "precision": precision.name,
        "precision_effective": precision.effective,
        "xla": precision.xla,
        "attention": precision.attention,
    }


def benchmark_training(
    cell: TrainingCell,
    settings: BenchmarkTrainingSettings,
    update: UpdateSettings,
    compute: ComputeSettings,
    seed: int,
    context: Context,
) -> dict[str, Any]:
    """Metrics of `settings.steps` updates: input pipeline, forward, backward, all-reduce and update; on every rank.

    The cell's batch is the micro-batch of one rank, as in the published tables; an update takes `context.split`.
    """
    world, split = context.world, context.split
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    if compute.attention == "fused":  # a speed is measured, for which it does not matter what is learned
        config = config.with_dropout(None, attention=0.0)
    precision = set_precision(compute, config.hidden_size, context.recompute)
    precision = with_attention(precision, compute, config, "benchmark_training")
    objective, shapes = (spans(), squad_shapes) if cell.task == "squad" else (pretraining(), pretraining_shapes)
    batch = split.ranks * split.rows_per_rank
    step = TrainStep(
        objective,
        config,
        make_parameters(shapes(config), config, seed),
        update,
        lambda at: tf.constant(1e-5),
        precision=precision,
        split=split,
        world=world,
        seed=seed,
    )
    calls = settings.warmup + settings.steps
    rows = random_rows(cell.task, cell.sequence_length, min(8 * batch, MOST_ROWS), seed)
    batches = enumerate(array_batches(rows, seed, 0, calls, split, world))

    exchanges: list[float] = []

    def one() -> None:
        number, rows = next(batches)
        figures = step(rows, tf.constant(number, tf.int64))
        float(figures["grad_norm"])
        exchanges.append(float(figures["allreduce_seconds"]))

    energy = meter(_gpu())
    with (
        context.watcher.progress(f"benchmark_training {cell.name}", calls, "steps") as progress,
        context.stop() as stop,
        world.together(f"benchmark_training {cell.name}"),
    ):
        after = _after_each(progress, energy, stop, settings.warmup)
        timings = time_calls(one, settings.warmup, settings.steps, after)
        energy.read(now=True)
        read = world.gather((host(), energy.joules, energy.seconds))
        exchange = time_metrics(world, exchanges[settings.warmup :], timings.measured)
    clean = clean_statistics(timings, batch, batch * cell.sequence_length)
    by_the_reference = reference_training if cell.task == "squad" else reference_pretraining
    rate = clean["sequences_per_second"] / world.size
    return {
        **clean,
        **exchange,
        **energy_metrics(read, settings.steps * batch),
        "roofline": peak_fraction(operations(cell), rate, matmul_peak(precision.dtype)),
        "reference_rules": by_the_reference(timings.all, batch),
        **_arithmetic(precision),
    }


def benchmark_inference(
    cell: Cell,
    settings: BenchmarkInferenceSettings,
    compute: ComputeSettings,
    seed: int,
    engine: EngineName,
    context: Context,
) -> dict[str, Any]:
    """Metrics of `settings.iterations` calls, one after the other: rows in host memory -> logits in host memory."""
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    precision = set_precision(compute, config.hidden_size)
    parameters = make_parameters(squad_shapes(config), config, seed)
    rows = random_rows("squad", cell.sequence_length, cell.batch_size, seed)
    features = {name: rows[name] for name in ("input_ids", "input_mask", "segment_ids")}

    forward = make_forward(engine, spans().forward, parameters, config, precision)

    def one() -> None:
        forward(features)

    energy, calls = meter(_gpu()), settings.warmup + settings.iterations
    with (
        context.watcher.progress(f"benchmark_inference {cell.name}", calls, "calls") as progress,
        context.stop() as stop,
    ):
        after = _after_each(progress, energy, stop, settings.warmup)
        timings = time_calls(one, settings.warmup, settings.iterations, after)
        energy.read(now=True)
    clean = clean_statistics(timings, cell.batch_size, cell.batch_size * cell.sequence_length)
    return {
        **clean,
        **energy_metrics([(host(), energy.joules, energy.seconds)], settings.iterations * cell.batch_size),
        "roofline": peak_fraction(operations(cell), clean["sequences_per_second"], matmul_peak(precision.dtype)),
        "reference_rules": reference_inference(timings.all, cell.batch_size),
        **_arithmetic(precision),
    }
