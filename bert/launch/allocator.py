"""The C library's allocator, set to keep the pages that it has.

By default glibc gives a large block back to the kernel when it is freed. A training step frees and takes the same
blocks each time, and the kernel fills the pages with zeros each time: with 25 MB of activations that took three times
as long as what was computed. Kept, and in huge pages where the kernel has them, they are as fast as memory is.
"""

from __future__ import annotations

import os
import platform
import sys

_NAME = "GLIBC_TUNABLES"
_KEPT = {
    "glibc.malloc.arena_max": 1,  # the arenas of other threads are too small for large blocks
    "glibc.malloc.mmap_max": 0,  # a mapping goes back as soon as its block is freed
    "glibc.malloc.trim_threshold": 1 << 40,
    "glibc.malloc.top_pad": 1 << 26,
    "glibc.malloc.hugetlb": 1,  # huge pages where madvise may ask for them
}


def tunables() -> str:
    """The value of GLIBC_TUNABLES, for processes that train."""
    return ":".join(f"{name}={value}" for name, value in _KEPT.items())


def keep_pages() -> None:
    """Start this program anew, as the same process, with an allocator that keeps its pages (Linux with glibc).

    glibc reads the setting when a program starts. Where GLIBC_TUNABLES is set, nothing is done: that is the user's.
    """
    if _NAME in os.environ or platform.libc_ver()[0] != "glibc":
        return
    os.environ[_NAME] = tunables()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
