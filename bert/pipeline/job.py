"""What every stage does around its one library call: logging, scratch, publication, metrics, provenance, errors."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from bert.pipeline import timings
from bert.pipeline.code import checked_code
from bert.pipeline.errors import StageError, disk_full_as_error
from bert.pipeline.files import write_json
from bert.pipeline.heartbeat import beating
from bert.pipeline.machine import machine_settings
from bert.pipeline.provenance import provenance
from bert.pipeline.scratch import Scratch, provenance_folder, scratch

log = logging.getLogger(__name__)


def start_logging() -> None:
    """One format on stderr for all stages; libraries speak from WARNING on."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname).1s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
        force=True,
    )
    for name in ("bert", "stages"):
        logging.getLogger(name).setLevel(machine_settings().log)


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; a `StageError` becomes one message and exit status 1, anything else a traceback."""
    try:
        start_logging()
        start_measuring()
        main()
    except StageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        gc.freeze()  # what is left goes with the process: to look for garbage in it would take TensorFlow a second


def start_measuring() -> None:
    """Where BERT_TIMINGS is set, measure this process, under DVC's name of its stage."""
    if folder := machine_settings().timings:
        timings.measure(Path(folder).expanduser().resolve(), os.environ.get("DVC_STAGE", Path(sys.argv[0]).stem))


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the stage's docstring. Long options only, no abbreviations."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


@dataclass
class Job:
    """A stage at work. `folder` is its scratch, `code` the hashes of its code; call `publish` once, last."""

    scratch: Scratch
    code: dict[str, str]
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    published: bool = False

    @property
    def folder(self) -> Path:
        return self.scratch.folder

    def publish(self, results: dict[Path, Path]) -> None:
        """Copy {file or folder in scratch: out} into place."""
        with timings.phase(timings.SAVING):
            self.scratch.publish(results)
        self.published = True


def _plain(value: Any) -> Any:
    return (
        value.model_dump(mode="json")
        if isinstance(value, BaseModel)
        else TypeAdapter(Any).dump_python(value, mode="json")
    )


@contextmanager
def job(
    stage: str,
    module: str,
    params: dict[str, Any],
    inputs: list[Path],
    metrics: Path | None,
    record: Path | None = None,
    *,
    code_in_fingerprint: bool = True,
) -> Iterator[Job]:
    """Scratch and lock before, metrics and provenance after a stage's work.

    Args:
        stage: DVC's name of it, e.g. `tfrecords@phase1`.
        module: the stage's own module, e.g. `stages.tfrecords`, whose code is recorded in code/<stage>.json.
        params: every parameter that the result depends on; part of the scratch's fingerprint.
        inputs: the files and folders that it reads; their contents are part of the fingerprint.
        metrics: where `job.metrics` goes; None for a stage without metrics.
        record: where the provenance goes. None for stages that make the same on every machine: DVC would take another
            record for another result. Theirs stays in the scratch.
        code_in_fingerprint: whether a run under other code starts afresh. False where the work itself decides, by the
            code that its checkpoints name.

    Raises:
        StageError: an input is not there, or code/<stage>.json is of other code than this.
    """
    started = datetime.now(UTC)
    for path in inputs:
        if not path.exists():
            raise StageError(f"{path}: no such file or folder", run=f"dvc repro {stage}")
    code = checked_code(module)
    described = {name: _plain(value) for name, value in params.items()}
    if code_in_fingerprint:
        described["code"] = code
    with disk_full_as_error("this disk"), beating(stage), scratch(stage, described, inputs) as work:
        current = Job(work, code)
        yield current
        if metrics is not None:
            write_json(metrics, current.metrics)
        write_json(record or provenance_folder() / f"{stage}.json", provenance(stage, started, **current.provenance))
    log.info("%s: done in %.1f s", stage, (datetime.now(UTC) - started).total_seconds())
