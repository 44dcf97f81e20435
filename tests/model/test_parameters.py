"""Tests for bert/model/parameters.py."""

from __future__ import annotations

import math

import numpy as np

from bert.model.config import BertConfig
from bert.model.parameters import (
    Shapes,
    classifier_shapes,
    encoder_shapes,
    initial_value,
    make_parameters,
    pretraining_shapes,
    squad_shapes,
)
from tests.training.tiny import CONFIG

BASE = BertConfig.named("base", 30522)
LARGE = BertConfig.named("large", 30522)


def count(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def test_names_and_shapes_are_those_of_the_published_base_checkpoint() -> None:
    # Copied by hand from the listing of uncased_L-12_H-768_A-12/bert_model.ckpt.
    published = {
        "bert/embeddings/LayerNorm/beta": (768,),
        "bert/embeddings/position_embeddings": (512, 768),
        "bert/embeddings/token_type_embeddings": (2, 768),
        "bert/embeddings/word_embeddings": (30522, 768),
        "bert/encoder/layer_0/attention/output/LayerNorm/gamma": (768,),
        "bert/encoder/layer_0/attention/output/dense/kernel": (768, 768),
        "bert/encoder/layer_0/attention/self/key/bias": (768,),
        "bert/encoder/layer_0/attention/self/query/kernel": (768, 768),
        "bert/encoder/layer_11/attention/self/value/kernel": (768, 768),
        "bert/encoder/layer_11/intermediate/dense/bias": (3072,),
        "bert/encoder/layer_11/intermediate/dense/kernel": (768, 3072),
        "bert/encoder/layer_11/output/LayerNorm/beta": (768,),
        "bert/encoder/layer_11/output/dense/kernel": (3072, 768),
        "bert/pooler/dense/bias": (768,),
        "bert/pooler/dense/kernel": (768, 768),
        "cls/predictions/output_bias": (30522,),
        "cls/predictions/transform/LayerNorm/gamma": (768,),
        "cls/predictions/transform/dense/kernel": (768, 768),
        "cls/seq_relationship/output_bias": (2,),
        "cls/seq_relationship/output_weights": (2, 768),
    }
    shapes = pretraining_shapes(BASE)
    assert {name: shapes.get(name) for name in published} == published
    # 5 of the embeddings, 16 of each of 12 layers, 2 of the pooler, 5 and 2 of the heads.
    assert len(shapes) == 5 + 12 * 16 + 2 + 5 + 2


def test_sizes_are_the_published_110_and_340_million() -> None:
    h, i, v = 768, 3072, 30522
    embeddings = (v + 512 + 2) * h + 2 * h
    layer = 4 * (h * h + h) + 2 * h + (h * i + i) + (i * h + h) + 2 * h
    pooler = h * h + h
    heads = (h * h + h) + 2 * h + v + 2 * h + 2
    # The encoder's number is also that of the `transformers` model of the same name.
    assert count(encoder_shapes(BASE)) == embeddings + 12 * layer + pooler == 109_482_240
    assert count(pretraining_shapes(BASE)) == embeddings + 12 * layer + pooler + heads == 110_106_428
    assert count(encoder_shapes(LARGE)) == 335_141_888
    assert count(pretraining_shapes(LARGE)) == 336_226_108


def test_task_heads_add_one_matrix_and_one_bias() -> None:
    encoder = encoder_shapes(CONFIG)
    assert squad_shapes(CONFIG).items() - encoder.items() == {
        ("cls/squad/output_weights", (2, 16)),
        ("cls/squad/output_bias", (2,)),
    }
    assert classifier_shapes(CONFIG, 3).items() - encoder.items() == {
        ("output_weights", (3, 16)),
        ("output_bias", (3,)),
    }


def test_matrices_begin_truncated_normal_biases_0_and_gammas_1() -> None:
    kernel = initial_value("bert/encoder/layer_0/intermediate/dense/kernel", (256, 1024), 0.02, seed=1)
    assert np.abs(kernel).max() <= 0.04 + 1e-6  # cut at two standard deviations
    # Cut there, a normal distribution keeps 0.8796 of its standard deviation.
    assert abs(kernel.std() - 0.8796 * 0.02) < 1e-4
    assert abs(kernel.mean()) < 2e-4
    assert not initial_value("bert/pooler/dense/bias", (4,), 0.02, 1).any()
    assert not initial_value("cls/predictions/output_bias", (4,), 0.02, 1).any()
    assert not initial_value("bert/embeddings/LayerNorm/beta", (4,), 0.02, 1).any()
    assert (initial_value("bert/embeddings/LayerNorm/gamma", (4,), 0.02, 1) == 1).all()


def test_initial_weights_depend_on_seed_and_name_and_not_on_their_neighbours() -> None:
    name, shape = "bert/encoder/layer_1/output/dense/kernel", (32, 16)
    alone = make_parameters({name: shape}, CONFIG, seed=1)[name].numpy()
    among = make_parameters(pretraining_shapes(CONFIG), CONFIG, seed=1)[name].numpy()
    np.testing.assert_array_equal(alone, among)
    assert (alone != initial_value(name, shape, 0.02, seed=2)).any()
    assert (alone != initial_value(name.replace("layer_1", "layer_0"), shape, 0.02, seed=1)).any()


def test_given_weights_are_taken_and_the_rest_is_initialised() -> None:
    given = {"bert/pooler/dense/kernel": np.full((16, 16), 3, np.float32)}
    made = make_parameters(squad_shapes(CONFIG), CONFIG, 1, given)
    assert (made["bert/pooler/dense/kernel"].numpy() == 3).all()
    assert (made["cls/squad/output_weights"].numpy() != 0).any()
