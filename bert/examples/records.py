"""The tfrecords pipeline: a text shard -> the TFRecord file of its examples."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bert.examples.masking import mask
from bert.examples.pairs import Ids, Pair, make_pairs
from bert.examples.schema import serialize, write_record
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, read, run_parts
from bert.pipeline.errors import StageError
from bert.text.documents import summary
from bert.text.tokenizer import Vocabulary, WordPieceTokenizer

SENTENCES_A_BATCH = 4096


def generator(*words: str | int) -> np.random.Generator:
    """A random generator that depends on `words` alone, not on the process or the order of work."""
    digest = hashlib.sha256("\x00".join(map(str, words)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big")))


def to_example(
    pair: Pair,
    phase: PhaseSettings,
    settings: ExamplesSettings,
    tokenizer: WordPieceTokenizer,
    rng: np.random.Generator,
) -> tuple[dict[str, npt.NDArray[Any]], int, int]:
    """[CLS] a [SEP] b [SEP], masked and padded to the schema; (features, number of tokens, of predictions)."""
    special = np.array([tokenizer.cls_id], np.int32), np.array([tokenizer.sep_id], np.int32)
    tokens = np.concatenate([special[0], pair.a, special[1], pair.b, special[1]])
    maskable = np.ones(len(tokens), bool)
    maskable[[0, len(pair.a) + 1, len(tokens) - 1]] = False
    masked = mask(
        tokens,
        maskable,
        rng,
        prob=settings.masked_lm_prob,
        max_predictions=phase.max_predictions,
        mask_id=tokenizer.mask_id,
        vocab_size=tokenizer.size,
    )
    length, predictions = len(tokens), len(masked.positions)

    def padded(values: npt.ArrayLike, size: int, dtype: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
        out = np.zeros(size, dtype)
        values = np.asarray(values)
        out[: len(values)] = values
        return out

    s, p = phase.sequence_length, phase.max_predictions
    segments = np.zeros(length, np.int64)
    segments[len(pair.a) + 2 :] = 1
    example = {
        "input_ids": padded(masked.tokens, s),
        "input_mask": padded(np.ones(length), s),
        "segment_ids": padded(segments, s),
        "masked_lm_positions": padded(masked.positions, p),
        "masked_lm_ids": padded(masked.labels, p),
        "masked_lm_weights": padded(np.ones(predictions), p, np.float32),
        "next_sentence_labels": np.array([pair.is_random_next], np.int64),
    }
    return example, length, predictions


def read_shard(path: str, tokenizer: WordPieceTokenizer, counts: Counter[str]) -> list[list[Ids]]:
    """Token ids of every sentence of every document of a text shard."""
    with read(path) as f:
        blocks = f.read().decode().split("\n\n")
    sentences_of = [[s for s in block.split("\n") if s] for block in blocks]
    flat = [s for sentences in sentences_of for s in sentences]
    ids: list[Ids] = []
    for first in range(0, len(flat), SENTENCES_A_BATCH):
        ids += tokenizer.tokenize(flat[first : first + SENTENCES_A_BATCH])
    documents, at = [], 0
    for sentences in sentences_of:
        tokens = [t for t in ids[at : at + len(sentences)] if len(t)]
        counts["dropped:sentence_without_tokens"] += len(sentences) - len(tokens)
        at += len(sentences)
        if tokens:
            documents.append(tokens)
        elif sentences:
            counts["dropped:document_without_tokens"] += 1
    counts["words"] += sum(len(s.split()) for s in flat)
    counts["pieces"] += sum(map(len, ids))
    counts["unknown_pieces"] += sum(int((t == tokenizer.unk_id).sum()) for t in ids)
    return documents


class _MakeRecords:
    """One shard -> one TFRecord file, its examples in random order."""

    def __init__(self, vocab: str, phase: PhaseSettings, settings: ExamplesSettings, seed: int) -> None:
        self._vocab, self._phase, self._settings, self._seed = vocab, phase, settings, seed

    def setup(self) -> None:
        # Through a file of this machine: the vocabulary may lie in a bucket.
        with read(self._vocab) as f, tempfile.NamedTemporaryFile(suffix=".txt") as local:
            local.write(f.read())
            local.flush()
            self._tokenizer = WordPieceTokenizer(local.name)

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        documents = read_shard(item["path"], self._tokenizer, counts)
        rng = generator(self._seed, "examples", self._phase.sequence_length, item["name"])
        records: list[bytes] = []
        dropped: Counter[str] = Counter()
        for _ in range(self._settings.dupe_factor):
            room = self._phase.sequence_length - 3  # [CLS], [SEP], [SEP]
            for pair in make_pairs(documents, room, self._settings.short_seq_prob, rng, dropped):
                example, length, predictions = to_example(pair, self._phase, self._settings, self._tokenizer, rng)
                records.append(serialize(example))
                counts["tokens"] += length
                counts["predictions"] += predictions
                counts["random_next"] += pair.is_random_next
        counts["examples"] = len(records)
        counts.update({f"dropped:{reason}": n for reason, n in dropped.items()})
        with part.create("records") as f:
            for index in rng.permutation(len(records)):
                write_record(f, records[index])
        return dict(counts)


def make_records(
    shards: dict[str, Path],
    vocab: Path,
    phase_name: str,
    phase: PhaseSettings,
    settings: ExamplesSettings,
    seed: int,
    scratch: Path,
    out: Path,
) -> dict[str, Any]:
    """Text shards {split: folder} -> TFRecords in `out`/<split>, with a manifest each. Returns the metrics.

    Both splits are written `dupe_factor` times over, paired and masked anew each time: for test, so that the held-out
    figures rest on most of its tokens and not on the 15 % of one masking.

    Raises:
        StageError: a broken vocabulary, or a split without a single example.
    """
    place = Workplace(scratch)
    vocabulary = Vocabulary.read(vocab)
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
    work = _MakeRecords(place.share(vocab), phase, settings, seed)
    done = run_parts(f"tfrecords@{phase_name}", items, work, place)
    metrics: dict[str, Any] = {}
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
            masking="static",
            objective="mlm+nsp",
        )
        told = summary(total)
        told["padding"] = round(1 - total["tokens"] / (total["examples"] * phase.sequence_length), 6)
        told["pieces_per_word"] = round(total["pieces"] / max(1, total["words"]), 6)
        told["unknown_rate"] = round(total["unknown_pieces"] / max(1, total["pieces"]), 6)
        told["bytes"] = sum((out / split / e["path"]).stat().st_size for e in entries)
        metrics[split] = told
    place.forget_uploads()
    return metrics
