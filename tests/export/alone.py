"""Python code in another folder, where this project cannot be imported: what loads there needs TensorFlow alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BEFORE = """
import importlib.util, json, sys
assert importlib.util.find_spec("bert") is None and importlib.util.find_spec("stages") is None
"""
AFTER = """
assert not [name for name in sys.modules if name.split(".")[0] in ("bert", "stages")]
"""


def printed_alone(code: str, folder: Path, *arguments: str) -> Any:
    """The JSON value that the code prints, as its last line, in that folder. `json` and `sys` are imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", BEFORE + code + AFTER, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
