"""Learning rate: linear warm-up, then polynomial decay to 0.

The reference is NVIDIA DeepLearningExamples, TensorFlow/LanguageModeling/BERT/optimization.py.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert.optim.settings import DecayFrom


def learning_rate(step: Any, peak: float, warmup_steps: int, steps: int, power: float, decay_from: DecayFrom) -> Any:
    """The rate of optimizer step `step`, counted from 0.

    Rises to `peak` at the last warm-up step, then peak * (1 - share that is done) ** power. (The reference's warm-up is
    one step behind: its first rate is 0.)

    Args:
        step: () integer tensor.
        decay_from: the share is of the steps after the "warmup"; or of all steps, from the "start", as in the
            reference's LAMB: the rate drops at the end of the warm-up to peak * (1 - warmup_steps / steps) ** power.

    Returns:
        () float32.
    """
    at = tf.cast(step, tf.float32)
    warm = (at + 1.0) / max(1, warmup_steps)
    begin = warmup_steps if decay_from == "warmup" else 0
    done = tf.clip_by_value((at - begin) / max(1, steps - begin), 0.0, 1.0)
    return peak * tf.where(at < warmup_steps, warm, tf.pow(1.0 - done, power))
