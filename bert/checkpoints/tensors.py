"""Arrays -> a safetensors file, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from bert.pipeline.errors import StageError

_LFS = b"version https://git-lfs"
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], about: dict[str, str] | None = None) -> None:
    """Write {name: array}. The same arrays in the same order give the same bytes.

    about: the file's metadata.

    Raises:
        OSError: the system's own, of a full disk for one. The library wraps it in an error that does not tell which.
    """
    # The library renames a temporary file, which its owner alone may read: a file that is opened has the umask's mode.
    path.unlink(missing_ok=True)
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file({name: np.asarray(value, order="C") for name, value in tensors.items()}, path, about)
        path.chmod(mode)
    except SafetensorError as error:
        if found := _SYSTEM_ERROR.search(str(error)):
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(path)) from None
        raise


def read_tensors(paths: Iterable[Path], made_by: str) -> dict[str, np.ndarray]:
    """{name: array} of a file, or of all the shards of one.

    Raises:
        StageError: a file is damaged, no safetensors file, or has a tensor of another one.
    """
    arrays: dict[str, np.ndarray] = {}
    for path in paths:
        with open(path, "rb") as file:
            is_pointer = file.read(len(_LFS)) == _LFS
        if is_pointer:
            raise StageError(
                f"{path}: is a pointer of Git LFS and not the file itself", run=f"git lfs pull, then {made_by}"
            )
        try:
            found = load_file(path)
        except (SafetensorError, OSError, KeyError, TypeError) as error:
            raise StageError(f"{path}: cannot be read ({error})", run=made_by) from None
        if twice := sorted(found.keys() & arrays.keys()):
            raise StageError(f"{path}: {twice[0]} is in another shard too", run=made_by)
        arrays |= found
    return arrays
