"""Weights under the names and in the layout of Hugging Face's transformers, and a folder as it saves one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from bert.model.config import BertConfig
from tests.training.tiny import CONFIG, write_vocab


def hugging_face_weights(config: BertConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """A `BertForPreTraining`: a Linear keeps its weight as (outputs, inputs)."""
    hidden, inner, vocab = config.hidden_size, config.intermediate_size, config.vocab_size
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (vocab, hidden),
        "bert.embeddings.position_embeddings.weight": (config.max_position_embeddings, hidden),
        "bert.embeddings.token_type_embeddings.weight": (2, hidden),
        "bert.embeddings.LayerNorm.weight": (hidden,),
        "bert.embeddings.LayerNorm.bias": (hidden,),
        "bert.pooler.dense.weight": (hidden, hidden),
        "bert.pooler.dense.bias": (hidden,),
        "cls.predictions.bias": (vocab,),
        "cls.predictions.transform.dense.weight": (hidden, hidden),
        "cls.predictions.transform.dense.bias": (hidden,),
        "cls.predictions.transform.LayerNorm.weight": (hidden,),
        "cls.predictions.transform.LayerNorm.bias": (hidden,),
        "cls.seq_relationship.weight": (2, hidden),
        "cls.seq_relationship.bias": (2,),
    }
    for n in range(config.num_hidden_layers):
        layer = f"bert.encoder.layer.{n}"
        for part in ("query", "key", "value"):
            name = f"{layer}.attention.self.{part}"
            shapes |= {f"{name}.weight": (hidden, hidden), f"{name}.bias": (hidden,)}
        sizes = {"attention.output": (hidden, hidden), "intermediate": (inner, hidden), "output": (hidden, inner)}
        for part, size in sizes.items():
            shapes |= {f"{layer}.{part}.dense.weight": size, f"{layer}.{part}.dense.bias": size[:1]}
        for part in ("attention.output", "output"):
            shapes |= {f"{layer}.{part}.LayerNorm.weight": (hidden,), f"{layer}.{part}.LayerNorm.bias": (hidden,)}
    rng = np.random.default_rng(seed)
    return {name: (0.2 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}


def write_hugging_face(folder: Path, weights: Mapping[str, np.ndarray], config: BertConfig = CONFIG) -> Path:
    folder.mkdir()
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, folder / "model.safetensors")
    values = config.model_dump() | {
        "architectures": ["BertForPreTraining"],
        "pad_token_id": 0,
        "hidden_act": "gelu_new",
    }
    (folder / "config.json").write_text(json.dumps(values))
    write_vocab(folder / "vocab.txt")
    return folder
