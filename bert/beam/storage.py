"""Files on any of Beam's file systems, by a path or a url such as s3://bucket/name, without (de)compression."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

CHUNK = 2**20  # bytes at a time where a file is copied


def is_remote(path: str) -> bool:
    return "://" in path


def read(path: str) -> IO[bytes]:
    """Open a file of any Beam file system, as it lies there (no decompression by extension)."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def write(path: str) -> IO[bytes]:
    """Create a file of any Beam file system; it may stay empty. Local folders have to be there."""
    return io.BufferedWriter(_FromFirstByte(path))


class _FromFirstByte(io.RawIOBase):
    """Creates its file when the first bytes come, or at the end: Beam's S3 writer cannot end without any."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._file: IO[bytes] | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if self._file is None:
            self._file = _create(self._path)
        return self._file.write(data)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        if self._file is not None:
            self._file.close()
        elif self._path.startswith("s3://"):
            _put_empty(self._path)
        else:
            _create(self._path).close()


def _create(path: str) -> IO[bytes]:
    return FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _put_empty(path: str) -> None:
    from apache_beam.io.aws.s3io import S3IO, parse_s3_path  # needs boto3

    bucket, key = parse_s3_path(path)
    S3IO(options=FileSystems._pipeline_options).client.client.put_object(Bucket=bucket, Key=key, Body=b"")


def make_folder(folder: str) -> None:
    """Create a folder where the file system has such a thing, also when it is there or another worker is faster."""
    if not is_remote(folder):
        os.makedirs(folder, exist_ok=True)


def remove(file: str) -> None:
    """Delete a file, if it is there. Beam's delete takes a local path for a pattern: `[` in a folder's name."""
    if not is_remote(file):
        Path(file).unlink(missing_ok=True)
    elif FileSystems.exists(file):
        FileSystems.delete([file])
