"""Mean and spread of losses and scores of the same training under several seeds, by task and precision.

Reads   --runs: the folder of all metrics, of which exactly the runs that params name are read: DVC leaves the files of
        former seeds there. The result of a task (metrics/squad.json, metrics/glue/<task>.json,
        metrics/pretrain_<phase>.json) is its run under the parameter `seed`, one more
        params: stability, seed, glue.tasks
Writes  --metrics, {task: {precision: {score: {mean, std, min, max}, seeds: {seed: {score: value}}}}}

Examples:
  dvc exp run -S 'stability.seeds=[1, 2, 3]' stability
  python -m stages.stability --runs metrics --metrics metrics/stability.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.code import checked_code
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, write_json
from bert.pipeline.job import parser, run
from bert.pipeline.params import section
from bert.report.inputs import Metrics, stage_of
from bert.report.stability import Run, StabilitySettings, results, summarize


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--runs", type=Path, required=True, help="the folder of all metrics")
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    checked_code("stages.stability")

    named = section(StabilitySettings, "stability").runs
    named = results(named, section(int, "seed"), section(list[str], "glue.tasks")) + named
    found: dict[Run, Metrics] = {}
    for one in named:
        path = args.runs / f"{one.key}.json"
        found[one] = read_json(path, f"dvc repro {stage_of(one.key)}")
        if not isinstance(found[one], dict):
            raise StageError(f"{path}: expected a JSON object", run=one.again)
    write_json(args.metrics, summarize(found))


if __name__ == "__main__":
    run(main)
