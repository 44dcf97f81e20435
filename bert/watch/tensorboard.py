"""Scalars for TensorBoard: an event file is a TFRecord file of protocol buffers that TensorFlow ships.

So that nothing else has to be installed here: TensorBoard itself may run on another machine. (tf.summary.scalar comes
from its package.)
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework.summary_pb2 import Summary
from tensorflow.core.util.event_pb2 import Event, SessionLog

from bert.training.context import Figures

VERSION = "brain.Event:2"


class TensorBoard:
    """A new event file in `folder`."""

    def __init__(self, folder: Path, first: int) -> None:
        """Begin after step `first`: what earlier files of the folder hold of later steps disappears.

        A killed run was seen to the end, and goes on from its last checkpoint, which may be before it; and a run that
        starts afresh has nothing to do with what was here.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"  # read in this order
        (folder / name).touch()
        self._writer = tf.io.TFRecordWriter(str(folder / name))
        self._write(Event(file_version=VERSION))
        self._write(Event(step=first + 1, session_log=SessionLog(status=SessionLog.START)))
        self._writer.flush()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())

    def show(self, step: int, figures: Figures) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._write(Event(step=step, summary=Summary(value=values)))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
