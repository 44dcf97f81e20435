"""Tests for bert/training/step.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.dropout import Dropout, NoDropout
from bert.model.encoder import encode, pool
from bert.model.heads import masked_lm_logits, next_sentence_logits
from bert.optim.settings import LossScaleSettings
from bert.training.precision import Precision
from bert.training.settings import MicroBatches
from bert.training.step import TrainStep
from bert.training.world import Split
from tests.training.tiny import (
    BF16,
    CONFIG,
    FP16,
    FP32,
    fresh_step,
    make_batch,
    make_step,
    take_steps,
    tensors,
    values_of,
)

ROWS = 8
WHOLE, IN_FOUR = Split(1, 1, ROWS), Split(1, 4, 2)
CLIP = 0.5  # below the norm of the first gradient
OVERFLOWING = LossScaleSettings(initial=2.0**40, growth_steps=1000)
HEART: dict[str, Any] = {"dropout": 0.0, "weight_decay": 0.0, "steps": 300, "warmup": 20, "peak": 0.02}

Gradients = dict[str, np.ndarray]


def given_to_optimizer(step: TrainStep) -> Gradients:
    """The gradients of the only update so far: the first moment is 1 - 0.9 of them."""
    assert int(step.updates) == 1
    return {name[2:]: v.numpy() / 0.1 for name, v in step.variables.items() if name.startswith("m/")}


@pytest.fixture(scope="module")
def unclipped() -> tuple[Gradients, dict[str, float]]:
    """The first gradient of one whole batch, with dropout, and the step's figures."""
    step = fresh_step(WHOLE, clip_norm=0.0)
    (figures,) = take_steps(step, range(1), ROWS)
    return given_to_optimizer(step), figures


def means_by_hand(step: TrainStep, batch: dict[str, Any], dropout: Any) -> tuple[Any, Any]:
    """Mean masked-LM loss over all predictions, and mean next-sentence loss over all rows."""
    weights = step.variables
    ids, mask, kinds = batch["input_ids"], batch["input_mask"], batch["segment_ids"]
    hidden = encode(weights, CONFIG, ids, mask, kinds, dropout, tf.float32)
    real = tf.reshape(batch["masked_lm_weights"], [-1]) > 0
    mlm = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.boolean_mask(tf.reshape(batch["masked_lm_ids"], [-1]), real),
        logits=tf.boolean_mask(masked_lm_logits(weights, CONFIG, hidden, batch["masked_lm_positions"]), real),
    )
    nsp = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=batch["next_sentence_labels"][:, 0], logits=next_sentence_logits(weights, pool(weights, hidden))
    )
    return tf.reduce_mean(mlm), tf.reduce_mean(nsp)


def loss_by_hand(step: TrainStep, batch: dict[str, Any], dropout: Any) -> Any:
    """The sum of the two."""
    return tf.add(*means_by_hand(step, batch, dropout))


def test_the_gradient_is_that_of_the_means_over_the_whole_batch(
    unclipped: tuple[Gradients, dict[str, float]],
) -> None:
    step, batch = fresh_step(WHOLE, clip_norm=0.0), tensors(make_batch(ROWS, seed=0))
    gradients, figures = unclipped
    variables = {name: step.variables[name] for name in gradients}
    with tf.GradientTape() as tape:
        loss = loss_by_hand(step, batch, Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64), ROWS))
    for name, expected in tape.gradient(loss, variables).items():
        np.testing.assert_allclose(gradients[name], tf.convert_to_tensor(expected), rtol=1e-4, atol=1e-6, err_msg=name)
    mlm, nsp = figures["mlm_loss"] / figures["predictions"], figures["nsp_loss"] / figures["rows"]
    assert mlm + nsp == pytest.approx(float(loss))
    # And dropout was on, in this test and in those that compare with it.
    dry = loss_by_hand(step, batch, NoDropout())
    assert float(dry) != pytest.approx(float(loss), rel=1e-4)


