from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from bert.inference.forward import Forward, Rows, make_forward
from bert.inference.settings import EngineName
from bert.model.config import BertConfig
from bert.model.parameters import classifier_shapes, make_parameters, squad_shapes
from bert.pipeline.errors import StageError
from bert.training.objectives import TaskObjective, classes, spans
from bert.training.precision import Precision

CONFIG = BertConfig.named("tiny", 200)
OBJECTIVES = {"spans": (spans(), squad_shapes(CONFIG)), "classes": (classes(3), classifier_shapes(CONFIG, 3))}
DTYPES = {"fp32": tf.float32, "bf16": tf.bfloat16}


def rows(count: int, length: int, seed: int = 0) -> Rows:
    """Random tokens, each row shorter than the one before it."""
    rng = np.random.default_rng(seed)
    ends = length - np.arange(count) % (length // 2)
    mask = (np.arange(length) < ends[:, None]).astype(np.int32)
    ids = rng.integers(1, CONFIG.vocab_size, (count, length)).astype(np.int32) * mask
    return {"input_ids": ids, "input_mask": mask, "segment_ids": (np.arange(length) >= 5).astype(np.int32) * mask}


def forward(engine: EngineName, task: str, name: str = "fp32", xla: object = True) -> Forward:
    objective, shapes = OBJECTIVES[task]
    precision = Precision(name, name, DTYPES.get(name, tf.float32), False, xla)  # type: ignore[arg-type]
    return make_forward(engine, objective.forward, make_parameters(shapes, CONFIG, 7), CONFIG, precision)


def eager(objective: TaskObjective, shapes: object, batch: Rows, dtype: object) -> np.ndarray:
    """Logits by the operations one after the other, with float32 weights that are cast where they are used."""
    weights = make_parameters(shapes, CONFIG, 7)  # type: ignore[arg-type]
    given = {name: tf.constant(values) for name, values in batch.items()}
    found: np.ndarray = tf.cast(objective.forward(weights, CONFIG, given, dtype), tf.float32).numpy()
    return found


@pytest.mark.parametrize("task", OBJECTIVES)
@pytest.mark.parametrize(("name", "xla"), [("fp32", True), ("fp32", "fused"), ("bf16", "fused")])
def test_tensorflow_gives_the_logits_of_the_model(task: str, name: str, xla: object) -> None:
    objective, shapes = OBJECTIVES[task]
    batch = rows(3, 24)
    found = forward("tensorflow", task, name, xla)(batch)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, eager(objective, shapes, batch, DTYPES[name]), atol=1e-5 if name == "fp32" else 0.02
    )


@pytest.fixture
def openvino() -> Iterator[None]:
    pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
    yield


@pytest.mark.usefixtures("openvino")
@pytest.mark.parametrize("task", OBJECTIVES)
def test_openvino_gives_the_same_logits_for_any_number_of_rows_of_any_length(task: str) -> None:
    ours, theirs = forward("tensorflow", task), forward("openvino", task)
    for count, length in ((3, 24), (1, 24), (5, 16), (2, CONFIG.max_position_embeddings)):
        batch = rows(count, length, seed=length)
        np.testing.assert_allclose(theirs(batch), ours(batch), atol=1e-5)


@pytest.mark.usefixtures("openvino")
def test_openvino_computes_in_bf16_where_that_is_the_precision() -> None:
    batch = rows(4, 32)
    exact = forward("openvino", "spans")(batch)
    rounded = forward("openvino", "spans", "bf16")(batch)
    assert 1e-4 < np.abs(rounded - exact).max() < 0.05


def test_openvino_refuses_another_precision() -> None:
    with pytest.raises(StageError, match=r"inference.engine is openvino, which computes in fp32 or bf16, .* is tf32"):
        forward("openvino", "spans", "tf32")


def test_a_missing_openvino_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    with pytest.raises(StageError, match="not installed") as caught:
        forward("openvino", "spans")
    assert "pip install" in str(caught.value.run)
