"""The tfrecords pipeline: a text shard -> the TFRecord file of its rows."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bert.beam.run import Item, Part, Workplace, read, run_parts
from bert.examples.masking import Masker, Masks, continuations
from bert.examples.packing import pack
from bert.examples.pairs import Ids, Pair, make_pairs, make_runs
from bert.examples.rows import Layout, layout_rows
from bert.examples.schema import serialize, write_record
from bert.examples.sequences import Tokens
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.examples.windows import Sentences, windows
from bert.pipeline import manifest
from bert.pipeline.counts import by_reason
from bert.pipeline.errors import StageError
from bert.tokens.casing import lower_cases
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.tokens.vocabulary import Vocabulary

SENTENCES_A_BATCH = 4096
# Of rows that are laid out at once: what fits into a core's cache. Their number changes no byte.
TOKENS_A_BATCH = 2**16
LENGTH_BINS = 32

Row = list[Pair]
"""The sequences of a row."""


def generator(*words: str | int) -> np.random.Generator:
    """A random generator that depends on `words` alone, not on the process or the order of work."""
    digest = hashlib.sha256("\x00".join(map(str, words)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big")))


def tokenized(window: list[Sentences], tokenizer: WordPieceTokenizer, counts: Counter[str]) -> list[list[Ids]]:
    """Token ids of every sentence of every document."""
    flat = [s for sentences in window for s in sentences]
    ids: list[Ids] = []
    for first in range(0, len(flat), SENTENCES_A_BATCH):
        ids += tokenizer.tokenize(flat[first : first + SENTENCES_A_BATCH])
    documents, at = [], 0
    for sentences in window:
        tokens = [t for t in ids[at : at + len(sentences)] if len(t)]
        counts["dropped:sentence_without_tokens"] += len(sentences) - len(tokens)
        counts["sentences"] += len(tokens)
        at += len(sentences)
        if tokens:
            documents.append(tokens)
            counts["documents"] += 1
        else:
            counts["dropped:document_without_tokens"] += 1
    counts["words"] += sum(len(s.split()) for s in flat)
    counts["pieces"] += sum(map(len, ids))
    counts["unknown_pieces"] += int((np.concatenate(ids) == tokenizer.unk_id).sum()) if ids else 0
    return documents


class RowMaker:
    """Documents as token ids -> serialized rows, as the settings want them."""

    def __init__(self, phase: PhaseSettings, settings: ExamplesSettings, tokenizer: WordPieceTokenizer) -> None:
        self._phase, self._settings = phase, settings
        self.masker = Masker(
            settings.masked_lm_prob,
            phase.max_predictions,
            tokenizer.mask_id,
            tokenizer.size,
            continuations(tokenizer.vocab) if settings.whole_word else None,
            settings.max_ngram,
        )
        self.layout = Layout(
            phase.sequence_length,
            phase.max_predictions,
            phase.max_sequences if phase.packing else 1,
            settings.objective != "mlm",
            tokenizer.cls_id,
            tokenizer.sep_id,
        )
        self._special = 3 if self.layout.next_sentence else 2  # [CLS], [SEP], and the second segment's [SEP]

    def pairs(self, documents: list[list[Ids]], rng: np.random.Generator, dropped: Counter[str]) -> Iterator[Pair]:
        """Pairs of segments, or runs of tokens, from the documents once over."""
        room, settings = self._phase.sequence_length - self._special, self._settings
        if settings.objective == "mlm":
            return make_runs(documents, room, settings.short_seq_prob, rng)
        order = settings.objective == "mlm+sop"
        return make_pairs(documents, room, settings.short_seq_prob, rng, dropped, order)

    def rows(self, documents: list[list[Ids]], rng: np.random.Generator, dropped: Counter[str]) -> Iterator[Row]:
        """The rows of a window. Static masking: `dupe_factor` times over, paired anew each time; dynamic: once."""
        times = self._settings.dupe_factor if self._settings.masking == "static" else 1
        sequences = (pair for _ in range(times) for pair in self.pairs(documents, rng, dropped))
        if not self._phase.packing:
            yield from ([sequence] for sequence in sequences)
            return
        waiting = list(sequences)
        lengths = [len(pair.a) + len(pair.b) + self._special for pair in waiting]
        phase = self._phase
        for row in pack(
            lengths, phase.sequence_length, phase.max_sequences, self.masker.count, phase.max_predictions, rng
        ):
            yield [waiting[n] for n in row]

    def serialized(self, rows: Sequence[Row], masking: np.random.BitGenerator, counts: Counter[str]) -> list[bytes]:
        """Rows -> tf.train.Example messages, under static masking with the masks that follow from `masking`."""
        sequences = [sequence for row in rows for sequence in row]
        tokens = Tokens.of(sequences, self.layout.cls_id, self.layout.sep_id)
        labels = [pair.label for pair in sequences]
        sizes = [len(row) for row in rows]
        self._count(tokens, labels, counts)
        if self._settings.masking == "static":
            masks = self.masker(tokens, self.masker.draw(masking, len(tokens.flat)))
            self._count_masks(masks, counts)
            return serialize(layout_rows(tokens, masks, labels, sizes, self.layout))
        last = np.cumsum(sizes)[:-1]
        columns = {"lengths": np.split(tokens.lengths, last), "firsts": np.split(tokens.firsts, last)}
        columns["tokens"] = np.split(tokens.flat, np.cumsum(tokens.lengths)[last - 1])
        if self.layout.next_sentence:
            columns["labels"] = np.split(np.array(labels), last)
        return serialize(columns)

    def _count(self, tokens: Tokens, labels: list[int], counts: Counter[str]) -> None:
        counts["sequences"] += len(labels)
        counts["tokens"] += len(tokens.flat)
        if self._settings.objective != "mlm":
            counts["random_next" if self._settings.objective == "mlm+nsp" else "swapped"] += sum(labels)
        bins = np.bincount((tokens.lengths - 1) * LENGTH_BINS // self._phase.sequence_length, minlength=LENGTH_BINS)
        counts.update({f"length:{n}": int(count) for n, count in enumerate(bins)})

    @staticmethod
    def _count_masks(masks: Masks, counts: Counter[str]) -> None:
        counts["predictions"] += len(masks.positions)
        counts["without_prediction"] += int((masks.counts == 0).sum())  # where no whole word fits


def batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(islice(rows, size)):
        yield batch


class _MakeRecords:
    """One shard -> one TFRecord file, window by window, the rows of each in random order."""

    def __init__(
        self, vocab: str, do_lower_case: bool, phase: PhaseSettings, settings: ExamplesSettings, seed: int
    ) -> None:
        self._vocab, self._do_lower_case = vocab, do_lower_case
        self._phase, self._settings, self._seed = phase, settings, seed

    def setup(self) -> None:
        # Through a file of this machine: the vocabulary may lie in a bucket.
        with read(self._vocab) as f, tempfile.NamedTemporaryFile(suffix=".txt") as local:
            local.write(f.read())
            local.flush()
            self._tokenizer = WordPieceTokenizer(local.name, self._do_lower_case)
        self._maker = RowMaker(self._phase, self._settings, self._tokenizer)

    def _records(
        self,
        window: list[Sentences],
        rng: np.random.Generator,
        masking: np.random.BitGenerator,
        counts: Counter[str],
        dropped: Counter[str],
    ) -> list[bytes]:
        documents = tokenized(window, self._tokenizer, counts)
        size = max(1, TOKENS_A_BATCH // self._phase.sequence_length)
        batches = batched(self._maker.rows(documents, rng, dropped), size)
        return [record for rows in batches for record in self._maker.serialized(rows, masking, counts)]

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        shard_of = (self._phase.sequence_length, item["name"])
        with read(item["path"]) as shard, part.create("records") as f:
            for number, window in enumerate(windows(shard, item["bytes"])):
                rng, masking = (generator(self._seed, what, *shard_of, number) for what in ("examples", "masks"))
                records = self._records(window, rng, masking.bit_generator, counts, dropped)
                counts["examples"] += len(records)
                for index in rng.permutation(len(records)):
                    write_record(f, records[index])
                del window, records  # before the next ones are made
        counts.update({f"dropped:{reason}": n for reason, n in dropped.items()})
        return dict(counts)


def _made_with(phase: PhaseSettings, settings: ExamplesSettings, sequences: int, do_lower_case: bool) -> dict[str, Any]:
    """The settings that training has to know, for the manifest.

    An option stands in it only where it is used, so that manifests of the default keep their bytes.
    """
    used: dict[str, Any] = {"masking": settings.masking, "objective": settings.objective}
    if not do_lower_case:
        used |= {"do_lower_case": False}
    if phase.packing:
        used |= {"max_sequences": phase.max_sequences, "sequences": sequences}
    if settings.whole_word:
        used |= {"whole_word": True, "max_ngram": settings.max_ngram}
    if settings.masking == "dynamic":
        used |= {"masked_lm_prob": settings.masked_lm_prob, "dupe_factor": settings.dupe_factor}
    return used


def make_records(
    shards: dict[str, Path],
    vocab: Path,
    phase_name: str,
    phase: PhaseSettings,
    settings: ExamplesSettings,
    seed: int,
    place: Workplace,
    out: Path,
) -> tuple[dict[str, Any], list[tuple[str, int, int]]]:
    """Text shards {split: folder} -> TFRecords in `out`/<split>, with a manifest each.

    Under static masking both splits are written `dupe_factor` times over, paired and masked anew each time: for test,
    so that the held-out figures rest on most of its tokens and not on the 15 % of one masking. Under dynamic masking
    each is written once, and evaluation masks the test split so many times over.

    Returns:
        The metrics, and a histogram of the sequences' lengths as rows (split, tokens at most, sequences).

    Raises:
        StageError: a broken vocabulary or file beside it, or a split without a single example.
    """
    vocabulary, do_lower_case = Vocabulary.read(vocab), lower_cases(vocab, "dvc repro vocab")
    items: list[Item] = []
    for split, folder in shards.items():
        for file in manifest.read(folder, "dvc repro shards")["files"]:
            items.append(
                {
                    "name": Path(file["path"]).stem,
                    "split": split,
                    "bytes": file["bytes"],
                    "path": place.share(folder / file["path"]),
                }
            )
    work = _MakeRecords(place.share(vocab), do_lower_case, phase, settings, seed)
    done = run_parts(f"tfrecords@{phase_name}", items, work, place)
    metrics: dict[str, Any] = {}
    lengths: list[tuple[str, int, int]] = []
    for split in shards:
        total: Counter[str] = Counter()
        entries = []
        for item, counts in zip(items, done, strict=True):
            if item["split"] == split:
                name = f"{item['name']}.tfrecord"
                place.fetch(item, "records", out / split / name)
                entries.append({"path": name, "examples": counts["examples"]})
                total.update(counts)
        if not total["examples"]:
            raise StageError(f"{shards[split]}: not one example came out", run="dvc repro shards on a larger corpus")
        manifest.write(
            out / split,
            entries,
            sequence_length=phase.sequence_length,
            max_predictions=phase.max_predictions,
            vocab_size=len(vocabulary.pieces),
            vocab_sha256=vocabulary.sha256,
            **_made_with(phase, settings, total["sequences"], do_lower_case),
        )
        for n in range(LENGTH_BINS):
            longest = phase.sequence_length * (n + 1) // LENGTH_BINS
            lengths.append((split, longest, total.pop(f"length:{n}")))
        figures = by_reason(total)
        figures["padding"] = round(1 - total["tokens"] / (total["examples"] * phase.sequence_length), 6)
        figures["pieces_per_word"] = round(total["pieces"] / max(1, total["words"]), 6)
        figures["unknown_rate"] = round(total["unknown_pieces"] / max(1, total["pieces"]), 6)
        figures["bytes"] = sum((out / split / e["path"]).stat().st_size for e in entries)
        metrics[split] = figures
    place.forget_uploads()
    return metrics, lengths
