"""Horovod. Time training steps of one cell: a model, a sequence length, a batch a rank.

Reads   params: precision, xla, seed, finetune.optimizer, finetune.loss_scale, benchmark_training
Writes  metrics/benchmark_training/<model>-<sequence length>-<batch>.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.benchmark.settings import BenchmarkTrainingSettings, Cell
from bert.launch.allocator import keep_pages
from bert.launch.stage import run_ranked, training_parser
from bert.optim.settings import LossScaleSettings, OptimizerSettings
from bert.pipeline.files import write_json
from bert.pipeline.job import run
from bert.pipeline.params import section
from bert.training.settings import compute_settings
from bert.training.world import World


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--cell", required=True, help="<model>-<sequence length>-<batch size of a rank>")
    args = p.parse_args(argv)
    cell = Cell.parse(args.cell)
    settings = section(BenchmarkTrainingSettings, "benchmark_training")
    optimizer = section(OptimizerSettings, "finetune.optimizer")
    loss_scale = section(LossScaleSettings, "finetune.loss_scale")
    compute = compute_settings()
    seed = section(int, "seed")

    def work(scratch: Path, world: World) -> None:
        from bert.benchmark.run import benchmark_training

        metrics = benchmark_training(cell, settings, optimizer, loss_scale, compute, seed, world)
        if world.is_first:
            write_json(scratch / "run.json", {})
            write_json(scratch / "metrics.json", metrics)

    params = {"cell": cell, "settings": settings, "optimizer": optimizer, "compute": compute, "seed": seed}
    run_ranked(f"benchmark_training@{cell.name}", "stages.benchmark_training", argv, args, params, [], work, {})


if __name__ == "__main__":
    keep_pages()
    run(main)
