"""The WordPiece vocabulary: learned from the train shards, or a given vocab.txt, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.params import Section
from bert.pipeline.watched import Watch, unwatched
from bert.tokens.vocabulary import SPECIAL_PIECES, Vocabulary
from bert.tokens.wordpiece_learner import learn_pieces

LINES_A_BATCH = 1024


class VocabSettings(Section):
    """What to learn from: `size` is an upper bound; `iterations` of the learner; at most `max_bytes` of text.

    do_lower_case: null: true for a learned vocabulary; of a given one, as it is (see stages/vocab.py).
    max_words: of the distinct words in that text, the most frequent; the learner's time and memory grow with them.
    """

    do_lower_case: bool | None
    size: Annotated[int, Field(ge=100)]
    iterations: Annotated[int, Field(ge=1)]
    max_bytes: Annotated[int, Field(ge=1)]
    max_words: Annotated[int, Field(ge=1)]


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


def _lines(shards: Path, settings: VocabSettings) -> int:
    """About how many `sample` gives."""
    files = manifest.read(shards, "dvc repro shards")["files"]
    lines, size = (sum(file.get(name, 0) for file in files) for name in ("sentences", "bytes"))
    return lines * min(settings.max_bytes, size) // size if size else 0


def count_words(lines: Iterable[str], do_lower_case: bool = True) -> Counter[str]:
    """How often each word, split off (and lower-cased) as BERT's tokenizer does it, stands in the text."""
    import tensorflow as tf
    from tensorflow_text.python.ops.bert_tokenizer import BasicTokenizer

    split = BasicTokenizer(lower_case=do_lower_case)
    counts: Counter[bytes] = Counter()
    rest = iter(lines)
    while batch := list(islice(rest, LINES_A_BATCH)):
        counts.update(split.tokenize(tf.constant(batch)).flat_values.numpy().tolist())
    return Counter({word.decode(): count for word, count in counts.items()})


def most_frequent(counts: Counter[str], most: int) -> dict[str, int]:
    """The `most` most frequent words; of equally frequent ones the first in alphabetical order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])


def learn(shards: Path, settings: VocabSettings, watch: Watch = unwatched) -> tuple[list[str], dict[str, Any]]:
    """A WordPiece vocabulary, that of tensorflow-text's learner, and counts of words.

    Its result is the same in every run and process; that of the `tokenizers` package is not.

    Raises:
        StageError: no text to learn from.
    """
    lines = watch(sample(shards, settings.max_bytes), "vocab, counting words", _lines(shards, settings), "sentences")
    first = next(lines, None)
    if first is None:
        raise StageError(f"{shards}: no text to learn a vocabulary from", run="dvc repro shards")
    counts = count_words(chain([first], lines), settings.do_lower_case is not False)
    kept = most_frequent(counts, settings.max_words)
    pieces = learn_pieces(kept, settings.size, SPECIAL_PIECES, settings.iterations, watch)
    return pieces, {
        "words": counts.total(),
        "distinct_words": len(counts),
        "dropped": {"rare_word": len(counts) - len(kept)},
    }


def describe(vocab: Path) -> dict[str, Any]:
    """Metrics of a vocab.txt. Raises StageError where it is not a BERT vocabulary (see `Vocabulary.read`)."""
    pieces = Vocabulary.read(vocab).pieces
    return {
        "size": len(pieces),
        "continuations": sum(p.startswith("##") for p in pieces),
        "characters": sum(len(p.removeprefix("##")) == 1 for p in pieces),
    }
