"""Tests for bert/tasks/finetuning.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.inference.settings import EngineName
from bert.model.parameters import classifier_shapes, pretraining_shapes
from bert.optim.settings import LossScaleSettings
from bert.pipeline.errors import StageError
from bert.tasks.finetuning import Finetuned, FineTuning
from bert.tasks.settings import FinetuneParams, FinetuneSettings, GlueTaskSettings
from bert.training.batches import Arrays, array_batches
from bert.training.context import Context
from bert.training.loop import Run
from bert.training.objectives import TaskObjective, classes, regression, spans
from bert.training.settings import ComputeSettings
from bert.training.world import Split, World
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FIRST_WORD, make_batch, optimizer_settings

COUNT = 24
WHOLE = Split(1, 1, 8)
COMPUTE = ComputeSettings(precision="fp32", xla=False, deterministic=True, attention="auto", allreduce="fp32")
TWO_CLASSES = classes(2)
PRETRAINED = random_weights(pretraining_shapes(CONFIG), seed=1)
LAST = "bert/encoder/layer_1/output/dense/kernel"


def arrays() -> Arrays:
    """Rows whose class is whether their second token is the first word of the vocabulary."""
    batch = make_batch(COUNT)
    labels = np.arange(COUNT) % 2
    batch["input_ids"][:, 1] = FIRST_WORD + labels
    return {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")} | {
        "labels": labels.astype(np.int32)
    }


def of_many_lengths() -> Arrays:
    """The same rows, of 2 to 16 tokens."""
    tokens = np.random.Generator(np.random.Philox(3)).integers(2, 17, COUNT)
    mask = (np.arange(16) < tokens[:, None]).astype(np.int32)
    return {name: x * mask if x.ndim > 1 else x for name, x in arrays().items()} | {"input_mask": mask}


def fine_tuning(
    folder: Path,
    epochs: float,
    peak_rate: float = 0.003,
    reinit_layers: int = 0,
    objective: TaskObjective = TWO_CLASSES,
    length: int = 16,
    pretrained: dict[str, np.ndarray] = PRETRAINED,
    group_by_length: bool = False,
    split: Split = WHOLE,
    engine: EngineName = "tensorflow",
) -> FineTuning:
    """Of the pretrained model."""
    task = GlueTaskSettings(
        max_seq_length=length,
        epochs=epochs,
        batch_size=8,
        learning_rate=peak_rate,
        warmup_proportion=0.1,
        reinit_layers=reinit_layers,
    )
    shared = FinetuneSettings(
        init="phase1",
        optimizer=optimizer_settings(name="adamw"),
        loss_scale=LossScaleSettings(initial=1, growth_steps=1),
        dropout=0.1,
        attention_dropout=None,
        max_skipped=1,
        group_by_length=group_by_length,
    )
    params = FinetuneParams("glue.mrpc", task, shared, COMPUTE, seed=3, engine=engine)
    start = Model(CONFIG, pretrained, folder / "vocab.txt")
    context = Context(folder / "scratch", World(), split, save_seconds=0.0)
    return FineTuning("glue@mrpc", objective, start, params, context)


def test_a_task_is_learned_from_the_given_encoder(tmp_path: Path) -> None:
    tuning = fine_tuning(tmp_path, epochs=30, peak_rate=0.01)
    tuned = tuning.tune(arrays())
    assert tuned.steps == 30 * COUNT / 8
    assert tuned.run.last["task_loss"] < 0.3  # chance: 0.69
    logits = tuning.predict(tuned, arrays(), 8)
    np.testing.assert_array_equal(logits.argmax(axis=1), arrays()["labels"])


def test_openvino_predicts_what_tensorflow_does(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
    tuning = fine_tuning(tmp_path, epochs=3, engine="openvino")
    tuned = tuning.tune(of_many_lengths())
    logits = tuning.predict(tuned, of_many_lengths(), 8)
    by_tensorflow = fine_tuning(tmp_path, epochs=3)
    np.testing.assert_allclose(logits, by_tensorflow.predict(tuned, of_many_lengths(), 8), atol=1e-5)


def test_numbers_are_learned_by_heart(tmp_path: Path) -> None:
    numbers = arrays() | {"labels": (arrays()["labels"] * 2 - 1).astype(np.float32)}
    tuning = fine_tuning(tmp_path, epochs=30, peak_rate=0.01, objective=regression())
    tuned = tuning.tune(numbers)
    assert tuned.weights()["output_weights"].shape == (1, CONFIG.hidden_size)
    assert tuned.run.last["task_loss"] < 0.1  # the mean for all: 1
    found = tuning.predict(tuned, numbers, 8)
    assert found.shape == (COUNT, 1)
    assert np.abs(found[:, 0] - numbers["labels"]).max() < 0.2


def test_the_encoder_is_the_given_one_and_the_head_is_new(tmp_path: Path) -> None:
    tuned = fine_tuning(tmp_path, epochs=0.1, peak_rate=1e-12).tune(arrays())
    assert tuned.steps == 1
    weights = tuned.weights()
    assert weights.keys() == classifier_shapes(CONFIG, 2).keys()
    encoder = [name for name in weights if name.startswith("bert/") and name.endswith("kernel")]
    same = [bool(np.allclose(weights[name], PRETRAINED[name], atol=1e-6)) for name in encoder]
    assert all(same)
    assert not np.allclose(weights["output_weights"], 0)


def test_reinit_layers_keeps_the_lower_layers_and_starts_the_top_and_the_pooler_anew(tmp_path: Path) -> None:
    weights = fine_tuning(tmp_path, epochs=0.1, peak_rate=1e-12, reinit_layers=1).tune(arrays()).weights()
    top = f"bert/encoder/layer_{CONFIG.num_hidden_layers - 1}/"
    for name in (n for n in weights if n.startswith("bert/") and not n.endswith(("bias", "beta", "gamma"))):
        kept = bool(np.allclose(weights[name], PRETRAINED[name], atol=1e-6))
        assert kept == (not name.startswith((top, "bert/pooler/"))), name


def test_more_layers_to_start_anew_than_there_are_is_an_error(tmp_path: Path) -> None:
    layers = CONFIG.num_hidden_layers
    with pytest.raises(
        StageError, match=rf"glue\.mrpc\.reinit_layers is {layers + 1}, but the model has {layers} layers"
    ):
        fine_tuning(tmp_path, epochs=1, reinit_layers=layers + 1)


def test_a_model_without_a_pooler_begins_with_a_new_one(tmp_path: Path) -> None:
    without = {name: value for name, value in PRETRAINED.items() if not name.startswith("bert/pooler/")}
    weights = fine_tuning(tmp_path, epochs=0.1, peak_rate=1e-12, pretrained=without).tune(arrays()).weights()
    assert weights.keys() == classifier_shapes(CONFIG, 2).keys()
    assert 0.01 < np.std(weights["bert/pooler/dense/kernel"]) < 0.03  # initializer_range 0.02, cut at two of it
    np.testing.assert_allclose(weights[LAST], PRETRAINED[LAST], atol=1e-6)


def test_rows_longer_than_the_models_positions_are_an_error(tmp_path: Path) -> None:
    fine_tuning(tmp_path, epochs=1, length=CONFIG.max_position_embeddings)
    with pytest.raises(StageError, match=r"glue\.mrpc\.max_seq_length is 17, but the model has positions for 16"):
        fine_tuning(tmp_path, epochs=1, length=17)


@pytest.mark.parametrize("batch_size", [COUNT, 7, 1, 100])
def test_predictions_are_all_rows_in_order_whatever_the_batch(tmp_path: Path, batch_size: int) -> None:
    weights = PRETRAINED | {
        "cls/squad/output_weights": np.random.default_rng(0).standard_normal((2, 16)).astype(np.float32),
        "cls/squad/output_bias": np.zeros(2, np.float32),
    }
    tuning = fine_tuning(tmp_path, epochs=1, objective=spans())
    found = tuning.predict(Finetuned(CONFIG, weights, Run([]), 0), arrays(), batch_size)
    whole = spans().forward(weights, CONFIG, {n: tf.constant(x) for n, x in arrays().items()}, tf.float32)
    assert found.shape == (COUNT, 2, 16)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("head", ["spans", "classes"])
def test_predictions_are_the_same_without_the_padding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    rows = of_many_lengths()
    mask = rows["input_mask"]
    objective = spans() if head == "spans" else TWO_CLASSES
    tuned = Finetuned(CONFIG, random_weights(objective.shapes(CONFIG), seed=2), Run([]), 0)
    whole = fine_tuning(tmp_path, epochs=1, objective=objective).predict(tuned, rows, 3)
    lengths: list[int] = []

    def seen(weights: Any, config: Any, batch: Any, dtype: Any) -> Any:
        lengths.append(batch["input_ids"].shape[1])
        return objective.forward(weights, config, batch, dtype)

    monkeypatch.setattr("bert.tasks.length_buckets.WORTH_BATCHES", 0)
    tuning = fine_tuning(tmp_path, epochs=1, objective=replace(objective, forward=seen))
    short = tuning.predict(tuned, rows, 3)
    assert set(lengths) == {8, 16}
    assert short.shape == whole.shape and short.dtype == whole.dtype == np.float32
    inside = np.broadcast_to(mask[:, None, :] != 0, whole.shape) if head == "spans" else np.ones_like(whole, bool)
    np.testing.assert_allclose(short[inside], whole[inside], rtol=0, atol=1e-5)
    assert np.abs(whole[inside]).max() > 0.1, "of zeros this would prove nothing"


class Killed(Exception):
    """Stands for the end of a process."""


def tuned_in_groups(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    split: Split = WHOLE,
    killed_at: int | None = None,
) -> tuple[Finetuned, list[int]]:
    """Four epochs of three steps each, with dropout; and the lengths of the batches of this process."""
    lengths: list[int] = []

    def batches(*given: Any) -> Iterator[Any]:
        for number, batch in enumerate(array_batches(*given), given[2]):
            if number == killed_at:
                raise Killed
            lengths.append(batch["input_ids"].shape[1])
            yield batch

    monkeypatch.setattr("bert.tasks.length_buckets.WORTH_BATCHES", 0)
    monkeypatch.setattr("bert.tasks.finetuning.array_batches", batches)
    return fine_tuning(folder, epochs=4, group_by_length=True, split=split).tune(of_many_lengths()), lengths


@pytest.mark.slow
def test_training_in_groups_of_like_length_goes_on_to_the_same_bits_and_micro_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, lengths = tuned_in_groups(tmp_path / "whole", monkeypatch)
    assert set(lengths) == {8, 16} and len(lengths) == whole.steps == 12
    firsts = {lengths.index(8), lengths.index(16)}
    assert whole.run.compiled == firsts, "each length once"
    # Killed where the next batch is of another length than the last.
    change = next(n for n in range(5, 12) if lengths[n] != lengths[n - 1])
    with pytest.raises(Killed):
        tuned_in_groups(tmp_path / "cut", monkeypatch, killed_at=change)
    resumed, rest = tuned_in_groups(tmp_path / "cut", monkeypatch)
    assert resumed.run.resumed_from == change and rest == lengths[change:]
    assert resumed.run.curve == whole.run.curve
    for name, value in whole.weights().items():
        np.testing.assert_array_equal(resumed.weights()[name], value, err_msg=name)
    in_two, same_lengths = tuned_in_groups(tmp_path / "micro", monkeypatch, Split(1, 2, 4))
    assert same_lengths == lengths
    ours, theirs = (np.array([row.split("\t") for row in run.curve[1:]], float) for run in (in_two.run, whole.run))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
