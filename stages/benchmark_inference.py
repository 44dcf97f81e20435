"""Time inference calls of one cell: a model, a sequence length, a batch.

Reads   params: precision, xla, attention, deterministic, allreduce, seed, inference,
        benchmark_inference
Writes  metrics/benchmark_inference/<model>-<sequence length>-<batch>.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.benchmark.settings import BenchmarkInferenceSettings, Cell
from bert.inference.settings import InferenceSettings
from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section, top_level
from bert.training.settings import ComputeSettings
from bert.watch.watcher import LiveWatcher


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--cell", required=True, help="<model>-<sequence length>-<batch size>")
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--provenance", type=Path, required=True)
    args = p.parse_args(argv)
    cell = Cell.parse(args.cell)
    settings = section(BenchmarkInferenceSettings, "benchmark_inference")
    compute = top_level(ComputeSettings)
    seed, inference = section(int, "seed"), section(InferenceSettings, "inference")
    params = {"cell": cell, "settings": settings, "compute": compute, "seed": seed, "inference": inference}
    with job(
        f"benchmark_inference@{cell.name}", "stages.benchmark_inference", params, [], args.metrics, args.provenance
    ) as work:
        from bert.benchmark.run import benchmark_inference
        from bert.launch.memory import peak_memory
        from bert.training.world import World

        work.metrics |= benchmark_inference(
            cell, settings, compute, seed, inference.engine, LiveWatcher()
        ) | peak_memory(World())
        work.publish({})


if __name__ == "__main__":
    run(main)
