"""Time inference calls of one cell, question answering: a model, a sequence length, a batch.

Reads   params: precision, xla, attention, deterministic, allreduce, seed, inference,
        benchmark_inference
Writes  metrics/benchmark_inference/<model>-<sequence length>-<batch>.json

A cell that does not fit into memory is recorded as such.

Example:

    dvc repro benchmark_inference                       # all cells of params.yaml
    dvc exp run $(python -m stages.preset published_inference) benchmark_inference
"""

from __future__ import annotations

from collections.abc import Sequence

from bert.benchmark.conditions import inference_conditions, too_large
from bert.benchmark.settings import BenchmarkInferenceSettings, Cell
from bert.inference.settings import InferenceSettings
from bert.launch.stage import Measuring, TrainingStage, run_ranked, training_parser
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section, top_level
from bert.training.context import Context, Outcome
from bert.training.settings import ComputeSettings
from bert.training.world import Split


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--cell", required=True, help="<model>-<sequence length>-<batch size>")
    args = p.parse_args(argv)
    machine = machine_settings().model_copy(update={"ranks": 1, "hosts": ()})  # one process answers
    cell = Cell.parse(args.cell)
    settings = section(BenchmarkInferenceSettings, "benchmark_inference")
    compute = top_level(ComputeSettings)
    seed, inference = section(int, "seed"), section(InferenceSettings, "inference")
    conditions = inference_conditions(cell, inference.engine)

    def work(context: Context) -> Outcome:
        from bert.benchmark.run import benchmark_inference  # imports TensorFlow, which --help need not wait for

        measured = benchmark_inference(cell, settings, compute, seed, inference.engine, context)
        return Outcome(measured | conditions)

    stage = TrainingStage(
        f"benchmark_inference@{cell.name}",
        "stages.benchmark_inference",
        {"cell": cell, "settings": settings, "compute": compute, "seed": seed, "inference": inference},
        [],
        {},
        lambda ranks: Split(ranks, 1, cell.batch_size),
        any_ranks=False,
        measuring=Measuring(lambda ranks: too_large(conditions, compute.precision)),
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
