"""Weak scaling: the same batch a rank on more and more ranks, as in the published tables.

    python -m benchmarks.scaling --cells squad-tiny-128-8 pretrain-base-128-8 --ranks 1 2 --rounds 3 --out scaling.json

The stage benchmark_training measures one rank beside the BERT_RANKS of them, once. Here each number of ranks has its
turn, and that `--rounds` times; a figure is the median of its rounds. Scaling is the throughput of R ranks over that
of the fewest. On a CPU each rank gets `--cores` of its own: one rank does not compute with the whole machine, as one
GPU of eight does not. Let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bert.launch.child import child_command
from bert.pipeline.code import ROOT
from bert.pipeline.files import write_json

Figures = dict[str, Any]


def measure(cell: str, ranks: int, cores: int, folder: Path) -> Figures:
    """The metrics of one run of the stage in `folder`, which holds params.yaml."""
    usable = len(os.sched_getaffinity(0))
    if ranks * cores > usable:
        raise SystemExit(f"{ranks} ranks with {cores} cores each need {ranks * cores} cores, there are {usable}")
    environment = {n: value for n, value in os.environ.items() if n not in ("BERT_HOSTS", "BERT_MICRO_BATCH")}
    stage = [sys.executable, "-m", "stages.benchmark_training", "--cell", cell]
    subprocess.run(
        child_command(
            [*stage, "--metrics", "metrics.json", "--provenance", "provenance.json"],
            cores=ranks * cores,
        ),
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "BERT_RANKS": str(ranks)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    found: Figures = json.loads((folder / "metrics.json").read_text())
    if "out_of_memory" in found:
        raise SystemExit(f"{cell} on {ranks} ranks does not fit into memory")
    return found


def rows_of(measured: dict[tuple[str, int], list[Figures]]) -> list[Figures]:
    """A row for each cell and number of ranks: medians over the rounds, and the scaling."""
    rows: list[Figures] = []
    for (cell, ranks), rounds in measured.items():
        rates = [found["sequences_per_second"] for found in rounds]
        fewest = min(r for c, r in measured if c == cell)
        base = statistics.median(found["sequences_per_second"] for found in measured[cell, fewest])
        median = statistics.median(rates)
        rows.append(
            {
                "cell": cell,
                "ranks": ranks,
                "precision": rounds[0]["precision_effective"],
                "sequences_per_second": round(median, 2),
                "lowest": round(min(rates), 2),
                "highest": round(max(rates), 2),
                "weak_scaling": round(median / base, 3),
                **{
                    name: round(statistics.median(found[name] for found in rounds), 6)
                    for name in (
                        "allreduce_share",
                        "allreduce_seconds_per_step",
                        "allreduce_wait_seconds_per_step",
                    )
                },
            }
        )
    return sorted(rows, key=lambda row: (row["cell"], row["ranks"]))


def table(rows: Sequence[Figures]) -> str:
    """Markdown."""
    columns = ["cell", "ranks", "precision", "sequences/s", "from-to", "weak scaling"]
    columns += ["all-reduce, % of a step", "ms", "of it waiting"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        lines.append(
            f"| {row['cell']} | {row['ranks']} | {row['precision']} | {row['sequences_per_second']} "
            f"| {row['lowest']}-{row['highest']} | {row['weak_scaling']:.2f} | {100 * row['allreduce_share']:.1f} "
            f"| {1e3 * row['allreduce_seconds_per_step']:.2f} | {1e3 * row['allreduce_wait_seconds_per_step']:.2f} |"
        )
    return "\n".join(lines)


def write_params(folder: Path, changes: dict[str, Any], warmup: int, steps: int) -> None:
    """The project's, with changes at the top."""
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load(ROOT / "params.yaml")
    params |= {name: value for name, value in changes.items() if value is not None}
    params["benchmark_training"] |= {"warmup": warmup, "steps": steps}
    with open(folder / "params.yaml", "w", encoding="utf-8") as f:
        yaml.dump(params, f)


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cells", nargs="+", default=["squad-tiny-128-8"], help="<task>-<model>-<length>-<batch of a rank>")
    p.add_argument("--ranks", nargs="+", type=int, default=[1, 2])
    p.add_argument("--cores", type=int, default=1, help="of a rank")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--warmup", type=int, default=5)
    p.add_argument("--steps", type=int, default=60)
    p.add_argument("--precision", help="instead of that of params.yaml")
    p.add_argument("--allreduce", help="instead of that of params.yaml: fp32, fp16")
    p.add_argument("--out", type=Path, help="where the figures go as JSON")
    args = p.parse_args(argv)
    measured: dict[tuple[str, int], list[Figures]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_params(folder, {"precision": args.precision, "allreduce": args.allreduce}, args.warmup, args.steps)
        for _ in range(args.rounds):
            for cell in args.cells:
                for ranks in args.ranks:
                    measured.setdefault((cell, ranks), []).append(measure(cell, ranks, args.cores, folder))
    rows = rows_of(measured)
    print(table(rows))
    if args.out is not None:
        settings = {name: value for name, value in vars(args).items() if name != "out"}
        machine = {"platform": platform.platform(), "cores": len(os.sched_getaffinity(0))}
        write_json(args.out, {"settings": settings, "machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
