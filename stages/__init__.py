"""One entry point per stage of dvc.yaml: `python -m stages.<name> --help`."""

import os

# Before TensorFlow is imported: its notes on missing GPU libraries are no news to anyone who runs on a CPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
