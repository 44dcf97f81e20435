"""One self-contained HTML page of everything that was counted, scored and timed.

Reads   metric files, curves, lengths and provenance records, or folders of them; of a matrix's folder exactly the
        members that params name     params: model, precision, seed, finetune.init, squad.data, glue.data, glue.tasks,
        stability, the cells of both benchmarks, the sequence lengths of both phases
Writes  --out

A metric file that is not there is shown as a stage that has not run yet, with its command.

Example:
  dvc repro report
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert.pipeline.code import checked_code
from bert.pipeline.files import write_text
from bert.pipeline.job import parser, run
from bert.pipeline.params import section
from bert.report import inputs
from bert.report.page import render
from bert.report.stability import StabilitySettings
from bert.tasks.settings import Control

SHOWN = (
    *("model", "precision", "seed", "finetune.init", "squad.data", "glue.data"),
    *("tfrecords.phase1.sequence_length", "tfrecords.phase2.sequence_length"),
)


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    for flag in ("--metrics", "--curves", "--lengths", "--provenance"):
        p.add_argument(flag, type=Path, nargs="+", action="extend", default=[], help="files, or folders of them")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args(argv)
    checked_code("stages.report")

    controls = section(tuple[Control, ...], "finetune.controls")
    members = {
        "squad_control": controls,
        "glue_data": section(tuple[str, ...], "glue.tasks"),
        "glue": section(tuple[str, ...], "glue.tasks"),
        "glue_control": tuple(f"{task}-{init}" for task in section(tuple[str, ...], "glue.tasks") for init in controls),
        **section(StabilitySettings, "stability").members,
        "benchmark_training": section(tuple[str, ...], "benchmark_training.cells"),
        "benchmark_inference": section(tuple[str, ...], "benchmark_inference.cells"),
    }
    shown: dict[str, Any] = {name: section(Any, name) for name in SHOWN}
    found = inputs.read(args.metrics, args.curves, args.provenance, args.lengths, members)
    write_text(args.out, render(found, shown))


if __name__ == "__main__":
    run(main)
