"""Where the time of `dvc repro` goes: a table of seconds, by stage and phase, and DVC's own share.

    python -m benchmarks.repro_time                       # what has changed, here
    python -m benchmarks.repro_time --force -- squad      # anything that `dvc repro` takes, behind --
    python -m benchmarks.repro_time --out repro_time.json

Each stage measures itself (BERT_TIMINGS, bert/pipeline/timings.py), from the start of its process:

    start       to the start of its work, and all imports
    compiling   the first call of each compiled program, beyond what a later call of it takes
    steps       of training, or timed calls of a benchmark
    evaluating  held-out evaluation, prediction
    saving      weights, checkpoints, publishing
    rest        everything else: reading, text, scores
    DVC         what `dvc repro` takes beyond its stages: hashes, dvc.lock, starting them and waiting for their end
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bert.pipeline.files import write_json
from bert.pipeline.timings import PHASES, STEPS

Seconds = dict[str, float]
"""{phase: seconds}."""


def measured(command: Sequence[str]) -> tuple[float, dict[str, Seconds]]:
    """Run a command that starts stages, in this folder: its wall seconds, and {stage: its seconds}, in their order.

    Raises SystemExit where it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        status = subprocess.run(command, env=os.environ | {"BERT_TIMINGS": folder}, check=False).returncode
        wall = time.time() - began
        found = [json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).iterdir()]
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    found.sort(key=lambda one: one["started"])
    return wall, {one["stage"]: one["seconds"] for one in found}


def table(wall: float, stages: Mapping[str, Seconds]) -> str:
    """A line for each stage, the sum, and DVC's own. wall: seconds of the whole command."""
    total = {phase: sum(seconds[phase] for seconds in stages.values()) for phase in PHASES}
    rows = [*stages.items(), ("all stages", total)]
    width = max(len(name) for name, _ in rows)
    lines = [_line("stage", width, [*PHASES, "all"])]
    lines += [_line(name, width, [*(f"{s[p]:.1f}" for p in PHASES), f"{sum(s.values()):.1f}"]) for name, s in rows]
    beyond = {"DVC": wall - sum(total.values()), "wall": wall}
    lines += [_line(name, width, [*[""] * len(PHASES), f"{seconds:.1f}"]) for name, seconds in beyond.items()]
    return "\n".join([*lines, f"without steps: {wall - total[STEPS]:.1f} s"])


def _line(name: str, width: int, values: Sequence[str]) -> str:
    return " ".join([name.ljust(width), *(value.rjust(10) for value in values)]).rstrip()


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--force", action="store_true", help="run what is up to date too")
    p.add_argument("--out", type=Path, help="a JSON file of the figures")
    p.add_argument("options", nargs="*", help="of dvc repro: stages, options, behind --")
    args = p.parse_args(argv)
    dvc = [sys.executable, "-m", "dvc", "repro", *(["--force"] if args.force else []), *args.options]
    wall, stages = measured(dvc)
    print(table(wall, stages))
    if args.out is not None:
        write_json(args.out, {"wall": round(wall, 3), "stages": stages})


if __name__ == "__main__":
    main()
