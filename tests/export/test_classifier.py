"""bert/export/classifier.py: strings to the rows, logits and labels of the stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert.export.classifier import Classifier, export_classifier
from bert.tasks.glue.examples import Example
from bert.tasks.glue.features import make_rows
from bert.training.objectives import classes, regression
from tests.export.models import classifying, task_of, texts

LABELS = ("no", "yes", "ÿ")
LENGTH = 12


@pytest.fixture(scope="module", params=[True, False], ids=["pair", "text"])
def is_pair(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module", params=[LABELS, ()], ids=["classes", "regression"])
def labels(request: pytest.FixtureRequest) -> tuple[str, ...]:
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.fixture(scope="module")
def classifier(vocab: Path, labels: tuple[str, ...], is_pair: bool) -> Any:
    """The stage's logits of pairs, and the exported model's signature of strings."""
    model = classifying(vocab, len(labels) or 1)
    tokenizer = model.tokenizer()
    forward = (classes(len(labels)) if labels else regression()).forward

    def by_the_stage(asked: list[tuple[str, str]]) -> np.ndarray:
        examples = [Example(n, a, b if is_pair else None, None) for n, (a, b) in enumerate(asked)]
        rows = make_rows(examples, tokenizer, max_seq_length=LENGTH)
        batch = {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids")}
        found: np.ndarray = forward(model.weights, model.config, batch, tf.float32).numpy()
        return found

    exported = Classifier(model, task_of(labels, is_pair), LENGTH)

    def served(asked: list[tuple[str, str]]) -> dict[str, np.ndarray]:
        a, b = ([*side] for side in zip(*asked, strict=True))
        found = exported.serve(a, b) if is_pair else exported.serve(a)
        return {name: values.numpy() for name, values in found.items()}

    return by_the_stage, served


@settings(max_examples=40, deadline=None)
@given(asked=st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
@example(asked=[("", ""), ("a b c d e f g h", ""), ("", "a b c d e f g h i j")])
@example(asked=[("a b c d e f g h", "a b c d e f g h i j"), ("a", "b c d e f g h i j a"), ("a b c d e f g h i j", "b")])
@example(asked=[(" ".join("abcdefgh"[:n]), "c") for n in range(1, 8)] * 12)
def test_the_stages_logits_are_served(classifier: Any, labels: tuple[str, ...], asked: list[tuple[str, str]]) -> None:
    by_the_stage, served = classifier
    logits, found = by_the_stage(asked), served(asked)
    if not labels:
        assert found.keys() == {"score"}
        np.testing.assert_allclose(found["score"], logits[:, 0], atol=1e-4)
        return
    shares = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(found["probabilities"], shares / shares.sum(1, keepdims=True), atol=1e-5)
    ranked = np.sort(logits, 1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-4
    expected = [labels[n] for n in logits.argmax(1)]
    assert [label.decode() for label, told_apart in zip(found["label"].tolist(), clear, strict=True) if told_apart] == [
        label for label, told_apart in zip(expected, clear, strict=True) if told_apart
    ]


def test_what_is_loaded_has_both_signatures_and_the_labels(
    vocab: Path, labels: tuple[str, ...], is_pair: bool, tmp_path: Path
) -> None:
    model = classifying(vocab, len(labels) or 1)
    export_classifier(model, task_of(labels, is_pair), LENGTH, tmp_path / "model")
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    strings, ids = loaded.signatures["serving_default"], loaded.signatures["ids"]
    assert set(strings.structured_input_signature[1]) == ({"text_a", "text_b"} if is_pair else {"text"})
    assert set(strings.structured_outputs) == ({"label", "probabilities"} if labels else {"score"})
    assert set(ids.structured_outputs) == ({"logits", "probabilities"} if labels else {"logits"})
    assert [label.decode() for label in loaded.labels.numpy().tolist()] == list(labels)
    for length in (4, 30):
        batch = {name: tf.ones([2, length], tf.int32) for name in ("input_ids", "input_mask", "segment_ids")}
        forward = (classes(len(labels)) if labels else regression()).forward
        expected = forward(model.weights, model.config, batch, tf.float32)
        np.testing.assert_allclose(ids(**batch)["logits"], expected, atol=1e-4)
