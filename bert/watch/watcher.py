"""Who watches on this machine: the terminal or the log, and TensorBoard and DVCLive where they are wanted."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.scratch import scratch_root
from bert.training.context import History
from bert.watch.live import Live, Viewer
from bert.watch.progress import Progress

log = logging.getLogger(__name__)

DVCLIVE_FOLDER = Path("dvclive")
"""Beside dvc.yaml, where DVC runs the stage: under `dvc exp run --temp` that is a folder of the experiment's own."""


def folder_name(training: str) -> str:
    """Example: glue@mrpc from random weights -> glue-mrpc-from-random-weights"""
    return re.sub(r"[^\w.-]+", "-", training)


class LiveWatcher:
    """A Watcher of bert/training/context.py, for the first rank.

    Args:
        tensorboard: folder of its figures (BERT_TENSORBOARD); None: none.
        dvclive: whether DVCLive writes (BERT_DVCLIVE); None: under `dvc exp run`.
    """

    def __init__(self, tensorboard: str | None = None, dvclive: bool | None = None) -> None:
        self._tensorboard = tensorboard
        self._dvclive = "DVC_EXP_NAME" in os.environ if dvclive is None else dvclive

    def progress(self, label: str, total: int, unit: str, start: int = 0) -> Progress:
        return Progress(label, total, unit, start)

    def tensorboard_folder(self, training: str) -> Path | None:
        """BERT_TENSORBOARD/[experiment/]training; None where it is not wanted."""
        if self._tensorboard is None:
            return None
        # A relative one stands in the repository, under `dvc exp run --temp` too.
        root = scratch_root().parent / Path(self._tensorboard).expanduser()
        return root / os.environ.get("DVC_EXP_NAME", "") / folder_name(training)

    def dvclive_folder(self, training: str) -> Path | None:
        """None where it is not wanted."""
        return DVCLIVE_FOLDER / folder_name(training) if self._dvclive else None

    @contextmanager
    def live_figures(self, training: str, step: int, history: History) -> Iterator[Live]:
        """The viewers that are wanted, with `history` up to `step` in them.

        Raises:
            StageError: BERT_TENSORBOARD names a folder that cannot be written.
        """
        viewers: list[Viewer] = []
        if folder := self.tensorboard_folder(training):
            from bert.watch.tensorboard import TensorBoard

            try:
                viewers.append(TensorBoard(folder, step))
            except OSError as error:
                raise StageError(
                    f"BERT_TENSORBOARD: {folder} cannot be written: {error}",
                    run="unset BERT_TENSORBOARD, or correct it",
                ) from None
        if folder := self.dvclive_folder(training):
            try:
                from bert.watch.dvc_live import DvcLive

                viewers.append(DvcLive(folder, history))
            except Exception as error:  # as in Live
                log.warning("no live figures in %s: %s", folder, error)
        live = Live(viewers)
        try:
            yield live
        finally:
            live.close()
