"""One NVLAMB step from a fixed seed, to the digit: whatever changes what training computes, changes these numbers.

`python -m tests.training.test_golden_step` prints the present ones.
"""

from __future__ import annotations

import numpy as np
import pytest

from bert.training.world import Split
from tests.training.tiny import fresh_step, take_steps, values_of

ROWS = 8
GOLDEN = {
    "mlm_loss of the batch": 76.788666,
    "nsp_loss of the batch": 5.5522842,
    "norm of the gradient": 1.6753,
    "norm of m, word embeddings": 0.028544037,
    "norm of m, layer 0 output": 9.9952988e-05,
    "norm of m, masked-LM transform": 0.030012982,
    "word embeddings, first number": 0.0028045652,
    "layer 1 intermediate kernel, first number": -0.0031200319,
    "pooler bias, first number": -0.004986641,
    "norm of the change, layer 1 intermediate kernel": 0.001986405,
    "norm of the change, next-sentence weights": 0.00054180905,
}
CHANGED = """
One training step computes something else than before. If that was meant (another initialisation, dropout stream,
loss or update rule), checkpoints and published results of earlier versions can no longer be reproduced: say so in
CHANGELOG.md, then take the new numbers from `python -m tests.training.test_golden_step`. If it was not meant, the
first line that differs says where to look: a loss is the forward pass, a gradient's norm the backward pass, the first
moment m accumulation or clipping, a weight the optimizer. All lines at once, for no change of ours, may be a NumPy
whose default_rng draws other batches, or a TensorFlow whose Philox does."""


def observed() -> dict[str, float]:
    step = fresh_step(Split(1, 1, ROWS), clip_norm=0.5)
    before = values_of(step)
    (figures,) = take_steps(step, range(1), ROWS)
    after = values_of(step)

    def moved(name: str) -> float:
        return float(np.linalg.norm(after[name].astype(np.float64) - before[name]))

    return {
        "mlm_loss of the batch": figures["mlm_loss"],
        "nsp_loss of the batch": figures["nsp_loss"],
        "norm of the gradient": figures["grad_norm"],
        "norm of m, word embeddings": moved("m/bert/embeddings/word_embeddings"),
        "norm of m, layer 0 output": moved("m/bert/encoder/layer_0/output/dense/kernel"),
        "norm of m, masked-LM transform": moved("m/cls/predictions/transform/dense/kernel"),
        "word embeddings, first number": float(after["bert/embeddings/word_embeddings"][0, 0]),
        "layer 1 intermediate kernel, first number": float(
            after["bert/encoder/layer_1/intermediate/dense/kernel"][0, 0]
        ),
        "pooler bias, first number": float(after["bert/pooler/dense/bias"][0]),
        "norm of the change, layer 1 intermediate kernel": moved("bert/encoder/layer_1/intermediate/dense/kernel"),
        "norm of the change, next-sentence weights": moved("cls/seq_relationship/output_weights"),
    }


def test_one_step_computes_what_it_always_did() -> None:
    now = observed()
    # Another CPU, or oneDNN switched off, changes the 7th digit; any change of the arithmetic changes the 3rd.
    different = {
        name: f"{now[name]:.8g}, was {value:.8g}"
        for name, value in GOLDEN.items()
        if now[name] != pytest.approx(value, rel=2e-4)
    }
    assert not different, CHANGED


if __name__ == "__main__":
    for name, value in observed().items():
        print(f'    "{name}": {value:.8g},')
