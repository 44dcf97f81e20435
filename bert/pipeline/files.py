"""Small files, written whole or not at all."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from bert.pipeline.errors import StageError


def write_text(path: str | Path, text: str) -> None:
    """Write under a temporary name in the same folder, then rename."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="\n") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.replace(temporary, path)


def write_json(path: str | Path, value: Any) -> None:
    """Indented JSON in the order given; NaN is refused, since `dvc metrics` could not be read by others."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path, made_by: str) -> Any:
    """Parse a JSON file, in UTF-8 or by its byte order mark: editors on Windows write one.

    Raises:
        StageError: it is missing or broken; names the file and `made_by`.
    """
    try:
        return json.loads(Path(path).read_bytes())  # of bytes, unlike of text, it finds the encoding
    except FileNotFoundError:
        raise StageError(f"{path}: no such file", run=made_by) from None
    except OSError as error:
        raise StageError(f"{path}: expected a file of JSON, but: {error.strerror}", run=made_by) from None
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits, and of deep nesting
        raise StageError(f"{path}: not valid JSON ({error})", run=made_by) from None


def read_utf8(path: str | Path, made_by: str) -> str:
    """A text of people's own, without its byte order mark.

    Raises:
        FileNotFoundError: it is not there.
        StageError: it is not UTF-8; names the file, what it looks like, and `made_by`.
    """
    raw = Path(path).read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise StageError(f"{path}: expected UTF-8, but its byte order mark is that of UTF-16", run=made_by)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StageError(f"{path}: expected UTF-8, but {error}", run=made_by) from None


def sha256_of(path: str | Path) -> str:
    """Hex SHA-256 of a file."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
