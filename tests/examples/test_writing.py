"""bert/examples/writing.py: a shard of sentences -> the TFRecords of its examples."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bert.beam.run import Workplace
from bert.examples import windows
from bert.examples.schema import UNMASKED
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.examples.writing import generator, make_records, tokenized
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tokens.casing import write_casing
from bert.tokens.tokenizer import WordPieceTokenizer
from tests.corpus import PIECES
from tests.examples.parsing import parse
from tests.examples.shards import PHASE, SETTINGS, folder, shard
from tests.project import files


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("shards")
    return {
        "train": folder(root / "train", train_0=shard(range(12)), train_1=shard(range(12, 20))),
        "test": folder(root / "test", test_0=shard(range(20, 26))),
    }


def make(
    splits: dict[str, Path],
    vocab: Path,
    out: Path,
    seed: int = 7,
    phase: PhaseSettings = PHASE,
    work_folder: str | None = None,
    **changed: Any,
) -> dict[str, Any]:
    settings, place = SETTINGS.model_copy(update=changed), Workplace(out / "scratch", work_folder)
    return make_records(splits, vocab, "phase1", phase, settings, seed, place, out / "out")[0]


def test_documents_become_tokens_and_what_has_none_is_counted(tokenizer: WordPieceTokenizer) -> None:
    window = [["The keeper sold a lamp.", "Every sailor."], ["\u200b"], ["The lamp.", "\u200b"]]
    counts: Counter[str] = Counter()
    documents = tokenized(window, tokenizer, counts)
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


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_records_are_cased_as_the_vocabulary_is_and_say_so(
    splits: dict[str, Path], tmp_path: Path, do_lower_case: bool
) -> None:
    pieces = [*PIECES, *(piece.capitalize() for piece in PIECES if piece.isalpha() and len(piece) > 1)]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n")
    write_casing(tmp_path, do_lower_case)
    make(splits, tmp_path / "vocab.txt", tmp_path)
    found: set[str] = set()
    for record in parse(tmp_path / "out" / "train" / "train_0.tfrecord", 32, 5):
        # Where a prediction is, a random piece may stand.
        ids = np.delete(record["input_ids"], record["masked_lm_positions"])
        found |= {pieces[i] for i in ids.tolist()}
    assert ("The" in found, any(piece[0].isupper() for piece in found)) == (not do_lower_case, not do_lower_case)
    said = manifest.read(tmp_path / "out" / "train", "dvc repro tfrecords").get("do_lower_case")
    assert said is (None if do_lower_case else False), "manifests of the default keep their bytes"


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
    listed = manifest.read(tmp_path / "out" / "train", "x")
    assert {k: listed[k] for k in ("sequence_length", "max_predictions", "vocab_size", "masking", "objective")} == {
        "sequence_length": 32,
        "max_predictions": 5,
        "vocab_size": len(PIECES),
        "masking": "static",
        "objective": "mlm+nsp",
    }
    assert sum(f["examples"] for f in listed["files"]) == metrics["train"]["examples"]


def test_the_bytes_depend_on_seed_shard_and_nothing_else(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    make(splits, vocab, tmp_path / "one")
    alone = {"train": folder(tmp_path / "alone", train_0=shard(range(12))), "test": splits["test"]}
    make(alone, vocab, tmp_path / "two")
    make(splits, vocab, tmp_path / "three", seed=8)
    one, two, three = (files(tmp_path / n / "out") for n in ("one", "two", "three"))
    name = "train/train_0.tfrecord"
    assert one[name] == two[name] != three[name]


@pytest.mark.parametrize("packing", [False, True])
def test_a_large_shard_is_made_in_windows_each_with_its_own_random_numbers(
    vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: bool
) -> None:
    """The records of a shard of three windows begin with those of a shard that is the first of them."""
    whole = shard(range(30))
    monkeypatch.setattr(windows, "WINDOW_BYTES", len(whole) // 3)
    first = windows.windows(whole.encode().splitlines(keepends=True), len(whole))
    alone = "\n".join("".join(f"{s}\n" for s in document) for document in next(first))
    assert 8 <= sum(1 for line in alone.split("\n") if not line) <= 12
    phase = PHASE.model_copy(update={"packing": packing})
    made = {}
    for name, text in (("whole", whole), ("alone", alone)):
        splits = {"train": folder(tmp_path / name, train_0=text)}
        metrics = make(splits, vocab, tmp_path / f"{name}-run", phase=phase)["train"]
        made[name] = (tmp_path / f"{name}-run/out/train/train_0.tfrecord").read_bytes(), metrics
    data, metrics = made["whole"]
    assert data.startswith(made["alone"][0]) and len(data) > 2.5 * len(made["alone"][0])
    assert (metrics["documents"], metrics["bytes"]) == (30, len(data))
    assert metrics["sentences"] == sum(1 for line in whole.split("\n") if line)


def test_two_windows_of_the_same_text_are_not_the_same_records(
    vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shard(range(12)) + "\n"
    monkeypatch.setattr(windows, "WINDOW_BYTES", len(text))
    make({"train": folder(tmp_path / "in", train_0=text * 2)}, vocab, tmp_path)
    records = parse(tmp_path / "out/train/train_0.tfrecord", 32, 5)
    assert len({record["input_ids"].tobytes() for record in records}) > 0.9 * len(records) > 50


@pytest.mark.slow
def test_memory_does_not_grow_with_the_shard(vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW_BYTES", 50_000)
    peaks = []
    for name, numbers in (("warm", range(10)), ("two", range(250)), ("eight", range(1000))):
        splits = {"train": folder(tmp_path / name, train_0=shard(numbers))}
        tracemalloc.start()
        make(splits, vocab, tmp_path / f"{name}-run")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (tmp_path / "eight/train_0.txt").stat().st_size > 7.5 * windows.WINDOW_BYTES
    assert peaks[2] < 1.2 * peaks[1]


def test_a_restart_does_not_load_the_vocabulary_for_parts_that_are_done(
    splits: dict[str, Path], vocab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow takes 6 to 10 s to import in each worker."""
    first = make(splits, vocab, tmp_path)
    monkeypatch.delattr("bert.examples.writing.WordPieceTokenizer")
    assert make(splits, vocab, tmp_path) == first


