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
        """Take what the records' manifest tells.

        Args:
            vocabulary: the one that the records were made with.
        """
        told = records.manifest
        id_of = vocabulary.pieces.index
        self._masker = Masker(
            told["masked_lm_prob"],
            told["max_predictions"],
            id_of(MASK),
            len(vocabulary.pieces),
            continuations(vocabulary.pieces) if told.get("whole_word") else None,
            told.get("max_ngram", 1),
        )
        self._layout = Layout(
            told["sequence_length"],
            told["max_predictions"],
            told.get("max_sequences", 1),
            records.next_sentence,
            id_of(CLS),
            id_of(SEP),
        )
        names = UNMASKED if records.next_sentence else UNMASKED[:-1]
        self._spec = {name: tf.io.RaggedFeature(tf.int64) for name in names}

    def _draws(self, tokens_of: Sequence[int], keys: Sequence[tuple[int, int, int]]) -> Draws:
        """The numbers of rows of so many tokens, each row's from its own key."""
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
        told = {name: ragged.values.numpy() for name, ragged in parsed.items()}
        tokens = Tokens(told["tokens"].astype(np.int32), told["lengths"], told["firsts"])
        labels = told["labels"].tolist() if "labels" in told else []
        masks = self._masker(tokens, self._draws(tokens_of, keys))
        return layout_rows(tokens, masks, labels, sequences_of, self._layout)

    def training_rows(self, records: Sequence[bytes], seed: int, places: Sequence[tuple[int, int]]) -> Arrays:
        """Rows as a record of static masking has them, {feature: (B, length)}.

        Args:
            records: B serialized ones.
            places: (epoch, index) of each.
        """
        return self._rows(records, [(seed, _TRAINING + epoch, index) for epoch, index in places])

    def evaluation_rows(self, records: Sequence[bytes], places: Sequence[tuple[int, int]]) -> Arrays:
        """The same, whatever the seed of training: held-out figures are of the same predictions.

        Args:
            places: (which time over, index) of each.
        """
        return self._rows(records, [(0, _EVALUATION + copy, index) for copy, index in places])


def dynamic_masking(records: Records, vocabulary: Vocabulary) -> DynamicMasking | None:
    """What masks these records, None if they are masked already."""
    return DynamicMasking(records, vocabulary) if records.manifest["masking"] == "dynamic" else None


def times_over(records: Records) -> int:
    """How often evaluation goes over the records: under dynamic masking as often as static masking writes them."""
    told: dict[str, Any] = records.manifest
    return int(told["dupe_factor"]) if told["masking"] == "dynamic" else 1
