"""bert/download/lanes.py: real files and a real server, on Beam in this process."""

from __future__ import annotations

import fcntl
import hashlib
import logging
from pathlib import Path
from threading import Thread

import pytest

from bert.download.lanes import deal
from bert.download.settings import Source
from bert.download.sources import Fetchable
from bert.pipeline.errors import StageError
from tests.download.run import Run
from tests.download.server import Server, status, together
from tests.project import files


def fetchables(*hosts: str) -> list[Fetchable]:
    urls = [f"https://{host}/{n}" for n, host in enumerate(hosts)]
    return [Fetchable(url, str(n), addresses=(url,)) for n, url in enumerate(urls)]


@pytest.mark.parametrize("connections", [1, 2, 3, 16])
def test_no_host_gets_more_lanes_than_connections(connections: int) -> None:
    dealt = fetchables(*["a.example.org"] * 5, *["b.example.org"] * 2, "c.example.org")
    lanes = deal(dealt, connections)
    hosts = [{file["url"].split("/")[2] for file in lane["files"]} for lane in lanes]
    assert all(len(host) == 1 for host in hosts), "a lane stays with its host"
    for host, count in (("a.example.org", 5), ("b.example.org", 2), ("c.example.org", 1)):
        assert hosts.count({host}) == min(connections, count)
    assert sorted(file["name"] for lane in lanes for file in lane["files"]) == [f.name for f in dealt]


def test_each_dealing_has_lane_names_of_its_own() -> None:
    dealt = fetchables(*["a.example.org"] * 6)
    lanes = [{lane["name"] for lane in deal(dealt, connections)} for connections in (1, 2, 3)]
    assert not lanes[0] & lanes[1] and not lanes[1] & lanes[2]
    assert lanes[1] == {lane["name"] for lane in deal(dealt, 2)}


def test_files_of_all_kinds_come_with_a_manifest(server: Server, run: Run, tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "one.txt").write_text("one")
    (tmp_path / "two.txt").write_text("two")
    got = run(
        Source(url=f"{server.base}/web.bin", sha256=hashlib.sha256(server.body).hexdigest()),
        Source(url=f"file://{tmp_path}/books", name="shelf"),
        Source(url=str(tmp_path / "two.txt")),
    )
    assert got == {"web.bin": server.body, "shelf/one.txt": b"one", "two.txt": b"two"}
    assert run.manifest["configured"] is True
    assert run.manifest["files"][2] == {
        "path": "web.bin",
        "url": f"{server.base}/web.bin",
        "bytes": len(server.body),
        "sha256": hashlib.sha256(server.body).hexdigest(),
    }
    assert run.metrics == {"files": 3, "bytes": len(server.body) + 6, "dropped": {}}


