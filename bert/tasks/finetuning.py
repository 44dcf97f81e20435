"""Fine-tuning on one task, and its predictions, as one rank does them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.encoder import encode, pool
from bert.model.fused import compile_by
from bert.model.heads import class_logits, span_logits
from bert.model.losses import classifier_sums, squad_sums
from bert.model.parameters import Shapes, make_parameters
from bert.optim.loss_scale import LossScale
from bert.optim.optimizer import make_optimizer
from bert.optim.schedule import learning_rate
from bert.optim.settings import LossScaleSettings, OptimizerSettings
from bert.pipeline.errors import StageError
from bert.training.batches import Arrays, array_batches
from bert.training.loop import Run, train
from bert.training.precision import Precision
from bert.training.step import Batch, Objective, TrainStep
from bert.training.world import World, split_batch


def _rows(batch: Batch) -> dict[str, Any]:
    return {"rows": tf.cast(tf.shape(batch["input_ids"])[0], tf.float32)}


SPANS = Objective(squad_sums, _rows, {"loss": "rows"})
CLASSES = Objective(classifier_sums, _rows, {"loss": "rows"})


def forward_spans(weights: Any, config: BertConfig, batch: Batch, dtype: Any) -> Any:
    """Start and end logits, (B, 2, S)."""
    hidden = encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], NoDropout(), dtype)
    return tf.stack(span_logits(weights, hidden), axis=1)


def forward_classes(weights: Any, config: BertConfig, batch: Batch, dtype: Any) -> Any:
    """Class logits, (B, L)."""
    hidden = encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], NoDropout(), dtype)
    return class_logits(weights, pool(weights, hidden))


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model in memory."""

    config: BertConfig
    parameters: dict[str, Any]
    run: Run
    steps: int

    def weights(self) -> dict[str, np.ndarray]:
        return {name: p.numpy() for name, p in self.parameters.items()}


def _kept(section: str, start: Model, reinit_layers: int) -> dict[str, np.ndarray]:
    """The encoder's weights without those of the top layers."""
    layers = start.config.num_hidden_layers
    if reinit_layers > layers:
        raise StageError(
            f"{section}.reinit_layers is {reinit_layers}, but the model has {layers} layers",
            run=f"set it to 0...{layers} in params.yaml, then dvc repro",
        )
    anew = [f"bert/encoder/layer_{n}/" for n in range(layers - reinit_layers, layers)]
    if reinit_layers:
        anew.append("bert/pooler/")
    return {n: w for n, w in start.weights.items() if n.startswith("bert/") and not n.startswith(tuple(anew))}


def finetune(
    stage: str,
    section: str,
    objective: Objective,
    shapes: Callable[[BertConfig], Shapes],
    start: Model,
    from_random: bool,
    arrays: Arrays,
    *,
    reinit_layers: int,
    batch_size: int,
    epochs: float,
    peak_rate: float,
    warmup_proportion: float,
    optimizer: OptimizerSettings,
    loss_scale: LossScaleSettings,
    dropout: float | None,
    max_skipped: int,
    precision: Precision,
    seed: int,
    scratch: Path,
    world: World,
    code: dict[str, str],
) -> Finetuned:
    """Train `start`'s encoder with a new head on `arrays` {feature: (N, ...)}.

    section: of params.yaml, for messages.
    from_random: keep `start`'s shape and vocabulary, but not its weights (the control that shows what pretraining
        gave).
    reinit_layers: so many layers from the top, and with them the pooler, start from random weights.

    Raises:
        StageError: more `reinit_layers` than the model has layers, or a batch that the ranks cannot split.
    """
    split = split_batch(stage, f"{section}.batch_size", batch_size, world.size)
    steps = max(1, round(len(arrays["input_ids"]) * epochs / batch_size))
    config = start.config.with_dropout(dropout)
    needed = shapes(config)
    given = {} if from_random else _kept(section, start, reinit_layers)
    parameters = make_parameters(needed, config, seed, given)
    step = TrainStep(
        objective,
        config,
        parameters,
        make_optimizer(parameters, optimizer),
        LossScale(loss_scale if precision.scales_loss else None),
        lambda at: learning_rate(at, peak_rate, round(warmup_proportion * steps), steps, 1.0, "warmup"),
        optimizer.clip_norm,
        precision,
        split,
        world,
        seed,
    )
    run = train(
        f"{stage} from random weights" if from_random else stage,
        step,
        lambda first, stop: array_batches(arrays, seed, first, stop, split, world),
        steps,
        scratch,
        world,
        code,
        {"task_loss": "loss/rows"},
        max_skipped,
        batch_size,
    )
    return Finetuned(start.config, parameters, run, steps)


def predict(
    tuned: Finetuned,
    forward: Callable[..., Any],
    arrays: Arrays,
    batch_size: int,
    precision: Precision,
    world: World,
) -> np.ndarray:
    """Logits of all rows, (N, ...) float32, in order, on every rank.

    The last batch is filled up with copies of the last row, so that there is one compiled shape.
    """

    def logits(batch: dict[str, Any]) -> Any:
        return tf.cast(forward(tuned.parameters, tuned.config, batch, precision.dtype), tf.float32)

    one = compile_by(tuned.run.xla, logits)
    features = {name: arrays[name] for name in ("input_ids", "input_mask", "segment_ids")}
    count = len(features["input_ids"])
    mine: dict[int, np.ndarray] = {}
    for number in range(math.ceil(count / batch_size)):
        if number % world.size == world.rank:
            rows = np.minimum(np.arange(number * batch_size, (number + 1) * batch_size), count - 1)
            mine[number] = one({name: tf.constant(values[rows]) for name, values in features.items()}).numpy()
    gathered: dict[int, np.ndarray] = {}
    for of_rank in world.gather(mine):
        gathered |= of_rank
    return np.concatenate([gathered[number] for number in sorted(gathered)])[:count]
