"""One self-contained HTML page of everything that was counted, scored and timed.

Reads   metric files, curves and provenance records, named on the command line    params: model, precision, seed,
        finetune.init
Writes  --out
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert.pipeline.files import write_text
from bert.pipeline.params import load
from bert.pipeline.stage import parser, run
from bert.report import inputs
from bert.report.page import render

SHOWN = ("model", "precision", "seed", "finetune.init")


def shown(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the page names, by dotted key."""
    found = {}
    for name in SHOWN:
        node: Any = params
        for part in name.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if node is not None:
            found[name] = node
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """A metric file that is named but missing is shown as a stage that has not run."""
    p = parser(__doc__)
    for flag, what in {
        "--metrics": "metric files (.json), or folders of them",
        "--curves": "training curves (.tsv), or folders of them",
        "--provenance": "provenance records (.json), or folders of them",
    }.items():
        p.add_argument(flag, type=Path, nargs="+", action="extend", default=[], help=what)
    p.add_argument("--out", type=Path, required=True, help="the page to write")
    args = p.parse_args(argv)

    write_text(args.out, render(inputs.read(args.metrics, args.curves, args.provenance), shown(load())))


if __name__ == "__main__":
    run(main)
