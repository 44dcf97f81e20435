"""Parity with Hugging Face's transformers: the same weights give the same numbers, in float32.

With transformers itself where torch is installed (in another environment that sees the packages of this one);
everywhere with numbers that it gave, see parity.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert.model.config import Activation
from tests.model import parity

RECORDED = json.loads(parity.RECORDED.read_text())
CLOSE = 2e-5
ALONE = [1] * len(parity.LENGTHS)
HEADS = {"hidden", "pooled", "mlm", "nsp", "start", "end", "classes"}


def ours(activation: Activation, counts: list[int]) -> list[parity.Arrays]:
    config = parity.config_of(activation)
    return parity.ours(parity.weights_of(config), config, parity.sequences(), counts)


@pytest.mark.parametrize("counts", [ALONE, parity.PACKED], ids=["padded", "packed"])
@pytest.mark.parametrize("activation", parity.ACTIVATIONS)
def test_the_recorded_numbers_of_transformers_are_computed(activation: Activation, counts: list[int]) -> None:
    found = [parity.some(one) for one in ours(activation, counts)]
    assert len(found) == len(RECORDED[activation]) == len(parity.LENGTHS)
    for one, recorded in zip(found, RECORDED[activation], strict=True):
        assert one.keys() == recorded.keys() == HEADS
        for name, values in recorded.items():
            np.testing.assert_allclose(one[name], values, rtol=0, atol=CLOSE, err_msg=name)


def test_the_recorded_numbers_tell_the_two_activations_apart() -> None:
    for name in HEADS:
        erf, tanh = ([one[name] for one in RECORDED[activation]] for activation in ("gelu_erf", "gelu"))
        assert max(np.abs(np.subtract(a, b)).max() for a, b in zip(erf, tanh, strict=True)) > 2 * CLOSE, name


@pytest.mark.parametrize("counts", [ALONE, parity.PACKED], ids=["padded", "packed"])
@pytest.mark.parametrize("activation", parity.ACTIVATIONS)
def test_transformers_computes_the_same(activation: Activation, counts: list[int], tmp_path: Path) -> None:
    for name in ("torch", "transformers"):
        pytest.importorskip(name, reason=f"no {name}: only the numbers that transformers once gave are compared")
    folder = parity.export_made_up(activation, tmp_path)
    alone, padded = (
        parity.theirs(folder, parity.sequences()),
        parity.theirs(folder, parity.sequences(), length=parity.ROW),
    )
    for one, expected, padded_too, recorded in zip(
        ours(activation, counts), alone, padded, RECORDED[activation], strict=True
    ):
        assert one.keys() == expected.keys() == HEADS
        for name, few in parity.some(expected).items():
            np.testing.assert_allclose(
                few, recorded[name], rtol=0, atol=1e-5, err_msg=f"{name}: record parity.json anew"
            )
        for name, values in expected.items():
            np.testing.assert_allclose(one[name], values, rtol=0, atol=CLOSE, err_msg=name)
            np.testing.assert_allclose(one[name], padded_too[name], rtol=0, atol=CLOSE, err_msg=name)
