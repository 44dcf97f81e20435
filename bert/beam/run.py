"""Beam, as every data stage uses it: a list of work items in, a finished part (files and counts) per item out.

What crosses a shuffle on a local runner sits in memory at several times its size, so no text does: elements are small
descriptions (path, offset, length), results are files. A part is written under a temporary name and marked by its
`part.json`, last; a restarted stage skips the parts that are there. The bytes depend on the item alone, so they are
the same on any runner with any number of workers.

Bad input is data too: a worker that raised it would be tried again by a cluster, and would print its traceback. It
leaves the StageError beside the parts instead. Whoever comes after it does no further item, and the driver raises it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any, Protocol

logging.getLogger().setLevel(logging.ERROR)  # importing Beam warns of Google Cloud libraries that nobody asked for
# Beam logs a failure's traceback at each layer that it passes, and then raises it.
logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
import apache_beam as beam  # noqa: E402
from apache_beam.io.filesystems import FileSystems  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner, SwitchingDirectRunner  # noqa: E402
from apache_beam.runners.portability.fn_api_runner import FnApiRunner  # noqa: E402

from bert.beam.local_worker import FEWER_WORKERS, watched_workers  # noqa: E402
from bert.beam.options import CORRECT, beam_options  # noqa: E402
from bert.beam.part import Item, Part  # noqa: E402
from bert.beam.storage import make_folder, read  # noqa: E402
from bert.beam.workplace import Workplace  # noqa: E402
from bert.pipeline.errors import StageError, disk_full_as_error  # noqa: E402

__all__ = ["Item", "Part", "Work", "Workplace", "read", "run_parts"]


# The runners that do the work in the driver and in its children, before `run` returns.
LOCAL = (FnApiRunner, SwitchingDirectRunner, BundleBasedDirectRunner)


class Work(Protocol):
    """What is done with an item. Pickled to the workers; `setup` runs once in each."""

    def setup(self) -> None: ...

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        """Write the item's files through `part`, return its JSON-able counts."""


class _Pipeline(beam.Pipeline):
    """Says so where its runner cannot be had: is not installed, not downloaded, not reached."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """A runner of this machine returns when all is done, another when it has begun."""
        try:
            return super().run(*args, **kwargs)
        except Exception as error:
            if isinstance(self.runner, LOCAL):  # what is wrong there is the work
                raise
            name = type(self.runner).__name__
            reason = " ".join(str(error).split()) or "it does not answer"
            raise StageError(
                f"BERT_BEAM_OPTIONS: the {name} could not be started: {type(error).__name__}: {reason}",
                run=f"give the {name} what it lacks, or leave --runner out of BERT_BEAM_OPTIONS so that this machine "
                "does the work; then dvc repro",
            ) from None


class _DoPart(beam.DoFn):
    """Does one item, unless its part is finished by an earlier run, or an item of this run has failed."""

    def __init__(self, work: Work, root: str, failure: str, options: PipelineOptions) -> None:
        self._work, self._root, self._failure = work, root, failure
        self._options = options.get_all_options(drop_default=True)
        self._ready = False

    def setup(self) -> None:
        # Credentials and endpoints: Beam gives them neither to the local runner's processes nor to a bare worker pool.
        FileSystems.set_options(PipelineOptions.from_dictionary(self._options))

    def process(self, item: Item) -> None:
        part, failure = Part(self._root, item["name"]), Part(self._root, self._failure)
        if part.counts() is not None or failure.counts() is not None:
            return
        try:
            with disk_full_as_error(self._root):
                if not self._ready:  # not in DoFn.setup: a restart that finds all parts done need not load anything
                    self._work.setup()
                    self._ready = True
                part.finish(self._work(item, part))
        except StageError as error:
            failure.finish({"error": error.args})
        except MemoryError as error:
            failure.finish({"error": _out_of_memory(item, error).args})


def _out_of_memory(item: Item, error: MemoryError) -> StageError:
    said = f": {error}" if str(error) else ""
    return StageError(
        f"a worker had not enough memory for {item['name']} ({item['bytes']:,} bytes){said}; the parts that are "
        "finished are kept",
        run=FEWER_WORKERS,
    )


def run_parts(
    label: str,
    items: Sequence[Item],
    work: Work,
    place: Workplace,
    waiting: bool = False,
) -> list[dict[str, Any]]:
    """Do all items on the runner that `place` has options for; their counts, in the order of `items`.

    After a failure the other workers finish the item that they are at, which a restart then need not do again.

    Args:
        label: of the run, in the progress and in the names of Beam's steps.
        waiting: the work waits for other machines rather than computes.

    Raises:
        StageError: what a worker raised; of several, the last. Or a runner that cannot be had, options that Beam
            refuses, or a worker process of this machine that is gone.
    """
    if not items:
        return []
    names = [item["name"] for item in items]
    assert len(set(names)) == len(names), "work items must have names of their own"
    make_folder(place.parts)
    options = beam_options(place.options, sum(item["bytes"] for item in items), len(items), waiting)
    try:
        pipeline = _Pipeline(options=options)
    except (ValueError, ImportError) as error:
        raise StageError(f"BERT_BEAM_OPTIONS: {error}", run=CORRECT) from None
    # This run's own: a worker that outlives its killed driver may yet fail.
    failure = Part(place.parts, f".failure-{uuid.uuid4().hex[:8]}")
    with place.watch(label, items, place):
        with watched_workers(), pipeline:
            make_parts(pipeline, label, items, _DoPart(work, place.parts, failure.name, options))
        if failed := failure.counts():
            raise StageError(*failed["error"])
    counts = [Part(place.parts, name).counts() for name in names]
    assert all(c is not None for c in counts), "a part is missing after the pipeline said DONE"
    return [c for c in counts if c is not None]


def make_parts(pipeline: beam.Pipeline, label: str, items: Sequence[Item], do: beam.DoFn) -> None:
    """The pipeline of every data stage: the items, dealt to the workers, each made into its part."""
    # Work is dealt out statically on the local runner: the big ones first, so that no worker ends with one alone.
    heavy_first = sorted(items, key=lambda item: (-item["bytes"], item["name"]))
    _ = (
        pipeline
        | f"{label}: items" >> beam.Create(heavy_first)  # reshuffles: without, one worker would do them all
        | f"{label}: parts" >> beam.ParDo(do)
    )
