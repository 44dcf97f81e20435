"""Files that several set-ups share: the user's cache folder and locks."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Where what is dear to make and safe to lose is kept, for all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reproducible-bert"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel releases however the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another set-up, which holds {path}", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:  # some network homes cannot lock; results are renamed into place all the same
            print(f"no lock on {path} ({error.strerror})", file=sys.stderr, flush=True)
        yield
