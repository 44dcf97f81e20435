"""bert/text/shards.py: documents -> shards of sentences, on Beam in this process."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.text.document import Document
from bert.text.settings import ShardsSettings
from bert.text.shards import Placement, make_shards
from tests.corpus import document
from tests.project import files

SETTINGS = ShardsSettings(language="en", train=3, test=2, test_fraction=0.3)
DOCUMENTS = [Document(f"text:{n}", "u", "", document(n)) for n in range(40)]


def corpus(folder: Path, *contents: list[Document]) -> Path:
    """A folder of documents, a file for each list."""
    folder.mkdir(parents=True)
    entries = []
    for number, told in enumerate(contents):
        (folder / f"documents-{number:05d}.jsonl").write_bytes(b"".join(d.to_json() for d in told))
        entries.append({"path": f"documents-{number:05d}.jsonl"})
    manifest.write(folder, entries)
    return folder


@pytest.fixture
def shards(tmp_path: Path) -> Any:
    """make_shards of folders; returns {file: bytes}, without the manifests."""
    runs = iter(range(100))

    def make(*folders: Path, settings: ShardsSettings = SETTINGS, seed: int = 7) -> dict[str, bytes]:
        scratch = tmp_path / f"scratch-{next(runs)}"
        make.metrics = make_shards(list(folders), settings, seed, scratch / "work", scratch / "out")  # type: ignore[attr-defined]
        return {n: data for n, data in files(scratch / "out").items() if not n.endswith(".json")}

    return make


def read(shard: bytes) -> list[str]:
    """The documents of a shard, each as its sentences on one line each."""
    return [block.strip("\n") for block in shard.decode().split("\n\n") if block.strip()]


def test_each_document_is_whole_in_one_shard_a_sentence_a_line(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS))
    assert list(made) == [f"test/test-0000{n}-of-00002.txt" for n in range(2)] + [
        f"train/train-0000{n}-of-00003.txt" for n in range(3)
    ]
    told = [block for shard in made.values() for block in read(shard)]
    # The corpus has no abbreviations: each of its full stops ends a sentence.
    expected = [d.text.replace("\n", " ").replace(". ", ".\n") for d in DOCUMENTS]
    assert sorted(told) == sorted(expected)
    assert all(shard.endswith(b".\n") and b"\n\n\n" not in shard for shard in made.values())
    assert sum(shards.metrics[split]["documents"] for split in ("train", "test")) == 40
    assert shards.metrics["train"]["sentences"] == sum(
        data.count(b".\n") for name, data in made.items() if name.startswith("train")
    )


def test_the_bytes_do_not_depend_on_how_the_input_is_cut_or_ordered(shards: Any, tmp_path: Path) -> None:
    shuffled = [DOCUMENTS[n] for n in np.random.default_rng(1).permutation(40)]
    one = shards(corpus(tmp_path / "one" / "text", DOCUMENTS))
    five = shards(corpus(tmp_path / "five" / "text", *(shuffled[n::5] for n in range(5))))
    two_corpora = shards(
        corpus(tmp_path / "two" / "books", shuffled[30:]), corpus(tmp_path / "two" / "text", shuffled[:30])
    )
    assert one == five == two_corpora


def test_another_seed_is_another_order(shards: Any, tmp_path: Path) -> None:
    folder = corpus(tmp_path / "text", DOCUMENTS)
    assert shards(folder) == shards(folder) != shards(folder, seed=8)


def test_the_split_of_a_document_depends_on_its_id_alone() -> None:
    """A page stays in test when the corpus grows, when shards are added, and on every machine."""
    few, many = (Placement(SETTINGS.model_copy(update={"train": n, "test": n}), 7) for n in (2, 64))
    names = [f"wikipedia:{n}" for n in range(3000)]
    splits = [few.shard(name)[0] for name in names]
    assert splits == [many.shard(name)[0] for name in names]
    assert 0.27 < splits.count("test") / len(names) < 0.33
    assert [n for n in range(20) if splits[n] == "test"] == [5, 11, 12, 13, 14, 15, 16, 18]
    counts = np.bincount([many.shard(name)[1] for name in names], minlength=64)
    assert counts.min() > 20 and counts.max() < 90, "shards are filled evenly"


def test_train_and_test_share_no_document(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS))
    split = {
        name: {block for path, data in made.items() if path.startswith(name) for block in read(data)}
        for name in ("train", "test")
    }
    assert split["train"] and split["test"] and not split["train"] & split["test"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_more_shards_than_documents_are_an_error_that_says_what_to_run(shards: Any, tmp_path: Path, split: str) -> None:
    with pytest.raises(StageError, match=rf"shards\.{split} is 40 but the {split} split has only (\d+) doc") as caught:
        shards(corpus(tmp_path / "text", DOCUMENTS), settings=SETTINGS.model_copy(update={split: 40}))
    assert str(caught.value.run).startswith(f"dvc exp run -S shards.{split}=")


def test_a_split_without_a_document_is_an_error_that_says_what_to_change(shards: Any, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="the train split has only 0 documents") as caught:
        shards(
            corpus(tmp_path / "text", [Document("text:1", "u", "", document(1))]),
            settings=SETTINGS.model_copy(update={"train": 1}),
        )
    assert "shards.test_fraction" in str(caught.value.run)


def test_two_documents_of_one_id_are_an_error(shards: Any, tmp_path: Path) -> None:
    twice = Document("text:11", "elsewhere", "", document(99))
    with pytest.raises(StageError, match="two documents have the id 'text:11'"):
        shards(corpus(tmp_path / "text", DOCUMENTS, [twice]))


def test_no_configured_corpus_is_an_error_that_names_the_parameters(shards: Any, tmp_path: Path) -> None:
    for name in ("wikipedia", "text"):
        manifest.write_unconfigured(tmp_path / name)
    with pytest.raises(StageError, match="no corpus is configured") as caught:
        shards(tmp_path / "wikipedia", tmp_path / "text")
    assert "download.wikipedia" in str(caught.value.run)


def test_an_unconfigured_corpus_beside_another_is_no_error(shards: Any, tmp_path: Path) -> None:
    manifest.write_unconfigured(tmp_path / "books")
    assert shards(tmp_path / "books", corpus(tmp_path / "text", DOCUMENTS))


@pytest.fixture
def few_open_files() -> Iterator[None]:
    """The soft limit that many systems start with is 1024; here lower, so that fewer documents reach it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_open_files")
def test_there_may_be_more_shards_than_the_soft_limit_of_open_files(shards: Any, tmp_path: Path) -> None:
    documents = [Document(f"text:{n}", "u", "", document(n, passages=1)) for n in range(500)]
    settings = SETTINGS.model_copy(update={"train": 250, "test_fraction": 0.1})
    assert len(shards(corpus(tmp_path / "text", documents), settings=settings)) == 252


def test_an_empty_shard_is_counted(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS), settings=SETTINGS.model_copy(update={"train": 26}))
    empty = [name for name, data in made.items() if not data]
    assert empty and shards.metrics["train"]["smallest_shard_documents"] == 0
