"""bert/download/wikimedia.py: a dump by its date, from servers that fail or lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bert.download.lanes import deal
from bert.download.settings import WikipediaDump
from bert.download.sources import Fetchable
from bert.download.wikimedia import index_of
from bert.pipeline.errors import StageError
from tests.download.run import Run
from tests.download.server import Server, cut, serving, status

ENWIKI = WikipediaDump(wiki="enwiki", date="20260901")
FOLDER = "/enwiki/20260901"
STEM = "enwiki-20260901-pages-articles-multistream"
PARTS = {
    f"{STEM}1.xml-p1p41242.bz2": b"first part" * 9000,
    f"{STEM}-index1.txt-p1p41242.bz2": b"first index",
    f"{STEM}2.xml-p41243p151573.bz2": b"second part" * 9000,
    f"{STEM}-index2.txt-p41243p151573.bz2": b"second index",
}
FILE = {"size": 1, "sha1": "0" * 40}


def listed(files: dict[str, bytes]) -> dict[str, Any]:
    """dumpstatus.json of a dump that is done, as Wikimedia writes it."""
    files_of_job = {
        name: {
            "size": len(body),
            "url": f"{FOLDER}/{name}",
            "md5": hashlib.md5(body).hexdigest(),
            "sha1": hashlib.sha1(body).hexdigest(),
        }
        for name, body in files.items()
    }
    jobs = {
        "sitestatstable": {"status": "done", "updated": "2026-09-01 08:11:12", "files": {}},
        "metahistory7zdump": {"status": "waiting", "updated": ""},
        "articlesmultistreamdump": {"status": "done", "updated": "2026-09-03 12:01:02", "files": files_of_job},
    }
    return {"version": "0.8", "jobs": jobs}


def serve(server: Server, files: dict[str, bytes], status_json: Any = None) -> None:
    server.files = {f"{FOLDER}/{name}": body for name, body in files.items()}
    server.files[f"{FOLDER}/dumpstatus.json"] = json.dumps(
        listed(files) if status_json is None else status_json
    ).encode()


@pytest.fixture
def home(server: Server, run: Run) -> Server:
    """Wikimedia."""
    serve(server, PARTS)
    run.settings = run.settings.model_copy(update={"dumps": server.base})
    return server


@pytest.fixture
def mirror(home: Server, run: Run) -> Iterator[Server]:
    """Another host with the same files, which is asked first. It has no status of its own."""
    with serving() as running:
        serve(running, PARTS)
        del running.files[f"{FOLDER}/dumpstatus.json"]
        run.settings = run.settings.model_copy(update={"mirrors": [running.base.replace("127.0.0.1", "localhost")]})
        yield running


def paths(server: Server) -> list[str]:
    return [asked["path"].rpartition("/")[2] for asked in server.asked]


def test_parts_and_their_indexes_come_as_listed(home: Server, run: Run) -> None:
    assert run(ENWIKI) == PARTS
    assert sorted(paths(home)) == sorted([*PARTS, "dumpstatus.json"])
    assert run.manifest["files"][0] == {
        "path": f"{STEM}-index1.txt-p1p41242.bz2",
        "url": f"https://dumps.wikimedia.org{FOLDER}/{STEM}-index1.txt-p1p41242.bz2",
        "bytes": 11,
        "sha256": hashlib.sha256(b"first index").hexdigest(),
    }
    assert run.metrics == {"files": 4, "bytes": sum(map(len, PARTS.values())), "dropped": {}}


def test_a_wiki_in_one_part_has_one_index() -> None:
    assert index_of(f"{STEM}.xml.bz2") == f"{STEM}-index.txt.bz2"


def test_a_part_that_breaks_off_is_resumed_by_range(home: Server, run: Run) -> None:
    home.scripts[f"{FOLDER}/{STEM}1.xml-p1p41242.bz2"] = [cut(after=70_000)]
    assert run(ENWIKI, retries=1) == PARTS
    assert [r for r in home.ranges if r] == ["bytes=70000-"]


def test_files_come_from_the_mirror_and_their_checksums_from_wikimedia(home: Server, mirror: Server, run: Run) -> None:
    assert run(ENWIKI) == PARTS
    assert paths(home) == ["dumpstatus.json"] and sorted(paths(mirror)) == sorted(PARTS)
    through_mirror = run.manifest
    run(ENWIKI, mirrors=[])
    assert run.manifest == through_mirror, "the manifest does not depend on who served a file"


@pytest.mark.parametrize("code", [403, 404, 410, 503])
def test_what_the_mirror_does_not_give_wikimedia_gives(home: Server, mirror: Server, run: Run, code: int) -> None:
    lacks = f"{STEM}2.xml-p41243p151573.bz2"
    mirror.scripts[f"{FOLDER}/{lacks}"] = [status(code)]
    assert run(ENWIKI) == PARTS
    assert lacks in paths(home)


def test_what_the_mirror_has_changed_wikimedia_gives(home: Server, mirror: Server, run: Run) -> None:
    changed = f"{STEM}1.xml-p1p41242.bz2"
    mirror.files[f"{FOLDER}/{changed}"] = PARTS[changed].replace(b"first", b"wrong")
    assert run(ENWIKI) == PARTS
    assert changed in paths(mirror) and changed in paths(home)


def test_a_mirror_that_has_failed_is_not_asked_first_again(home: Server, mirror: Server, run: Run) -> None:
    mirror.script = [status(503)] * 99
    assert run(ENWIKI, connections=1) == PARTS
    assert len(mirror.asked) == 1


def test_a_file_that_nobody_has_is_an_error_that_tells_what_each_said(home: Server, mirror: Server, run: Run) -> None:
    lost = f"{FOLDER}/{STEM}-index1.txt-p1p41242.bz2"
    del home.files[lost]
    mirror.scripts[lost] = [status(503)]
    with pytest.raises(StageError) as caught:
        run(ENWIKI)
    assert f"{home.base}{lost}: HTTP 404 Not Found" in str(caught.value)
    assert f"localhost:{mirror.server_address[1]}{lost}: HTTP 503" in str(caught.value)


def test_a_wrong_sha1_is_named_and_the_bytes_are_not_gone_on_from(home: Server, run: Run) -> None:
    name = f"{STEM}1.xml-p1p41242.bz2"
    wrong = PARTS[name].replace(b"first", b"wrong")
    home.files[f"{FOLDER}/{name}"] = wrong
    with pytest.raises(StageError) as caught:
        run(ENWIKI)
    for sha1 in (hashlib.sha1(wrong).hexdigest(), hashlib.sha1(PARTS[name]).hexdigest()):
        assert sha1 in str(caught.value)
    assert name in str(caught.value) and not (run.out / "manifest.json").exists()
    home.files[f"{FOLDER}/{name}"] = PARTS[name]
    assert run(ENWIKI) == PARTS
    assert not any(home.ranges)


def test_a_file_of_another_length_than_listed_is_named(home: Server, run: Run) -> None:
    status_json = listed(PARTS)
    status_json["jobs"]["articlesmultistreamdump"]["files"][f"{STEM}-index1.txt-p1p41242.bz2"]["size"] = 12
    serve(home, PARTS, status_json)
    with pytest.raises(StageError, match=r"index1\.txt-p1p41242\.bz2: size 11, expected 12"):
        run(ENWIKI)


def _without(job: dict[str, Any], name: str) -> None:
    del job["files"][name]


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        (lambda job: job.update(status="in-progress"), "is 'in-progress', expected 'done'"),
        (lambda job: job.update(status="failed"), "is 'failed', expected 'done'"),
        (lambda job: job.pop("status"), "status: is missing"),
        (lambda job: job.update(files={}), "0 parts and 0 indexes"),
        (lambda job: job.update(files=[]), "files: expected keys and values"),
        (lambda job: _without(job, f"{STEM}-index2.txt-p41243p151573.bz2"), r"2 parts and 1 indexes.*-index2\.txt"),
        (lambda job: _without(job, f"{STEM}1.xml-p1p41242.bz2"), r"1 parts and 2 indexes.*-index1\.txt"),
        (lambda job: job["files"][f"{STEM}1.xml-p1p41242.bz2"].pop("sha1"), "sha1: is missing"),
        (lambda job: job["files"][f"{STEM}1.xml-p1p41242.bz2"].update(size=0), "size: expected more than 0"),
        (
            lambda job: job["files"].update({f"../{STEM}.xml.bz2": {"size": 1, "sha1": "0" * 40}}),
            r"lists '\.\./enwiki-",
        ),
        (lambda job: job["files"].update({"dewiki.xml.bz2": {"size": 1, "sha1": "0" * 40}}), "lists 'dewiki"),
    ],
)
def test_a_status_that_is_not_done_or_lies_is_one_error(home: Server, run: Run, lie: Any, message: str) -> None:
    status_json = listed(PARTS)
    lie(status_json["jobs"]["articlesmultistreamdump"])
    serve(home, PARTS, status_json)
    with pytest.raises(StageError, match=message) as caught:
        run(ENWIKI)
    assert f"{home.base}{FOLDER}/dumpstatus.json" in str(caught.value) and caught.value.run
    assert paths(home) == ["dumpstatus.json"], "nothing is fetched by such a list"


@pytest.mark.parametrize(
    ("answer", "message"),
    [(b"<html>busy</html>", "Invalid JSON"), (b"[]", "expected keys and values"), (b'{"jobs": {}}', "lists no job")],
)
def test_what_is_no_status_is_one_error(home: Server, run: Run, answer: bytes, message: str) -> None:
    home.files[f"{FOLDER}/dumpstatus.json"] = answer
    with pytest.raises(StageError, match=message):
        run(ENWIKI)


def test_a_status_is_read_anew_by_each_run(home: Server, run: Run) -> None:
    status_json = listed(PARTS)
    status_json["jobs"]["articlesmultistreamdump"]["status"] = "in-progress"
    serve(home, PARTS, status_json)
    with pytest.raises(StageError):
        run(ENWIKI)
    serve(home, PARTS)
    assert run(ENWIKI) == PARTS


def test_a_date_that_is_gone_says_where_the_others_are(home: Server, run: Run) -> None:
    with pytest.raises(StageError, match=r"enwiki of 20010101: there is no such dump .*keeps the last few") as caught:
        run(WikipediaDump(wiki="enwiki", date="20010101"))
    assert f"{home.base}/enwiki/" in str(caught.value.run)


def test_a_blocked_downloader_is_told_why(home: Server, run: Run) -> None:
    home.script = [status(403)]
    with pytest.raises(StageError, match=r"HTTP 403 Forbidden: Wikimedia blocks downloaders") as caught:
        run(ENWIKI)
    assert "download.contact" in str(caught.value.run)


def test_without_a_contact_wikimedia_is_not_asked(run: Run) -> None:
    with pytest.raises(StageError, match=r"download\.contact is null .* Wikimedia's User-Agent policy"):
        run(ENWIKI, dumps="https://dumps.wikimedia.org")


def test_a_mirror_elsewhere_needs_a_contact_before_anything_is_fetched(home: Server, run: Run) -> None:
    with pytest.raises(StageError, match=r"download\.contact is null but https://mirror\.example\.org/"):
        run(ENWIKI, mirrors=["https://mirror.example.org/dumps/"])
    assert paths(home) == ["dumpstatus.json"]


def test_latest_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="'latest' is another dump every few weeks"):
        WikipediaDump(wiki="enwiki", date="latest")


@pytest.mark.parametrize(("wiki", "date"), [("en.wikipedia", "20260901"), ("../x", "20260901"), ("enwiki", "2026-09")])
def test_a_wiki_and_a_date_are_those_of_the_url(wiki: str, date: str) -> None:
    with pytest.raises(ValidationError):
        WikipediaDump(wiki=wiki, date=date)


def test_a_date_without_quotation_marks_is_the_same_date() -> None:
    assert WikipediaDump.model_validate({"wiki": "enwiki", "date": 20260901}) == ENWIKI


def test_wikimedia_and_its_mirrors_never_see_more_than_two_connections() -> None:
    """A file that the mirror lacks is asked of Wikimedia by the same lane."""
    home, mirror, other = "https://dumps.wikimedia.org", "https://mirror.example.org", "https://other.example.org"
    files = [Fetchable(f"{home}/{n}", f"{n}", addresses=(f"{mirror}/{n}", f"{home}/{n}")) for n in range(9)]
    files += [Fetchable(f"{home}/x{n}", f"x{n}", addresses=(f"{home}/x{n}",)) for n in range(4)]
    files += [Fetchable(f"{other}/y{n}", f"y{n}", addresses=(f"{other}/y{n}",)) for n in range(4)]
    lanes = deal(files, connections=16)
    kinds = [{file["name"][0] for file in lane["files"]} for lane in lanes]
    assert sum("y" not in names for names in kinds) == 2
    assert sum(names == {"y"} for names in kinds) == 4
    assert sorted(file["name"] for lane in lanes for file in lane["files"]) == sorted(file.name for file in files)