def test_micro_batches_equal_the_whole_batch_with_dropout_on() -> None:
    predictions = make_batch(ROWS, seed=0)["masked_lm_weights"].sum(axis=1)
    assert len(set(predictions.tolist())) > 2, "rows with as many predictions each would hide a mean of means"
    one, many = fresh_step(WHOLE, clip_norm=CLIP), fresh_step(IN_FOUR, clip_norm=CLIP)
    both = zip(take_steps(many, range(3), ROWS), take_steps(one, range(3), ROWS), strict=True)
    for ours, expected in both:
        assert ours == pytest.approx(expected, rel=1e-5)
    weights = values_of(many)
    for name, value in values_of(one).items():
        np.testing.assert_allclose(weights[name], value, rtol=2e-4, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("split", [WHOLE, IN_FOUR])
def test_the_accumulated_gradient_is_clipped_and_not_its_parts(
    unclipped: tuple[Gradients, dict[str, float]], split: Split
) -> None:
    gradients, norm = unclipped[0], unclipped[1]["grad_norm"]
    assert norm == pytest.approx(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients.values())), rel=1e-5)
    assert norm > 2 * CLIP, "or nothing would be clipped"
    step = fresh_step(split, clip_norm=CLIP)
    (figures,) = take_steps(step, range(1), ROWS)
    assert figures["grad_norm"] == pytest.approx(norm, rel=1e-5), "the figure is the norm before clipping"
    for name, ours in given_to_optimizer(step).items():
        np.testing.assert_allclose(ours, gradients[name] * CLIP / norm, rtol=1e-4, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(("mean", "clip"), [(True, False), (False, True), (True, True)])
def test_micro_batches_as_the_reference_has_them(mean: bool, clip: bool) -> None:
    batch = tensors(make_batch(ROWS, seed=0))
    predictions = float(tf.reduce_sum(batch["masked_lm_weights"]))
    step = make_step(IN_FOUR)
    variables = {n: v for n, v in step.variables.items() if n.startswith(("bert/", "cls/"))}
    parts, norms = [], []
    for k in range(4):
        micro = {name: values[2 * k : 2 * k + 2] for name, values in batch.items()}
        dropout = Dropout(1, tf.constant(0, tf.int64), tf.constant(2 * k, tf.int64), 2)
        with tf.GradientTape() as tape:
            mlm, nsp = means_by_hand(step, micro, dropout)
            own = float(tf.reduce_sum(micro["masked_lm_weights"])) / predictions
            loss = (mlm + nsp) / 4 if mean else mlm * own + nsp / 4
        found = {n: np.float64(tf.convert_to_tensor(g)) for n, g in tape.gradient(loss, variables).items()}
        parts.append(found)
        norms.append(float(np.sqrt(sum((g**2).sum() for g in found.values()))))
    bound = float(np.median(norms))  # some are clipped, some are not
    factors = [min(1.0, bound / norm) if clip else 1.0 for norm in norms]
    assert not clip or 1 < len(set(factors)) < 4

    parity = MicroBatches(rows=2, mean=mean, clip=clip)
    step = make_step(IN_FOUR, micro_batches=parity, clip_norm=bound if clip else 0.0)
    take_steps(step, range(1), ROWS)
    for name, ours in given_to_optimizer(step).items():
        expected = sum(factor * part[name] for factor, part in zip(factors, parts, strict=True))
        np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=1e-6, err_msg=name)


def test_a_micro_batch_without_predictions_has_no_loss_of_its_own() -> None:
    step = fresh_step(IN_FOUR, micro_batches=MicroBatches(rows=2, mean=True, clip=True))
    batch = make_batch(ROWS, seed=0)
    batch["masked_lm_weights"][2:4] = 0
    assert float(step(tensors(batch), tf.constant(0, tf.int64))["finite"]) == 1


