"""bert/shards/make.py: documents -> shards of sentences, on Beam in this process."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from bert.beam.run import Workplace
from bert.documents.document import Document
from bert.documents.texts import by_line
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.shards import make as module
from bert.shards.make import make_shards
from bert.shards.settings import ShardsSettings
from tests.corpus import document
from tests.project import files
from tests.shards.settings import SETTINGS

DOCUMENTS = [Document(f"text:{n}", "u", "", document(n)) for n in range(40)]


def corpus(folder: Path, *contents: list[Document]) -> Path:
    """A folder of documents, a file for each list."""
    folder.mkdir(parents=True)
    entries = []
    for number, documents in enumerate(contents):
        (folder / f"documents-{number:05d}.jsonl").write_bytes(b"".join(d.to_json() for d in documents))
        entries.append({"path": f"documents-{number:05d}.jsonl"})
    manifest.write(folder, entries)
    return folder


@pytest.fixture
def shards(tmp_path: Path) -> Any:
    """make_shards of folders; returns {file: bytes}, without the manifests."""
    runs = iter(range(100))

    def make(*folders: Path, settings: ShardsSettings = SETTINGS, seed: int = 7, **how: Any) -> dict[str, bytes]:
        scratch = tmp_path / f"scratch-{next(runs)}"
        place = Workplace(scratch / "work", **how)
        make.metrics = make_shards(list(folders), settings, seed, place, scratch / "out")  # type: ignore[attr-defined]
        made = files(scratch / "out")
        make.dropped = [json.loads(line) for line in made.pop("dropped.jsonl").splitlines()]  # type: ignore[attr-defined]
        return {n: data for n, data in made.items() if not n.endswith(".json")}

    return make


def read(shard: bytes) -> list[str]:
    """The documents of a shard, each as its sentences on one line each."""
    return [block.strip("\n") for block in shard.decode().split("\n\n") if block.strip()]


def test_each_document_is_whole_in_one_shard_a_sentence_a_line(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS))
    assert list(made) == [f"test/test-0000{n}-of-00002.txt" for n in range(2)] + [
        f"train/train-0000{n}-of-00003.txt" for n in range(3)
    ]
    found = [block for shard in made.values() for block in read(shard)]
    # The corpus has no abbreviations: each of its full stops ends a sentence.
    expected = [d.text.replace("\n", " ").replace(". ", ".\n") for d in DOCUMENTS]
    assert sorted(found) == sorted(expected)
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
            corpus(tmp_path / "text", [Document("text:3", "u", "", document(3))]),
            settings=SETTINGS.model_copy(update={"train": 1}),
        )
    assert "shards.test_fraction" in str(caught.value.run)


@pytest.mark.parametrize("duplicates", ["none", "exact", "near"])
def test_two_texts_of_one_id_are_an_error(shards: Any, tmp_path: Path, duplicates: str) -> None:
    twice = Document("text:11", "elsewhere", "", document(99))
    with pytest.raises(StageError, match="two documents have the id 'text:11' and not the same text"):
        shards(
            corpus(tmp_path / "text", DOCUMENTS, [twice]),
            settings=SETTINGS.model_copy(update={"duplicates": duplicates}),
        )


def small(monkeypatch: pytest.MonkeyPatch, piece: int, bucket: int) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES", piece)
    monkeypatch.setattr(module, "BUCKET_BYTES", bucket)


ALL = {"duplicates": "near", "max_repeats": 3}


@pytest.mark.parametrize(("piece", "bucket"), [(100, 2**20), (2**20, 200), (700, 50)])
def test_the_bytes_do_not_depend_on_how_much_a_worker_holds(
    shards: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, bucket: int
) -> None:
    """As many pieces as documents, dozens of buckets a shard, or both, and all that finds duplicates."""
    notice = "This notice stands in every third document."
    documents = [Document(f"text:{n}", "u", "", document(n % 35) + (n % 3 == 0) * f"\n{notice}") for n in range(40)]
    settings = SETTINGS.model_copy(update=ALL)
    whole = shards(corpus(tmp_path / "whole" / "text", documents), settings=settings)
    metrics, dropped = shards.metrics, shards.dropped
    small(monkeypatch, piece, bucket)
    cut = shards(corpus(tmp_path / "cut" / "text", documents[20:], documents[:20]), settings=settings)
    assert (cut, shards.metrics, shards.dropped) == (whole, metrics, dropped)
    assert metrics["dropped"]["boilerplate_passage"] == 14 and metrics["dropped"]["exact_duplicate"] == 5


def long_corpus(folder: Path, documents: int) -> Path:
    """Documents of about 1 kB, all different, of which many share passages."""
    texts = [document(n, passages=6) for n in range(100)]
    return corpus(
        folder,
        [Document(f"text:{n}", "u", "", f"{texts[n % 100]}\nThe number of this is {n}.") for n in range(documents)],
    )


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(shards: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard of 0.5 MB and one of 5 MB, with all that finds duplicates, in workers that hold 100 kB."""
    small(monkeypatch, 100_000, 100_000)
    settings = SETTINGS.model_copy(update={**ALL, "train": 1, "test": 1, "test_fraction": 0.02})
    peaks = []
    for name, documents in (("warm-up", 600), ("one", 600), ("ten", 6000)):
        folder = long_corpus(tmp_path / name / "text", documents)
        tracemalloc.start()
        shards(folder, settings=settings)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1], (
        f"{peaks[2] / 1e6:.1f} MB for ten times the corpus, {peaks[1] / 1e6:.1f} MB for it"
    )


