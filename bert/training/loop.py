"""The training loop, for pretraining and fine-tuning alike: steps, a curve, checkpoints, progress."""

from __future__ import annotations

import logging
import math
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.pipeline.errors import StageError
from bert.pipeline.progress import Progress
from bert.training import checkpoint
from bert.training.distributed import World
from bert.training.step import TrainStep
from bert.training.stopping import stop_when_asked

log = logging.getLogger(__name__)

CURVE_POINTS = 200
# Saving may take this share of the time at most; 0 saves after every step.
SAVING_SHARE = 0.05
# Steps whose time is left out of the throughput: tracing, compiling, first touch of the memory.
SETTLING_STEPS = 5
GO_ON = "dvc repro: it goes on from there"


def save_seconds() -> float:
    """BERT_SAVE_SECONDS: time between checkpoints, default a minute. Changes no result."""
    told = os.environ.get("BERT_SAVE_SECONDS", "60")
    try:
        return float(told)
    except ValueError:
        raise StageError(
            f"BERT_SAVE_SECONDS is {told!r}, expected a number", run="unset BERT_SAVE_SECONDS, or correct it"
        ) from None


def peak_rss_mb() -> float:
    """The most memory that this process has held, in MB (2**20 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass
class Run:
    """What the loop measured.

    curve: a header and a row per interval. step_seconds: of the steps of this process. xla: whether it
    compiled the steps, from the first to the last. skipped_steps: whose update was
    not finite. skipped_batches: the numbers of those that it rolled back over; empty if it did not.
    """

    curve: list[str]
    resumed_from: int = 0
    step_seconds: list[float] = field(default_factory=list)
    xla: bool = False
    skipped_steps: int = 0
    skipped_batches: list[int] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)

    def rate(self, batch_size: int) -> float:
        """Sequences a second over the settled steps of this process."""
        settled = self.step_seconds[SETTLING_STEPS:] or self.step_seconds
        return batch_size * len(settled) / sum(settled) if settled else 0.0


@dataclass
class Streak:
    """Updates in a row that were not finite.

    first: the step that it began at; scale: the variables of the loss scale before it, first_scale the scale itself;
    last_norm: of the last finite gradient.
    """

    first: int = 0
    length: int = 0
    scale: dict[str, Any] = field(default_factory=dict)
    first_scale: float = math.nan
    last_norm: float = math.nan


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

    Raises:
        StageError: more skipped updates in a row for the second time, no update at all, a checkpoint of other code,
            ranks that do not see the same checkpoint, or SIGTERM or Ctrl-C, after saving.
    """
    run = Run(["\t".join(["step", "loss", *losses, "learning_rate", "grad_norm", "loss_scale"])])
    first, streak = 0, Streak()
    gathered: list[dict[str, float]] = []
    found = checkpoint.newest(scratch / "checkpoints", code)
    if found is not None:
        for variable_name, variable in step.variables.items():
            variable.assign(found.tensors[variable_name])
        first, run.resumed_from = found.step, found.step
        run.curve, run.skipped_steps, run.last = found.state["curve"], found.state["skipped"], found.state["last"]
        if found.state["xla"] != step.xla:  # `xla: auto` chose on another device: the last bits would change
            log.info("%s: XLA stays %s, as in the checkpoint", name, "on" if found.state["xla"] else "off")
            step.compile(found.state["xla"])
        run.skipped_batches = found.state["skipped_batches"]
        gathered = found.state["gathered"]
        log.info("%s: going on from step %d of %d", name, first, steps)
    run.xla = step.xla
    if len(set(starts := world.gather(first))) > 1:
        raise StageError(
            f"{name}: the ranks would start at different steps {starts}: they do not see the same {scratch}",
            run="put the repository in a folder that all hosts share, then dvc repro",
        )
    interval = max(1, steps // CURVE_POINTS)
    between, saved = save_seconds(), time.monotonic()
    with (
        Progress(name, steps, "steps", first) if world.is_first else Progress(name, 0, "") as progress,
        stop_when_asked(scratch, world.is_first) as stop,
    ):
        began = time.perf_counter()
        number = first
        feed = iter(batches(first + len(run.skipped_batches), steps + len(run.skipped_batches)))
        while number < steps:
            batch = next(feed)
            scale = {n: v.numpy() for n, v in step.loss_scale_variables.items()} if not streak.length else streak.scale
            with world.lost_ranks_told(f"{name}, step {number}"):
                told = {k: float(v) for k, v in step(batch, tf.constant(number, tf.int64)).items()}
            now = time.perf_counter()
            run.step_seconds.append(now - began)
            if told["finite"]:
                streak = Streak(last_norm=told["grad_norm"])
                gathered.append(told)
            else:
                if not streak.length:
                    streak = Streak(number, 0, scale, told["loss_scale"], streak.last_norm)
                streak.length += 1
                run.skipped_steps += 1
                if streak.length > max_skipped:
                    if run.skipped_batches:
                        raise _hopeless(name, streak, step, told, run.skipped_batches)
                    run.skipped_batches = list(range(streak.first, number + 1))
                    run.skipped_steps -= streak.length
                    for variable_name, value in streak.scale.items():
                        step.loss_scale_variables[variable_name].assign(value)
                    if world.is_first:
                        log.warning(
                            "%s: %d updates in a row were not finite: back to the state before step %d, without the "
                            "batches %d to %d",
                            *(name, streak.length, streak.first, streak.first, number),
                        )
                    number, streak = streak.first, Streak(last_norm=streak.last_norm)
                    feed = iter(batches(number + len(run.skipped_batches), steps + len(run.skipped_batches)))
                    continue
            done = number + 1
            number = done
            # Inside a streak neither a point of the curve nor a checkpoint: it may be rolled back.
            if gathered and (told["finite"] or done == steps) and (done % interval == 0 or done == steps):
                run.last = _mean(gathered, losses)
                row = [run.last[c] for c in ("loss", *losses, "learning_rate", "grad_norm", "loss_scale")]
                run.curve.append("\t".join([str(done), *(f"{x:.6g}" for x in row)]))
                gathered = []
            if world.is_first:
                shown = run.last.get("loss", math.nan)
                progress.update(done, f"loss {shown:.4f}, lr {told['learning_rate']:.3g}")
                savable = done < steps and bool(told["finite"])  # in a streak it might have to go back
                stopping = stop.asked and savable
                if stopping or (savable and time.monotonic() - saved >= between):
                    began_saving = time.monotonic()
                    state = {
                        "curve": run.curve,
                        "gathered": gathered,  # half a point of the curve: a resumed curve has the same points
                        "xla": step.xla,
                        "skipped": run.skipped_steps,
                        "skipped_batches": run.skipped_batches,
                        "last": run.last,
                    }
                    tensors = {n: v.numpy() for n, v in step.variables.items()}
                    checkpoint.save(scratch / "checkpoints", done, tensors, state, code)
                    saved = time.monotonic()
                    between = max(save_seconds(), (saved - began_saving) / SAVING_SHARE if save_seconds() else 0.0)
                if stopping:
                    raise StageError(f"{name}: stopped as asked after step {done} of {steps}, saved", run=GO_ON)
            began = time.perf_counter()
    if not run.last:
        raise StageError(
            f"{name}: not one of {steps} updates was finite",
            run="a smaller loss_scale.initial or another precision in params.yaml, then dvc repro",
        )
    return run


def _hopeless(
    name: str, streak: Streak, step: TrainStep, told: dict[str, float], skipped_batches: list[int]
) -> StageError:
    """The error of a second streak, with what tells a poisoned record from weights that have diverged."""
    last = streak.first + streak.length - 1
    weights = float(tf.linalg.global_norm([v for n, v in step.variables.items() if n in step.parameters]))
    return StageError(
        f"{name}: {streak.length} updates in a row were not finite, the last at step {last}, "
        f"for the second time: batches {skipped_batches[0]} to {skipped_batches[-1]} had been skipped before\n"
        f"  loss scale {streak.first_scale:g} at the first of them, {told['loss_scale']:g} at the last; gradient norm "
        f"{told['grad_norm']}, the last finite one {streak.last_norm:g}; norm of all weights {weights:g}",
        run="a smaller learning rate, longer warm-up or another precision in params.yaml; dvc repro",
    )


def _mean(gathered: list[dict[str, float]], losses: dict[str, str]) -> dict[str, float]:
    """Means over the steps of an interval; a loss is its summed nominator over its summed weight."""
    out: dict[str, float] = {}
    for column, ratio in losses.items():
        over, under = ratio.split("/")
        out[column] = sum(t[over] for t in gathered) / sum(t[under] for t in gathered)
    out["loss"] = sum(out[column] for column in losses)
    out["learning_rate"], out["loss_scale"] = gathered[-1]["learning_rate"], gathered[-1]["loss_scale"]
    out["grad_norm"] = sum(t["grad_norm"] for t in gathered) / len(gathered)
    return out
