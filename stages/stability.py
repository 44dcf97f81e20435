"""Mean and spread of the scores of the same fine-tuning under several seeds.

Reads   --runs: metric files <task>-<seed>.json, or their folder, of which exactly the runs that params name are read:
        DVC leaves the files of former seeds there     params: stability
        --own: the folder with the metrics of the tasks themselves: that of a task is its run under `seed`, one more
        params: seed, glue.tasks
Writes  --metrics, {task: {score: {mean, std, min, max}, seeds}}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.code import checked_code
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, write_json
from bert.pipeline.job import parser, run
from bert.pipeline.params import section
from bert.report.stability import StabilitySettings, split, summarize


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--runs", type=Path, nargs="+", action="extend", required=True, help="files, or a folder of them")
    p.add_argument("--own", type=Path, help="folder of <task>.json, the runs under the parameter `seed`")
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    checked_code("stages.stability")

    runs = {}
    for given in args.runs:
        named = [given]
        if given.suffix != ".json":
            named = [given / f"{name}.json" for name in section(StabilitySettings, "stability").runs]
        for path in named:
            split(path.stem)
            runs[path.stem] = read_json(path, f"dvc repro stability_run@{path.stem}")
            if not isinstance(runs[path.stem], dict):
                raise StageError(f"{path}: expected a JSON object", run=f"dvc repro -f -s stability_run@{path.stem}")
    if args.own is not None:
        own = section(int, "seed")
        for task in {split(name)[0] for name in runs} & set(section(list[str], "glue.tasks")):
            runs.setdefault(f"{task}-{own}", read_json(args.own / f"{task}.json", f"dvc repro glue@{task}"))
    write_json(args.metrics, summarize(runs))


if __name__ == "__main__":
    run(main)
