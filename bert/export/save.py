"""SavedModels that are the same bytes for the same model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef


def save(module: tf.Module, signatures: Mapping[str, Any], folder: Path) -> None:
    """Write a SavedModel with these signatures."""
    tf.saved_model.save(module, str(folder), signatures=dict(signatures))
    # TensorFlow names each one by a random number beside the hashes of what it holds.
    path = folder / "fingerprint.pb"
    fingerprint = FingerprintDef.FromString(path.read_bytes())
    fingerprint.ClearField("uuid")
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))


def size_of(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
