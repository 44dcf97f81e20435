"""A shuffle of any size, in two passes over files: rows into runs, ordered by bucket, then one bucket of all runs.

A worker holds the rows of one piece of the input and writes them as one file, a *run*, whose head says where each
bucket begins. Another reads one bucket of every run. So a pass has one file open for writing, however many buckets
there are, and an object store sees one upload a run; memory is one piece, or one bucket.

    run:  buckets + 1 offsets (uint64, little-endian), then the rows, each behind its length (uint32)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import numpy as np

from bert.beam.run import Part, read

_LENGTH = struct.Struct("<I")
_OFFSET = np.dtype("<u8")


def bucket_of(digest: bytes, buckets: int) -> int:
    """The bucket of a hash: buckets are equal ranges of its first 8 bytes, in their order."""
    return int.from_bytes(digest[:8], "big") * buckets >> 64


def write_run(part: Part, name: str, rows: Iterable[tuple[int, bytes]], buckets: int) -> None:
    """Write rows, each with its bucket in [0, `buckets`), as the file `name` of `part`. Rows of a bucket keep order."""
    ordered = sorted(rows, key=lambda row: row[0])
    sizes = np.zeros(buckets + 1, _OFFSET)
    for bucket, row in ordered:
        sizes[bucket + 1] += _LENGTH.size + len(row)
    sizes[0] = sizes.nbytes
    with part.create(name) as f:
        f.write(np.cumsum(sizes, dtype=_OFFSET).tobytes())
        for _, row in ordered:
            f.write(_LENGTH.pack(len(row)))
            f.write(row)


def read_range(path: str, offset: int, length: int) -> bytes:
    """`length` bytes of a file of any Beam file system from `offset` on."""
    with read(path) as f:
        return _range(f, offset, length)


def _range(f: IO[bytes], offset: int, length: int) -> bytes:
    # Below the buffer where there is one: that of an object store would fetch 16 MB for every few bytes.
    raw = getattr(f, "raw", f)
    raw.seek(offset)
    got = bytearray()
    while len(got) < length and (more := raw.read(length - len(got))):
        got += more
    assert len(got) == length, f"{length} bytes expected at {offset}, {len(got)} came"
    return bytes(got)


def read_bucket(run: str, bucket: int) -> Iterator[bytes]:
    """The rows of one bucket of the run at the path `run`."""
    with read(run) as f:
        start, end = np.frombuffer(_range(f, bucket * _OFFSET.itemsize, 2 * _OFFSET.itemsize), _OFFSET).tolist()
        rows = _range(f, start, end - start) if end > start else b""
    at = 0
    while at < len(rows):
        (length,) = _LENGTH.unpack_from(rows, at)
        at += _LENGTH.size
        yield rows[at : at + length]
        at += length


def read_buckets(runs: Sequence[str], bucket: int) -> Iterator[bytes]:
    """The rows of one bucket of all runs."""
    for run in runs:
        yield from read_bucket(run, bucket)
