"""The model that a phase of pretraining starts from: phase 1's for phase 2, an imported one for phase 1."""

from __future__ import annotations

from pathlib import Path

from bert.checkpoints.folder import WEIGHTS, Model, load_model
from bert.checkpoints.heads import MASKED_LM, NEXT_SENTENCE, has_pooler, heads_in
from bert.pipeline.errors import StageError

MADE_BY = {"phase1": "dvc repro import_checkpoint", "phase2": "dvc repro pretrain_phase1"}
OR_ELSE = "pretrain.init to none"


def load_start(init: Path, phase: str, next_sentence: bool) -> Model:
    """The model in `init`, with what further pretraining goes on from.

    Args:
        next_sentence: whether the records have labels for next-sentence prediction or sentence order.

    Raises:
        StageError: as load_model, or a head that is trained is not there: with a new one in its place its random
            gradients would undo what the encoder has learned.
    """
    made_by = MADE_BY[phase]
    model = load_model(init, made_by, OR_ELSE)
    heads = heads_in(model.config, model.weights, init / WEIGHTS, made_by)
    missing = [] if MASKED_LM in heads else ["masked-LM head"]
    if next_sentence:
        missing += [] if NEXT_SENTENCE in heads else ["next-sentence head"]
        missing += [] if has_pooler(model.weights) else ["pooler"]
    if missing:
        # Of the records: what they ask for can be changed where only the second objective has nothing to go on from.
        other = "" if MASKED_LM not in heads else ", or tfrecords.examples.objective to mlm"
        raise StageError(
            f"{init}: has no {' and no '.join(missing)}, and pretraining on these records goes on from "
            f"{'the masked-LM and the next-sentence head' if next_sentence else 'the masked-LM head'}: random weights "
            "in its place would spoil the encoder before they have learned anything. Fine-tuning takes such a model",
            run=f"set import_checkpoint.source to a checkpoint that has its pretraining heads, or {OR_ELSE}{other}, in "
            "params.yaml, then dvc repro",
        )
    return model
