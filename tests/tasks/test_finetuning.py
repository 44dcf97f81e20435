"""Tests for bert/tasks/finetuning.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.model.parameters import classifier_shapes, pretraining_shapes
from bert.optim.settings import LossScaleSettings
from bert.pipeline.errors import StageError
from bert.tasks.finetuning import CLASSES, Finetuned, finetune, forward_classes, forward_spans, predict
from bert.training.batches import Arrays
from bert.training.loop import Run
from bert.training.world import World
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FIRST_WORD, FP32, make_batch, optimizer_settings

COUNT = 24
PRETRAINED = random_weights(pretraining_shapes(CONFIG), seed=1)


def arrays() -> Arrays:
    """Rows whose class is whether their second token is the first word of the vocabulary."""
    batch = make_batch(COUNT)
    labels = np.arange(COUNT) % 2
    batch["input_ids"][:, 1] = FIRST_WORD + labels
    return {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")} | {
        "labels": labels.astype(np.int32)
    }


def tuned_on(
    folder: Path, from_random: bool, epochs: float, peak_rate: float = 0.003, reinit_layers: int = 0
) -> Finetuned:
    return finetune(
        "glue@mrpc",
        "glue.mrpc",
        CLASSES,
        lambda config: classifier_shapes(config, 2),
        Model(CONFIG, PRETRAINED, folder / "vocab.txt"),
        from_random,
        arrays(),
        reinit_layers=reinit_layers,
        batch_size=8,
        epochs=epochs,
        peak_rate=peak_rate,
        warmup_proportion=0.1,
        optimizer=optimizer_settings(name="adamw"),
        loss_scale=LossScaleSettings(initial=1, growth_steps=1),
        dropout=0.1,
        max_skipped=1,
        precision=FP32,
        seed=3,
        scratch=folder / "scratch",
        world=World(),
        code={},
    )


def test_a_task_is_learned_from_the_given_encoder(tmp_path: Path) -> None:
    tuned = tuned_on(tmp_path, from_random=False, epochs=30, peak_rate=0.01)
    assert tuned.steps == 30 * COUNT / 8
    assert tuned.run.last["task_loss"] < 0.3  # chance: 0.69
    logits = predict(tuned, forward_classes, arrays(), 8, FP32, World())
    np.testing.assert_array_equal(logits.argmax(axis=1), arrays()["labels"])


@pytest.mark.parametrize("from_random", [False, True])
def test_the_encoder_is_the_given_one_and_in_the_control_is_not(tmp_path: Path, from_random: bool) -> None:
    tuned = tuned_on(tmp_path, from_random, epochs=0.1, peak_rate=1e-12)
    assert tuned.steps == 1
    weights = tuned.weights()
    assert weights.keys() == classifier_shapes(CONFIG, 2).keys()
    encoder = [name for name in weights if name.startswith("bert/") and name.endswith("kernel")]
    same = [bool(np.allclose(weights[name], PRETRAINED[name], atol=1e-6)) for name in encoder]
    assert same == [not from_random] * len(encoder)
    assert not np.allclose(weights["output_weights"], 0)


def test_reinit_layers_keeps_the_lower_layers_and_starts_the_top_and_the_pooler_anew(tmp_path: Path) -> None:
    weights = tuned_on(tmp_path, from_random=False, epochs=0.1, peak_rate=1e-12, reinit_layers=1).weights()
    top = f"bert/encoder/layer_{CONFIG.num_hidden_layers - 1}/"
    for name in (n for n in weights if n.startswith("bert/") and not n.endswith(("bias", "beta", "gamma"))):
        kept = bool(np.allclose(weights[name], PRETRAINED[name], atol=1e-6))
        assert kept == (not name.startswith((top, "bert/pooler/"))), name


def test_more_layers_to_start_anew_than_there_are_is_an_error(tmp_path: Path) -> None:
    layers = CONFIG.num_hidden_layers
    with pytest.raises(
        StageError, match=rf"glue\.mrpc\.reinit_layers is {layers + 1}, but the model has {layers} layers"
    ):
        tuned_on(tmp_path, from_random=False, epochs=1, reinit_layers=layers + 1)


@pytest.mark.parametrize("batch_size", [COUNT, 7, 1, 100])
def test_predictions_are_all_rows_in_order_whatever_the_batch(tmp_path: Path, batch_size: int) -> None:
    weights = PRETRAINED | {
        "cls/squad/output_weights": np.random.default_rng(0).standard_normal((2, 16)).astype(np.float32),
        "cls/squad/output_bias": np.zeros(2, np.float32),
    }
    found = predict(Finetuned(CONFIG, weights, Run([]), 0), forward_spans, arrays(), batch_size, FP32, World())
    whole = forward_spans(weights, CONFIG, {n: tf.constant(x) for n, x in arrays().items()}, tf.float32)
    assert found.shape == (COUNT, 2, 16)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5)
