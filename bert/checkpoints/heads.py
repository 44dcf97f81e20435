"""The heads that weights may hold beside an encoder: of pretraining, of spans, of classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bert.checkpoints.folder import POOLER, check_weights
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, classifier_shapes, encoder_shapes, pretraining_shapes, squad_shapes

MASKED_LM, NEXT_SENTENCE, SPANS, CLASSES = HEADS = ("masked_lm", "next_sentence", "spans", "classes")
ON_THE_POOLER = (NEXT_SENTENCE, CLASSES)
_CLASS_WEIGHTS = "output_weights"


def labels_in(weights: Mapping[str, np.ndarray]) -> int:
    """How many classes the head of classes tells apart; 1 where there is none, or none that can be read."""
    value = weights.get(_CLASS_WEIGHTS)
    return len(value) if value is not None and value.ndim else 1


def head_shapes(config: BertConfig, weights: Mapping[str, np.ndarray]) -> dict[str, Shapes]:
    """{head: its names and shapes}, of all heads, whether they are there or not."""
    encoder = encoder_shapes(config)

    def own(shapes: Shapes, start: str = "") -> Shapes:
        return {name: shape for name, shape in shapes.items() if name not in encoder and name.startswith(start)}

    return {
        MASKED_LM: own(pretraining_shapes(config), "cls/predictions/"),
        NEXT_SENTENCE: own(pretraining_shapes(config), "cls/seq_relationship/"),
        SPANS: own(squad_shapes(config)),
        CLASSES: own(classifier_shapes(config, labels_in(weights))),
    }


def has_pooler(weights: Mapping[str, np.ndarray]) -> bool:
    """Whether there is one, which a model that was trained on masked LM alone may lack."""
    return any(name.startswith(POOLER) for name in weights)


def heads_in(config: BertConfig, weights: Mapping[str, np.ndarray], path: Path, made_by: str) -> tuple[str, ...]:
    """Those that are there, in the order of HEADS.

    path, made_by: of the weights, for messages.

    Raises:
        StageError: one is there in part, or in another shape; names it.
    """
    found = []
    for head, shapes in head_shapes(config, weights).items():
        if shapes.keys() & weights.keys():
            check_weights(config, weights, path, made_by, shapes)
            found.append(head)
    return tuple(found)
