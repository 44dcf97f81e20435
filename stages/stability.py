"""Mean and spread of the scores of the same fine-tuning under several seeds.

Reads   the metric files of the runs, each named on the command line: a run that params no longer name does not count
Writes  --metrics, {task: {score: {mean, std, min, max}, seeds}}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, write_json
from bert.pipeline.stage import parser, run
from bert.report.stability import split, summarize


def main(argv: Sequence[str] | None = None) -> None:
    """Gather the runs by the names of their files, <task>-<seed>.json."""
    p = parser(__doc__)
    p.add_argument("--runs", type=Path, nargs="+", action="extend", required=True, help="<task>-<seed>.json files")
    p.add_argument("--metrics", type=Path, required=True, help="file to write")
    args = p.parse_args(argv)

    runs = {}
    for path in args.runs:
        split(path.stem)
        runs[path.stem] = read_json(path, f"dvc repro stability_run@{path.stem}")
        if not isinstance(runs[path.stem], dict):
            raise StageError(f"{path}: expected a JSON object", run=f"dvc repro -f -s stability_run@{path.stem}")
    write_json(args.metrics, summarize(runs))


if __name__ == "__main__":
    run(main)
