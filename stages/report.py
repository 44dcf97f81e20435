"""One self-contained HTML page of everything that was counted, scored and timed, and a file of its headlines.

Reads   metric files, curves, lengths and provenance records, or folders of them; of a matrix's folder exactly the
        members that params name     params: model, precision, seed, finetune.init, squad.data, glue.data, glue.tasks,
        stability, the cells of both benchmarks, the sequence lengths of both phases
Writes  --out, the page
        --summary, the headlines as a flat file of metrics: dvc metrics diff REVISION --targets metrics/summary.json

A metric file that is not there is shown as a stage that has not run yet, with its command.
The pipeline is drawn from --dag and the params that its templates name.

Example:
  dvc repro report
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert.pipeline.code import checked_code
from bert.pipeline.files import write_json, write_text
from bert.pipeline.job import parser, run
from bert.pipeline.params import load, section
from bert.report import inputs
from bert.report.dag import stages
from bert.report.page import render
from bert.report.stability import StabilitySettings
from bert.report.summary import summary
from bert.tasks.settings import Control

SHOWN = (
    *("model", "precision", "seed", "finetune.init", "squad.data", "glue.data"),
    *("tfrecords.phase1.sequence_length", "tfrecords.phase2.sequence_length"),
)
LISTS = ("glue.tasks", "benchmark_training.cells", "benchmark_inference.cells")


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    for flag in ("--metrics", "--curves", "--lengths", "--provenance"):
        p.add_argument(flag, type=Path, nargs="+", action="extend", default=[], help="files, or folders of them")
    p.add_argument("--dag", type=Path, help="a dvc.yaml, whose stages to draw; without it no picture of them")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--summary", type=Path, required=True)
    args = p.parse_args(argv)
    checked_code("stages.report")

    controls = section(tuple[Control, ...], "finetune.controls")
    lists = {name: section(tuple[str, ...], name) for name in LISTS}
    tasks = lists["glue.tasks"]
    members = {
        "squad_control": controls,
        "glue_data": tasks,
        "glue": tasks,
        "glue_control": tuple(f"{task}-{init}" for task in tasks for init in controls),
        **section(StabilitySettings, "stability").members,
        "benchmark_training": lists["benchmark_training.cells"],
        "benchmark_inference": lists["benchmark_inference.cells"],
    }
    shown: dict[str, Any] = {name: section(Any, name) for name in SHOWN}
    found = inputs.read(args.metrics, args.curves, args.provenance, args.lengths, members)
    drawn = stages(args.dag, load()) if args.dag else []
    write_text(args.out, render(found, shown, drawn))
    write_json(args.summary, summary(found, {**shown, **lists}))


if __name__ == "__main__":
    run(main)
