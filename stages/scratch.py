"""Not a stage: show or clear what interrupted and finished runs have left in .scratch, and the cache of features.

python -m stages.scratch --list      what is there, how large, and who works in it
python -m stages.scratch --prune     remove what nobody works in; the next run of that stage starts afresh
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.job import parser, run
from bert.pipeline.scratch import PUBLISHED, discard, in_use, runs
from bert.tasks.feature_cache import features_folder


def _megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="print each folder, its size and state")
    what.add_argument("--prune", action="store_true", help="remove all that is not in use")
    args = p.parse_args(argv)
    for folder in runs():
        busy = in_use(folder)
        state = "in use" if busy else "finished" if (folder / PUBLISHED).exists() else "interrupted"
        print(f"{folder.name}  {_megabytes(folder):.1f} MB  {state}")
        if args.prune and not busy:
            discard(folder)
    if (features := features_folder()).exists():
        print(f"{features.name}  {_megabytes(features):.1f} MB  made again when missed")
        if args.prune:
            shutil.rmtree(features)


if __name__ == "__main__":
    run(main)
