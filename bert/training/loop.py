"""The training loop, for pretraining and fine-tuning alike: steps, a curve, checkpoints, progress."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from bert.model.cudnn_attention import Attention
from bert.model.fused import Xla
from bert.pipeline import timings
from bert.pipeline.errors import StageError
from bert.training import checkpoints
from bert.training.allreduce import time_metrics
from bert.training.context import Context, LiveFigures, Stop, Stopped
from bert.training.curves import Curve, figures_of
from bert.training.held_out_curve import HeldOutCurve
from bert.training.saving import SavingTimes
from bert.training.step import TrainStep
from bert.training.streaks import Streak

log = logging.getLogger(__name__)

# Steps whose time is left out of the throughput: tracing, compiling, first touch of the memory.
SETTLING_STEPS = 5
# Over which the speed is shown while it trains.
RECENT_STEPS = 50
GO_ON = "dvc repro: it goes on from there"


@dataclass
class Run:
    """What the loop measured.

    Attributes:
        curve: lines of text, a header and a row per interval
        resumed_from: the step of the checkpoint that it went on from, 0 without
        step_seconds, allreduce_seconds: of each step of this process, and of its exchanges with other ranks
        compiled: places in these of the steps that were the first of their shape, and so compiled
        exchange: metrics of the latter, see time_metrics
        xla, attention: what XLA compiled of the steps and how they attended, from the first to the last
        skipped_steps: how many updates were not finite
        skipped_batches: numbers of those that it rolled back over; empty if it did not
        last: the figures of the curve's last point, unrounded
    """

    curve: list[str]
    resumed_from: int = 0
    step_seconds: list[float] = field(default_factory=list)
    allreduce_seconds: list[float] = field(default_factory=list)
    compiled: set[int] = field(default_factory=set)
    exchange: dict[str, float] = field(default_factory=dict)
    xla: Xla = False
    attention: Attention = "plain"
    skipped_steps: int = 0
    skipped_batches: list[int] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)

    def settled(self, first: int = 0) -> list[int]:
        """Places of the steps from `first` on whose time is that of a step."""
        return [n for n in range(max(first, SETTLING_STEPS), len(self.step_seconds)) if n not in self.compiled]

    def rate(self, batch_size: int) -> float:
        """Sequences a second over the settled steps of this process; without any, over all."""
        seconds = [self.step_seconds[n] for n in self.settled()] or self.step_seconds
        return batch_size * len(seconds) / sum(seconds) if seconds else 0.0

    def recent_rate(self, batch_size: float) -> float:
        """The same over the last steps, to be shown meanwhile."""
        seconds = [self.step_seconds[n] for n in self.settled(len(self.step_seconds) - RECENT_STEPS)]
        seconds = seconds or self.step_seconds[-1:]
        return batch_size * len(seconds) / sum(seconds) if seconds else 0.0

    @property
    def metrics(self) -> dict[str, Any]:
        """For the metrics of every kind of training."""
        return {
            **self.exchange,
            "xla": self.xla,
            "attention": self.attention,
            "skipped_steps": self.skipped_steps,
            "rollbacks": int(bool(self.skipped_batches)),
            "skipped_batches": len(self.skipped_batches),
        }


@dataclass
class Training:
    """A training of `steps` steps; `run` takes those that are left after the newest checkpoint in the scratch.

    More than `max_skipped` updates in a row that are not finite roll the run back, once, to the state before them (the
    weights have not changed since; the loss scale has), and it goes on with the batches after them. No checkpoint is
    taken among them, so that a killed run meets them again and does the same.

    Attributes:
        name: for people: the stage's, or squad from random weights
        batches: (first, stop) -> the batches of these numbers, {feature: (rows per rank, ...)} each; a step's is that
            of its number, plus the number of batches that were skipped
        max_skipped: non-finite updates in a row that are borne; they are skipped
        sequences: of a global batch, for the speed that is shown
        held_out: to be filled; its evaluations read the weights and change nothing
    """

    name: str
    step: TrainStep
    batches: Callable[[int, int], Any]
    steps: int
    max_skipped: int
    sequences: float
    context: Context
    held_out: HeldOutCurve | None = None

    def __post_init__(self) -> None:
        self._world, self._folder = self.context.world, self.context.scratch / "checkpoints"
        self._curve = Curve(self.step.objective.losses, self.steps)
        self._run, self._streak = Run([]), Streak()
        self._number = self._saved = 0  # steps that are done, and that are in a checkpoint
        self._shapes: set[tuple[Any, ...]] = set()  # of the batches that were met

    def run(self) -> Run:
        """Take the steps.

        Raises:
            StageError: more skipped updates in a row for the second time, no update at all, a checkpoint of other
                code, ranks that do not see the same checkpoint; Stopped, once it is saved, where that was asked for.
        """
        self._resume()
        self._check_that_ranks_agree()
        saving, watcher = SavingTimes(self.context.save_seconds), self.context.watcher
        with (
            watcher.live_figures(self.name, self._number, self._history()) as live,
            watcher.progress(self.name, self.steps, "steps", self._number) as progress,
            self.context.stop() as stop,
        ):
            feed = self._feed()
            while self._number < self.steps:
                figures = self._take_step(feed)
                if figures["finite"]:
                    self._streak.end(figures["grad_norm"])
                    self._curve.add(figures)
                elif self._is_too_much(figures):
                    self._roll_back()
                    feed = self._feed()
                    continue
                self._number += 1
                # Inside a streak neither a point of the curve nor a checkpoint: it may be rolled back.
                if figures["finite"] or self._number == self.steps:
                    self._points(live)
                progress.update(self._number, self._note(figures))
                if self._world.is_first and figures["finite"] and self._number < self.steps:
                    self._save_when_due(saving, stop)
        if not self._curve.last:
            raise StageError(
                f"{self.name}: not one of {self.steps} updates was finite",
                run="a smaller loss_scale.initial or another precision in params.yaml, then dvc repro",
            )
        with self._world.together(self.name):
            settled = self._run.settled() or range(len(self._run.step_seconds))
            waited, taken = self._run.allreduce_seconds, self._run.step_seconds
            self._run.exchange = time_metrics(self._world, [waited[n] for n in settled], [taken[n] for n in settled])
        self._run.curve, self._run.last = self._curve.lines, self._curve.last
        return self._run

    def _resume(self) -> None:
        """Take up the newest checkpoint, where there is one."""
        found = checkpoints.newest(self._folder, self.context.code, self.context.resume)
        if found is not None:
            for name, variable in self.step.variables.items():
                variable.assign(found.tensors[name])
            self._number, self._saved, self._run.resumed_from = found.step, found.step, found.step
            self._run.skipped_steps, self._run.skipped_batches = found.state["skipped"], found.state["skipped_batches"]
            self._curve.restore(found.state)
            if self.held_out and "held_out" in found.state:
                self.held_out.restore(found.state["held_out"], found.tensors)
            # Where `auto` chose on another device, the last bits would change; but not every device can fuse attention.
            xla = found.state["xla"]
            attention = self.step.attention if found.state["attention"] == "fused" and xla is True else "plain"
            if (xla, attention) != (self.step.xla, self.step.attention):
                log.info("%s: xla stays %s, attention %s, as in the checkpoint", self.name, xla, attention)
                self.step.compile(xla, attention)
            log.info("%s: going on from step %d of %d", self.name, self._number, self.steps)
        self._run.xla, self._run.attention = self.step.xla, self.step.attention

    def _check_that_ranks_agree(self) -> None:
        if len(set(starts := self._world.gather(self._number))) > 1:
            raise StageError(
                f"{self.name}: the ranks would start at different steps {starts}: they do not see the same "
                f"{self.context.scratch}",
                run="put the repository in a folder that all hosts share, then dvc repro",
            )

    def _feed(self) -> Iterator[Any]:
        """The batches of the steps to come."""
        skipped = len(self._run.skipped_batches)
        return iter(self.batches(self._number + skipped, self.steps + skipped))

    def _take_step(self, feed: Iterator[Any]) -> dict[str, float]:
        """Take the next step on the next batch; its figures (see TrainStep), all float, without the times."""
        began = time.perf_counter()
        batch = next(feed)
        shape = tuple(tuple(values.shape) for values in batch.values())
        if shape not in self._shapes:
            self._shapes.add(shape)
            self._run.compiled.add(len(self._run.step_seconds))
        self._streak.before(self.step)
        with (
            timings.call(timings.STEPS, shape),
            self._world.together(f"{self.name}, step {self._number}", self._save_what_is_whole),
        ):
            tensors = self.step(batch, tf.constant(self._number, tf.int64))
            figures = {name: float(value) for name, value in tensors.items()}
        self._run.allreduce_seconds.append(figures.pop("allreduce_seconds"))
        self._run.step_seconds.append(time.perf_counter() - began)
        return figures

    def _is_too_much(self, figures: dict[str, float]) -> bool:
        """Count an update that was not finite; whether it is one more in a row than is borne."""
        self._streak.grow(self._number, figures)
        self._run.skipped_steps += 1
        if self._streak.length <= self.max_skipped:
            return False
        if self._run.skipped_batches:
            raise self._streak.hopeless(self.name, self.step, figures, self._run.skipped_batches)
        return True

    def _roll_back(self) -> None:
        """Go back to before the streak, and on without its batches."""
        first, length = self._streak.first, self._streak.length
        self._run.skipped_batches = list(range(first, self._number + 1))
        self._run.skipped_steps -= length
        if self._world.is_first:
            log.warning(
                "%s: %d updates in a row were not finite: back to the state before step %d, without the "
                "batches %d to %d",
                *(self.name, length, first, first, self._number),
            )
        self._streak.roll_back(self.step)
        self._number = first

    def _points(self, live: LiveFigures) -> None:
        """Write and show the points of both curves that are due."""
        if self._curve.point(self._number):
            speed = {"sequences_per_second": self._run.recent_rate(self.sequences)}
            live.show(self._number, "train", self._curve.last | speed)
        if self.held_out and self.held_out.due(self._number, self.steps):
            with self._world.together(f"{self.name}, evaluation after step {self._number}"):
                found = self.held_out.point(self._number, self.step.xla, self.step.parameters)
            live.show(self._number, "held_out", found)

    def _history(self) -> list[tuple[int, dict[str, float]]]:
        """What was shown of the steps before the checkpoint; the times are gone."""
        groups = {"train": self._curve.lines} | ({"held_out": self.held_out.lines} if self.held_out else {})
        shown = [
            (step, {f"{group}/{name}": value for name, value in figures.items()})
            for group, lines in groups.items()
            for step, figures in figures_of(lines)
        ]
        return sorted(shown, key=lambda point: point[0])

    def _note(self, figures: dict[str, float]) -> str:
        """For the progress line. Example: loss 5.1234, lr 0.01, 213.4 sequences/s"""
        speed = self._run.recent_rate(self.sequences)
        return f"loss {self._curve.loss:.4f}, lr {figures['learning_rate']:.3g}, {speed:.1f} sequences/s"

    def _save_when_due(self, saving: SavingTimes, stop: Stop) -> None:
        """On the first rank, after a finite update. Ends the run, saved, where it was asked to stop."""
        asked = stop.asked
        if asked or saving.due:
            saving.save(self._save)
        if asked:
            raise Stopped(f"{self.name}: stopped as asked after step {self._number} of {self.steps}, saved", run=GO_ON)

    def _save_what_is_whole(self) -> None:
        """On the first rank, when the others are lost: they were lost before the update of this step."""
        if self._world.is_first and not self._streak.length and self._number > self._saved:
            self._save()
            log.info("%s: the others are lost; saved after step %d", self.name, self._number)

    def _save(self) -> None:
        state = {
            **self._curve.state,
            "xla": self.step.xla,
            "attention": self.step.attention,
            "skipped": self._run.skipped_steps,
            "skipped_batches": self._run.skipped_batches,
        }
        tensors = {name: variable.numpy() for name, variable in self.step.variables.items()}
        if self.held_out:
            state["held_out"] = self.held_out.state
            tensors |= self.held_out.tensors
        with timings.phase(timings.SAVING):
            checkpoints.save(self._folder, self._number, tensors, state, self.context.code)
        self._saved = self._number
