"""LAMB and AdamW: one update from clipped, averaged gradients, on float32 weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from bert.model.fused import barrier
from bert.optim.settings import OptimizerSettings

Tensor = Any
# Not decayed: exclude_from_weight_decay in
# NVIDIA DeepLearningExamples, TensorFlow/LanguageModeling/BERT/optimization.py.
NOT_DECAYED = ("LayerNorm", "layer_norm", "bias")


def norm(x: Tensor) -> Tensor:
    """The Euclidean norm of a parameter or of what changes it, () float32.

    In two steps, kept apart: XLA's CPU compiler vectorises a sum over rows, but none over everything.
    """
    squares = tf.square(x)
    return tf.sqrt(tf.reduce_sum(barrier(tf.reduce_sum(squares, 0))[0] if x.shape.rank > 1 else squares))


def is_decayed(name: str) -> bool:
    """Whether weight decay applies to the variable `name`."""
    return not any(part in name for part in NOT_DECAYED)


class State(NamedTuple):
    """Of one parameter: its variable, and those of its gradient's first and second moment. float32, of one shape."""

    parameter: Any
    m: Any
    v: Any


class Optimizer(ABC):
    """First and second moments of every parameter, as variables `m/<name>` and `v/<name>`."""

    def __init__(self, parameters: Mapping[str, Any], settings: OptimizerSettings) -> None:
        self._parameters, self._settings = dict(parameters), settings
        self.slots = {
            f"{slot}/{name}": tf.Variable(tf.zeros_like(p), name=f"{slot}/{name}")
            for name, p in self._parameters.items()
            for slot in ("m", "v")
        }

    def state(self, name: str) -> State:
        """What an update of the parameter `name` changes."""
        return State(self._parameters[name], self.slots[f"m/{name}"], self.slots[f"v/{name}"])

    def apply(self, gradients: Mapping[str, Tensor], learning_rate: Tensor, update: Tensor) -> None:
        """Change the parameters that `gradients` names by one update.

        Args:
            gradients: {name: float32, the parameter's shape}.
            learning_rate: () float32.
            update: () number of this update, from 1: with 0 the bias correction would divide 0 by 0.
        """
        for name, gradient in gradients.items():
            self.change(self.state(name), gradient, learning_rate, update, decayed=is_decayed(name))

    def change(self, state: State, gradient: Tensor, learning_rate: Tensor, update: Tensor, *, decayed: bool) -> None:
        """Change one parameter and its moments, see `apply`. Nothing depends on which one it is."""
        s, (parameter, m, v) = self._settings, state
        t = tf.cast(update, tf.float32)
        m.assign(s.beta1 * m + (1 - s.beta1) * gradient)
        v.assign(s.beta2 * v + (1 - s.beta2) * tf.square(gradient))
        mean = m / (1 - tf.pow(s.beta1, t)) if s.bias_correction else m
        square = v / (1 - tf.pow(s.beta2, t)) if s.bias_correction else v
        root = tf.sqrt(square + s.epsilon) if s.epsilon_inside_root else tf.sqrt(square) + s.epsilon
        direction = mean / root
        if decayed:
            direction += s.weight_decay * parameter
        parameter.assign_sub(learning_rate * self._trust(parameter, direction, decayed=decayed) * direction)

    @abstractmethod
    def _trust(self, parameter: Tensor, direction: Tensor, *, decayed: bool) -> Tensor:
        """Factor on the parameter's learning rate, () float32."""


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2); BERT's has no bias correction."""

    def _trust(self, parameter: Tensor, direction: Tensor, *, decayed: bool) -> Tensor:
        return tf.constant(1.0)


class Lamb(Optimizer):
    """LAMB (You et al. 2020, algorithm 2), the ratio of norms unclamped: NVLAMB where it is on all parameters.

    A parameter that is zero has the ratio 1: biases start there and stay small. LayerNorm's gammas have a large norm:
    a step moves as large a share of them as of a matrix.
    """

    def _trust(self, parameter: Tensor, direction: Tensor, *, decayed: bool) -> Tensor:
        if self._settings.trust_ratio == "decayed" and not decayed:
            return tf.constant(1.0)
        weight_norm, direction_norm = norm(parameter), norm(direction)
        usable = tf.logical_and(weight_norm > 0, direction_norm > 0)
        return tf.where(usable, weight_norm / tf.where(usable, direction_norm, 1.0), 1.0)


def make_optimizer(parameters: Mapping[str, Any], settings: OptimizerSettings) -> Optimizer:
    """The optimizer that the settings name."""
    kinds: dict[str, type[Optimizer]] = {"lamb": Lamb, "adamw": AdamW}
    return kinds[settings.name](parameters, settings)
