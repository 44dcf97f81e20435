"""Tests for bert/checkpoints/heads.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.heads import HEADS, has_pooler, head_shapes, heads_in, labels_in
from bert.model.parameters import classifier_shapes, encoder_shapes, pretraining_shapes, squad_shapes
from bert.pipeline.errors import StageError
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG

ALL = pretraining_shapes(CONFIG) | squad_shapes(CONFIG) | classifier_shapes(CONFIG, 5)
WEIGHTS = random_weights(ALL, seed=0)


def found(weights: dict[str, np.ndarray]) -> tuple[str, ...]:
    return heads_in(CONFIG, weights, Path("weights"), "dvc repro")


def test_encoder_and_heads_are_all_that_there_is_each_weight_once() -> None:
    of_heads = [name for shapes in head_shapes(CONFIG, WEIGHTS).values() for name in shapes]
    assert sorted([*encoder_shapes(CONFIG), *of_heads]) == sorted(ALL)
    assert (found(WEIGHTS), labels_in(WEIGHTS), has_pooler(WEIGHTS)) == (HEADS, 5, True)


@pytest.mark.parametrize("head", HEADS)
def test_each_head_is_found_alone_and_missed_alone(head: str) -> None:
    own = head_shapes(CONFIG, WEIGHTS)[head]
    encoder = {name: WEIGHTS[name] for name in encoder_shapes(CONFIG)}
    assert found(encoder) == ()
    assert found(encoder | {name: WEIGHTS[name] for name in own}) == (head,)
    assert head not in found({name: value for name, value in WEIGHTS.items() if name not in own})
    for name in own:
        with pytest.raises(StageError, match=f"has no weight {name}"):
            found({n: value for n, value in WEIGHTS.items() if n != name})


@pytest.mark.parametrize("name", [name for name in ALL if name not in encoder_shapes(CONFIG)])
def test_another_shape_is_named(name: str) -> None:
    for value in (np.zeros((7, 7, 7), np.float32), np.float32(1) * np.zeros(())):
        with pytest.raises(StageError, match=r"is \(.*the configuration says"):
            found(WEIGHTS | {name: np.asarray(value, np.float32)})