@pytest.mark.slow
def test_workers_may_see_a_bucket_only(shards: Any, tmp_path: Path, bucket: str) -> None:
    """All passes through an object store: what is read there are ranges, what is written is never empty."""
    documents = [*DOCUMENTS[:7], Document("text:again", "u", "", document(3))]
    folder = corpus(tmp_path / "text", documents)
    settings = SETTINGS.model_copy(update={**ALL, "train": 4, "test": 1})
    here = shards(folder, settings=settings)
    assert shards(folder, settings=settings, work_folder=f"{bucket}/bert") == here and b"" in here.values()
    assert shards.metrics["dropped"]["exact_duplicate"] == 1


@pytest.mark.slow
def test_processes_write_the_same_bytes(shards: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, 20_000, 10_000)
    folder = long_corpus(tmp_path / "text", 200)
    settings = SETTINGS.model_copy(update=ALL)
    here = shards(folder, settings=settings)
    two = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    assert shards(folder, settings=settings, options=two) == here


def lines_of(folder: Path, contents: list[list[str]]) -> Path:
    """The documents of a text corpus whose files hold these lines."""
    counts: Counter[str] = Counter()
    found = [by_line([f"{line}\n".encode() for line in lines], "lines", "u", 1, counts) for lines in contents]
    return corpus(folder, *([d for d in documents if isinstance(d, Document)] for documents in found))


