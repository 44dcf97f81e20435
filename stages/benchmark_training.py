"""Horovod. Time training steps of one cell: a task, a model, a sequence length, a micro-batch a rank.

Reads   params: precision, xla, attention, deterministic, allreduce, seed, benchmark_training, and of the cell's task:
        pretrain.optimizer, pretrain.loss_scale (task pretrain); finetune.optimizer, finetune.loss_scale (task squad)
Writes  metrics/benchmark_training/<task>-<model>-<sequence length>-<micro-batch>.json

The task pretrain is masked language modelling with next-sentence prediction; squad is the span of an answer. An update
takes benchmark_training.global_batch rows, accumulated by micro-batches. With BERT_RANKS > 1 the cell is measured on
one rank too, for weak scaling. A cell that does not fit into memory is recorded as such.

Example:

    dvc repro benchmark_training                        # all cells of params.yaml
    dvc exp run $(python -m stages.preset laptop) benchmark_training
"""

from __future__ import annotations

from collections.abc import Sequence

from bert.benchmark.conditions import too_large, training_conditions
from bert.benchmark.settings import BenchmarkTrainingSettings, TrainingCell
from bert.benchmark.weak_scaling import weak_scaling
from bert.launch.stage import Measuring, TrainingStage, run_ranked, training_parser
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section, top_level
from bert.training.context import Context, Outcome
from bert.training.settings import ComputeSettings
from bert.training.world import Split


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--cell", required=True, help="<task>-<model>-<sequence length>-<batch size of a rank>")
    args = p.parse_args(argv)
    machine = machine_settings()
    cell = TrainingCell.parse(args.cell)
    settings = section(BenchmarkTrainingSettings, "benchmark_training")
    of_task = "pretrain" if cell.task == "pretrain" else "finetune"
    update = UpdateSettings(
        optimizer=section(OptimizerSettings, f"{of_task}.optimizer"),
        loss_scale=section(LossScaleSettings, f"{of_task}.loss_scale"),
    )
    compute, seed = top_level(ComputeSettings), section(int, "seed")

    def split(ranks: int) -> Split:
        """On one rank of several, its part of the work alone: weak scaling."""
        accumulate = settings.split(cell, machine.wanted_ranks).accumulate
        return Split(ranks, accumulate, cell.batch_size)

    def work(context: Context) -> Outcome:
        from bert.benchmark.run import benchmark_training  # imports TensorFlow, which --help need not wait for

        measured = benchmark_training(cell, settings, update, compute, seed, context)
        return Outcome(measured | training_conditions(cell, context.split))

    split(machine.wanted_ranks)  # what does not come out even is said before anything starts
    stage = TrainingStage(
        f"benchmark_training@{cell.name}",
        "stages.benchmark_training",
        {"cell": cell, "settings": settings, "update": update, "compute": compute, "seed": seed},
        [],
        {},
        split,
        any_ranks=False,
        measuring=Measuring(
            lambda ranks: too_large(training_conditions(cell, split(ranks)), compute.precision), weak_scaling
        ),
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
