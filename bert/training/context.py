"""What a training is handed by the process that runs it. No result depends on it.

The training owns the protocols, and knows none of those who implement them: bert/launch and bert/watch do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from bert.pipeline.errors import StageError
from bert.training.world import Split, World

Figures = Mapping[str, float]
"""{name: figure}."""
History = Sequence[tuple[int, Figures]]
"""(step, figures) of what was shown before, in the order of the steps; a name is such as train/loss."""
Resume = Literal["accept", "fresh"] | None
"""What to do with a checkpoint that other code wrote; None: ask, by an error."""


class Progress(Protocol):
    """How far a long work has come."""

    def update(self, done: int, note: str = "") -> None:
        """`done` units are finished in all; a short note, such as the loss."""


class LiveFigures(Protocol):
    """Figures that are shown while a training runs."""

    def show(self, step: int, group: str, figures: Figures) -> None:
        """Of the state after `step` steps; group: train or held_out."""


class Watcher(Protocol):
    """Who watches a training."""

    def progress(self, label: str, total: int, unit: str, start: int = 0) -> AbstractContextManager[Progress]:
        """Of a work of `total` units (such as "steps"), of which `start` were finished before."""

    def live_figures(self, training: str, step: int, history: History) -> AbstractContextManager[LiveFigures]:
        """Of a training, by its name, that goes on after `step` with this history."""


class Stop(Protocol):
    """Whether the run is to save and end."""

    @property
    def asked(self) -> bool: ...


class Stopped(StageError):
    """The run has ended because it was asked to."""


class _Blind:
    def update(self, done: int, note: str = "") -> None:
        del done, note

    def show(self, step: int, group: str, figures: Figures) -> None:
        del step, group, figures


class Nobody:
    """Watches nothing: on all ranks but the first."""

    @contextmanager
    def progress(self, label: str, total: int, unit: str, start: int = 0) -> Iterator[Progress]:
        del label, total, unit, start
        yield _Blind()

    @contextmanager
    def live_figures(self, training: str, step: int, history: History) -> Iterator[LiveFigures]:
        del training, step, history
        yield _Blind()


class _Unasked:
    asked = False


@contextmanager
def never() -> Iterator[Stop]:
    """The `Context.stop` of a run that nobody can ask to stop."""
    yield _Unasked()


@dataclass(frozen=True)
class Context:
    """Where a training runs, among whom, and what the machine's settings say of it.

    Attributes:
        scratch: the folder for checkpoints and results, the same one on all ranks
        world: this rank among the others
        split: how the global batch is cut
        code: {file: hash} of what computes; a checkpoint of other code is not taken up unasked
        save_seconds: time between checkpoints; 0: one after every step
        resume: what to do with a checkpoint of other code
        keep_model: the weights are a result; a run for its scores alone leaves none
        recompute: layers are computed again in the backward pass, which saves memory (bert/model/recompute.py)
        watcher: who is shown progress and figures
        stop: around the steps of a training: listens meanwhile, and knows whether it was asked to stop
    """

    scratch: Path
    world: World
    split: Split
    code: Mapping[str, str] = field(default_factory=dict)
    save_seconds: float = 60.0
    resume: Resume = None
    keep_model: bool = True
    recompute: bool = False
    watcher: Watcher = field(default_factory=Nobody)
    stop: Callable[[], AbstractContextManager[Stop]] = never


@dataclass(frozen=True)
class Outcome:
    """What the first rank gives beside the files in its scratch.

    metrics: of the result, for its file of metrics. record: of this one run, for its provenance.
    """

    metrics: dict[str, Any]
    record: dict[str, Any] = field(default_factory=dict)