@settings_of_hypothesis(max_examples=10, deadline=None)
@given(data=st.data())
def test_lines_of_text_are_the_same_shards_in_whatever_files_they_stand(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = [document(n % 37, passages=1) for n in range(40)]  # three lines are there twice
    dealt = data.draw(st.permutations([*lines, *[None] * data.draw(st.integers(0, 6))]))
    contents: list[list[str]] = [[]]
    for line in dealt:
        if line is None:
            contents.append([])
        else:
            contents[-1].append(line)
    made = []
    for name, in_files in (("one", [lines]), ("cut", contents)):
        work = tmp_path_factory.mktemp(name)
        make_shards([lines_of(work / "text", in_files)], SETTINGS, 7, Workplace(work / "scratch"), work / "out")
        made.append(files(work / "out"))
    assert made[0] == made[1]
    assert len(made[0]["dropped.jsonl"].splitlines()) == 3


def test_of_documents_with_one_text_the_smaller_id_stays(shards: Any, tmp_path: Path) -> None:
    again = Document("text:3 again", "elsewhere", "", document(3).upper().replace("\n", " \n"))
    made = shards(corpus(tmp_path / "text", [again], DOCUMENTS, [DOCUMENTS[5]]))
    assert made == shards(corpus(tmp_path / "other" / "text", DOCUMENTS))
    shards(corpus(tmp_path / "both" / "text", [again], DOCUMENTS, [DOCUMENTS[5]]))
    assert sorted(shards.dropped, key=str) == [
        {"id": "text:3 again", "reason": "exact_duplicate", "kept": "text:3"},
        {"id": "text:5", "reason": "exact_duplicate", "kept": "text:5"},
    ]
    assert shards.metrics["documents"] == 40
    assert shards.metrics["dropped"] == {
        "exact_duplicate": 2,
        "near_duplicate": 0,
        "boilerplate_passage": 0,
        "empty": 0,
    }


def test_duplicates_stay_where_that_is_asked_for(shards: Any, tmp_path: Path) -> None:
    again = Document("text:3 again", "elsewhere", "", document(3))
    shards(
        corpus(tmp_path / "text", DOCUMENTS, [again, DOCUMENTS[5]]),
        settings=SETTINGS.model_copy(update={"duplicates": "none"}),
    )
    assert shards.metrics["documents"] == 42 and not shards.dropped


def test_near_duplicates_are_not_in_train_and_in_test(shards: Any, tmp_path: Path) -> None:
    """What they are dropped for: each document comes with two edited copies, which the hash of ids strews about."""
    originals = [Document(f"text:{n}", "u", "", document(n, passages=30)) for n in range(30)]
    copies = [
        Document(f"text:{n}-{m}", "u", "", f"{document(n, passages=30)}\nA line of number {m} alone.")
        for n in range(30)
        for m in range(2)
    ]
    folder = corpus(tmp_path / "text", originals, copies)

    def leaked(made: dict[str, bytes]) -> int:
        """Documents of test whose first ten sentences are in train."""
        train = b"".join(data for name, data in made.items() if name.startswith("train"))
        starts = [
            "\n".join(block.split("\n")[:10]).encode()
            for name, data in made.items()
            for block in read(data)
            if name.startswith("test")
        ]
        return sum(start in train for start in starts)

    assert leaked(shards(folder)) > 10
    assert leaked(shards(folder, settings=SETTINGS.model_copy(update={"duplicates": "near"}))) == 0
    assert shards.metrics["documents"] == 30 and shards.metrics["dropped"]["near_duplicate"] == 60
    assert all(drop["kept"] == f"{drop['id'].split('-')[0]}-0" for drop in shards.dropped), "of the longest, the first"


def test_boilerplate_goes_from_all_documents_and_an_empty_one_goes_whole(shards: Any, tmp_path: Path) -> None:
    notice = "Sign up for our letters, by post or by pigeon."
    documents = [Document(d.id, d.url, d.title, d.text + (n < 5) * f"\n{notice}") for n, d in enumerate(DOCUMENTS)]
    only = Document("text:only", "u", "", notice)
    folder = corpus(tmp_path / "text", [only, *documents, documents[0]])
    made = shards(folder, settings=SETTINGS.model_copy(update={"max_repeats": 5}))
    assert not any(b"pigeon" in data for data in made.values())
    assert made == shards(corpus(tmp_path / "clean" / "text", DOCUMENTS))
    made = shards(folder, settings=SETTINGS.model_copy(update={"max_repeats": 6}))
    assert sum(data.count(b"pigeon") for data in made.values()) == 6, "a document read twice counts once"


def test_what_boilerplate_takes_is_counted_and_listed(shards: Any, tmp_path: Path) -> None:
    notice = "Sign up for our letters, by post or by pigeon."
    documents = [Document(d.id, d.url, d.title, f"{notice}\n{d.text}") for d in DOCUMENTS]
    shards(
        corpus(tmp_path / "text", documents, [Document("text:only", "u", "", notice)]),
        settings=SETTINGS.model_copy(update={"max_repeats": 5}),
    )
    assert shards.metrics["dropped"] == {
        "exact_duplicate": 0,
        "near_duplicate": 0,
        "boilerplate_passage": 41,
        "empty": 1,
    }
    assert shards.dropped == [{"id": "text:only", "reason": "empty", "kept": ""}]


def test_the_metrics_are_those_of_the_files(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS))
    for split in ("train", "test"):
        data = b"".join(data for name, data in made.items() if name.startswith(split))
        metrics = shards.metrics[split]
        assert metrics["bytes"] == len(data) and metrics["words"] == len(data.split())
        assert metrics["sentences"] == len([line for line in data.split(b"\n") if line])
        assert metrics["documents"] == sum(len(read(d)) for n, d in made.items() if n.startswith(split))


def test_no_configured_corpus_is_an_error_that_names_the_parameters(shards: Any, tmp_path: Path) -> None:
    for name in ("wikipedia", "text"):
        manifest.write_unconfigured(tmp_path / name)
    with pytest.raises(StageError, match="no corpus is configured") as caught:
        shards(tmp_path / "wikipedia", tmp_path / "text")
    assert "download.wikipedia" in str(caught.value.run)


def test_an_unconfigured_corpus_beside_another_is_no_error(shards: Any, tmp_path: Path) -> None:
    manifest.write_unconfigured(tmp_path / "books")
    assert shards(tmp_path / "books", corpus(tmp_path / "text", DOCUMENTS))


def test_an_empty_shard_is_counted(shards: Any, tmp_path: Path) -> None:
    made = shards(corpus(tmp_path / "text", DOCUMENTS), settings=SETTINGS.model_copy(update={"train": 26}))
    empty = [name for name, data in made.items() if not data]
    assert empty and shards.metrics["train"]["smallest_shard_documents"] == 0
