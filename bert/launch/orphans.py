"""The end of a rank whose job is gone.

On the machine of the job, horovodrun takes its ranks along whatever becomes of it. A rank on another machine hangs on
its ssh connection alone, and sshd tells it nothing when that ends, but closes the pipe that its stderr goes into.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time

# Ranks that lose each other end by themselves, the first one after saving. This is for one that does not.
SECONDS = 30.0


def end_when_unheard(seconds: float = SECONDS, stream: int | None = None) -> None:
    """Kill this process `seconds` after nobody reads its stderr any more, where that is a pipe or a socket."""

    def wait() -> None:
        poll = select.poll()
        poll.register(sys.stderr.fileno() if stream is None else stream, 0)  # errors and hang-ups are reported unasked
        poll.poll()
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="end-when-unheard", daemon=True).start()
