"""How each rank ended: a file in the scratch, for the process that has started them. Which are lost, which failed?

A rank that was killed, or whose machine is gone, leaves none; that sets it apart from the others. One that fails
by itself would fail again, and nobody should start it anew; one that has lost the others is well.

Want of memory ends a rank in two ways: by an error of its own, or by the kernel, which kills it without a word but
counts whom it has killed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.training.context import Stopped
from bert.training.world import LostRanks

FOLDER = "ranks"
LESS_MEMORY = "a smaller BERT_MICRO_BATCH, or BERT_RECOMPUTE=1, then dvc repro"
# What TensorFlow raises when a device is gone: started elsewhere, the rank would do.
_DEVICE_ERRORS = {"InternalError", "UnavailableError", "AbortedError"}
# Python's and NumPy's, and TensorFlow's, of a device or of the host.
_MEMORY_ERRORS = {"MemoryError", "_ArrayMemoryError", "ResourceExhaustedError"}
_ROOM = re.compile("out of memory|OOM|allocate", re.IGNORECASE)
VMSTAT = Path("/proc/vmstat")


class OutOfMemory(StageError):
    """The work does not fit into the memory of this machine or of its accelerator."""


class Ending(StrEnum):
    """How one rank ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """It was asked to."""
    LOST_OTHERS = "lost-others"
    LOST_DEVICE = "lost-device"
    OUT_OF_MEMORY = "out-of-memory"


@contextmanager
def recording_ending(scratch: Path) -> Iterator[None]:
    """Around all that a rank does: leaves the file. Raises OutOfMemory for what is said of that in many ways."""
    ending = Ending.FAILED
    try:
        yield
        ending = Ending.DONE
    except LostRanks:
        ending = Ending.LOST_OTHERS
        raise
    except Stopped:
        ending = Ending.STOPPED
        raise
    except Exception as error:
        if type(error).__name__ in _DEVICE_ERRORS:
            ending = Ending.LOST_DEVICE
        if type(error).__name__ in _MEMORY_ERRORS:
            ending = Ending.OUT_OF_MEMORY
            raise OutOfMemory(f"out of memory: {_asked_for(error)}", run=LESS_MEMORY) from None
        raise
    finally:
        folder = scratch / FOLDER
        with suppress(OSError):  # a full disk may be why it ends
            folder.mkdir(exist_ok=True)
            (folder / f"{os.environ.get('HOROVOD_RANK', '0')}.{ending}").touch()


def _asked_for(error: Exception) -> str:
    """The line of an error that says what there was no room for, among those that say where it happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if _ROOM.search(line)), (lines or [type(error).__name__])[0])


def killed_for_memory() -> int:
    """Processes of this machine, or container, that the kernel has killed for want of memory so far; 0 if unknown."""
    try:
        counters = dict(line.split() for line in VMSTAT.read_text(encoding="ascii").splitlines())
        return int(counters["oom_kill"])
    except (OSError, ValueError, KeyError):  # no Linux, or one that does not count
        return 0


def clear(scratch: Path) -> None:
    """Remove the files of former ranks, before new ones are started."""
    shutil.rmtree(scratch / FOLDER, ignore_errors=True)


def endings(scratch: Path) -> dict[int, Ending]:
    """{rank: how it ended} of those that have left it."""
    return {int(path.stem): Ending(path.suffix[1:]) for path in (scratch / FOLDER).glob("*.*")}


def lost(found: dict[int, Ending], ranks: int, first_to_end: int | None) -> list[int] | None:
    """The ranks that are gone; [] if none is, though they have lost each other. None: one has failed by itself.

    Args:
        found: {rank: how it ended} of those that have said so.
        ranks: how many were started.
        first_to_end: of all; the others may have been killed after it, without the time to say anything.
    """
    if {Ending.FAILED, Ending.OUT_OF_MEMORY} & set(found.values()):
        return None
    well = {rank for rank, ending in found.items() if ending is not Ending.LOST_DEVICE}
    silent = [rank for rank in range(ranks) if rank not in well]
    return [first_to_end] if first_to_end in silent else silent
