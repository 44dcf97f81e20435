"""bert/examples/records.py: a shard of sentences -> the TFRecords of its examples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert.examples.pairs import Pair
from bert.examples.records import generator, make_records, read_shard, to_example
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.text.tokenizer import WordPieceTokenizer
from tests.corpus import PIECES, document
from tests.examples.test_schema import parse
from tests.project import files

PHASE = PhaseSettings(sequence_length=32, max_predictions=5)
SETTINGS = ExamplesSettings(masked_lm_prob=0.15, dupe_factor=2, short_seq_prob=0.1)


def shard(numbers: range) -> str:
    """Documents as the shards stage writes them: a sentence a line, a blank line between documents."""
    return "\n".join(document(n).replace("\n", " ").replace(". ", ".\n") + "\n" for n in numbers)


def folder(path: Path, **shards: str) -> Path:
    path.mkdir(parents=True)
    for name, text in shards.items():
        (path / f"{name}.txt").write_text(text)
    manifest.write(path, [{"path": f"{name}.txt"} for name in shards])
    return path


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("shards")
    return {
        "train": folder(root / "train", train_0=shard(range(12)), train_1=shard(range(12, 20))),
        "test": folder(root / "test", test_0=shard(range(20, 26))),
    }


def make(splits: dict[str, Path], vocab: Path, out: Path, seed: int = 7, **changed: Any) -> dict[str, Any]:
    settings = SETTINGS.model_copy(update=changed)
    return make_records(splits, vocab, "phase1", PHASE, settings, seed, out / "scratch", out / "out")


def test_an_example_is_laid_out_as_bert_s(tokenizer: WordPieceTokenizer) -> None:
    pair = Pair(np.array([10, 11, 12], np.int32), np.array([20, 21], np.int32), True)
    phase = PhaseSettings(sequence_length=12, max_predictions=4)
    told, length, predictions = to_example(pair, phase, SETTINGS, tokenizer, generator(1))
    assert (length, predictions) == (8, 1)
    ids = told["input_ids"].copy()
    ids[told["masked_lm_positions"][0]] = told["masked_lm_ids"][0]
    assert ids.tolist() == [2, 10, 11, 12, 3, 20, 21, 3, 0, 0, 0, 0]
    assert told["input_mask"].tolist() == [1] * 8 + [0] * 4
    assert told["segment_ids"].tolist() == [0] * 5 + [1] * 3 + [0] * 4
    assert told["masked_lm_weights"].tolist() == [1, 0, 0, 0]
    assert told["masked_lm_positions"][1:].tolist() == told["masked_lm_ids"][1:].tolist() == [0, 0, 0]
    assert told["next_sentence_labels"].tolist() == [1]


def test_a_shard_is_read_back_as_documents_of_sentences(tokenizer: WordPieceTokenizer, tmp_path: Path) -> None:
    path = tmp_path / "shard.txt"
    path.write_text("The keeper sold a lamp.\nEvery sailor.\n\n\u200b\n\nThe lamp.\n\u200b\n")
    counts: Counter[str] = Counter()
    documents = read_shard(str(path), tokenizer, counts)
    assert [[len(s) for s in d] for d in documents] == [[6, 3], [3]]
    assert counts["dropped:sentence_without_tokens"] == 2 and counts["dropped:document_without_tokens"] == 1
    assert counts["pieces"] == 12 and counts["unknown_pieces"] == 0


def test_generators_of_other_words_are_other_generators() -> None:
    assert generator("a", 1).integers(2**60) == generator("a", 1).integers(2**60)
    assert generator("a", 1).integers(2**60) != generator("a1").integers(2**60)


def test_both_splits_are_written_several_times_over_and_masked_anew(
    splits: dict[str, Path], vocab: Path, tmp_path: Path
) -> None:
    one, two = (make(splits, vocab, tmp_path / str(n), dupe_factor=n) for n in (1, 3))
    for split in ("train", "test"):
        assert 2.4 < two[split]["examples"] / one[split]["examples"] < 3.6
    records = [r for n in (0, 1) for r in parse(tmp_path / "3" / "out" / "train" / f"train_{n}.tfrecord", 32, 5)]
    assert len({record["input_ids"].tobytes() for record in records}) > 0.95 * len(records)


def test_every_example_of_a_file_keeps_the_rules(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path)
    records = [r for path in sorted((tmp_path / "out" / "train").glob("*.tfrecord")) for r in parse(path, 32, 5)]
    assert len(records) == metrics["train"]["examples"]
    for record in records:
        length, predictions = int(record["input_mask"].sum()), int(record["masked_lm_weights"].sum())
        ids = record["input_ids"].copy()
        positions = record["masked_lm_positions"][:predictions]
        ids[positions] = record["masked_lm_ids"][:predictions]
        special = np.flatnonzero(np.isin(ids, [2, 3]))
        assert special[0] == 0 and len(special) == 3 and special[2] == length - 1
        assert not ids[length:].any() and not record["segment_ids"][length:].any()
        assert record["segment_ids"][:length].tolist() == [0] * (special[1] + 1) + [1] * (length - special[1] - 1)
        assert predictions == min(5, max(1, round(length * 0.15)))
    assert metrics["train"]["tokens"] == sum(int(r["input_mask"].sum()) for r in records)
    assert metrics["train"]["random_next"] == sum(int(r["next_sentence_labels"][0]) for r in records)
    assert metrics["train"]["padding"] == round(1 - metrics["train"]["tokens"] / (32 * len(records)), 6)


def test_the_manifest_tells_what_training_must_know(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path)
    told = manifest.read(tmp_path / "out" / "train", "x")
    assert {k: told[k] for k in ("sequence_length", "max_predictions", "vocab_size", "masking", "objective")} == {
        "sequence_length": 32,
        "max_predictions": 5,
        "vocab_size": len(PIECES),
        "masking": "static",
        "objective": "mlm+nsp",
    }
    assert sum(f["examples"] for f in told["files"]) == metrics["train"]["examples"]


def test_the_bytes_depend_on_seed_shard_and_nothing_else(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    make(splits, vocab, tmp_path / "one")
    alone = {"train": folder(tmp_path / "alone", train_0=shard(range(12))), "test": splits["test"]}
    make(alone, vocab, tmp_path / "two")
    make(splits, vocab, tmp_path / "three", seed=8)
    one, two, three = (files(tmp_path / n / "out") for n in ("one", "two", "three"))
    name = "train/train_0.tfrecord"
    assert one[name] == two[name] != three[name]


def test_a_restart_does_not_load_the_vocabulary_for_parts_that_are_done(
    splits: dict[str, Path], vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow takes 6 to 10 s to import in each worker."""
    first = make(splits, vocab, tmp_path)
    monkeypatch.delattr("bert.examples.records.WordPieceTokenizer")
    assert make(splits, vocab, tmp_path) == first


def test_a_vocabulary_out_of_the_workers_reach_is_uploaded(
    splits: dict[str, Path], vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = make(splits, vocab, tmp_path / "plain")
    monkeypatch.setenv("BERT_WORK", str(tmp_path / "work"))
    assert make(splits, vocab, tmp_path / "away") == plain
    assert files(tmp_path / "away" / "out") == files(tmp_path / "plain" / "out")
    assert files(tmp_path / "work") == {}


def test_a_split_without_an_example_is_an_error(vocab: Path, tmp_path: Path) -> None:
    lonely = {"train": folder(tmp_path / "in", train_0="Every sailor sold a lamp.\n")}  # one sentence: no pair
    with pytest.raises(StageError, match="not one example came out"):
        make(lonely, vocab, tmp_path / "run")


def test_a_broken_vocabulary_is_told_before_any_work(splits: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\n")
    with pytest.raises(StageError, match=r"vocab\.txt: 1 pieces, but no \[PAD\]"):
        make(splits, tmp_path / "vocab.txt", tmp_path / "run")
    assert not (tmp_path / "run").exists()
