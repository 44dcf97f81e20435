"""The one error a user is meant to see."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# No room on the disk, in the quota, or under the process's limit on a file's size.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StageError(Exception):
    """Bad input, in one message.

    The message names the file or the parameter, what was expected and what came; `run` is the command to run next.
    `stages.run` prints it without a traceback and exits with 1.
    """

    def __init__(self, message: str, run: str | None = None) -> None:
        # Both in `args`: pickling makes an exception anew from them, and so does Beam, with a note on the first.
        super().__init__(message, run)
        self.run = run

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\n  next: {self.run}" if self.run else message


@contextmanager
def disk_full_as_error(where: str | Path) -> Iterator[None]:
    """Raise a StageError that says so where no room is left for what is written under `where`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StageError(
            f"{where}: {os.strerror(error.errno)}; what has been done so far is kept",
            run="make room there, then dvc repro: it goes on",
        ) from None
