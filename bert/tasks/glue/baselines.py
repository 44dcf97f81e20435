"""What a task scores without understanding: the floor that a model has to rise above.

majority: the most frequent training label, always. positive, where F1 is among the metrics: class 1, always, which may
well have a larger F1 than guesses that are right more often. overlap, for pairs with two labels: class 1 if the
sentences share enough words; the threshold, and which side of it is class 1, are those with the highest accuracy on the
training set.
Of a regression, whose constants correlate with nothing, there is overlap alone: the share itself. Of one on single
texts there is length: the number of words, or its negative where longer training texts have smaller numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bert.tasks.glue.examples import Example
from bert.tasks.glue.metrics import glue_scores
from bert.tasks.glue.task import Task

WORD = re.compile(r"\w+")


def baseline_scores(task: Task, train: Sequence[Example], dev: Sequence[Example]) -> dict[str, dict[str, float]]:
    """{baseline: {metric: per cent}} on `dev`; which ones there are depends on the task: see above."""
    if task.is_regression:
        expected = _numbers(dev)
        if task.is_pair:
            return {"overlap": glue_scores(task, expected, _overlaps(dev))}
        slope = np.cov(_lengths(train), _numbers(train))[0, 1]
        return {"length": glue_scores(task, expected, np.sign(slope) * _lengths(dev))}
    train_labels, dev_labels = _labels(train), _labels(dev)
    # argmax: of equally frequent labels the first.
    majority = int(np.bincount(train_labels, minlength=len(task.labels)).argmax())
    scores = {"majority": glue_scores(task, dev_labels, np.full_like(dev_labels, majority))}
    if "f1" in task.metrics:
        scores["positive"] = glue_scores(task, dev_labels, np.ones_like(dev_labels))
    if task.is_pair and len(task.labels) == 2:
        threshold, above = fit_threshold(_overlaps(train), train_labels)
        predicted = np.where(_overlaps(dev) >= threshold, above, 1 - above)
        scores["overlap"] = glue_scores(task, dev_labels, predicted)
    return scores


def word_overlap(text_a: str, text_b: str) -> float:
    """Shared words / all words of both, lower-cased, in [0, 1]: "A cat", "a dog" -> 1/3."""
    a, b = set(WORD.findall(text_a.lower())), set(WORD.findall(text_b.lower()))
    return len(a & b) / len(a | b) if a | b else 0.0


def fit_threshold(values: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> tuple[float, int]:
    """(threshold, above): `above` where value >= threshold, else 1 - above, is right most often; the lowest such one.

    values: (N,); labels: (N,) of 0 and 1; returns the class of the upper side as `above`
    """
    order = np.argsort(values, kind="stable")
    values, labels = values[order], labels[order]
    # One above all values would be the lowest one with its sides exchanged.
    candidates = np.unique(values)
    below = np.searchsorted(values, candidates)
    ones_below = np.concatenate([[0], np.cumsum(labels)])[below]
    right_if_ones_above = (below - ones_below) + (labels.sum() - ones_below)
    right = np.stack([right_if_ones_above, len(labels) - right_if_ones_above])
    above_zero, best = np.unravel_index(right.argmax(), right.shape)
    return float(candidates[best]), 0 if above_zero else 1


def _labels(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    return np.array([-1 if example.label is None else example.label for example in examples], np.int64)


def _numbers(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    return np.array([example.label for example in examples], np.float64)


def _lengths(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    return np.array([len(WORD.findall(example.text_a)) for example in examples], np.float64)


def _overlaps(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    return np.array([word_overlap(example.text_a, example.text_b or "") for example in examples])
