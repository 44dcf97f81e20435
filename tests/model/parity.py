"""What this code computes and what transformers does, with the same weights, sequence by sequence.

Weights and rows are made up by seeded rules. Where torch and transformers are installed, `python -m tests.model.parity`
records some of transformers' numbers in parity.json, for the places where they are not.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from bert.checkpoints.exporters import exported, write_hugging_face
from bert.checkpoints.folder import Model
from bert.model.config import Activation, BertConfig
from bert.model.dropout import NoDropout
from bert.model.encoder import encode, pool
from bert.model.heads import class_logits, masked_lm_logits, next_sentence_logits, span_logits
from bert.model.parameters import classifier_shapes, pretraining_shapes, squad_shapes
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FIRST_WORD, PIECES, write_vocab

RECORDED = Path(__file__).with_suffix(".json")
ACTIVATIONS: tuple[Activation, ...] = ("gelu", "gelu_erf")
LENGTHS = [(9, 6), (3, 5), (14, 2), (1, 1), (2, 3), (20, 9)]
"""Tokens of the two segments of six sequences."""
ROW = 32
PACKED = [2, 3, 1]
"""How many of the sequences each row holds where they are packed."""

Arrays = dict[str, np.ndarray]
Sequence = tuple[np.ndarray, np.ndarray]
"""Ids and segments of one, (S,) each."""


def config_of(activation: Activation) -> BertConfig:
    return CONFIG.model_copy(update={"hidden_act": activation, "max_position_embeddings": ROW})


def weights_of(config: BertConfig) -> Arrays:
    """With all heads; two classes, since transformers has one num_labels for these and for spans."""
    shapes = pretraining_shapes(config) | squad_shapes(config) | classifier_shapes(config, 2)
    # Large before a GELU, so that values come to where the two kinds of it differ.
    wide = ("intermediate/dense/kernel", "cls/predictions/transform/dense/kernel")
    return {n: 3 * value if n.endswith(wide) else value for n, value in random_weights(shapes, seed=3).items()}


def sequences(pieces: int = len(PIECES), first: int = FIRST_WORD) -> list[Sequence]:
    rng = np.random.default_rng(5)
    return [
        (rng.integers(first, pieces, a + b).astype(np.int32), np.repeat([0, 1], [a, b]).astype(np.int32))
        for a, b in LENGTHS
    ]


def _row(values: list[np.ndarray]) -> np.ndarray:
    joined = np.concatenate(values)
    return np.pad(joined, (0, ROW - len(joined)))


def ours(
    weights: Mapping[str, np.ndarray], config: BertConfig, given: list[Sequence], counts: list[int]
) -> list[Arrays]:
    """For each sequence what the encoder and the heads that there are give for its tokens.

    counts: how many of the sequences each row holds; all 1: none is packed, and the rows are padded.
    """
    waiting = iter(given)
    rows = [[next(waiting) for _ in range(count)] for count in counts]
    ids = tf.constant(np.stack([_row([ids for ids, _ in row]) for row in rows]))
    segments = tf.constant(np.stack([_row([kinds for _, kinds in row]) for row in rows]))
    mask = np.stack([_row([np.full(len(ids), n, np.int32) for n, (ids, _) in enumerate(row, 1)]) for row in rows])
    hidden = encode(weights, config, ids, tf.constant(mask), segments, NoDropout(), tf.float32, packed=max(counts) > 1)
    every = tf.constant(np.tile(np.arange(ROW, dtype=np.int32), (len(rows), 1)))
    whole = {"hidden": hidden}
    if "cls/predictions/output_bias" in weights:
        whole["mlm"] = tf.reshape(masked_lm_logits(weights, config, hidden, every), (len(rows), ROW, -1))
    if "cls/squad/output_bias" in weights:
        whole["start"], whole["end"] = span_logits(weights, hidden)
    arrays = {name: np.asarray(values) for name, values in whole.items()}
    found = []
    for row, inside in enumerate(rows):
        for number in range(1, len(inside) + 1):
            places = np.flatnonzero(mask[row] == number)
            one = {name: values[row, places] for name, values in arrays.items()}
            pooled = pool(weights, hidden[row : row + 1], tf.constant([[places[0]]]))
            one["pooled"] = np.asarray(pooled)[0]
            if "cls/seq_relationship/output_bias" in weights:
                one["nsp"] = np.asarray(next_sentence_logits(weights, pooled))[0]
            if "output_bias" in weights:
                one["classes"] = np.asarray(class_logits(weights, pooled))[0]
            found.append(one)
    return found


def theirs(folder: Path, given: list[Sequence], length: int = 0) -> list[Arrays]:
    """The same by transformers, from an exported folder, each sequence alone, and padded to `length`."""
    import torch
    import transformers

    classes = json.loads((folder / "config.json").read_text())["architectures"]
    models = {}
    for name in {"BertModel", *classes}:
        models[name], told = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
        assert not told["missing_keys"] - {"pooler.dense.weight", "pooler.dense.bias"}, (name, told)
        assert not told["mismatched_keys"] and not told["error_msgs"], (name, told)
        models[name].eval()
    found = []
    with torch.no_grad():
        for ids, segments in given:
            own = len(ids)
            mask = np.ones(own)
            inputs = {
                name: torch.tensor(np.pad(values, (0, max(0, length - own)))[None].astype(np.int64))
                for name, values in (("input_ids", ids), ("token_type_ids", segments), ("attention_mask", mask))
            }
            told = {name: model(**inputs) for name, model in models.items()}
            one = {"hidden": told["BertModel"].last_hidden_state[0, :own], "pooled": told["BertModel"].pooler_output[0]}
            if "BertForPreTraining" in told:
                one["mlm"] = told["BertForPreTraining"].prediction_logits[0, :own]
                one["nsp"] = told["BertForPreTraining"].seq_relationship_logits[0]
            if "BertForQuestionAnswering" in told:
                one["start"] = told["BertForQuestionAnswering"].start_logits[0, :own]
                one["end"] = told["BertForQuestionAnswering"].end_logits[0, :own]
            if "BertForSequenceClassification" in told:
                one["classes"] = told["BertForSequenceClassification"].logits[0]
            found.append({name: value.numpy() for name, value in one.items()})
    return found


def export_made_up(activation: Activation, folder: Path) -> Path:
    """The model of made-up weights as a Hugging Face folder in `folder`."""
    config = config_of(activation)
    vocab = write_vocab(folder / "vocab.txt")
    (folder / "exported").mkdir()
    write_hugging_face(folder / "exported", exported(Model(config, weights_of(config), vocab), "make it anew"))
    return folder / "exported"


def some(one: Arrays) -> dict[str, list[float]]:
    """A few numbers of one sequence: of its last token, and of the first classes."""
    last = {name: values[-1] if values.ndim == 2 else values for name, values in one.items()}
    return {name: [round(float(x), 6) for x in values[-3:]] for name, values in last.items()}


def main() -> None:
    recorded = {}
    for activation in ACTIVATIONS:
        with tempfile.TemporaryDirectory() as folder:
            recorded[activation] = [some(one) for one in theirs(export_made_up(activation, Path(folder)), sequences())]
    lines = [
        f"  {json.dumps(name)}: [\n    " + ",\n    ".join(map(json.dumps, all_)) + "\n  ]"
        for name, all_ in recorded.items()
    ]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
