"""The paraphrase set: the pairs of one text, and the TSV file of GLUE's MRPC."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bert.cloze.paraphrases.distort import Stock
from bert.cloze.paraphrases.pairs import Pair, make_pairs
from bert.cloze.settings import ParaphraseSettings
from bert.cloze.texts import Text
from bert.pipeline.files import write_text

HEADER = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"


@dataclass(frozen=True, slots=True)
class Row:
    first_id: int
    second_id: int
    pair: Pair

    def line(self) -> str:
        """No quoting, as in MRPC: a quotation mark is a character of the sentence."""
        pair = self.pair
        fields = (str(pair.label), str(self.first_id), str(self.second_id), pair.source, pair.version.text)
        assert not any(c in field for field in fields for c in "\t\r\n"), fields
        return "\t".join(fields)


def make_rows(text: Text, settings: ParaphraseSettings) -> tuple[list[Row], Counter[str]]:
    """The rows of a text. Each sentence gives a positive and a negative, or is counted under its reason."""
    dropped: Counter[str] = Counter()
    rows: dict[int, list[Row]] = {}
    stock = Stock.of(text.sentences, text.capitals)
    # In random order, so that the limit per document takes them evenly from all over it.
    for index in text.rng("pairs").permutation(len(text.sentences)).tolist():
        if 2 * len(rows) + 2 > settings.max_per_document:
            dropped["document has its pairs"] += 1
            continue
        sentence, rng = text.sentences[index], text.rng("pair", index)
        pairs = make_pairs(sentence, text.capitals, stock, settings, rng, dropped)
        if pairs:
            rows[index] = [Row(_id(text.id, index), _id(text.id, index, pair.label), pair) for pair in pairs]
    return [row for index in sorted(rows) for row in rows[index]], dropped


def _id(*words: str | int) -> int:
    """Stable, and a number as in MRPC."""
    return int(hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()[:12], 16)


def write_tsv(path: Path, rows: Iterable[Row]) -> None:
    write_text(path, "\n".join([HEADER, *(row.line() for row in rows)]) + "\n")
