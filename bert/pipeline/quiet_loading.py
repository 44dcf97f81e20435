"""TensorFlow loads without the lines that its libraries write before they read TF_CPP_MIN_LOG_LEVEL.

No setting reaches these lines: that oneDNN is used, that there is no CUDA, and absl's that it is too early to log. So
while TensorFlow is imported, stderr goes through a grep that leaves them out. It is a process of its own: what the
libraries say before they end this one, as on a CPU that lacks their instructions, is still read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LINES = "|".join(
    (
        r"^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$",
        r"^I[0-9]{4} .* port\.cc:[0-9]+\] oneDNN custom operations are on\.",
        r"^I[0-9]{4} .* cudart_stub\.cc:[0-9]+\] Could not find cuda drivers",
    )
)
STDERR = 2


@contextmanager
def without(lines: str) -> Iterator[None]:
    """What is written to this process's stderr meanwhile, by any of its code, comes without these lines.

    lines: an extended regular expression.
    """
    sys.stderr.flush()
    try:
        grep = subprocess.Popen(
            ["grep", "-a", "-v", "-E", "--line-buffered", lines],
            stdin=subprocess.PIPE,
            stdout=STDERR,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:  # no grep: then with them
        yield
        return
    assert grep.stdin is not None
    stderr = os.dup(STDERR)
    os.dup2(grep.stdin.fileno(), STDERR)
    grep.stdin.close()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, STDERR)
        os.close(stderr)
        with suppress(subprocess.TimeoutExpired):  # a child that was started meanwhile still writes to it
            grep.wait(timeout=5)
