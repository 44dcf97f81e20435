"""stages/shards.py in a project folder."""

from __future__ import annotations

import json
import logging

import pytest

from bert.documents.document import Document
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.shards import main
from tests.corpus import document
from tests.project import Project, files


@pytest.fixture
def arguments(project: Project) -> list[str]:
    """Of a run over one corpus of 30 documents and one that is not configured."""
    text = project.path / "data/documents/text"
    text.mkdir(parents=True)
    documents = [Document(f"text:{n}", "u", "", document(n)) for n in range(30)]
    (text / "documents-00000.jsonl").write_bytes(b"".join(d.to_json() for d in documents))
    manifest.write(text, [{"path": "documents-00000.jsonl"}])
    manifest.write_unconfigured(project.path / "data/documents/books")
    return ["--documents", "data/documents/books", "data/documents/text", *project.arguments("shards")]


def test_train_and_test_are_two_whole_folders(project: Project, arguments: list[str]) -> None:
    main(arguments)
    made = files(project.path / "data/shards")
    assert sorted({path.split("/")[0] for path in made}) == ["dropped.jsonl", "test", "train"]
    for split, count in (("train", 3), ("test", 2)):
        listed = manifest.read(project.path / "data/shards" / split, "x")["files"]
        assert [f["path"] for f in listed] == [f"{split}-{n:05d}-of-{count:05d}.txt" for n in range(count)]
        assert all(f.keys() == {"path", "documents", "sentences", "words", "bytes", "sha256"} for f in listed)
    metrics = json.loads((project.path / "metrics/shards.json").read_text())
    assert metrics["documents"] == metrics["train"]["documents"] + metrics["test"]["documents"] == 30
    assert metrics["train"]["shards"] == 3 and metrics["train"]["words"] > metrics["train"]["sentences"]
    assert (project.path / ".scratch/provenance/shards.json").exists()


def test_the_log_says_how_many_parts_are_finished(
    project: Project, arguments: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bert")
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.0)
    main(arguments)
    lines = [line.split(",")[0] for line in caplog.messages]
    assert {"shards: scatter: 1/1 parts", "shards: gather: 5/5 parts"} <= set(lines)


def test_too_many_shards_leave_nothing_behind(project: Project, arguments: list[str]) -> None:
    project.set(shards={"test": 30})
    with pytest.raises(StageError, match=r"shards\.test is 30"):
        main(arguments)
    assert not (project.path / "data/shards").exists()


def test_a_bad_parameter_is_named(project: Project, arguments: list[str]) -> None:
    project.set(shards={"test_fraction": 1.0})
    with pytest.raises(StageError, match=r"shards\.test_fraction"):
        main(arguments)
