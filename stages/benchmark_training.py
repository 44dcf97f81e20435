"""Horovod. Time training steps of one cell: a model, a sequence length, a batch a rank.

Reads   params: precision, xla, attention, deterministic, allreduce, seed, finetune.optimizer, finetune.loss_scale,
        benchmark_training
Writes  metrics/benchmark_training/<model>-<sequence length>-<batch>.json
"""

from __future__ import annotations

from collections.abc import Sequence

from bert.benchmark.settings import BenchmarkTrainingSettings, Cell
from bert.launch.stage import TrainingStage, run_ranked, training_parser
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section, top_level
from bert.training.context import Context, Outcome
from bert.training.settings import ComputeSettings
from bert.training.world import split_batch


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--cell", required=True, help="<model>-<sequence length>-<batch size of a rank>")
    args = p.parse_args(argv)
    machine = machine_settings()
    cell = Cell.parse(args.cell)
    settings = section(BenchmarkTrainingSettings, "benchmark_training")
    update = UpdateSettings(
        optimizer=section(OptimizerSettings, "finetune.optimizer"),
        loss_scale=section(LossScaleSettings, "finetune.loss_scale"),
    )
    compute, seed = top_level(ComputeSettings), section(int, "seed")

    def work(context: Context) -> Outcome:
        from bert.benchmark.run import benchmark_training  # imports TensorFlow, which --help need not wait for

        return Outcome(benchmark_training(cell, settings, update, compute, seed, context))

    stage = TrainingStage(
        f"benchmark_training@{cell.name}",
        "stages.benchmark_training",
        {"cell": cell, "settings": settings, "update": update, "compute": compute, "seed": seed},
        [],
        {},
        lambda ranks: split_batch(
            "benchmark_training",
            "batch_size",
            cell.batch_size * ranks,
            ranks,
            machine.micro_batch_of("benchmark_training"),
        ),
        any_ranks=False,
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
