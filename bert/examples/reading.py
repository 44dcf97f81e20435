"""TFRecords with random access, in an order that is a function of (seed, epoch, position).

Nothing about reading need be saved: a step's rows follow from its number, on any number of ranks. Files are shuffled,
and then the records inside windows of the concatenated files, so that memory does not grow with the corpus (the
records of a file were shuffled when they were written).
"""

from __future__ import annotations

import mmap
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bert.examples.schema import FLOATS, feature_lengths, masked_crc
from bert.pipeline import manifest
from bert.pipeline.errors import StageError

WINDOW = 1 << 16
OPEN_FILES = 64
_HEADER, _FOOTER = 12, 4
# What the manifest of records has to hold, and the values that this code knows.
_KNOWN: dict[str, tuple[str, ...]] = {
    "sequence_length": (),
    "max_predictions": (),
    "vocab_size": (),
    "vocab_sha256": (),
    "masking": ("static", "dynamic"),
    "objective": ("mlm+nsp", "mlm+sop", "mlm"),
}


class RecordFile:
    """One TFRecord file, mapped; records by number, checked against their checksums."""

    def __init__(self, path: Path, expected: int, made_by: str) -> None:
        """Map the file and find its records.

        Raises:
            StageError: truncated, or not `expected` records long.
        """
        self._path, self._made_by = path, made_by
        with open(path, "rb") as f:
            self._map = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
        offsets: list[tuple[int, int]] = []
        at, size = 0, len(self._map)
        while at < size:
            if at + _HEADER > size:
                raise self._broken(f"ends inside the header of record {len(offsets)}")
            (length,) = struct.unpack_from("<Q", self._map, at)
            if at + _HEADER + length + _FOOTER > size:
                raise self._broken(f"ends inside record {len(offsets)}")
            offsets.append((at + _HEADER, length))
            at += _HEADER + length + _FOOTER
        if len(offsets) != expected:
            raise self._broken(f"holds {len(offsets)} records, its manifest says {expected}")
        self._offsets = offsets

    def _broken(self, what: str) -> StageError:
        return StageError(f"{self._path}: {what}: truncated or corrupt", run=self._made_by)

    def __getitem__(self, number: int) -> bytes:
        start, length = self._offsets[number]
        record = self._map[start : start + length]
        (crc,) = struct.unpack_from("<I", self._map, start + length)
        if crc != masked_crc(record):
            raise self._broken(f"record {number} does not match its checksum")
        return record


class Records:
    """All records of a split, in file order; `place` maps positions of the training order to them."""

    def __init__(self, folder: Path, made_by: str) -> None:
        self.manifest = manifest.read(folder, made_by)
        self._folder, self._made_by = folder, made_by
        self._entries = self.manifest["files"]
        self._counts = np.array([e["examples"] for e in self._entries], np.int64)
        self._ends = np.cumsum(self._counts)
        self._open: OrderedDict[int, RecordFile] = OrderedDict()
        self._order: OrderedDict[tuple[int, int, int], npt.NDArray[np.int64]] = OrderedDict()
        if not len(self):
            raise StageError(f"{folder}: holds no records", run=made_by)
        if unknown := set(_KNOWN) - self.manifest.keys():
            raise StageError(f"{folder}: its manifest does not hold {', '.join(sorted(unknown))}", run=made_by)
        for name, known in _KNOWN.items():
            if known and self.manifest[name] not in known:
                raise StageError(
                    f"{folder}: {name} is {self.manifest[name]!r}, this code knows {', '.join(known)}", run=made_by
                )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def read(self, file: int, number: int) -> bytes:
        """Record `number` of file `file`."""
        if file not in self._open:
            entry = self._entries[file]
            self._open[file] = RecordFile(self._folder / entry["path"], entry["examples"], self._made_by)
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        self._open.move_to_end(file)
        return self._open[file][number]

    def _shuffled_window(self, seed: int, epoch: int, window: int) -> npt.NDArray[np.int64]:
        """(W, 2) file and number of the records of one window of one epoch."""
        if (seed, epoch, window) not in self._order:
            files = np.random.Generator(np.random.Philox(key=[seed, 2 * epoch])).permutation(len(self._counts))
            ends = np.cumsum(self._counts[files])
            start, stop = window * WINDOW, min((window + 1) * WINDOW, len(self))
            of_window = np.random.Philox(key=[seed, 2 * epoch + 1]).jumped(window)
            places = np.random.Generator(of_window).permutation(np.arange(start, stop))
            chosen = np.searchsorted(ends, places, side="right")
            numbers = places - (ends[chosen] - self._counts[files][chosen])
            self._order[(seed, epoch, window)] = np.stack([files[chosen], numbers], axis=1)
            if len(self._order) > 2:
                self._order.popitem(last=False)
        return self._order[(seed, epoch, window)]

    def __getitem__(self, index: int) -> bytes:
        """Record `index` in file order."""
        file = int(np.searchsorted(self._ends, index, side="right"))
        return self.read(file, int(index - (self._ends[file] - self._counts[file])))

    def place(self, seed: int, position: int) -> tuple[int, int]:
        """(epoch, index in file order) of the record at `position` of the endless training order."""
        epoch, place = divmod(position, len(self))
        window, row = divmod(place, WINDOW)
        file, number = self._shuffled_window(seed, epoch, window)[row]
        return epoch, int(self._ends[file] - self._counts[file] + number)

    @property
    def packed(self) -> bool:
        """Whether a row may hold several sequences."""
        return "max_sequences" in self.manifest

    @property
    def next_sentence(self) -> bool:
        """Whether the rows carry labels of sequence pairs."""
        return bool(self.manifest["objective"] != "mlm")

    @property
    def feature_lengths(self) -> dict[str, int]:
        """{feature: number of values in a row}."""
        made_with = self.manifest
        sequences = made_with.get("max_sequences", 1)
        return feature_lengths(
            made_with["sequence_length"], made_with["max_predictions"], sequences, self.next_sentence
        )

    def parse(self, records: Any) -> dict[str, Any]:
        """Serialized examples (B,) string -> {feature: (B, length)}, int32 and float32, labels as they are."""
        import tensorflow as tf

        lengths = self.feature_lengths
        spec = {
            name: tf.io.FixedLenFeature([size], tf.float32 if name in FLOATS else tf.int64)
            for name, size in lengths.items()
        }
        parsed = tf.io.parse_example(records, spec)
        return {name: x if name in FLOATS else tf.cast(x, tf.int32) for name, x in parsed.items()}
