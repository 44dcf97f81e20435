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
    """What the loop measured. `curve`: a header and a row per interval; seconds of the steps of this process."""

    curve: list[str]
    resumed_from: int = 0
    step_seconds: list[float] = field(default_factory=list)
    skipped_steps: int = 0
    last: dict[str, float] = field(default_factory=dict)

    def rate(self, batch_size: int) -> float:
        """Sequences a second over the settled steps of this process."""
        settled = self.step_seconds[SETTLING_STEPS:] or self.step_seconds
        return batch_size * len(settled) / sum(settled) if settled else 0.0


def train(
    name: str,
    step: TrainStep,
    batches: Callable[[int], Any],
    steps: int,
    scratch: Path,
    world: World,
    code: dict[str, str],
    losses: dict[str, str],
    max_skipped: int,
) -> Run:
    """Run `step` over `batches(first step)` until `steps`, going on from the newest checkpoint in `scratch`.

    Args:
        losses: {column of the curve: "sum/weight"}, such as {"mlm_loss": "mlm_loss/predictions"}.
        max_skipped: non-finite updates in a row that are borne; they are skipped.

    Raises:
        StageError: more skipped updates in a row, no update at all, a checkpoint of other code, ranks that do not
            see the same checkpoint, or SIGTERM or Ctrl-C, after saving.
    """
    run = Run(["\t".join(["step", "loss", *losses, "learning_rate", "grad_norm", "loss_scale"])])
    first, in_a_row = 0, 0
    gathered: list[dict[str, float]] = []
    found = checkpoint.newest(scratch / "checkpoints", code)
    if found is not None:
        for variable_name, variable in step.variables.items():
            variable.assign(found.tensors[variable_name])
        first, run.resumed_from = found.step, found.step
        run.curve, run.skipped_steps, run.last = found.state["curve"], found.state["skipped"], found.state["last"]
        gathered = found.state["gathered"]
        log.info("%s: going on from step %d of %d", name, first, steps)
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
        for number, batch in enumerate(batches(first), start=first):
            with world.lost_ranks_told(f"{name}, step {number}"):
                told = {k: float(v) for k, v in step(batch, tf.constant(number, tf.int64)).items()}
            now = time.perf_counter()
            run.step_seconds.append(now - began)
            if told["finite"]:
                in_a_row = 0
                gathered.append(told)
            else:
                run.skipped_steps += 1
                in_a_row += 1
                if in_a_row > max_skipped:
                    raise StageError(
                        f"{name}: {in_a_row} updates in a row were not finite, the last at step {number} "
                        f"(loss scale {told['loss_scale']:g}, gradient norm {told['grad_norm']})",
                        run="a smaller learning rate, longer warm-up or another precision in params.yaml; dvc repro",
                    )
            done = number + 1
            if gathered and (done % interval == 0 or done == steps):
                run.last = _mean(gathered, losses)
                row = [run.last[c] for c in ("loss", *losses, "learning_rate", "grad_norm", "loss_scale")]
                run.curve.append("\t".join([str(done), *(f"{x:.6g}" for x in row)]))
                gathered = []
            if world.is_first:
                shown = run.last.get("loss", math.nan)
                progress.update(done, f"loss {shown:.4f}, lr {told['learning_rate']:.3g}")
                stopping = stop.asked and done < steps
                if stopping or (done < steps and time.monotonic() - saved >= between):
                    began_saving = time.monotonic()
                    state = {
                        "curve": run.curve,
                        "gathered": gathered,  # half a point of the curve: a resumed curve has the same points
                        "skipped": run.skipped_steps,
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
