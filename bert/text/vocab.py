"""The WordPiece vocabulary: learned from the train shards, or a given vocab.txt, checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.params import Section
from bert.text.tokenizer import SPECIAL_PIECES, Vocabulary

LINES_A_BATCH = 1024


class VocabSettings(Section):
    """What to learn from: `size` is an upper bound; `iterations` of the learner; at most `max_bytes` of text."""

    size: Annotated[int, Field(ge=100)]
    iterations: Annotated[int, Field(ge=1)]
    max_bytes: Annotated[int, Field(ge=1)]


def sample(shards: Path, max_bytes: int) -> Iterator[str]:
    """The first lines of every train shard, equally much of each, `max_bytes` in all.

    Documents lie in shards in the order of a hash, so the beginnings of the shards are a random sample of them.
    """
    files = manifest.read(shards, "dvc repro shards")["files"]
    for file in files:
        left = max_bytes // len(files)
        with open(shards / file["path"], encoding="utf-8") as f:
            for line in f:
                left -= len(line.encode())
                if left < 0:
                    break
                if line.strip():
                    yield line.strip()


def learn(shards: Path, settings: VocabSettings) -> list[str]:
    """A lower-cased WordPiece vocabulary, most useful pieces first, by tensorflow-text's learner.

    The learner's result is the same in every run and process; that of the `tokenizers` package is not.

    Raises:
        StageError: no text to learn from.
    """
    lines = list(sample(shards, settings.max_bytes))
    if not lines:
        raise StageError(f"{shards}: no text to learn a vocabulary from", run="dvc repro shards")
    import tensorflow as tf
    from tensorflow_text.tools.wordpiece_vocab import bert_vocab_from_dataset

    batches = tf.data.Dataset.from_tensor_slices(lines).batch(LINES_A_BATCH)
    return list(
        bert_vocab_from_dataset.bert_vocab_from_dataset(
            batches,
            vocab_size=settings.size,
            reserved_tokens=list(SPECIAL_PIECES),
            bert_tokenizer_params={"lower_case": True},
            learn_params={"num_iterations": settings.iterations},
        )
    )


def describe(vocab: Path) -> dict[str, Any]:
    """Metrics of a vocab.txt. Raises StageError where it is not a BERT vocabulary (see `Vocabulary.read`)."""
    pieces = Vocabulary.read(vocab).pieces
    return {
        "size": len(pieces),
        "continuations": sum(p.startswith("##") for p in pieces),
        "characters": sum(len(p.removeprefix("##")) == 1 for p in pieces),
    }
