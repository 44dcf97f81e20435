"""A model of two layers with random weights to ask: its answers mean nothing, and everything around them is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.checkpoints.folder import save_model
from bert.model.parameters import Shapes, squad_shapes
from bert.pipeline.code import ROOT
from bert.pipeline.files import write_json
from bert.pipeline.params import section
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.asking import Asker
from bert.tasks.squad.no_answer import NULL_THRESHOLD
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.model.reference import random_weights
from tests.training import tiny

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = [*SPECIAL_PIECES, "moon", *LETTERS, *(f"##{c}" for c in LETTERS), *",.!?1234", *"قمرسماء月", "##م", "##ر"]
PIECES = list(dict.fromkeys(PIECES))
CONFIG = tiny.CONFIG.model_copy(update={"vocab_size": len(PIECES), "max_position_embeddings": 32})


def tiny_settings(**changes: Any) -> SquadSettings:
    """params.yaml's own with short windows."""
    short = {"max_seq_length": 24, "doc_stride": 8, "max_query_length": 6, "n_best_size": 4, "max_answer_length": 3}
    return section(SquadSettings, "squad", ROOT / "params.yaml").model_copy(update=short | changes)


def write_model(folder: Path, shapes: Shapes | None = None, do_lower_case: bool = True) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    vocab = folder.parent / f"{folder.name}.vocab.txt"
    vocab.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    save_model(folder, CONFIG, random_weights(shapes or squad_shapes(CONFIG), seed=3), vocab, do_lower_case)
    return folder


def tiny_asker(folder: Path, null_threshold: float | None = None, do_lower_case: bool = True, **changes: Any) -> Asker:
    """null_threshold: of SQuAD v2.0. changes: of its settings."""
    model = write_model(folder / "models/squad", do_lower_case=do_lower_case)
    predictions = folder / "predictions/squad"
    if null_threshold is not None:
        write_json(predictions / NULL_THRESHOLD, {"null_score_diff_threshold": null_threshold})
    return Asker.load(model, tiny_settings(**changes), predictions)
