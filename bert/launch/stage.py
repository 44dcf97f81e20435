"""What all training stages do: be a rank, or start the ranks and publish what they made."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bert.launch.endings import OutOfMemory, recording_ending
from bert.launch.hosts import hosts_for
from bert.launch.join import is_rank, join
from bert.launch.ranks import SplitFor, launch, run_alone
from bert.launch.stopping import ASKED, stop_when_asked
from bert.pipeline.code import code_hashes
from bert.pipeline.errors import disk_full_as_error
from bert.pipeline.files import read_json, write_json
from bert.pipeline.heartbeat import beating
from bert.pipeline.job import job, parser
from bert.pipeline.machine import MachineSettings
from bert.training.checkpoints import usable
from bert.training.context import Context, Nobody, Outcome, Resume
from bert.training.world import World
from bert.watch.watcher import LiveWatcher

log = logging.getLogger(__name__)

Work = Callable[[Context], Outcome | None]
Metrics = dict[str, Any]

# Files in the scratch: the two of an Outcome, and the code that made the result which lies beside it.
METRICS, RECORD, FINISHED = "metrics.json", "run.json", "finished.json"
# Folder in it of the same work on one rank.
ONE_RANK = "one-rank"


def training_parser(doc: str | None) -> argparse.ArgumentParser:
    """The options that all training stages have."""
    p = parser(doc)
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--provenance", type=Path, required=True)
    p.add_argument("--scratch", type=Path, help="set by the stage itself for the ranks that it starts")
    return p


def _finished(folder: Path, outs: Iterable[str], code: Mapping[str, str], again: str, resume: Resume) -> bool:
    """Whether a run before this one has finished in `folder`, with these results, and they may be used."""
    mark = folder / FINISHED
    if not all(path.exists() for path in (mark, *(folder / out for out in outs))):
        return False
    return usable(f"the result in {folder}", read_json(mark, again), code, resume)


def _remove(path: Path) -> None:
    """Remove a file or folder: what a given-up run has published are hard links, which must not be written into."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Measuring:
    """What a stage that measures asks for beside its result.

    Attributes:
        too_large: metrics of a work that does not fit into memory, which is a result then and no error; by ranks
        beside_one: (metrics of several ranks, of one) -> more metrics; the work is then done on one rank too. None:
            it is not
    """

    too_large: Callable[[int], Metrics]
    beside_one: Callable[[Metrics, Metrics], Metrics] | None = None


@dataclass(frozen=True)
class TrainingStage:
    """One of them.

    Attributes:
        name: DVC's name of it
        module: the stage's own, for the ranks that it starts
        params, inputs: what the result depends on, see bert.pipeline.job.job
        outs: {name in the scratch: where it goes}
        split: how a number of ranks cuts the global batch; raises StageError where it cannot
        any_ranks: the result does not depend on the number of ranks, so that a job that loses some may go on with less
        measuring: of a stage that measures, whose work is always done by processes of its own
    """

    name: str
    module: str
    params: dict[str, Any]
    inputs: list[Path]
    outs: dict[str, Path]
    split: SplitFor
    any_ranks: bool = True
    measuring: Measuring | None = None


