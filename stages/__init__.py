"""One entry point per stage of dvc.yaml: `python -m stages.<name> --help`."""

import os
from pathlib import Path

from bert.pipeline.keras_alone import load_keras_alone
from bert.pipeline.quiet_loading import load_quietly

DEVICES = Path("/dev")


def log_level(devices: Path) -> str:
    """The severity from which TensorFlow's C++ code speaks: 2, of errors; 3, of what it dies of.

    Without a GPU the one error of its start is that there is none, which is no news to anyone who runs on a CPU. What
    ends in an error of ours, or of Python, is raised at either level.
    """
    return "2" if any(devices.glob("nvidia[0-9]*")) else "3"


# Before TensorFlow is imported; ranks and Beam's workers inherit it. What a user has set stays.
if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", log_level(DEVICES)) not in ("0", "1"):
    load_quietly()
load_keras_alone()
