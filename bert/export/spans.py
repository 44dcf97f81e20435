"""Logits -> the best span of each question by the rules of `best_answers` and `with_null`, in a graph.

B questions, W windows, S positions, n n_best_size. Scores are sums of two logits, in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bert.tasks.squad.no_answer import NO_SPAN

Tensor = Any


def best_of_windows(
    start: Tensor, end: Tensor, may_start: Tensor, may_end: Tensor, *, n_best_size: int, max_answer_length: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Of each window the best span.

    Args:
        start, end: (W, S) logits.
        may_start, may_end: (W, S) bool.

    Returns:
        First and last position, (W,) int32; score (W,), -inf where there is no span.
    """
    starts, top_start = _top(start, may_start, n_best_size)
    ends, top_end = _top(end, may_end, n_best_size)
    length = ends[:, None, :] - starts[:, :, None] + 1
    fits = (length >= 1) & (length <= max_answer_length)
    score = tf.where(fits, top_start[:, :, None] + top_end[:, None, :], tf.constant(-np.inf, tf.float64))
    kept = tf.shape(starts)[1]
    flat = tf.reshape(score, [-1, kept**2])
    best = tf.argmax(flat, 1, output_type=tf.int32)  # of equals the first, as there
    first, last = tf.gather(starts, best // kept, batch_dims=1), tf.gather(ends, best % kept, batch_dims=1)
    return first, last, tf.gather(flat, best, batch_dims=1)


def _top(logits: Tensor, allowed: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(W, n) positions of the highest allowed logits, and these in float64; -inf where fewer are allowed."""
    masked = tf.where(allowed, tf.cast(logits, tf.float64), tf.constant(-np.inf, tf.float64))
    best = tf.math.top_k(masked, tf.minimum(count, tf.shape(masked)[1]))
    return best.indices, best.values


def best_of_questions(score: Tensor, question: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each question the window with the best span, of equal ones the first.

    Args:
        score: (W,) of the best span of each window.
        question: (W,) int32, whose it is.
        count: B.

    Returns:
        window (B,) int32, 0 where there is none; whether there is any span (B,); its score (B,), NO_SPAN for none:
        JSON, by which models are served, has no infinity.
    """
    best = tf.math.unsorted_segment_max(score, question, count)
    exists, none = best >= NO_SPAN, tf.size(score)
    is_best = (score == tf.gather(best, question)) & tf.math.is_finite(score)
    window = tf.math.unsorted_segment_min(tf.where(is_best, tf.range(none), none), question, count)
    return tf.where(exists, window, 0), exists, tf.maximum(best, tf.constant(NO_SPAN, tf.float64))


def null_scores(null: Tensor, question: Tensor, count: Tensor) -> Tensor:
    """(B,) the null answer's score, that of the window that is surest of an answer; 0 where there is no window.

    null: (W,) the sum of the two logits at [CLS].
    """
    lowest = tf.math.unsorted_segment_min(null, question, count)
    windows = tf.math.unsorted_segment_sum(tf.ones_like(question), question, count)
    return tf.where(windows > 0, lowest, tf.zeros([], tf.float64))
