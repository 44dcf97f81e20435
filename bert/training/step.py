"""One optimizer step: accumulate micro-batches -> all-reduce -> clip by the global norm -> update.

Each loss term is divided by its weight in the *whole global batch* (one small all-reduce before the backward pass), so
that K micro-batches, or R ranks, are the same as one batch. Parity with the reference, whose loss is a mean per
micro-batch and whose clipping comes before the accumulation, is an option (MicroBatches).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from bert.model.compute_weights import compute_weights, parameter_gradients
from bert.model.config import BertConfig
from bert.model.cudnn_attention import Attention, attending
from bert.model.dropout import Dropout, NoDropout
from bert.model.fused import Xla, compile_by
from bert.model.losses import Batch, Sums
from bert.model.recompute import recomputing
from bert.optim.loss_scale import LossScale
from bert.optim.optimizer import State, is_decayed, make_optimizer
from bert.optim.settings import UpdateSettings
from bert.training.allreduce import all_reduce, sum_weights
from bert.training.objectives import Objective
from bert.training.precision import Precision
from bert.training.settings import MicroBatches
from bert.training.world import Split, World

Tensor = Any


_LAYER = re.compile(r"bert/encoder/layer_\d+/")


def _shrink(norm: Tensor, bound: float) -> Tensor:
    """What a gradient of that norm is multiplied by, so that its norm is at most `bound`. () float32."""
    return tf.minimum(1.0, bound / tf.maximum(norm, 1e-12))


def _groups(names: Iterable[str]) -> list[list[str]]:
    """The parameters' names, those of each layer together, the others together."""
    groups: dict[str, list[str]] = {}
    for name in names:
        layer = _LAYER.match(name)
        groups.setdefault(layer.group() if layer else "", []).append(name)
    return list(groups.values())


