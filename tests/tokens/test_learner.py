"""bert/tokens/learner.py: the learned vocabulary, and what is said of any."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tokens.learner import VocabSettings, count_words, describe, learn, most_frequent, sample
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.corpus import document
from tests.watching import Watching

SETTINGS = VocabSettings(do_lower_case=None, size=150, iterations=2, max_bytes=100_000, max_words=1000)


def shards(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (folder / f"train-{number}.txt").write_text(text, encoding="utf-8")
    manifest.write(folder, [{"path": f"train-{number}.txt"} for number in range(len(texts))])
    return folder


def test_equally_much_of_each_shard_is_learned_from(tmp_path: Path) -> None:
    folder = shards(tmp_path, "aaaa\n\nbbbb\ncccc\n", "dddd\neeee\nffff\n")
    assert list(sample(folder, 1000)) == ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"]
    assert list(sample(folder, 22)) == ["aaaa", "bbbb", "dddd", "eeee"]  # 11 bytes each: "aaaa\n" "\n" "bbbb\n"
    assert list(sample(folder, 8)) == []


def test_bytes_are_counted_and_not_characters(tmp_path: Path) -> None:
    folder = shards(tmp_path, "üüüü\nüüüü\n")
    assert list(sample(folder, 17)) == ["üüüü"]


def test_shards_without_text_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no text to learn"):
        learn(shards(tmp_path, "\n\n"), SETTINGS)


def test_a_learned_vocabulary_is_complete_lower_case_bounded_and_the_same_again(tmp_path: Path) -> None:
    folder = shards(tmp_path, *("\n".join(document(10 * n + i) for i in range(10)) + "\n" for n in range(3)))
    pieces, counts = learn(folder, SETTINGS)
    text = (folder / "train-0.txt").read_text() + (folder / "train-1.txt").read_text()
    assert tuple(pieces[:5]) == SPECIAL_PIECES
    assert len(SPECIAL_PIECES) < len(pieces) <= SETTINGS.size and len(set(pieces)) == len(pieces)
    assert all(piece == piece.lower() for piece in pieces[5:])
    assert {"keeper", "lamp", "the"} <= set(pieces)
    assert learn(folder, SETTINGS) == (pieces, counts)
    assert counts["words"] > len(text.split()) and counts["dropped"] == {"rare_word": 0}


def test_it_shows_how_far_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.txt").write_text("the lamp\n" * 500 + "\n")
    manifest.write(folder, [{"path": f"{name}.txt", "sentences": 500, "bytes": 4501} for name in "ab"])
    watching = Watching()
    assert learn(folder, SETTINGS, watching) == learn(folder, SETTINGS)
    assert watching.shown["vocab, counting words"] == (1000, 1000, "sentences")
    rounds, at_most, unit = watching.shown["vocab, looking for the threshold"]
    assert 1 <= rounds <= at_most and unit == "rounds at most"
    less = Watching()
    learn(folder, SETTINGS.model_copy(update={"max_bytes": 900}), less)
    assert less.shown["vocab, counting words"] == (100, 99, "sentences"), "about: a line is not always as long"


def test_words_are_counted_as_the_tokenizer_splits_them() -> None:
    lines = ["The LAMP, the Café's lamp.", "Lamp 3"] * 2000
    assert count_words(lines) == Counter(
        {"the": 4000, "lamp": 6000, ",": 2000, "cafe": 2000, "'": 2000, "s": 2000, ".": 2000, "3": 2000}
    )


def test_the_rarest_words_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = shards(tmp_path, "\n".join(["lamp lamp lamp keeper keeper zebra zebra barrel"] * 20))
    assert most_frequent(count_words(sample(folder, 10**6)), 3) == {"lamp": 60, "keeper": 40, "zebra": 40}
    pieces, counts = learn(folder, SETTINGS.model_copy(update={"max_words": 3}))
    assert counts == {"words": 160, "distinct_words": 4, "dropped": {"rare_word": 1}}
    assert {"lamp", "keeper", "zebra"} <= set(pieces) and "barrel" not in pieces


def test_a_vocabulary_is_described(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join([*SPECIAL_PIECES, "a", "##a", "lamp", "##ing", "ü"]) + "\n", encoding="utf-8")
    assert describe(path) == {"size": 10, "continuations": 2, "characters": 3}
