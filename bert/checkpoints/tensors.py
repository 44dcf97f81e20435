"""Arrays -> a safetensors file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write {name: array}. The same arrays in the same order give the same bytes.

    Raises:
        OSError: the system's own, of a full disk for one. The library wraps it in an error that does not tell which.
    """
    try:
        save_file({name: np.asarray(value, order="C") for name, value in tensors.items()}, path)
    except SafetensorError as error:
        if found := _SYSTEM_ERROR.search(str(error)):
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(path)) from None
        raise
