"""Tests for bert/training/start.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import save_model
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from bert.training.start import load_start
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, write_vocab

ALL = random_weights(pretraining_shapes(CONFIG), seed=4)


def write(folder: Path, without: str = "none") -> Path:
    weights = {name: value for name, value in ALL.items() if without not in name}
    save_model(folder / "imported", CONFIG, weights, write_vocab(folder / "vocab.txt"))
    return folder / "imported"


@pytest.mark.parametrize(
    ("without", "next_sentence"), [("none", True), ("none", False), ("seq_relationship", False), ("pooler", False)]
)
def test_a_model_with_the_heads_that_are_trained_is_taken_as_it_is(
    tmp_path: Path, without: str, next_sentence: bool
) -> None:
    weights = load_start(write(tmp_path, without), "phase1", next_sentence).weights
    assert weights.keys() == {name for name in ALL if without not in name}
    for name, value in weights.items():
        np.testing.assert_array_equal(value, ALL[name])


@pytest.mark.parametrize(
    ("without", "next_sentence", "named", "helps"),
    [
        ("cls/predictions", True, "no masked-LM head, and", False),
        ("cls/predictions", False, "no masked-LM head, and", False),
        ("seq_relationship", True, "no next-sentence head, and", True),
        ("pooler", True, "no pooler, and", True),
        ("cls/", True, "no masked-LM head and no next-sentence head, and", False),
        ("cls/", False, "no masked-LM head, and", False),
    ],
)
def test_a_model_without_one_is_refused_with_the_reason_and_what_would_do(
    tmp_path: Path, without: str, next_sentence: bool, named: str, helps: bool
) -> None:
    with pytest.raises(StageError, match=rf"imported: has {named} .* would spoil the encoder") as error:
        load_start(write(tmp_path, without), "phase1", next_sentence)
    assert error.value.run is not None
    assert ("tfrecords.examples.objective to mlm" in error.value.run) == helps
    assert "import_checkpoint.source" in error.value.run and "pretrain.init to none" in error.value.run


def test_half_a_head_is_refused_by_the_name_of_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="has no weight cls/predictions/output_bias") as error:
        load_start(write(tmp_path, "predictions/output_bias"), "phase1", True)
    assert error.value.run == "dvc repro import_checkpoint"
