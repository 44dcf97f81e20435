"""stages/documents.py in a project folder."""

from __future__ import annotations

import json

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.documents import main
from tests.corpus import HEAD, TAIL, document, page
from tests.project import Project, files


def arguments(project: Project) -> list[str]:
    out = project.arguments("documents", "text")
    return ["--corpus", "text", "--source", "data/download/text", *out]


def download(project: Project, text: str) -> None:
    folder = project.path / "data/download/text"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text(text)
    manifest.write(folder, [{"path": "a.txt", "url": "https://text.example.org/a.txt"}])


def test_documents_metrics_and_provenance_are_written(project: Project) -> None:
    download(project, document(1) + "\nShort.\n")
    main(arguments(project))
    assert list(files(project.path / "data/documents/text")) == [
        "documents-00000.jsonl",
        "errors.jsonl",
        "manifest.json",
    ]
    metrics = json.loads((project.path / "metrics/documents/text.json").read_text())
    assert (metrics["documents"], metrics["dropped"]) == (3, {"empty_line": 1, "short_passage": 1})
    record = json.loads((project.path / ".scratch/provenance/documents@text.json").read_text())
    assert record["command"] == "dvc repro -f -s documents@text"


def test_an_unconfigured_corpus_gives_a_folder_that_says_so_without_beam(project: Project) -> None:
    manifest.write_unconfigured(project.path / "data/download/text")
    said = project.run("documents", *arguments(project), PYTHONPROFILEIMPORTTIME="1")
    assert list(files(project.path / "data/documents/text")) == ["manifest.json"]
    assert manifest.read(project.path / "data/documents/text", "x")["configured"] is False
    metrics = json.loads((project.path / "metrics/documents/text.json").read_text())
    counted = ("documents", "passages", "words", "characters", "bytes", "files")
    assert metrics == dict.fromkeys(counted, 0) | {"dropped": {}}
    assert "apache_beam" not in said and "bert.pipeline.job" in said


def test_a_failed_stage_leaves_no_metrics_and_what_was_published_before(project: Project) -> None:
    download(project, document(1))
    main(arguments(project))
    before = files(project.path / "data/documents")
    (project.path / "metrics/documents/text.json").unlink()
    (project.path / "data/download/text/a.txt").write_text("Short.")
    manifest.write(project.path / "data/download/text", [{"path": "a.txt", "url": "u"}])
    with pytest.raises(StageError, match="not one document"):
        main(arguments(project))
    assert files(project.path / "data/documents") == before
    assert not (project.path / "metrics/documents/text.json").exists()


def test_after_too_many_errors_a_raised_threshold_goes_on_from_the_finished_parts(project: Project) -> None:
    folder = project.path / "data/download/wikipedia"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_text(HEAD + page(1, document(1)) + page(2, "{{" * 30) + TAIL)
    manifest.write(folder, [{"path": "a.xml", "url": "https://wiki.example.org/a.xml"}])
    flags = ["--corpus", "wikipedia", "--source", str(folder.relative_to(project.path))]
    with pytest.raises(StageError, match=r"1 of 2 articles failed, more than documents\.max_error_rate = 0\.1"):
        main([*flags, *project.arguments("documents", "wikipedia")])
    (part,) = project.path.glob(".scratch/**/parts/documents-00000/documents.jsonl")
    part.write_bytes(part.read_bytes() * 2)  # to be known by
    project.set(documents={"max_error_rate": 0.5})
    main([*flags, *project.arguments("documents", "wikipedia")])
    metrics = json.loads((project.path / "metrics/documents/wikipedia.json").read_text())
    assert (metrics["failed"], metrics["articles"], metrics["documents"]) == (1, 2, 1)
    (published,) = (project.path / "data/documents/wikipedia").glob("documents-*")
    assert len(published.read_text().splitlines()) == 2


def test_a_missing_download_is_named(project: Project) -> None:
    with pytest.raises(StageError, match="data/download/text: no such") as caught:
        main(arguments(project))
    assert caught.value.run == "dvc repro documents@text"


def test_a_bad_parameter_is_named(project: Project) -> None:
    project.set(documents={"min_passage_chars": 0})
    with pytest.raises(StageError, match=r"documents\.min_passage_chars"):
        main(arguments(project))


def test_an_unknown_corpus_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--corpus", "news", *arguments(project)[2:]])
    assert "invalid choice: 'news'" in capsys.readouterr().err
