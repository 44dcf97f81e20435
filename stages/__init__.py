"""One entry point per stage of dvc.yaml: `python -m stages.<name> --help`."""

import os
import sys
from functools import partial
from pathlib import Path

from bert.launch.allocator import keep_pages
from bert.pipeline.keras_alone import load_keras_alone
from bert.pipeline.loading import load_inside, uncollected
from bert.pipeline.quiet_loading import LINES, without

DEVICES = Path("/dev")
COMPUTING = ("pretrain", "squad", "glue", "benchmark_training", "benchmark_inference")
"""Stages that take and free much memory, again and again."""


def started() -> str:
    """The module that this program was started as (python -m); empty for another kind of start."""
    command = sys.orig_argv
    return command[command.index("-m") + 1] if "-m" in command[:-1] else ""


def log_level(devices: Path) -> str:
    """The severity from which TensorFlow's C++ code speaks: 2, of errors; 3, of what it dies of.

    Without a GPU the one error of its start is that there is none, which is no news to anyone who runs on a CPU. What
    ends in an error of ours, or of Python, is raised at either level.
    """
    return "2" if any(devices.glob("nvidia[0-9]*")) else "3"


if started().removeprefix("stages.") in COMPUTING:
    keep_pages()  # the program starts anew: before it imports more
# Before TensorFlow is imported; ranks and Beam's workers inherit it. What a user has set stays.
if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", log_level(DEVICES)) not in ("0", "1"):
    load_inside("tensorflow", uncollected, partial(without, LINES))
else:
    load_inside("tensorflow", uncollected)
load_inside("apache_beam", uncollected)
load_keras_alone()
