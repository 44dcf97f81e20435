"""bert/checkpoints/wrapping.py: prefixes that other code puts before a model's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.importers import read_checkpoint
from bert.model.parameters import encoder_shapes, pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.google import write_tensorflow
from tests.checkpoints.hugging_face import hugging_face_weights, write_hugging_face
from tests.model import reference
from tests.training.tiny import CONFIG


@pytest.mark.parametrize("prefix", ["module.", "model.", "module.model.", "_orig_mod.", "bert.", "0.auto_model.bert."])
def test_what_wraps_a_model_is_taken_off_its_names(tmp_path: Path, prefix: str) -> None:
    theirs = hugging_face_weights(CONFIG)
    wrapped = {prefix + name: value for name, value in theirs.items()}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", wrapped))
    expected = read_checkpoint(write_hugging_face(tmp_path / "plain", theirs))
    assert model.weights.keys() == expected.weights.keys() == pretraining_shapes(CONFIG).keys()
    for name, value in expected.weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


def test_a_bare_encoder_may_be_wrapped_too(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    bare = {f"module.{name.removeprefix('bert.')}": v for name, v in theirs.items() if name.startswith("bert.")}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", bare))
    assert model.weights.keys() == encoder_shapes(CONFIG).keys()


def test_a_scope_is_taken_off_googles_names(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    scoped = {f"replica/{name}": value for name, value in weights.items()} | {"global_step": np.array(7)}
    assert read_checkpoint(write_tensorflow(tmp_path / "tf", scoped)).weights.keys() == weights.keys()


def test_two_encoders_in_one_file_are_refused(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    both = {f"{side}_encoder.{name}": value for side in ("query", "context") for name, value in theirs.items()}
    with pytest.raises(StageError, match=r"expected one encoder, there are 2: 'context_encoder\.bert\.', 'query"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", both))
