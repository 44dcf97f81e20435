"""What all training stages do: be a rank, or start the ranks and publish what they made."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bert.launch.endings import ending_told
from bert.launch.hosts import wanted_ranks
from bert.launch.ranks import SplitFor, launch
from bert.launch.stopping import ASKED
from bert.pipeline.errors import disk_full_as_error
from bert.pipeline.files import read_json, write_json
from bert.pipeline.job import job, parser
from bert.training.checkpoints import usable
from bert.training.world import World, is_rank, join

# The code that made the result which lies beside it.
FINISHED = "finished.json"


def training_parser(doc: str | None) -> argparse.ArgumentParser:
    """The options that all training stages have."""
    p = parser(doc)
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--provenance", type=Path, required=True)
    p.add_argument("--scratch", type=Path, help="set by the stage itself for the ranks that it starts")
    return p


def _finished(folder: Path, code: dict[str, str], again: str) -> bool:
    """Whether a run before this one has finished in `folder`, and its result may be used."""
    mark = folder / FINISHED
    if not mark.exists():
        return False
    return usable(f"the result in {folder}", read_json(mark, again), code)


def _remove(path: Path) -> None:
    """What a given-up run has published are hard links to its files: they must not be written into."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run_ranked(
    stage: str,
    module: str,
    argv: Sequence[str] | None,
    args: argparse.Namespace,
    params: dict[str, Any],
    inputs: list[Path],
    work: Callable[[Path, World], None],
    outs: dict[str, Path],
    split: SplitFor | None = None,
) -> None:
    """Call `work(scratch, world)` in one process, or in BERT_RANKS of them under horovodrun, and publish its results.

    `work` leaves metrics.json, run.json (for the provenance) and the keys of `outs` in its scratch. A run that had
    finished, but whose result DVC did not commit, is only published; if other code did it, BERT_RESUME decides.

    Args:
        module: the stage's own module, for the ranks.
        outs: {name in the scratch: where it goes}.
        split: how a number of ranks cuts the global batch, see launch. None where the result depends on their number.
    """
    if is_rank():
        with ending_told(args.scratch), disk_full_as_error("this disk"):
            world = join()
            with world.lost_ranks_told(stage):
                work(args.scratch, world)
        return
    again = f"dvc repro {stage}"
    # Checkpoints and finished results name the code that made them: BERT_RESUME decides what other code does with them.
    with job(stage, module, params, inputs, args.metrics, args.provenance, code_in_fingerprint=False) as current:
        folder, code = current.folder, current.code
        if not _finished(folder, code, again):
            for name in (FINISHED, ASKED, *outs):
                _remove(folder / name)
            if wanted_ranks() > 1:
                told = [*(sys.argv[1:] if argv is None else argv), "--scratch", str(folder)]
                launched = asdict(launch(module, told, folder, stage, split))
                write_json(folder / "run.json", read_json(folder / "run.json", again) | launched)
            else:
                work(folder, join())
            write_json(folder / FINISHED, code)
        current.metrics |= read_json(folder / "metrics.json", again)
        current.provenance |= read_json(folder / "run.json", again)
        current.publish({folder / name: out for name, out in outs.items()})
