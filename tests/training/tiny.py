"""A BERT of 2 layers and hidden size 16, records of 16 tokens, and a training step over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bert.examples.schema import serialize, write_record
from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.losses import Sums, pretraining_sums
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.optim.schedule import learning_rate
from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
from bert.pipeline import manifest
from bert.tokens.vocabulary import SPECIAL_PIECES, Vocabulary
from bert.training.objectives import pretraining
from bert.training.precision import Precision
from bert.training.settings import MicroBatches
from bert.training.step import TrainStep
from bert.training.world import Split, World

SEQUENCE, PREDICTIONS = 16, 4
PIECES = [*SPECIAL_PIECES, *(f"piece{n}" for n in range(35))]
FIRST_WORD = len(SPECIAL_PIECES)

CONFIG = BertConfig(
    vocab_size=len(PIECES),
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    hidden_act="gelu",
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
    max_position_embeddings=SEQUENCE,
    type_vocab_size=2,
    initializer_range=0.02,
)
FP32 = Precision("fp32", "fp32", tf.float32, False, False)
FP16 = Precision("fp16", "fp16", tf.float16, True, False)
BF16 = Precision("bf16", "bf16", tf.bfloat16, False, False)

# As the stages train. TensorFlow cannot switch it off again, and a step that was traced before has other bits than one
# traced after: left to the first test that runs a stage in this process, the order of the tests would decide.
tf.config.experimental.enable_op_determinism()

LAMB: dict[str, Any] = {
    "name": "lamb",
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-6,
    "epsilon_inside_root": False,
    "bias_correction": True,
    "trust_ratio": "all",
    "weight_decay": 0.01,
    "clip_norm": 1.0,
}


def optimizer_settings(**changes: Any) -> OptimizerSettings:
    """LAMB's, or with name="adamw" AdamW's."""
    fitting = {"trust_ratio": None} if changes.get("name") == "adamw" else {}
    return OptimizerSettings(**LAMB | fitting | changes)


def write_vocab(path: Path, pieces: list[str] | None = None) -> Path:
    path.write_text("\n".join(pieces or PIECES) + "\n", encoding="utf-8")
    return path


def make_batch(rows: int, seed: int = 0, sequence: int = SEQUENCE) -> dict[str, np.ndarray]:
    """Rows as the records stage makes them: padded, two segments, one to PREDICTIONS predictions.

    The rows differ in their number of predictions, or a mean of means would pass for a mean.
    """
    rng = np.random.default_rng(seed)
    batch: dict[str, list[np.ndarray]] = {}
    for _ in range(rows):
        length, predictions = int(rng.integers(sequence // 2, sequence + 1)), int(rng.integers(1, PREDICTIONS + 1))
        positions = np.sort(rng.choice(np.arange(1, length), predictions, replace=False))
        ids = rng.integers(FIRST_WORD, len(PIECES), length)
        labels = ids[positions].copy()
        ids[positions] = PIECES.index("[MASK]")
        split = int(rng.integers(2, length - 1))
        row = {
            "input_ids": np.pad(ids, (0, sequence - length)),
            "input_mask": np.pad(np.ones(length, int), (0, sequence - length)),
            "segment_ids": np.pad((np.arange(length) >= split).astype(int), (0, sequence - length)),
            "masked_lm_positions": np.pad(positions, (0, PREDICTIONS - predictions)),
            "masked_lm_ids": np.pad(labels, (0, PREDICTIONS - predictions)),
            "masked_lm_weights": np.pad(np.ones(predictions), (0, PREDICTIONS - predictions)),
            "next_sentence_labels": rng.integers(0, 2, 1),
        }
        for name, values in row.items():
            batch.setdefault(name, []).append(values)
    return {
        name: np.stack(values).astype(np.float32 if name == "masked_lm_weights" else np.int32)
        for name, values in batch.items()
    }


def tensors(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: tf.constant(values) for name, values in batch.items()}


def write_records(
    folder: Path, counts: list[int], vocab: Path, seed: int = 0, sequence: int = SEQUENCE, objective: str = "mlm+nsp"
) -> list[bytes]:
    """A split of records in len(counts) files, as the tfrecords stage leaves it; the records in file order."""
    folder.mkdir(parents=True)
    batch = make_batch(sum(counts), seed, sequence)
    if objective == "mlm":
        del batch["next_sentence_labels"]
    records = serialize(batch)
    waiting = iter(records)
    entries = []
    for number, count in enumerate(counts):
        entries.append({"path": f"{number:04d}.tfrecord", "examples": count})
        with open(folder / f"{number:04d}.tfrecord", "wb") as file:
            for _ in range(count):
                write_record(file, next(waiting))
    vocabulary = Vocabulary.read(vocab)
    manifest.write(
        folder,
        entries,
        sequence_length=sequence,
        max_predictions=PREDICTIONS,
        vocab_size=len(vocabulary.pieces),
        vocab_sha256=vocabulary.sha256,
        masking="static",
        objective=objective,
    )
    return records


def make_step(
    split: Split,
    *,
    config: BertConfig = CONFIG,
    dropout: float = 0.1,
    precision: Precision = FP32,
    world: World | None = None,
    seed: int = 1,
    steps: int = 10,
    peak: float = 0.01,
    warmup: int = 2,
    loss_scale: LossScaleSettings | None = None,
    given: Mapping[str, np.ndarray] | None = None,
    micro_batches: MicroBatches | None = None,
    **optimizer: Any,
) -> TrainStep:
    """A pretraining step on fresh parameters; keyword arguments beyond those named are the optimizer's."""
    scaling = loss_scale or LossScaleSettings(initial=1, growth_steps=1000)
    parameters = make_parameters(pretraining_shapes(config), config, seed, given)
    return TrainStep(
        pretraining(),
        config.with_dropout(dropout),
        parameters,
        UpdateSettings(optimizer=optimizer_settings(**optimizer), loss_scale=scaling),
        lambda at: learning_rate(at, peak, warmup, steps, 1.0, "warmup"),
        precision=precision,
        split=split,
        world=world or World(),
        seed=seed,
        micro_batches=micro_batches,
    )


def held_out_sums(weights: Mapping[str, Any]) -> Callable[[Any], Sums]:
    """batch -> its sums, without dropout, in float32."""
    return lambda batch: pretraining_sums(weights, CONFIG, batch, NoDropout(), tf.float32)


def values_of(step: TrainStep) -> dict[str, np.ndarray]:
    """Everything that a checkpoint holds, as arrays."""
    return {name: np.array(variable.numpy()) for name, variable in step.variables.items()}


_traced: dict[Any, tuple[TrainStep, dict[str, np.ndarray]]] = {}


def fresh_step(split: Split, **kwargs: Any) -> TrainStep:
    """`make_step` for settings that several tests share: traced once (4 s), set back to its first state each time."""
    key = (split, *sorted(kwargs.items()))
    if key not in _traced:
        step = make_step(split, **kwargs)
        _traced[key] = step, values_of(step)
    step, first = _traced[key]
    for name, variable in step.variables.items():
        variable.assign(first[name])
    return step


def take_steps(step: TrainStep, numbers: range, rows: int, same_batch: bool = False) -> list[dict[str, float]]:
    """The figures of each step, over a batch of its own, which follows from its number, or all over the same one."""
    figures = []
    for number in numbers:
        batch = tensors(make_batch(rows, seed=0 if same_batch else number))
        figures.append({name: float(x) for name, x in step(batch, tf.constant(number, tf.int64)).items()})
    return figures
