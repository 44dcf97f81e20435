"""What must fit together before pretraining begins: parameters, records, vocabulary, model."""

from __future__ import annotations

import json
from pathlib import Path

from bert.examples.reading import Records
from bert.model.config import BertConfig
from bert.pipeline.errors import StageError
from bert.tokens.casing import TOKENIZER_CONFIG
from bert.tokens.vocabulary import Vocabulary
from bert.training.settings import PretrainParams

# Both splits must agree in these.
_KIND = ("sequence_length", "max_predictions", "masking", "objective", "max_sequences", "whole_word", "max_ngram")


def check_records(
    records: Records,
    config: BertConfig,
    vocabulary: Vocabulary,
    vocab: Path,
    do_lower_case: bool,
    made_by: str,
    is_imported: bool = False,
) -> None:
    """Records, vocabulary and model must belong together. Raises StageError naming the stage to run again.

    is_imported: the vocabulary is that of an imported model, which the records have to be made with.
    """
    made = records.manifest
    again, casing = made_by, made_by
    if is_imported:
        again = f"set vocab.source to {{url: {vocab}}} in params.yaml, then {made_by}"
        casing = f"set vocab.do_lower_case to {json.dumps(do_lower_case)} in params.yaml, then {made_by}"
    if made["vocab_sha256"] != vocabulary.sha256:
        raise StageError(
            f"the records were made with another vocabulary ({made['vocab_size']} pieces, sha256 "
            f"{made['vocab_sha256'][:12]}) than {vocab} ({len(vocabulary.pieces)} pieces, {vocabulary.sha256[:12]})",
            run=again,
        )
    if made.get("do_lower_case", True) != do_lower_case:
        raise StageError(
            f"the records were made with do_lower_case: {json.dumps(not do_lower_case)}, but for {vocab} it is "
            f"{json.dumps(do_lower_case)}, by the {TOKENIZER_CONFIG} beside it",
            run=casing,
        )
    if made["sequence_length"] > config.max_position_embeddings:
        raise StageError(
            f"the records are {made['sequence_length']} tokens long but the model has positions for "
            f"{config.max_position_embeddings}",
            run=f"{made_by} with a shorter tfrecords sequence_length",
        )


def check_splits(train: Records, test: Records, made_by: str) -> None:
    """Both splits must be of one make. Raises StageError naming what differs and the stage to run again."""
    for name in _KIND:
        one, other = train.manifest.get(name), test.manifest.get(name)
        if one != other:
            raise StageError(f"the records to train on have {name} {one}, those held out {other}", run=made_by)


def check_params(params: PretrainParams) -> None:
    """Raises StageError where two parameters contradict each other."""
    own, section = params.own.micro_batches, f"pretrain.{params.phase}"
    if own is not None and own.clip and not params.shared.optimizer.clip_norm:
        raise StageError(
            f"{section}.micro_batches.clip is true, but pretrain.optimizer.clip_norm is 0: nothing is clipped",
            run="set clip_norm above 0, or micro_batches.clip to false, in params.yaml",
        )
    if params.shared.keep == "best" and params.own.eval_every is None:
        raise StageError(
            f"pretrain.keep is best, but {section}.eval_every is null: there is only the last step to choose",
            run="set eval_every to a number of steps, or keep to last, in params.yaml",
        )
