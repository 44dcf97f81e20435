"""Figures for whoever watches a training: TensorBoard and DVCLive, on the first rank, at the points of the curves.

Nothing here is a result: times stand in it, and no output depends on it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from bert.pipeline.errors import StageError
from bert.pipeline.scratch import scratch_root

log = logging.getLogger(__name__)

DVCLIVE_FOLDER = Path("dvclive")
"""Beside dvc.yaml, where DVC runs the stage: under `dvc exp run --temp` that is a folder of the experiment's own."""

History = Sequence[tuple[int, Mapping[str, float]]]
"""(step, {name: figure}) of what was shown before, in the order of the steps."""


class Viewer(Protocol):
    """What figures are shown in; `name` is such as train/loss or held_out/mlm_loss."""

    def show(self, step: int, figures: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class Live:
    """All viewers. One that fails is left out from then on: training goes on without it."""

    def __init__(self, viewers: list[Viewer]) -> None:
        self._viewers = viewers

    def show(self, step: int, group: str, figures: Mapping[str, float]) -> None:
        """{name: figure} after so many steps, as <group>/<name>."""
        for viewer in list(self._viewers):
            try:
                viewer.show(step, {f"{group}/{name}": value for name, value in figures.items()})
            except Exception as error:  # of other people's code, on a disk or a network that is not ours
                log.warning("no more live figures in %s: %s", type(viewer).__name__, error)
                self._viewers.remove(viewer)

    def close(self) -> None:
        for viewer in self._viewers:
            with suppress(Exception):
                viewer.close()


def folder_name(training: str) -> str:
    """Example: glue@mrpc from random weights -> glue-mrpc-from-random-weights"""
    return re.sub(r"[^\w.-]+", "-", training)


def tensorboard_folder(training: str) -> Path | None:
    """BERT_TENSORBOARD/[experiment/]training; None where the variable is not set."""
    if not (told := os.environ.get("BERT_TENSORBOARD")):
        return None
    # A relative one stands in the repository, under `dvc exp run --temp` too.
    return scratch_root().parent / Path(told).expanduser() / os.environ.get("DVC_EXP_NAME", "") / folder_name(training)


def dvclive_folder(training: str) -> Path | None:
    """Under `dvc exp run`, and with BERT_DVCLIVE=1, there is one; BERT_DVCLIVE=0 switches it off.

    Raises:
        StageError: the variable is neither.
    """
    told = os.environ.get("BERT_DVCLIVE", "")
    if told not in ("", "0", "1"):
        raise StageError(f"BERT_DVCLIVE is {told!r}, expected 0 or 1", run="unset BERT_DVCLIVE, or correct it")
    wanted = told == "1" or (not told and "DVC_EXP_NAME" in os.environ)
    return DVCLIVE_FOLDER / folder_name(training) if wanted else None


@contextmanager
def live_figures(training: str, first: int, history: History, is_first_rank: bool) -> Iterator[Live]:
    """The viewers that are wanted, with `history` up to step `first` in them; none on other ranks.

    Raises:
        StageError: BERT_TENSORBOARD names a folder that cannot be written.
    """
    viewers: list[Viewer] = []
    if is_first_rank and (folder := tensorboard_folder(training)):
        from bert.watch.tensorboard import TensorBoard

        try:
            viewers.append(TensorBoard(folder, first))
        except OSError as error:
            raise StageError(
                f"BERT_TENSORBOARD: {folder} cannot be written: {error}", run="unset BERT_TENSORBOARD, or correct it"
            ) from None
    if is_first_rank and (folder := dvclive_folder(training)):
        try:
            from bert.watch.dvc_live import DvcLive

            viewers.append(DvcLive(folder, history))
        except Exception as error:  # as in Live
            log.warning("no live figures in %s: %s", folder, error)
    live = Live(viewers)
    with ExitStack() as stack:
        stack.callback(live.close)
        yield live
