"""stages/download.py: main() in a project folder, and as a process that is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from stages.download import main
from tests.download.server import Server, serving, slow
from tests.project import Project, files


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.body = os.urandom(500_000)
        yield running


def arguments(project: Project, source: str) -> list[str]:
    return ["--source", source, *project.arguments("download", source)]


def test_files_metrics_and_provenance_are_written(project: Project, server: Server) -> None:
    project.set(download={"text": [{"url": f"{server.base}/a.txt"}]})
    main(arguments(project, "text"))
    assert (project.path / "data/download/text/a.txt").read_bytes() == server.body
    assert json.loads((project.path / "metrics/download/text.json").read_text()) == {
        "files": 1,
        "bytes": 500_000,
        "dropped": {},
    }
    record = json.loads((project.path / "metrics/provenance/download/text.json").read_text())
    assert record["stage"] == "download@text" and record["command"] == "dvc repro -f -s download@text"
    assert files(project.path / ".scratch") == {}, "without DVC nobody would come back for the scratch"


@pytest.mark.parametrize("value", [None, []])
def test_a_source_that_is_not_configured_succeeds_with_a_manifest_that_says_so(
    project: Project, value: list[str] | None
) -> None:
    project.set(download={"books": value})
    main(arguments(project, "books"))
    assert list(files(project.path / "data/download/books")) == ["manifest.json"]
    assert json.loads((project.path / "data/download/books/manifest.json").read_text())["configured"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contact": 3}, "download.contact"),
        ({"connections": 0}, "download.connections"),
        ({"text": [{"uri": "a"}]}, r"download.text.0.url: Field required"),
        ({"text": [{"url": "a", "sha": "b"}]}, r"download.text.0.sha: Extra inputs"),
        ({"text": "a"}, "download.text"),
    ],
)
def test_a_bad_parameter_is_a_stage_error_that_names_it(
    project: Project, changes: dict[str, object], message: str
) -> None:
    project.set(download=changes)
    with pytest.raises(StageError, match=message):
        main(arguments(project, "text"))


def test_a_source_without_a_section_is_named(project: Project) -> None:
    with pytest.raises(StageError, match=r"'download\.squad' is missing"):
        main(arguments(project, "squad"))


def partial(project: Project) -> int:
    """Bytes that have come of the one file under way."""
    found = list(project.path.glob(".scratch/*/partial/*"))
    return sum(p.stat().st_size for p in found if p.suffix != ".json")


@pytest.mark.slow
def test_a_killed_download_goes_on_where_it_stopped(project: Project, server: Server) -> None:
    project.set(download={"text": [{"url": f"{server.base}/a.txt"}, {"url": f"{server.base}/b.txt"}], "connections": 1})
    # The first file comes; of the second 200 kB at once, the rest more slowly than this test can run.
    server.script = [lambda handler: handler.say(200, server.body), slow(chunk=10, seconds=0.05, after=200_000)]
    process = project.start("download", *arguments(project, "text"))
    deadline = time.monotonic() + 60
    while partial(project) < 100_000 or len(server.asked) < 2:
        assert process.poll() is None and time.monotonic() < deadline, "no download under way"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not Path("data").exists(), "nothing half-written is ever under --out"

    came = partial(project)
    project.run("download", *arguments(project, "text"))
    assert server.asked[2]["path"] == "/b.txt" and server.asked[2]["range"] == f"bytes={came}-"
    assert len(server.asked) == 3, "the finished file is not fetched again"
    published = files(project.path / "data/download/text")
    assert published["a.txt"] == published["b.txt"] == server.body
    assert set(published) == {"a.txt", "b.txt", "manifest.json"}
