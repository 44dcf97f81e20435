"""A command as a child that is killed when its parent is (Linux), and that may use some of the cores.

    python bert/launch/child.py <process id of the parent> <cores, or 0 for all> COMMAND ...

becomes COMMAND. It is a program of its own since nothing may run between fork and exec of a process with threads, as
`preexec_fn` of subprocess does: where gRPC has been used, its fork handlers crash many such a child before its exec.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def child_command(command: Sequence[str], cores: int | None = None) -> list[str]:
    """What to start from this process so that `command` runs as such a child.

    Args:
        cores: that it may use, the first of this process's; None: all of them.
    """
    # Isolated and without site-packages: the interpreter starts in some 15 ms.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(cores or 0), *command]


def _become(parent: int, cores: int, command: Sequence[str]) -> None:
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before that could be asked for
            raise SystemExit(1)
        if cores:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    os.execvp(command[0], list(command))


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
