"""Questions and contexts -> the windows of `make_windows` (bert/tasks/squad/features.py), in a graph.

B questions with a context each, W windows, T tokens of all contexts together. All integers are int32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert.export.rows import Segment
from bert.export.tokenizer import TextTokens
from bert.tasks.settings import SquadSettings

Tensor = Any


@dataclass(frozen=True)
class Windows:
    """Of all questions.

    Attributes:
        question: (W,) whose a window is; a question's windows stand together, in the order of the text
        query: the tokens of the question
        part: those of the context
        shown_best: (T,) which window shows most of a token's surroundings
    """

    question: Tensor
    query: Segment
    part: Segment
    shown_best: Tensor


def make_windows(query: Segment, context: TextTokens, settings: SquadSettings) -> Windows:
    """The windows of all questions. query: (B,) stretches, of any length."""
    query_length = tf.minimum(query.length, settings.max_query_length)
    room = settings.max_seq_length - query_length - 3
    stride = tf.minimum(settings.doc_stride, room)
    further = tf.maximum(context.count - room, 0)
    count = tf.where(context.count > 0, 1 + -(-further // stride), 0)
    question, order = _repeated(count)
    first = order * tf.gather(stride, question)
    length = tf.minimum(tf.gather(context.count, question) - first, tf.gather(room, question))
    part = Segment(context.ids, tf.gather(context.first, question) + first, length)
    of_window = Segment(query.ids, query.first, query_length).of(question)
    return Windows(question, of_window, part, _shown_best(part, tf.size(context.ids)))


def _shown_best(part: Segment, tokens: Tensor) -> Tensor:
    """By the rule of `Windows.max_context_mask`; of equal windows the first."""
    window, from_left = _repeated(part.length)
    length = tf.gather(part.length, window)
    score = 100 * tf.minimum(from_left, length - 1 - from_left) + length
    token = tf.gather(part.first, window) + from_left
    best = tf.math.unsorted_segment_max(score, token, tokens)
    none = tf.size(part.length)
    return tf.math.unsorted_segment_min(tf.where(score == tf.gather(best, token), window, none), token, tokens)


def _repeated(count: Tensor) -> tuple[Tensor, Tensor]:
    """[2, 0, 3] -> [0, 0, 2, 2, 2] and [0, 1, 0, 1, 2]."""
    owner = tf.repeat(tf.range(tf.size(count)), count)
    return owner, tf.range(tf.size(owner)) - tf.gather(tf.cumsum(count, exclusive=True), owner)
