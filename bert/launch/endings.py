"""How each rank ended: a file in the scratch, for the process that has started them. Which are lost, which failed?

A rank that was killed, or whose machine is gone, leaves none; that sets it apart from the others. One that fails
by itself would fail again, and nobody should start it anew; one that has lost the others is well.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from bert.training.context import Stopped
from bert.training.world import LostRanks

FOLDER = "ranks"
# What TensorFlow raises when a device is gone: started elsewhere, the rank would do.
_DEVICE_ERRORS = {"InternalError", "UnavailableError", "AbortedError"}


class Ending(StrEnum):
    """How one rank ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """It was asked to."""
    LOST_OTHERS = "lost-others"
    LOST_DEVICE = "lost-device"


@contextmanager
def recording_ending(scratch: Path) -> Iterator[None]:
    """Around all that a rank does: leaves the file."""
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
        raise
    finally:
        folder = scratch / FOLDER
        with suppress(OSError):  # a full disk may be why it ends
            folder.mkdir(exist_ok=True)
            (folder / f"{os.environ['HOROVOD_RANK']}.{ending}").touch()


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
    if Ending.FAILED in found.values():
        return None
    well = {rank for rank, ending in found.items() if ending is not Ending.LOST_DEVICE}
    silent = [rank for rank in range(ranks) if rank not in well]
    return [first_to_end] if first_to_end in silent else silent