def run_ranked(
    stage: TrainingStage,
    work: Work,
    args: argparse.Namespace,
    argv: Sequence[str] | None,
    machine: MachineSettings,
) -> None:
    """Call `work` in one process, or in BERT_RANKS of them under horovodrun, and publish its results.

    A run that had finished, but whose result DVC did not commit, is only published; if other code did it, BERT_RESUME
    decides.

    Args:
        work: what a rank does: leaves the keys of `stage.outs` in its scratch, and returns the metrics (the first one).
        args, argv: of the command line, parsed and not.
    """
    if args.scratch is not None:  # a process that the stage has started
        # What ranks say passes through the stage, which hears it; a process alone speaks for itself.
        at_work = nullcontext() if is_rank() else beating(stage.name)
        with recording_ending(args.scratch), disk_full_as_error("this disk"), at_work:
            world = join(machine.stall_seconds)
            with world.together(stage.name):
                _work(stage, work, args.scratch, world, machine)
        return
    again = f"dvc repro {stage.name}"
    # Checkpoints and finished results name the code that made them: BERT_RESUME decides what other code does with them.
    with job(
        stage.name,
        stage.module,
        stage.params,
        stage.inputs,
        args.metrics,
        args.provenance,
        code_in_fingerprint=False,
    ) as current:
        folder, code = current.folder, current.code
        if not _finished(folder, stage.outs, code, again, machine.resume):
            for name in (FINISHED, ASKED, *stage.outs):
                _remove(folder / name)
            command = ["-m", stage.module, *(sys.argv[1:] if argv is None else argv), "--scratch"]
            if stage.measuring is not None:
                _measure(stage, stage.measuring, command, folder, machine, again)
            elif machine.wanted_ranks > 1:
                _launch(stage, command, folder, machine, again)
            else:
                _work(stage, work, folder, join(machine.stall_seconds), machine)
            write_json(folder / FINISHED, code)
            if not stage.outs:  # the metrics are all that anybody asks for: no checkpoints, no predictions
                for left in filter(Path.is_dir, folder.iterdir()):
                    shutil.rmtree(left)
        current.metrics |= read_json(folder / METRICS, again)
        current.provenance |= read_json(folder / RECORD, again)
        current.publish({folder / name: out for name, out in stage.outs.items()})


def _launch(stage: TrainingStage, command: list[str], folder: Path, machine: MachineSettings, again: str) -> None:
    """As several ranks; how that went is put down beside what the first one has left."""
    split = stage.split if stage.any_ranks else None
    launched = launch(stage.name, [*command, str(folder)], folder, split, machine)
    write_json(folder / RECORD, read_json(folder / RECORD, again) | asdict(launched))


def _measure(
    stage: TrainingStage,
    measuring: Measuring,
    command: list[str],
    folder: Path,
    machine: MachineSettings,
    again: str,
) -> None:
    """As one process or several, all of their own; and, of several, on one rank too, with its share of the cores."""
    ranks = machine.wanted_ranks
    try:
        if ranks == 1:
            run_alone(stage.name, [*command, str(folder)], folder)
            return
        _launch(stage, command, folder, machine, again)
        if measuring.beside_one is None:
            return
        alone = folder / ONE_RANK
        _remove(alone)
        alone.mkdir()
        cores = max(1, len(os.sched_getaffinity(0)) // min(ranks, hosts_for(ranks, machine)[0].slots))
        run_alone(stage.name, [*command, str(alone)], alone, cores)
        metrics = read_json(folder / METRICS, again)
        write_json(folder / METRICS, metrics | measuring.beside_one(metrics, read_json(alone / METRICS, again)))
    except OutOfMemory as error:
        log.warning("%s: %s", stage.name, error.args[0])
        write_json(folder / METRICS, measuring.too_large(ranks))
        write_json(folder / RECORD, {})


def _work(stage: TrainingStage, work: Work, scratch: Path, world: World, machine: MachineSettings) -> None:
    """As one rank; the first one leaves the metrics and the record of the run in the scratch."""
    from bert.launch.memory import peak_memory  # imports TensorFlow, which --help need not wait for

    context = Context(
        scratch,
        world,
        stage.split(world.size),
        code_hashes(stage.module),
        save_seconds=machine.save_seconds,
        resume=machine.resume,
        keep_model="model" in stage.outs,
        recompute=machine.recompute,
        watcher=LiveWatcher(machine.tensorboard, machine.dvclive) if world.is_first else Nobody(),
        stop=partial(stop_when_asked, scratch, world.is_first),
    )
    outcome = work(context)
    memory = peak_memory(world)  # of all ranks, which meet here
    if world.is_first and outcome is not None:
        write_json(scratch / RECORD, outcome.record)
        write_json(scratch / METRICS, outcome.metrics | memory)
