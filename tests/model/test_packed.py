"""Packed rows: each sequence is to the model what it is alone (bert/model/encoder.py, losses.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from bert.examples.masking import Masker, Masks
from bert.examples.pairs import Pair
from bert.examples.rows import Layout, layout_rows
from bert.examples.sequences import Tokens
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.layers import own_sequence_positions
from bert.model.losses import pretraining_sums
from bert.model.parameters import pretraining_shapes
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FIRST_WORD, PIECES, tensors

LAYOUT = Layout(sequence_length=32, max_predictions=8, sequences=4, next_sentence=True, cls_id=2, sep_id=3)
MODEL = CONFIG.model_copy(update={"max_position_embeddings": 32})
WEIGHTS = random_weights(pretraining_shapes(MODEL), seed=1)
SIZES = [(9, 6), (3, 5), (14, 2), (1, 1), (2, 3), (20, 9)]
"""Tokens of the segments of six sequences."""
ROWS = [2, 3, 1]
"""How many of them each row holds: 18 + 11, 19 + 5 + 8 (no room left), 32 tokens."""


def sequences(seed: int = 0) -> tuple[list[Pair], Tokens, Masks]:
    rng = np.random.default_rng(seed)

    def words(size: int) -> np.ndarray:
        return rng.integers(FIRST_WORD, len(PIECES), size, dtype=np.int32)

    pairs = [Pair(words(a), words(b), int(rng.integers(2))) for a, b in SIZES]
    masker = Masker(0.2, 8, PIECES.index("[MASK]"), len(PIECES))
    tokens = Tokens.of(pairs, LAYOUT.cls_id, LAYOUT.sep_id)
    return pairs, tokens, masker(tokens, masker.draw(rng.bit_generator, len(tokens.flat)))


def packed_and_alone(layout: Layout = LAYOUT) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    pairs, tokens, masks = sequences()
    labels = [pair.label for pair in pairs]
    alone = replace(layout, sequences=1)
    return layout_rows(tokens, masks, labels, ROWS, layout), layout_rows(tokens, masks, labels, [1] * 6, alone)


def hidden_of(batch: dict[str, np.ndarray], packed: bool) -> np.ndarray:
    b = tensors(batch)
    ids = b["input_ids"], b["input_mask"], b["segment_ids"]
    return np.array(encode(WEIGHTS, MODEL, *ids, NoDropout(), tf.float32, packed))


def test_each_sequence_gets_the_hidden_states_that_it_has_alone() -> None:
    packed, alone = packed_and_alone()
    together, single = hidden_of(packed, True), hidden_of(alone, False)
    number = 0
    for row, count in enumerate(ROWS):
        for sequence in range(1, count + 1):
            place = packed["input_mask"][row] == sequence
            length = place.sum()
            np.testing.assert_array_equal(packed["input_ids"][row][place], alone["input_ids"][number, :length])
            np.testing.assert_allclose(together[row][place], single[number, :length], rtol=0, atol=2e-6)
            number += 1


def test_no_sequence_sees_another() -> None:
    packed, _ = packed_and_alone()
    changed = {name: values.copy() for name, values in packed.items()}
    changed["input_ids"][1, 3] += 1  # in the first of three
    before, after = hidden_of(packed, True), hidden_of(changed, True)
    own = packed["input_mask"][1] == 1
    assert (before[1][own] != after[1][own]).any(axis=-1).all()
    np.testing.assert_array_equal(before[1][~own], after[1][~own])


def test_positions_begin_anew_with_each_sequence() -> None:
    mask = tf.constant([[1, 1, 1, 2, 2, 3, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]])
    assert own_sequence_positions(mask).numpy().tolist() == [[0, 1, 2, 0, 1, 0, 0, 1], [0, 1, 2, 3, 4, 5, 6, 7]]


def with_gradients(batch: dict[str, np.ndarray], packed: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    variables = {name: tf.Variable(value) for name, value in WEIGHTS.items()}
    with tf.GradientTape() as tape:
        sums = pretraining_sums(variables, MODEL, tensors(batch), NoDropout(), tf.float32, packed)
        loss = sums["mlm_loss"] + sums.get("nsp_loss", 0.0)
    gradients = tape.gradient(loss, list(variables.values()))
    dense = {n: np.array(tf.convert_to_tensor(g)) for n, g in zip(variables, gradients, strict=True) if g is not None}
    return {name: float(value) for name, value in sums.items()}, dense


@pytest.mark.parametrize("next_sentence", [True, False])
def test_losses_counts_and_gradients_are_those_of_the_sequences_alone(next_sentence: bool) -> None:
    packed, alone = packed_and_alone(replace(LAYOUT, next_sentence=next_sentence))
    (sums, ours), (expected, theirs) = with_gradients(packed, True), with_gradients(alone, False)
    assert sums.keys() == expected.keys() and ("nsp_loss" in sums) == next_sentence
    assert sums == pytest.approx(expected, rel=1e-5)
    assert sums["rows"] == 6
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        np.testing.assert_allclose(ours[name], gradient, rtol=1e-4, atol=1e-4, err_msg=name)


def test_rows_that_fill_up_a_batch_count_for_nothing() -> None:
    packed, _ = packed_and_alone()
    filled = {name: np.pad(values, ((0, 2), (0, 0))) for name, values in packed.items()}
    sums, _ = with_gradients(filled, True)
    assert sums == pytest.approx(with_gradients(packed, True)[0], rel=1e-6)