def test_a_vocabulary_out_of_the_workers_reach_is_uploaded(
    splits: dict[str, Path], vocab: Path, tmp_path: Path
) -> None:
    plain = make(splits, vocab, tmp_path / "plain")
    assert make(splits, vocab, tmp_path / "away", work_folder=str(tmp_path / "work")) == plain
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


PACKED = PHASE.model_copy(update={"sequence_length": 64, "max_predictions": 10, "packing": True})


def stored(folder: Path, names: tuple[str, ...] = UNMASKED) -> list[dict[str, list[int]]]:
    """The integers of every record of a folder, by protobuf."""
    import tensorflow as tf

    found = []
    for path in sorted(folder.glob("*.tfrecord")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            feature = tf.train.Example.FromString(record).features.feature
            assert set(feature) == set(names)
            found.append({name: list(feature[name].int64_list.value) for name in names})
    return found


def test_dynamic_masking_stores_each_token_once(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path, masking="dynamic", dupe_factor=5)
    assert "predictions" not in metrics["train"]
    listed = manifest.read(tmp_path / "out" / "train", "x")
    assert (listed["masking"], listed["masked_lm_prob"], listed["dupe_factor"]) == ("dynamic", 0.15, 5)
    once = make(splits, vocab, tmp_path / "once", dupe_factor=1)["train"]
    assert 0.8 < metrics["train"]["tokens"] / once["tokens"] < 1.25
    assert metrics["train"]["bytes"] < once["bytes"] / 2
    for row in stored(tmp_path / "out" / "train"):
        (length,), (first,) = row["lengths"], row["firsts"]
        special = [n for n, token in enumerate(row["tokens"]) if token in (2, 3)]
        assert special == [0, first - 1, length - 1] and len(row["tokens"]) == length <= 32
        assert PIECES.index("[MASK]") not in row["tokens"]


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_packed_rows_hold_the_sequences_and_predictions_of_unpacked_ones(
    splits: dict[str, Path], vocab: Path, tmp_path: Path, masking: str
) -> None:
    """Packing is the last thing that draws from a shard's generator, so the sequences are the same ones."""
    loose = PACKED.model_copy(update={"packing": False})
    packed, apart = (
        make(splits, vocab, tmp_path / name, phase=phase, masking=masking, short_seq_prob=0.5, dupe_factor=5)
        for name, phase in (("packed", PACKED), ("apart", loose))
    )
    for split in ("train", "test"):
        for count in ("sequences", "tokens", "random_next", "predictions"):
            assert packed[split].get(count) == apart[split].get(count)
        assert packed[split]["examples"] < apart[split]["examples"] == apart[split]["sequences"]
        listed = manifest.read(tmp_path / "packed" / "out" / split, "x")
        assert (listed["max_sequences"], listed["sequences"]) == (3, packed[split]["sequences"])
    assert packed["train"]["padding"] < apart["train"]["padding"] / 2


def test_without_next_sentences_nothing_is_truncated_and_no_label_is_written(
    splits: dict[str, Path], vocab: Path, tmp_path: Path
) -> None:
    metrics = make(splits, vocab, tmp_path, masking="dynamic", objective="mlm", dupe_factor=1)
    assert metrics["train"]["dropped"] == {}
    rows = stored(tmp_path / "out" / "train", UNMASKED[:-1])
    assert metrics["train"]["pieces"] == sum(len(row["tokens"]) for row in rows) - 2 * len(rows)
    assert all(row["firsts"] == row["lengths"] for row in rows)


def test_sentence_order_is_an_objective(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path, objective="mlm+sop", dupe_factor=4)["train"]
    assert 0.3 < metrics["swapped"] / metrics["sequences"] < 0.7
    assert manifest.read(tmp_path / "out" / "train", "x")["objective"] == "mlm+sop"


def test_whole_word_masking_is_told_and_done(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path, whole_word=True, max_ngram=2)["train"]
    listed = manifest.read(tmp_path / "out" / "train", "x")
    assert (listed["whole_word"], listed["max_ngram"]) == (True, 2)
    assert metrics["predictions"] and metrics["without_prediction"] == 0


def test_ngrams_of_pieces_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_ngram above 1 needs whole_word"):
        ExamplesSettings(**{**SETTINGS.model_dump(), "max_ngram": 2})


def test_the_histogram_counts_every_sequence_by_its_length(
    splits: dict[str, Path], vocab: Path, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"masking": "dynamic"})
    place = Workplace(tmp_path / "scratch")
    metrics, lengths = make_records(splits, vocab, "phase1", PACKED, settings, 7, place, tmp_path / "out")
    counted = Counter({longest: n for split, longest, n in lengths if split == "train" and n})
    real = Counter(-(-length // 2) * 2 for row in stored(tmp_path / "out" / "train") for length in row["lengths"])
    assert counted == real and sum(counted.values()) == metrics["train"]["sequences"]
    assert [longest for split, longest, _ in lengths if split == "test"] == list(range(2, 65, 2))


def test_documents_and_sentences_are_counted(splits: dict[str, Path], vocab: Path, tmp_path: Path) -> None:
    metrics = make(splits, vocab, tmp_path)
    assert (metrics["train"]["documents"], metrics["test"]["documents"]) == (20, 6)
    lines = [line for n in range(20) for line in shard(range(n, n + 1)).split("\n") if line]
    assert metrics["train"]["sentences"] == len(lines)
