"""Dynamic loss scaling, so that small gradients survive float16 (Micikevicius et al. 2018, 3.2)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert.optim.settings import LossScaleSettings


class LossScale:
    """The factor on the loss, as a variable; constantly 1 where the precision needs none (`settings` None)."""

    def __init__(self, settings: LossScaleSettings | None) -> None:
        self._settings = settings
        self.scale = tf.Variable(settings.initial if settings else 1.0, dtype=tf.float32, name="loss_scale")
        self.good_steps = tf.Variable(0, dtype=tf.int64, name="good_steps")

    @property
    def variables(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {"loss_scale/scale": self.scale, "loss_scale/good_steps": self.good_steps}

    def update(self, finite: Any) -> None:
        """Halve after an overflow, double after `growth_steps` good steps in a row. finite: () bool."""
        if self._settings is None:
            return
        good = tf.where(finite, self.good_steps + 1, 0)
        grow = good >= self._settings.growth_steps
        shrunk = tf.maximum(self.scale / 2, 1.0)
        self.scale.assign(tf.where(finite, tf.where(grow, self.scale * 2, self.scale), shrunk))
        self.good_steps.assign(tf.where(grow, tf.zeros_like(good), good))
