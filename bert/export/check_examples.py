"""An exported classifier, asked about all examples whose labels were predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  its operations are in the SavedModel

from bert.checkpoints.folder import Model
from bert.export.agreement import ROUNDING, Served, Shortfall, compare
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8
from bert.tasks.glue.examples import Example
from bert.tasks.glue.features import make_rows
from bert.tasks.glue.task import Task
from bert.training.objectives import classes, regression

BATCH = 64
# Predicted numbers are written with three digits.
HALF_A_DIGIT = 0.0005
# How far off a number may be that was predicted in another precision than float32, where next to none is the same. Each
# time that bfloat16 rounds a 5, the largest label, it is off by up to 0.016.
OTHER_PRECISION = 0.1


def check_examples(
    folder: Path,
    model: Model,
    task: Task,
    max_seq_length: int,
    examples: Mapping[str, Sequence[Example]],
    predicted: Mapping[str, Mapping[int, str]],
    precision: str,
) -> dict[str, Any]:
    """The figures of `compare`.

    Args:
        folder: of the SavedModel of `model`.
        examples: {dev set: its examples}.
        predicted: {dev set: {index of an example: its label or number}}, made in `precision`.

    Raises:
        StageError: as `compare`; an example without a prediction.
    """
    for dev, asked in examples.items():
        if absent := [example.index for example in asked if example.index not in predicted[dev]]:
            raise StageError(
                f"{len(absent)} of {len(asked)} examples of {dev} have no prediction, row {absent[0]} for one",
                run=f"dvc repro glue@{task.name}",
            )
    everything = [(dev, example) for dev, asked in examples.items() for example in asked]
    served = _served(folder, [example for _, example in everything], task)
    answers = [
        Served(f"row {example.index} of {dev}", answer, predicted[dev][example.index])
        for (dev, example), answer in zip(everything, served, strict=True)
    ]

    def ask_again(numbers: Sequence[int]) -> Iterator[Shortfall]:
        rows = make_rows([everything[n][1] for n in numbers], model.tokenizer(), max_seq_length=max_seq_length)
        forward = (regression() if task.is_regression else classes(len(task.labels))).forward
        for at in range(0, len(rows), BATCH):
            names = ("input_ids", "input_mask", "segment_ids")
            batch = {name: tf.constant(getattr(rows, name)[at : at + BATCH]) for name in names}
            for logits in forward(model.weights, model.config, batch, tf.float32).numpy():
                yield _shortfall(logits, task)

    return compare(
        answers,
        ask_again,
        precision=precision,
        stage=f"export_glue@{task.name}",
        made_by=f"glue@{task.name}",
        tolerance=ROUNDING if task.labels or precision == "fp32" else OTHER_PRECISION,
    )


def read_predictions(path: Path, made_by: str) -> dict[int, str]:
    """{index: label or number} of a file that `write_predictions` wrote.

    Raises:
        StageError: there is no such file, or it is none of these.
    """
    try:
        header, *lines = read_utf8(path, made_by).removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise StageError(f"{path}: no such file", run=made_by) from None
    rows = [line.split("\t") for line in lines]
    if header != "index\tprediction" or not all(len(row) == 2 and row[0].isdecimal() for row in rows):
        raise StageError(f"{path}: expected lines of an index and a prediction below that header", run=made_by)
    return {int(index): label for index, label in rows}


def _served(folder: Path, examples: Sequence[Example], task: Task) -> Iterator[str]:
    tf.config.experimental.enable_tensor_float_32_execution(False)  # a GPU would round more
    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    for at in range(0, len(examples), BATCH):
        asked = examples[at : at + BATCH]
        a = tf.constant([example.text_a for example in asked])
        if asked[0].text_b is None:
            found = serve(text=a)
        else:
            found = serve(text_a=a, text_b=tf.constant([example.text_b for example in asked]))
        if not task.is_regression:
            yield from (label.decode() for label in found["label"].numpy().tolist())
        else:
            yield from (f"{number:.3f}" for number in found["score"].numpy().tolist())


def _shortfall(logits: np.ndarray, task: Task) -> Shortfall:
    """Of a number, how far from it more than the digits say. logits: (L,)"""
    if task.is_regression:
        return lambda answer: max(0.0, abs(float(answer) - float(logits[0])) - HALF_A_DIGIT)
    scores = dict(zip(task.labels, logits.tolist(), strict=True))
    return lambda answer: float(logits.max()) - scores.get(answer, -inf)
