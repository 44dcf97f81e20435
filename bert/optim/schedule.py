"""Learning rate: linear warm-up, then polynomial decay to 0 (B/optimization.py)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def learning_rate(step: Any, peak: float, warmup_steps: int, steps: int, power: float) -> Any:
    """The rate of optimizer step `step`, counted from 0.

    Rises to `peak` at the last warm-up step, then peak * (1 - share of the rest that is done) ** power. The reference
    lets the decay start at step 0, so that its rate drops at the end of the warm-up; ours has no such jump.

    Args:
        step: () integer tensor.

    Returns:
        () float32.
    """
    at = tf.cast(step, tf.float32)
    warm = (at + 1.0) / max(1, warmup_steps)
    done = tf.clip_by_value((at - warmup_steps) / max(1, steps - warmup_steps), 0.0, 1.0)
    return peak * tf.where(at < warmup_steps, warm, tf.pow(1.0 - done, power))
