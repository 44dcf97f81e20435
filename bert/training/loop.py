"""The training loop, for pretraining and fine-tuning alike: steps, a curve, checkpoints, progress."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.launch.stopping import Stop, Stopped, stop_when_asked
from bert.model.fused import Xla
from bert.pipeline.errors import StageError
from bert.training import checkpoints
from bert.training.allreduce import time_metrics
from bert.training.curves import Curve, figures_of
from bert.training.held_out_curve import HeldOutCurve
from bert.training.saving import SavingTimes
from bert.training.step import TrainStep
from bert.training.streaks import Streak
from bert.training.world import World
from bert.watch.live import Live, live_figures
from bert.watch.progress import Progress

log = logging.getLogger(__name__)

# Steps whose time is left out of the throughput: tracing, compiling, first touch of the memory.
SETTLING_STEPS = 5
# Over which the speed is shown while it trains.
RECENT_STEPS = 50
GO_ON = "dvc repro: it goes on from there"


@dataclass
class Run:
    """What the loop measured.

    curve: a header and a row per interval. step_seconds: of the steps of this process; allreduce_seconds: of their
    exchanges with other ranks; exchange: the metrics of those. xla: what it compiled of the steps, from the first to
    the last. skipped_steps: whose update was not finite. skipped_batches: the numbers of those that it rolled back
    over; empty if it did not.
    """

    curve: list[str]
    resumed_from: int = 0
    step_seconds: list[float] = field(default_factory=list)
    allreduce_seconds: list[float] = field(default_factory=list)
    exchange: dict[str, float] = field(default_factory=dict)
    xla: Xla = False
    skipped_steps: int = 0
    skipped_batches: list[int] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)

    def rate(self, batch_size: int) -> float:
        """Sequences a second over the settled steps of this process."""
        settled = self.step_seconds[SETTLING_STEPS:] or self.step_seconds
        return batch_size * len(settled) / sum(settled) if settled else 0.0

    def recent_rate(self, batch_size: float) -> float:
        """The same over the last steps, to be shown meanwhile."""
        seconds = self.step_seconds[max(SETTLING_STEPS, len(self.step_seconds) - RECENT_STEPS) :]
        seconds = seconds or self.step_seconds[-1:]
        return batch_size * len(seconds) / sum(seconds) if seconds else 0.0


def train(
    name: str,
    step: TrainStep,
    batches: Callable[[int, int], Any],
    steps: int,
    scratch: Path,
    world: World,
    code: dict[str, str],
    losses: dict[str, str],
    max_skipped: int,
    sequences: float,
    held_out: HeldOutCurve | None = None,
) -> Run:
    """Run `step` until `steps`, going on from the newest checkpoint in `scratch`.

    More than `max_skipped` updates in a row that are not finite roll the run back, once, to the state before them (the
    weights have not changed since; the loss scale has), and it goes on with the batches after them. No checkpoint is
    taken among them, so that a killed run meets them again and does the same.

    Args:
        batches: (first, stop) -> the batches of these numbers; a step's is that of its number, plus the number of
            batches that were skipped.
        losses: {column of the curve: "sum/weight"}, such as {"mlm_loss": "mlm_loss/predictions"}.
        max_skipped: non-finite updates in a row that are borne; they are skipped.
        sequences: of a global batch, for the speed that is shown.
        held_out: to be filled; its evaluations read the weights and change nothing.

    Raises:
        StageError: more skipped updates in a row for the second time, no update at all, a checkpoint of other code,
            ranks that do not see the same checkpoint, or SIGTERM or Ctrl-C, after saving.
    """
    curve = Curve(losses, steps)
    return _Training(name, step, batches, steps, scratch, world, code, max_skipped, sequences, curve, held_out).run()


@dataclass
class _Training:
    """The arguments of `train`, and where it stands: `number` steps are done, `saved` of them in a checkpoint."""

    name: str
    step: TrainStep
    batches: Callable[[int, int], Any]
    steps: int
    scratch: Path
    world: World
    code: dict[str, str]
    max_skipped: int
    sequences: float
    curve: Curve
    held_out: HeldOutCurve | None
    number: int = 0
    saved: int = 0
    told: Run = field(default_factory=lambda: Run([]))
    streak: Streak = field(default_factory=Streak)

    def run(self) -> Run:
        self._resume()
        self._check_that_ranks_agree()
        saving = SavingTimes()
        with (
            live_figures(self.name, self.number, self._history(), self.world.is_first) as live,
            self._progress() as progress,
            stop_when_asked(self.scratch, self.world.is_first) as stop,
        ):
            feed = self._feed()
            while self.number < self.steps:
                figures = self._take_step(feed)
                if figures["finite"]:
                    self.streak.end(figures["grad_norm"])
                    self.curve.add(figures)
                elif self._is_too_much(figures):
                    self._roll_back()
                    feed = self._feed()
                    continue
                self.number += 1
                # Inside a streak neither a point of the curve nor a checkpoint: it may be rolled back.
                if figures["finite"] or self.number == self.steps:
                    self._points(live)
                if self.world.is_first:
                    progress.update(self.number, self._note(figures))
                    if figures["finite"] and self.number < self.steps:
                        self._save_when_due(saving, stop)
        if not self.curve.last:
            raise StageError(
                f"{self.name}: not one of {self.steps} updates was finite",
                run="a smaller loss_scale.initial or another precision in params.yaml, then dvc repro",
            )
        with self.world.lost_ranks_told(self.name):
            settled = slice(SETTLING_STEPS if len(self.told.step_seconds) > SETTLING_STEPS else 0, None)
            times = self.told.allreduce_seconds[settled], self.told.step_seconds[settled]
            self.told.exchange = time_metrics(self.world, *times)
        self.told.curve, self.told.last = self.curve.lines, self.curve.last
        return self.told

    def _resume(self) -> None:
        """Take up the newest checkpoint, where there is one."""
        found = checkpoints.newest(self.scratch / "checkpoints", self.code)
        if found is not None:
            for name, variable in self.step.variables.items():
                variable.assign(found.tensors[name])
            self.number, self.saved, self.told.resumed_from = found.step, found.step, found.step
            self.told.skipped_steps, self.told.skipped_batches = found.state["skipped"], found.state["skipped_batches"]
            self.curve.restore(found.state)
            if self.held_out and "held_out" in found.state:
                self.held_out.restore(found.state["held_out"], found.tensors)
            if found.state["xla"] != self.step.xla:  # `xla: auto` chose on another device: the last bits would change
                log.info("%s: xla stays %s, as in the checkpoint", self.name, found.state["xla"])
                self.step.compile(found.state["xla"])
            log.info("%s: going on from step %d of %d", self.name, self.number, self.steps)
        self.told.xla = self.step.xla

    def _check_that_ranks_agree(self) -> None:
        if len(set(starts := self.world.gather(self.number))) > 1:
            raise StageError(
                f"{self.name}: the ranks would start at different steps {starts}: they do not see the same "
                f"{self.scratch}",
                run="put the repository in a folder that all hosts share, then dvc repro",
            )

    def _progress(self) -> Progress:
        return (
            Progress(self.name, self.steps, "steps", self.number) if self.world.is_first else Progress(self.name, 0, "")
        )

    def _feed(self) -> Iterator[Any]:
        """The batches of the steps to come."""
        skipped = len(self.told.skipped_batches)
        return iter(self.batches(self.number + skipped, self.steps + skipped))

    def _take_step(self, feed: Iterator[Any]) -> dict[str, float]:
        """The next one; what it tells."""
        began = time.perf_counter()
        batch = next(feed)
        self.streak.before(self.step)
        with self.world.lost_ranks_told(f"{self.name}, step {self.number}", self._save_what_is_whole):
            told = self.step(batch, tf.constant(self.number, tf.int64))
            figures = {name: float(value) for name, value in told.items()}
        self.told.allreduce_seconds.append(figures.pop("allreduce_seconds"))
        self.told.step_seconds.append(time.perf_counter() - began)
        return figures

    def _is_too_much(self, figures: dict[str, float]) -> bool:
        """Count an update that was not finite; whether it is one more in a row than is borne."""
        self.streak.grow(self.number, figures)
        self.told.skipped_steps += 1
        if self.streak.length <= self.max_skipped:
            return False
        if self.told.skipped_batches:
            raise self.streak.hopeless(self.name, self.step, figures, self.told.skipped_batches)
        return True

    def _roll_back(self) -> None:
        """To before the streak, and on without its batches."""
        first, length = self.streak.first, self.streak.length
        self.told.skipped_batches = list(range(first, self.number + 1))
        self.told.skipped_steps -= length
        if self.world.is_first:
            log.warning(
                "%s: %d updates in a row were not finite: back to the state before step %d, without the "
                "batches %d to %d",
                *(self.name, length, first, first, self.number),
            )
        self.streak.roll_back(self.step)
        self.number = first

    def _points(self, live: Live) -> None:
        """The points of both curves that are due."""
        if self.curve.point(self.number):
            speed = {"sequences_per_second": self.told.recent_rate(self.sequences)}
            live.show(self.number, "train", self.curve.last | speed)
        if self.held_out and self.held_out.due(self.number, self.steps):
            with self.world.lost_ranks_told(f"{self.name}, evaluation after step {self.number}"):
                found = self.held_out.point(self.number, self.step.xla, self.step.parameters)
            live.show(self.number, "held_out", found)

    def _history(self) -> list[tuple[int, dict[str, float]]]:
        """What was shown of the steps before the checkpoint; the times are gone."""
        groups = {"train": self.curve.lines} | ({"held_out": self.held_out.lines} if self.held_out else {})
        shown = [
            (step, {f"{group}/{name}": value for name, value in figures.items()})
            for group, lines in groups.items()
            for step, figures in figures_of(lines)
        ]
        return sorted(shown, key=lambda point: point[0])

    def _note(self, figures: dict[str, float]) -> str:
        """For the progress line."""
        speed = self.told.recent_rate(self.sequences)
        return f"loss {self.curve.loss:.4f}, lr {figures['learning_rate']:.3g}, {speed:.1f} sequences/s"

    def _save_when_due(self, saving: SavingTimes, stop: Stop) -> None:
        """On the first rank, after a finite update. Ends the run, saved, where it was asked to stop."""
        asked = stop.asked
        if asked or saving.due:
            saving.save(self._save)
        if asked:
            raise Stopped(f"{self.name}: stopped as asked after step {self.number} of {self.steps}, saved", run=GO_ON)

    def _save_what_is_whole(self) -> None:
        """On the first rank, when the others are lost: they were lost before the update of this step."""
        if self.world.is_first and not self.streak.length and self.number > self.saved:
            self._save()
            log.info("%s: the others are lost; saved after step %d", self.name, self.number)

    def _save(self) -> None:
        state = {
            **self.curve.state,
            "xla": self.step.xla,
            "skipped": self.told.skipped_steps,
            "skipped_batches": self.told.skipped_batches,
        }
        tensors = {name: variable.numpy() for name, variable in self.step.variables.items()}
        if self.held_out:
            state["held_out"] = self.held_out.state
            tensors |= self.held_out.tensors
        checkpoints.save(self.scratch / "checkpoints", self.number, tensors, state, self.code)
        self.saved = self.number
