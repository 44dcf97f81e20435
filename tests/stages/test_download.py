"""stages/download.py: main() in a project folder, and as a process that is killed or has no room left."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import random
import signal
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from bert.pipeline.scratch import runs
from stages.documents import main as make_documents
from stages.download import main
from tests.download.server import Server, serving, slow, status
from tests.project import Project, files
from tests.stages.full_disk import fill_disk


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
    record = json.loads((project.path / ".scratch/provenance/download@text.json").read_text())
    assert record["stage"] == "download@text" and record["command"] == "dvc repro -f -s download@text"
    assert runs() == [], "without DVC nobody would come back for the scratch"


def test_the_log_says_how_much_has_come(
    project: Project, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bert")
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.0)
    server.body = bytes(3_000_000)
    project.set(download={"text": [{"url": f"{server.base}/a.txt"}]})
    main(arguments(project, "text"))
    assert any(line.startswith("download: 3/3 MB, 1/1 files, ") for line in caplog.messages)


@pytest.mark.parametrize("value", [None, []])
def test_a_source_that_is_not_configured_succeeds_with_a_manifest_that_says_so(
    project: Project, value: list[str] | None
) -> None:
    project.set(download={"books": value})
    said = project.run("download", *arguments(project, "books"), PYTHONPROFILEIMPORTTIME="1")
    assert "apache_beam" not in said and "bert.pipeline.job" in said, "it takes longer to load than all else"
    assert list(files(project.path / "data/download/books")) == ["manifest.json"]
    assert json.loads((project.path / "data/download/books/manifest.json").read_text())["configured"] is False
    metrics = json.loads((project.path / "metrics/download/books.json").read_text())
    assert metrics == {"files": 0, "bytes": 0, "dropped": {}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contact": 3}, "download.contact"),
        ({"connections": 0}, "download.connections"),
        ({"text": [{"uri": "a"}]}, r"download.text.0.url: is missing"),
        ({"text": [{"url": "a", "sha": "b"}]}, r"download.text.0.sha: unknown key \(got 'b'\)"),
        ({"text": [{"wiki": "enwiki"}]}, r"download.text.0.date: is missing"),
        ({"text": [{"wiki": "enwiki", "date": "latest"}]}, r"download.text.0.date: .*'latest' is another dump"),
        ({"text": [{"manifest": "a", "minimum": 0}]}, r"download.text.0.minimum: expected at least 1"),
        ({"text": ["a"]}, r"download.text.0: expected keys and values .*; it has the keys .*url"),
        ({"text": "a"}, "download.text"),
        ({"text": [{"url": "a"}, {"url": "b", "encoding": "cp125l"}]}, r"download.text.1.encoding: .*\(got 'cp125l'\)"),
        (
            {"text": [{"url": "a", "format": "csv"}]},
            r"download.text.0.format: expected auto, lines, jsonl",
        ),
        ({"mirrors": ["mirror.example.org"]}, "download.mirrors.0"),
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


def documents(project: Project) -> list[dict[str, Any]]:
    """What the next stage makes of data/download/text."""
    make_documents(["--corpus", "text", "--source", "data/download/text", *project.arguments("documents", "text")])
    lines = (project.path / "data/documents/text").glob("*.jsonl")
    return [json.loads(line) for path in sorted(lines) for line in path.read_text().splitlines()]


LINES = [f"The text of document number {n} is long enough to be kept." for n in range(6)]


def test_a_corpus_of_plain_text_and_json_lines_needs_parameters_only(project: Project, server: Server) -> None:
    """A document a line in a file, in each file of a folder, in each member of a tar; an object a line in a .jsonl."""
    corpus = project.path / "corpus"
    (corpus / "folder/sub").mkdir(parents=True)
    (corpus / "one.txt").write_text(f"{LINES[0]}\n\n{LINES[1]}\n")
    (corpus / "folder/sub/two.txt").write_text(LINES[2])
    (corpus / "folder/three.jsonl").write_text(json.dumps({"id": "three", "title": "A title", "text": LINES[3]}))
    (corpus / "four.txt").write_text(LINES[4])
    with tarfile.open(corpus / "packed.tar.gz", "w:gz") as tar:
        tar.add(corpus / "four.txt", "in/the/tar/four.txt")
    server.body = json.dumps({"text": LINES[5], "url": "https://example.org/5"}).encode()
    sources = [{"url": "corpus/one.txt"}, {"url": "corpus/folder", "name": "mine"}, {"url": "corpus/packed.tar.gz"}]
    project.set(download={"text": [*sources, {"url": f"{server.base}/five.jsonl"}]})
    main(arguments(project, "text"))
    made = documents(project)
    assert sorted(document["text"] for document in made) == LINES
    by_text = {document["text"]: document for document in made}
    assert (by_text[LINES[3]]["id"], by_text[LINES[3]]["title"]) == ("text:three", "A title")
    assert by_text[LINES[4]]["url"] == "corpus/packed.tar.gz"
    assert by_text[LINES[5]]["url"] == "https://example.org/5"


def test_how_files_are_read_goes_through_the_manifest(project: Project) -> None:
    """Of a file, of all in a folder, of the members of a tar, of what a list names; a line of it may say otherwise."""
    russian = [f"Река номер {n} была высокой той весной, и паром не ходил." for n in range(7)]
    corpus = project.path / "corpus"
    (corpus / "folder").mkdir(parents=True)
    names = ["a.txt", "folder/b.txt", "c.txt", "d.txt", "e.txt", "f.txt"]
    for name, text in zip(names, russian, strict=False):
        (corpus / name).write_bytes(text.encode("koi8-r" if name == "e.txt" else "cp1251"))
    (corpus / "f.txt").write_bytes("\n".join(russian[5:]).encode("cp1251"))
    with tarfile.open(corpus / "packed.tar.gz", "w:gz") as tar:
        tar.add(corpus / "c.txt", "c.txt")
    listed = [{"url": "d.txt"}, {"url": "e.txt", "encoding": "koi8-r"}, {"url": "f.txt", "format": "bert"}]
    (corpus / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in listed))
    urls = [{"url": "corpus/a.txt"}, {"url": "corpus/folder"}, {"url": "corpus/packed.tar.gz"}]
    sources = [*urls, {"manifest": "corpus/list.jsonl"}]
    project.set(download={"text": [{**source, "encoding": "windows-1251"} for source in sources]})
    main(arguments(project, "text"))
    manifest = json.loads((project.path / "data/download/text/manifest.json").read_text())
    said = {entry["path"]: (entry["encoding"], entry.get("format")) for entry in manifest["files"]}
    cp1251 = dict.fromkeys(["a.txt", "b.txt", "c.txt", "d.txt"], ("cp1251", None))
    assert said == {**cp1251, "e.txt": ("koi8-r", None), "f.txt": ("cp1251", "bert")}
    assert sorted(document["text"] for document in documents(project)) == [*russian[:5], "\n".join(russian[5:])]


def test_what_is_missing_lies_beside_the_books_and_in_the_metrics(project: Project, server: Server) -> None:
    books = [{"url": f"{server.base}/{name}", "title": name.title()} for name in ("kept.txt", "lost.txt")]
    (project.path / "books.jsonl").write_text("\n".join(map(json.dumps, books)))
    server.scripts["/lost.txt"] = [status(404)]
    project.set(download={"books": [{"manifest": "books.jsonl"}]})
    main(arguments(project, "books"))
    assert set(files(project.path / "data/download/books")) == {"kept.txt", "manifest.json", "missing.jsonl"}
    lost = (project.path / "data/download/books/missing.jsonl").read_text()
    assert json.loads(lost) == {"url": f"{server.base}/lost.txt", "title": "Lost.Txt", "reason": "HTTP 404 Not Found"}
    assert json.loads((project.path / "metrics/download/books.json").read_text())["dropped"] == {"http_404": 1}


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
    deadline = time.monotonic() + 120
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


@pytest.mark.slow
def test_a_full_disk_is_one_error_and_the_next_run_goes_on(project: Project, server: Server) -> None:
    project.set(download={"text": [{"url": f"{server.base}/a.txt"}]})
    process = project.start("download", *arguments(project, "text"))
    fill_disk(process, 200_000)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in said
    (message,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "File too large" in message and f"{server.base}/a.txt" in message and ".scratch" in message
    assert "next: make room there, then dvc repro" in said
    assert partial(project) == 200_000

    project.run("download", *arguments(project, "text"))
    assert server.ranges == [None, "bytes=200000-"]
    assert files(project.path / "data/download/text")["a.txt"] == server.body


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_byte(project: Project, server: Server, tmp_path: Path) -> None:
    """A web file, a dump, a list with a lost book, and a tar, from a server so slow that each run is killed in it."""
    chance = random.Random(20260901)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for n in range(3):
            member = tarfile.TarInfo(f"{n}.txt")
            member.size = 400_000
            tar.addfile(member, io.BytesIO(chance.randbytes(400_000)))
    stem = "xwiki-20260901-pages-articles-multistream"
    dump = {f"{stem}.xml.bz2": chance.randbytes(2_000_000), f"{stem}-index.txt.bz2": chance.randbytes(20_000)}
    listed = {name: {"size": len(b), "sha1": hashlib.sha1(b).hexdigest()} for name, b in dump.items()}
    done = {"jobs": {"articlesmultistreamdump": {"status": "done", "files": listed}}}
    server.files = {
        "/a.txt": chance.randbytes(1_500_000),
        "/b.txt": chance.randbytes(1_000_000),
        "/packed.tar": packed.getvalue(),
        "/list.jsonl": b'{"url": "b.txt"}\n{"url": "lost.txt", "title": "Lost"}\n',
        "/xwiki/20260901/dumpstatus.json": json.dumps(done).encode(),
        **{f"/xwiki/20260901/{name}": body for name, body in dump.items()},
    }
    sources = [
        {"url": f"{server.base}/a.txt"},
        {"url": f"{server.base}/packed.tar", "name": "packed"},
        {"manifest": f"{server.base}/list.jsonl"},
        {"wiki": "xwiki", "date": 20260901},
    ]
    project.set(download={"text": sources, "dumps": server.base})
    wanted = tmp_path / "undisturbed"
    main(["--source", "text", "--out", str(wanted), "--metrics", "m.json"])
    asked_undisturbed, sent_undisturbed = len(server.asked), server.sent

    server.bytes_a_second = 250_000  # 11 s for all, on two connections
    server.asked.clear()
    for _ in range(10):
        before = server.sent
        process = project.start("download", *arguments(project, "text"))
        deadline = time.monotonic() + 120
        # Importing Beam takes seconds, and on a busy machine so does all that is before the first bytes of a file.
        while server.sent < before + 50_000:
            assert process.poll() is None and time.monotonic() < deadline, "the download has not begun"
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not Path("data/download/text").exists(), "nothing half-written is ever under --out"
    server.bytes_a_second = 0
    project.run("download", *arguments(project, "text"))
    assert files(project.path / "data/download/text") == files(wanted)
    assert any(server.ranges), "it went on by Range"
    assert len(server.asked) > asked_undisturbed
    assert server.sent < 3 * sent_undisturbed, "what had come was kept"


PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


@pytest.mark.slow
def test_lanes_in_processes_of_their_own_bring_the_same_bytes_and_one_error(project: Project, server: Server) -> None:
    books = [{"url": f"{server.base}/{n}.txt", "title": str(n)} for n in range(6)]
    (project.path / "books.jsonl").write_text("\n".join(map(json.dumps, books)))
    project.set(download={"books": [{"manifest": "books.jsonl"}]})
    server.scripts["/4.txt"] = [status(410)]
    server.scripts["/5.txt"] = [status(503)] * 2
    process = project.start("download", *arguments(project, "books"), BERT_BEAM_OPTIONS=PROCESSES)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in said
    assert (
        f"error: {server.base}/5.txt: HTTP 503 Service Unavailable (after 1 retries)\n  next: dvc repro later" in said
    )

    server.scripts["/4.txt"] = [status(410)]
    project.run("download", *arguments(project, "books"), BERT_BEAM_OPTIONS=PROCESSES)
    apart = files(project.path / "data/download/books")
    assert set(apart) == {*(f"{n}.txt" for n in (0, 1, 2, 3, 5)), "manifest.json", "missing.jsonl"}
    server.scripts["/4.txt"] = [status(410)]
    main(arguments(project, "books"))
    assert files(project.path / "data/download/books") == apart
