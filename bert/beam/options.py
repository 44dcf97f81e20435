"""Beam's options: those that are given (`BERT_BEAM_OPTIONS`), checked, and a choice of runner where none is."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineRunner

from bert.pipeline.errors import StageError

# Below this the 2 s that a worker process takes to start are not earned back.
IN_MEMORY_BYTES = 32 * 2**20
MOST_THREADS = 32
CORRECT = "correct BERT_BEAM_OPTIONS, then dvc repro"


def _known_options() -> argparse.ArgumentParser:
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    waiting = [PipelineOptions]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls is not PipelineOptions and "_add_argparse_args" in vars(cls):
            # A few options are declared by two classes.
            group = argparse.ArgumentParser(add_help=False, conflict_handler="resolve")
            cls._add_argparse_args(group)
            for action in group._actions:
                new = [o for o in action.option_strings if o not in known._option_string_actions]
                if new and action.nargs == 0:
                    known.add_argument(*new, action="store_const", const=True)
                elif new:
                    known.add_argument(*new, nargs=action.nargs, type=action.type or str, choices=action.choices)
    return known


def _check_runner(name: str) -> None:
    """Of a name of Beam's own (in any case, with or without `Runner`), or of a class, by its full name."""
    if name.lower().rpartition(".")[2] in ("dask", "daskrunner"):
        raise StageError("BERT_BEAM_OPTIONS: Beam's DaskRunner loses data and says DONE", run=CORRECT)
    module, _, attribute = name.rpartition(".")
    if not module:
        known = [known for known in StandardOptions.KNOWN_RUNNER_NAMES if known != "DaskRunner"]
        if name.lower() not in {short for k in known for short in (k.lower(), k.lower().removesuffix("runner"))}:
            raise StageError(
                f"BERT_BEAM_OPTIONS: Beam does not know --runner={name}, expected one of {', '.join(known)}, or the "
                "full name of a class",
                run=CORRECT,
            )
        return
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise StageError(f"BERT_BEAM_OPTIONS: --runner={name}: {error}", run=CORRECT) from None
    if not (isinstance(found, type) and issubclass(found, PipelineRunner)):
        raise StageError(f"BERT_BEAM_OPTIONS: --runner={name} is no PipelineRunner of Beam", run=CORRECT)


def beam_options(given: Sequence[str], weight: int, items: int, waiting: bool = False) -> PipelineOptions:
    """The `given` options, and where they name no runner, one that suits the work.

    `FnApiRunner` then, since DirectRunner would be another engine (Prism) wherever it can download one. In memory for
    little input, else one process a core; a thread an item for work that is `waiting` for others.

    Args:
        given: as on a command line: `("--runner=FlinkRunner", "--flink_master=host:8081")`.
        weight: bytes of all work items together.
        items: their number.
        waiting: the work waits for other machines rather than computes.

    Raises:
        StageError: an option or a runner that Beam does not know (Beam itself would ignore the option), a value that it
            does not take, or the Dask runner: of two branches it runs the last one, of tagged outputs each gets all
            (Beam 2.77).
    """
    given = list(given)
    try:
        _, unknown = _known_options().parse_known_args(given)
    except (ValueError, argparse.ArgumentError) as error:
        raise StageError(f"BERT_BEAM_OPTIONS: {error}", run=CORRECT) from None
    if unknown:
        raise StageError(f"BERT_BEAM_OPTIONS: Beam does not know {' '.join(unknown)}", run=CORRECT)
    parsed = PipelineOptions(given)
    if (runner := parsed.view_as(StandardOptions).runner) is not None:
        _check_runner(runner)
    if parsed.view_as(StandardOptions).no_wait_until_finish:
        raise StageError("BERT_BEAM_OPTIONS: --no_wait_until_finish, but a stage needs what the job makes", run=CORRECT)
    if (workers := parsed.view_as(DirectOptions).direct_num_workers) < 0:
        raise StageError(
            f"BERT_BEAM_OPTIONS: --direct_num_workers={workers}, expected a number of workers, or 0 for one a core",
            run=CORRECT,
        )
    names = {option.split("=")[0] for option in given}
    if "--runner" not in names:
        given.append("--runner=FnApiRunner")
        cores = min(os.cpu_count() or 1, items)
        if "--direct_running_mode" in names:
            pass
        elif waiting and items > 1:
            given += ["--direct_running_mode=multi_threading", f"--direct_num_workers={min(items, MOST_THREADS)}"]
        elif weight > IN_MEMORY_BYTES and cores > 1:
            given += ["--direct_running_mode=multi_processing", f"--direct_num_workers={cores}"]
    return PipelineOptions(given)
