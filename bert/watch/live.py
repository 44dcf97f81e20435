"""Figures for whoever watches a training, at the points of the curves: the same for all that show them.

Nothing here is a result: times stand in it, and no output depends on it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Protocol

from bert.training.context import Figures

log = logging.getLogger(__name__)


class Viewer(Protocol):
    """What figures are shown in; a name is such as train/loss or held_out/mlm_loss."""

    def show(self, step: int, figures: Figures) -> None: ...

    def close(self) -> None: ...


class Live:
    """All viewers. One that fails is left out from then on: training goes on without it."""

    def __init__(self, viewers: list[Viewer]) -> None:
        self._viewers = viewers

    def show(self, step: int, group: str, figures: Figures) -> None:
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
