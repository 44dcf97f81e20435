"""Dynamic masking (Liu et al. 2019, RoBERTa, 4.1): each epoch masks the same stored tokens anew.

A row's mask is a function of (seed, epoch, index of its record) by a counter-based generator, so that it is the same on
any number of ranks and after a resumption. It is drawn by the very code that draws static masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert.examples.masking import Draws, Masker, continuations
from bert.examples.reading import Records
from bert.examples.rows import Arrays, Layout, layout_rows
from bert.examples.schema import UNMASKED
from bert.examples.sequences import Tokens
from bert.tokens.vocabulary import CLS, MASK, SEP, Vocabulary

# Streams that no epoch of training shares with an evaluation.
_TRAINING, _EVALUATION = 1 << 62, 1 << 63


class DynamicMasking:
    """Stored tokens -> masked rows."""

    def __init__(self, records: Records, vocabulary: Vocabulary) -> None:
        """Masks as the manifest of `records` says: share, number, whole words, n-grams.

        Args:
            vocabulary: the one that the records were made with.
        """
        made_with = records.manifest
        id_of = vocabulary.pieces.index
        self._masker = Masker(
            made_with["masked_lm_prob"],
            made_with["max_predictions"],
            id_of(MASK),
            len(vocabulary.pieces),
            continuations(vocabulary.pieces) if made_with.get("whole_word") else None,
            made_with.get("max_ngram", 1),
        )
        self._layout = Layout(
            made_with["sequence_length"],
            made_with["max_predictions"],
            made_with.get("max_sequences", 1),
            records.next_sentence,
            id_of(CLS),
            id_of(SEP),
        )
        names = UNMASKED if records.next_sentence else UNMASKED[:-1]
        self._spec = {name: tf.io.RaggedFeature(tf.int64) for name in names}

    def _draws(self, tokens_of: Sequence[int], keys: Sequence[tuple[int, int, int]]) -> Draws:
        """(T, D) the random numbers of rows of so many tokens; each row's come from its own (seed, epoch, index)."""
        return np.concatenate(
            [
                self._masker.draw(
                    np.random.Philox(key=np.array([seed, epoch], np.uint64), counter=[0, 0, 0, index]), tokens
                )
                for tokens, (seed, epoch, index) in zip(tokens_of, keys, strict=True)
            ]
        )

    def _rows(self, records: Sequence[bytes], keys: Sequence[tuple[int, int, int]]) -> Arrays:
        with tf.device("CPU:0"):
            parsed = tf.io.parse_example(list(records), self._spec)
        sequences_of = parsed["lengths"].row_lengths().numpy().tolist()
        tokens_of = parsed["tokens"].row_lengths().numpy().tolist()
        columns = {name: ragged.values.numpy() for name, ragged in parsed.items()}
        tokens = Tokens(columns["tokens"].astype(np.int32), columns["lengths"], columns["firsts"])
        labels = columns["labels"].tolist() if "labels" in columns else []
        masks = self._masker(tokens, self._draws(tokens_of, keys))
        return layout_rows(tokens, masks, labels, sequences_of, self._layout)

    def training_rows(self, records: Sequence[bytes], seed: int, places: Sequence[tuple[int, int]]) -> Arrays:
        """Masked rows of training, {feature: (B, length)}, as records of static masking hold them.

        Args:
            records: B serialized ones.
            places: (epoch, index) of each.
        """
        return self._rows(records, [(seed, _TRAINING + epoch, index) for epoch, index in places])

    def evaluation_rows(self, records: Sequence[bytes], places: Sequence[tuple[int, int]]) -> Arrays:
        """Masked rows of evaluation, likewise. They don't depend on the seed: all runs predict the same tokens.

        Args:
            records: B serialized ones.
            places: (copy, index) of each; the copy counts how often the records were gone over before.
        """
        return self._rows(records, [(0, _EVALUATION + copy, index) for copy, index in places])


def dynamic_masking(records: Records, vocabulary: Vocabulary) -> DynamicMasking | None:
    """The masking of these records; None if they are masked already (static masking)."""
    return DynamicMasking(records, vocabulary) if records.manifest["masking"] == "dynamic" else None


def times_over(records: Records) -> int:
    """How often evaluation goes over the records: under dynamic masking as often as static masking writes them."""
    made_with: dict[str, Any] = records.manifest
    return int(made_with["dupe_factor"]) if made_with["masking"] == "dynamic" else 1