@pytest.mark.parametrize("kind", ["web", "path"])
def test_a_wrong_sha256_names_the_one_that_came_and_the_one_expected(
    server: Server, run: Run, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_bytes(server.body)
    url = f"{server.base}/file" if kind == "web" else str(tmp_path / "file")
    with pytest.raises(StageError) as caught:
        run(Source(url=url, sha256="0" * 64))
    assert hashlib.sha256(server.body).hexdigest() in str(caught.value) and "0" * 64 in str(caught.value)
    assert url in str(caught.value) and "sha256" in str(caught.value.run)
    assert (tmp_path / "file").exists(), "a user's own file is not ours to delete"
    assert files(run.out) == {}
    run(Source(url=url))  # the refused bytes are not taken for a part of the next try
    assert server.ranges == ([None, None] if kind == "web" else [])


def test_a_missing_web_file_is_an_error_in_its_own_words(server: Server, run: Run) -> None:
    server.script = [status(404)]
    with pytest.raises(StageError) as caught:
        run(Source(url=f"{server.base}/gone.txt"))
    assert str(caught.value).startswith(f"{server.base}/gone.txt: HTTP 404 Not Found\n  next: correct the url")


def test_a_restart_keeps_the_files_that_a_broken_lane_has_finished(server: Server, run: Run) -> None:
    sources = [Source(url=f"{server.base}/{n}") for n in range(3)]
    server.script = [lambda handler: handler.say(200, server.body)] * 2 + [status(503)]
    with pytest.raises(StageError, match="HTTP 503"):
        run(*sources, connections=1)
    assert list(run(*sources, connections=1)) == ["0", "1", "2"]
    assert [asked["path"] for asked in server.asked] == ["/0", "/1", "/2", "/2"]


def test_other_connections_after_a_failure_lose_no_file(server: Server, run: Run) -> None:
    """`connections` is in no stage's params, so the scratch is the same: its parts must not be of another dealing."""
    sources = [Source(url=f"{server.base}/{n}") for n in range(5)]
    server.script = [lambda handler: handler.say(200, server.body)] * 4 + [status(503)]
    with pytest.raises(StageError):
        run(*sources, connections=2)
    got = run(*sources, connections=3)
    assert got == {str(n): server.body for n in range(5)}
    assert len(server.asked) <= 6, "what had come is not fetched again"


def test_a_file_that_changed_behind_its_path_since_a_failure_is_taken_anew(server: Server, run: Run) -> None:
    local = run.scratch.parent / "local.txt"
    local.parent.mkdir(parents=True)
    local.write_text("first")
    sources = [Source(url=str(local)), Source(url=f"{server.base}/web")]
    server.script = [status(503)]
    with pytest.raises(StageError):
        run(*sources)
    local.write_text("second")
    assert run(*sources)["local.txt"] == b"second"


def test_a_file_that_left_its_folder_since_a_failure_is_not_published(server: Server, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "stays").write_text("x")
    (folder / "leaves").write_text("x")
    run(Source(url=str(folder)))
    (folder / "leaves").unlink()
    assert run(Source(url=str(folder))) == {"stays": b"x"}


def test_workers_elsewhere_read_local_files_from_the_work_folder(run: Run, tmp_path: Path) -> None:
    """A cluster's workers cannot see the driver's disk: what they are to read lies in the work folder."""
    work = tmp_path / "work"
    run.work_folder = str(work)
    local = tmp_path / "local [1].txt"  # brackets: a pattern to Beam
    local.write_text("text")
    with pytest.raises(StageError):
        run(Source(url=str(local), sha256="0" * 64))
    assert [p for p in work.rglob("*") if p.is_file() and p.read_text() == "text"], "the upload of the failed run"
    assert run(Source(url=str(local))) == {"local [1].txt": b"text"}
    assert files(work) == {}, "uploads and parts go once the result is safe"


def test_a_host_sees_as_many_connections_as_allowed_at_a_time_and_no_more(server: Server, run: Run) -> None:
    server.bytes_a_second = 3_000_000
    server.script = [together(2)]
    sources = [Source(url=f"{server.base}/{n}") for n in range(6)]
    assert run(*sources, connections=2) == {str(n): server.body for n in range(6)}
    assert server.most == 2


def test_a_file_that_cannot_be_had_keeps_no_other_lane_from_its_files(
    server: Server, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="bert")
    names = [str(n) for n in range(6)]
    server.files = {f"/{name}": name.encode() for name in names}
    server.scripts = {"/0": [status(404)], "/3": [status(503)]}
    sources = [Source(url=f"{server.base}/{name}") for name in names]
    with pytest.raises(StageError) as caught:
        run(*sources, connections=2)
    assert f"{server.base}/0: HTTP 404" in str(caught.value) and f"{server.base}/3: HTTP 503" in str(caught.value)
    assert [r.levelname for r in caplog.records if "HTTP 404" in r.message] == ["WARNING"], "in the log at once, too"
    assert {asked["path"] for asked in server.asked} == {"/0", "/1", "/3"}
    assert run(*sources, connections=2) == {name: name.encode() for name in names}
    assert [asked["path"] for asked in server.asked].count("/1") == 1


def test_a_worker_that_outlives_its_killed_run_is_waited_for(server: Server, run: Run) -> None:
    """Two that write one partial file would mix; what the first has finished, the second takes."""
    source = Source(url=f"{server.base}/a")
    server.script = [status(503)]
    with pytest.raises(StageError):
        run(source)
    (lock,) = run.scratch.glob("partial/*.lock")
    got: list[dict[str, bytes]] = []
    second = Thread(target=lambda: got.append(run(source)))
    with open(lock) as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        second.start()
        second.join(timeout=1.5)
        assert second.is_alive() and len(server.asked) == 1, "it goes on beside the other"
    second.join(timeout=30)
    assert got == [{"a": server.body}] and len(server.asked) == 2
