"""bert/pipeline/quiet_loading.py: which lines of a loading library reach stderr."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WITHOUT = r"""
import os, sys
from bert.pipeline.quiet_loading import LINES, without
lines = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795816770.735084   23192 port.cc:153] oneDNN custom operations are on. You may see",
    "I0000 00:00:1795816775.654600   23192 cudart_stub.cc:31] Could not find cuda drivers on your machine",
    "E0000 00:00:1795816775.654601   23192 port.cc:153] an error",
]
with without(LINES):
    os.write(2, "\n".join(lines).encode() + b"\n")
    print("of Python", file=sys.stderr)
"""


def said(code: str, **environment: str) -> list[str]:
    """Lines on stderr, by a process that may die."""
    environment = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    return done.stderr.splitlines()


def test_the_lines_of_a_start_are_left_out_and_no_other() -> None:
    found = said(WITHOUT + r"os.write(2, b'WARNING: All log messages\n')")
    assert found == [
        "E0000 00:00:1795816775.654601   23192 port.cc:153] an error",
        "of Python",
        "WARNING: All log messages",
    ]


def test_what_a_process_says_before_it_dies_is_read() -> None:
    assert "last words" in said(WITHOUT + "    os.write(2, b'last words\\n'); os.abort()")


def test_without_a_grep_nothing_is_lost() -> None:
    assert len(said(WITHOUT, PATH="/nowhere")) == 5


@pytest.mark.slow
def test_tensorflow_loads_in_silence_and_is_found_as_ever() -> None:
    code = "import stages, inspect, tensorflow as tf; print(len(inspect.getsource(tf)) > 1000)"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("True\n", "")