def test_a_micro_batch_that_is_not_finite_skips_the_update_though_it_is_clipped() -> None:
    step = fresh_step(IN_FOUR, micro_batches=MicroBatches(rows=2, mean=True, clip=True))
    before, batch = values_of(step), make_batch(ROWS, seed=0)
    batch["masked_lm_weights"][3, 0] = np.nan
    assert float(step(tensors(batch), tf.constant(0, tf.int64))["finite"]) == 0
    for name, value in before.items():
        np.testing.assert_array_equal(step.variables[name].numpy(), value, err_msg=name)


def test_an_overflow_skips_the_update_and_halves_the_scale() -> None:
    step = fresh_step(Split(1, 2, ROWS // 2), precision=FP16, loss_scale=OVERFLOWING, clip_norm=0.0)
    before = values_of(step)
    (figures,) = take_steps(step, range(1), ROWS)
    assert (figures["finite"], figures["loss_scale"]) == (0, 2.0**40)
    now = values_of(step)
    assert float(now.pop("loss_scale/scale")) == float(before.pop("loss_scale/scale")) / 2
    for name, value in before.items():
        np.testing.assert_array_equal(now[name], value, err_msg=name)
    assert now["updates"] == 0


def test_after_overflows_training_goes_on_at_a_scale_that_fits(
    unclipped: tuple[Gradients, dict[str, float]],
) -> None:
    step = fresh_step(Split(1, 2, ROWS // 2), precision=FP16, loss_scale=OVERFLOWING, clip_norm=0.0)
    overflows = 0
    # Step 0 again and again: until its update is made, nothing has changed but the scale.
    while not (figures := take_steps(step, range(1), ROWS)[0])["finite"]:
        overflows += 1
        assert overflows < 40
    assert figures["loss_scale"] == 2.0 ** (40 - overflows)
    # The bias correction counts updates and not steps: a skipped step must not age the moments.
    assert int(step.updates) == 1
    check_close(given_to_optimizer(step), unclipped[0], 0.01)


def test_bfloat16_gradients_are_close_to_those_of_float32() -> None:
    figures, gradients = {}, {}
    for precision in (FP32, BF16):
        step = fresh_step(WHOLE, precision=precision, **HEART)
        figures[precision.name] = take_steps(step, range(1), ROWS)[0]
        gradients[precision.name] = given_to_optimizer(step)
    assert figures["bf16"]["grad_norm"] == pytest.approx(figures["fp32"]["grad_norm"], rel=0.03)
    check_close(gradients["bf16"], gradients["fp32"], 0.1)


def check_close(ours: Gradients, expected: Gradients, tolerance: float) -> None:
    """In direction and length, variable for variable."""
    for name, value in expected.items():
        if not name.endswith("key/bias"):  # 0 but for rounding: a softmax does not see what all its scores share
            error = np.linalg.norm(ours[name] - value) / np.linalg.norm(value)
            assert error < tolerance, f"{name} is off by {error:.1%}"


@pytest.mark.parametrize("precision", [FP32, BF16], ids=["fp32", "bf16"])
def test_one_batch_is_learned_by_heart(precision: Precision) -> None:
    step = fresh_step(WHOLE, precision=precision, **HEART)
    figures = take_steps(step, range(HEART["steps"]), ROWS, same_batch=True)
    losses = [t["mlm_loss"] / t["predictions"] + t["nsp_loss"] / t["rows"] for t in figures]
    assert losses[0] == pytest.approx(np.log(CONFIG.vocab_size) + np.log(2), rel=0.05), "knowing nothing"
    assert losses[-1] < 0.05
    assert figures[-1]["mlm_correct"] == figures[-1]["predictions"]
    assert figures[-1]["nsp_correct"] == ROWS


def test_all_layers_are_updated_by_one_program_and_what_is_no_layer_by_another() -> None:
    step = make_step(Split(1, 1, 4), precision=FP32)
    take_steps(step, range(2), 4)
    assert CONFIG.num_hidden_layers > 1 and step._update.experimental_get_tracing_count() == 2