class TrainStep:
    """A compiled step over this rank's rows of the global batch."""

    def __init__(
        self,
        objective: Objective,
        config: BertConfig,
        parameters: Mapping[str, Any],
        settings: UpdateSettings,
        rate: Callable[[Tensor], Tensor],
        *,
        precision: Precision,
        split: Split,
        world: World,
        seed: int,
        micro_batches: MicroBatches | None = None,
    ) -> None:
        """Make the optimizer's state; nothing is compiled before the first call.

        Args:
            parameters: {name: float32 variable}, changed in place by each step.
            rate: number of a step, () int64 -> its learning rate, () float32.
            seed: of dropout.
            micro_batches: where they are a part of the result; None: how the batch is cut changes nothing.
        """
        self.objective = objective
        self._config, self._parameters, self._rate = config, dict(parameters), rate
        self._optimizer = make_optimizer(parameters, settings.optimizer)
        self._loss_scale = LossScale(settings.loss_scale if precision.scales_loss else None)
        self._precision, self._split, self._world, self._seed = precision, split, world, seed
        self._own_mean = micro_batches is not None and micro_batches.mean
        own_clip, clip_norm = micro_batches is not None and micro_batches.clip, settings.optimizer.clip_norm
        self._clip_norm, self._micro_clip_norm = (0.0, clip_norm) if own_clip else (clip_norm, 0.0)
        self.updates = tf.Variable(0, dtype=tf.int64, name="updates")
        self.compile(precision.xla, precision.attention)

    def compile(self, xla: Xla, attention: Attention = "plain") -> None:
        """Say what XLA compiles, before the first call. The update is always fused: it has no products.

        All layers are updated by one program: to compile one for each took longer than all else in a training's start.

        attention: fused only where XLA compiles all.
        """
        self.xla, self.attention = xla, attention
        self._gradients = compile_by(xla, self._accumulate)
        self._norm = compile_by(xla is True, tf.linalg.global_norm)
        self._update = compile_by(bool(xla), self._apply)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is trained."""
        return self._parameters

    @property
    def loss_scale_variables(self) -> dict[str, Any]:
        """The only variables that a skipped update changes."""
        return self._loss_scale.variables

    @property
    def variables(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold, {name: variable}."""
        return {
            **self._parameters,
            **self._optimizer.slots,
            **self._loss_scale.variables,
            "updates": self.updates,
        }

    @tf.function(autograph=False)  # see compile_by
    def __call__(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Take one step.

        Args:
            batch: {feature: (rows per rank, ...)}.
            step: () int64, number of this step from 0.

        Returns:
            () float32 each: the global batch's sums, `grad_norm` (unscaled, before clipping), `learning_rate`,
            `loss_scale`, `finite` (1, or 0 where the update was skipped) and `allreduce_seconds` (of
            both exchanges, see bert/training/allreduce.py).
        """
        totals: Sums = {}
        weighing = tf.zeros([])
        if not self._own_mean:
            totals, weighing = sum_weights(self._world, self.objective.weigh(batch))
        scale = tf.identity(self._loss_scale.scale)
        gradients, sums = self._gradients(batch, totals, step, scale)
        gradients, sums, reducing = all_reduce(self._world, gradients, sums, self._precision.allreduce)
        rate = self._rate(step)
        norm = self._norm(gradients) / scale
        finite = tf.math.is_finite(norm)
        self.updates.assign_add(tf.cast(finite, tf.int64))
        self.update_groups(gradients, norm, rate, scale, tf.identity(self.updates))
        self._loss_scale.update(finite)
        return {
            **sums,
            "grad_norm": norm,
            "learning_rate": rate,
            "loss_scale": scale,
            "finite": tf.cast(finite, tf.float32),
            "allreduce_seconds": weighing + reducing,
        }

    def _accumulate(self, batch: Batch, totals: Sums, step: Tensor, scale: Tensor) -> tuple[list[Tensor], Sums]:
        """Gradients of the scaled loss over this rank's rows, dense float32, and its sums."""
        split = self._split
        first_row = tf.constant(self._world.rank * split.rows_per_rank, tf.int64)
        weights = compute_weights(self._parameters, self._config, self._precision.dtype)

        def micro(batch: Batch, row: Tensor) -> tuple[dict[str, Tensor], Sums]:
            return self._micro(weights, batch, totals, step, scale, row)

        def in_order(gradients: dict[str, Tensor]) -> list[Tensor]:
            return parameter_gradients(gradients, list(self._parameters), self._config)

        if split.accumulate == 1:
            gradients, sums = micro(batch, first_row)
            return in_order(gradients), sums
        micros = {n: tf.reshape(x, [split.accumulate, split.micro_batch, *x.shape[1:]]) for n, x in batch.items()}

        def add(k: Tensor, gradients: dict[str, Tensor], sums: Sums) -> tuple[Tensor, dict[str, Tensor], Sums]:
            row = first_row + tf.cast(k * split.micro_batch, tf.int64)
            more, counted = micro({n: x[k] for n, x in micros.items()}, row)
            added = {n: gradients[n] + more[n] for n in gradients}
            return k + 1, added, {n: sums[n] + counted[n] for n in sums}

        first = micro({n: x[0] for n, x in micros.items()}, first_row)
        _, gradients, sums = tf.while_loop(lambda k, *_: k < split.accumulate, add, (tf.constant(1), *first))
        return in_order(gradients), sums

    def _micro(
        self, weights: Mapping[str, Tensor], batch: Batch, totals: Sums, step: Tensor, scale: Tensor, first_row: Tensor
    ) -> tuple[dict[str, Tensor], Sums]:
        """Gradient, float32, and sums of one micro-batch.

        weights: compute_weights. totals: the losses' divisors, empty where each has its own.
        """
        objective = self.objective
        if self._own_mean:
            micros = float(self._split.ranks * self._split.accumulate)
            # A micro-batch without a prediction has the loss 0 and not 0/0.
            totals = {n: micros * tf.where(w > 0, w, 1.0) for n, w in objective.weigh(batch).items()}
        rates = {self._config.hidden_dropout_prob, self._config.attention_probs_dropout_prob}
        rows = self._split.micro_batch
        # Keys of every site take a part of the tracing, also where nothing is dropped.
        sites = Dropout(self._seed, step, first_row, rows) if rates != {0.0} else NoDropout()
        with recomputing(self._precision.recompute), attending(self.attention), tf.GradientTape() as tape:
            tape.watch(weights)
            sums = objective.sums(weights, self._config, batch, sites, self._precision.dtype)
            loss = tf.add_n([sums[term] / totals[weight] for term, weight in objective.terms.items()])
            scaled = loss * scale
        # The word embeddings' gradient comes as slices; all-reduce and norm want it dense.
        gradients = {
            name: tf.zeros(weights[name].shape) if g is None else tf.cast(tf.convert_to_tensor(g), tf.float32)
            for name, g in tape.gradient(scaled, weights).items()
        }
        if self._micro_clip_norm:
            norm = tf.linalg.global_norm(parameter_gradients(gradients, list(self._parameters), self._config)) / scale
            # An infinite norm must not make zeros of finite gradients: the update is skipped instead.
            shrink = tf.where(tf.math.is_finite(norm), _shrink(norm, self._micro_clip_norm), norm)
            gradients = {name: g * shrink for name, g in gradients.items()}
        return gradients, sums

    def update_groups(self, gradients: list[Tensor], norm: Tensor, rate: Tensor, scale: Tensor, update: Tensor) -> None:
        """The update of every parameter, all layers by one compiled program. See _apply."""
        by_name = dict(zip(self._parameters, gradients, strict=True))
        for names in _groups(self._parameters):
            self._update(*self._states(names), [by_name[name] for name in names], norm, rate, scale, update)

    def update_all(self, gradients: list[Tensor], norm: Tensor, rate: Tensor, scale: Tensor, update: Tensor) -> None:
        """The update of every parameter, by one function that may be compiled as a whole. See _apply."""
        self._apply(*self._states(self._parameters), gradients, norm, rate, scale, update)

    def _states(self, names: Iterable[str]) -> tuple[list[State], tuple[bool, ...]]:
        """What an update of these changes, and whether weight decay applies to each."""
        return [self._optimizer.state(name) for name in names], tuple(is_decayed(name) for name in names)

    def _apply(
        self,
        states: list[State],
        decayed: tuple[bool, ...],
        gradients: list[Tensor],
        norm: Tensor,
        rate: Tensor,
        scale: Tensor,
        update: Tensor,
    ) -> None:
        """Unscale, clip and update these parameters, where the whole gradient is finite.

        norm: of the whole gradient, unscaled, () float32. update: () int64, the number of this update, from 1.
        """

        def apply() -> None:
            factor = (_shrink(norm, self._clip_norm) if self._clip_norm else 1.0) / scale
            for state, gradient, with_decay in zip(states, gradients, decayed, strict=True):
                self._optimizer.change(state, gradient * factor, rate, update, decayed=with_decay)

        tf.cond(tf.math.is_finite(norm), apply, lambda: None)
