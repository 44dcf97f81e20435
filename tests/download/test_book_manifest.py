"""bert/download/book_manifest.py: books by a list, from a server that has lost some of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bert.download.settings import BookManifest
from bert.pipeline.errors import StageError
from tests.download.run import Run
from tests.download.server import Server, cut, status

BOOKS = {f"/books/{n}.txt": f"Book {n}. ".encode() * 2000 for n in range(5)}


@pytest.fixture
def shop(server: Server) -> Server:
    server.files = dict(BOOKS)
    return server


def written(path: Path, *books: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(book) + "\n" for book in books))
    return str(path)


def listed(shop: Server, path: Path, **more: Any) -> BookManifest:
    """A list of all books of the shop."""
    books = [
        {"url": shop.base + url, "title": f"Title {n}", "sha256": hashlib.sha256(body).hexdigest(), "licence": "CC0"}
        for n, (url, body) in enumerate(BOOKS.items())
    ]
    return BookManifest(manifest=written(path, *books), **more)


def test_all_books_come_with_title_and_licence(shop: Server, run: Run, tmp_path: Path) -> None:
    assert run(listed(shop, tmp_path / "list.jsonl")) == {f"{n}.txt": body for n, body in enumerate(BOOKS.values())}
    assert run.manifest["files"][0] == {
        "path": "0.txt",
        "url": f"{shop.base}/books/0.txt",
        "bytes": 16000,
        "sha256": hashlib.sha256(BOOKS["/books/0.txt"]).hexdigest(),
        "title": "Title 0",
        "licence": "CC0",
    }
    assert run.metrics == {"files": 5, "bytes": 80000, "dropped": {}} and run.missing == []


def test_what_is_gone_for_good_is_listed_and_counted(shop: Server, run: Run, tmp_path: Path) -> None:
    for n, code in ((1, 404), (2, 403), (4, 410)):
        shop.scripts[f"/books/{n}.txt"] = [status(code)]
    got = run(listed(shop, tmp_path / "list.jsonl", minimum=2))
    assert list(got) == ["0.txt", "3.txt"]
    assert run.missing == [
        {"url": f"{shop.base}/books/1.txt", "title": "Title 1", "reason": "HTTP 404 Not Found"},
        {"url": f"{shop.base}/books/2.txt", "title": "Title 2", "reason": "HTTP 403 Forbidden"},
        {"url": f"{shop.base}/books/4.txt", "title": "Title 4", "reason": "HTTP 410 Gone"},
    ]
    assert run.metrics == {"files": 2, "bytes": 32000, "dropped": {"http_403": 1, "http_404": 1, "http_410": 1}}
    assert [file["path"] for file in run.manifest["files"]] == ["0.txt", "3.txt"]


def test_too_few_books_are_an_error_and_the_lost_ones_are_asked_for_again(
    shop: Server, run: Run, tmp_path: Path
) -> None:
    for n in (1, 2):
        shop.scripts[f"/books/{n}.txt"] = [status(403)]
    books = listed(shop, tmp_path / "list.jsonl", minimum=4)
    with pytest.raises(StageError, match=r"list\.jsonl: 3 files came, expected at least 4; 2 times HTTP 403") as caught:
        run(books)
    lost = tmp_path / "run/scratch/missing.jsonl"
    assert str(lost) in str(caught.value) and len(lost.read_text().splitlines()) == 2
    assert not (run.out / "manifest.json").exists()
    assert len(run(books)) == 5, "the server has let us in again"
    assert sorted(asked["path"] for asked in shop.asked) == sorted([*BOOKS, "/books/1.txt", "/books/2.txt"])


def test_a_list_of_which_nothing_is_left_is_an_error(shop: Server, run: Run, tmp_path: Path) -> None:
    shop.script = [status(404)] * 5
    with pytest.raises(StageError, match="0 files came, expected at least 1; 5 times HTTP 404 Not Found"):
        run(listed(shop, tmp_path / "list.jsonl"))


def test_what_may_pass_fails_the_stage_and_is_never_listed_as_missing(shop: Server, run: Run, tmp_path: Path) -> None:
    shop.scripts["/books/2.txt"] = [status(503), status(502)]
    shop.scripts["/books/3.txt"] = [cut(after=10)]
    books = listed(shop, tmp_path / "list.jsonl")
    with pytest.raises(StageError, match=r"/books/2\.txt: HTTP 502 .*after 1 retries"):
        run(books, retries=1)
    assert len(run(books, retries=1)) == 5 and run.missing == []


def test_a_changed_book_is_named_with_both_sums(shop: Server, run: Run, tmp_path: Path) -> None:
    shop.files["/books/3.txt"] = b"another edition"
    with pytest.raises(StageError) as caught:
        run(listed(shop, tmp_path / "list.jsonl"))
    for named in ("/books/3.txt", b"another edition", BOOKS["/books/3.txt"]):
        assert (named if isinstance(named, str) else hashlib.sha256(named).hexdigest()) in str(caught.value)


def test_a_list_from_the_web_names_books_relative_to_itself(shop: Server, run: Run) -> None:
    shop.files["/books/list.jsonl"] = b'{"url": "1.txt"}\n\n{"url": "/books/2.txt", "name": "two.txt"}'
    got = run(BookManifest(manifest=f"{shop.base}/books/list.jsonl", name="shop"))
    assert got == {"shop/1.txt": BOOKS["/books/1.txt"], "shop/two.txt": BOOKS["/books/2.txt"]}


def test_a_list_on_this_machine_names_books_beside_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    path = written(tmp_path / "list.jsonl", {"url": "sub/a.txt"}, {"url": f"{tmp_path}/b.txt"})
    assert run(BookManifest(manifest=path)) == {"a.txt": b"a", "b.txt": b"b"}


def test_a_list_that_cannot_be_had_is_an_error(shop: Server, run: Run, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"/nowhere\.jsonl: HTTP 404 Not Found"):
        run(BookManifest(manifest=f"{shop.base}/nowhere.jsonl"))
    with pytest.raises(StageError, match=r"nowhere\.jsonl: no such file"):
        run(BookManifest(manifest=f"{tmp_path}/nowhere.jsonl"))


def test_a_list_has_a_sum_of_its_own(shop: Server, run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "list.jsonl", {"url": f"{shop.base}/books/1.txt"})
    right = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert len(run(BookManifest(manifest=path, sha256=right))) == 1
    with pytest.raises(StageError, match=rf"list\.jsonl: sha256 {right}, expected 0000"):
        run(BookManifest(manifest=path, sha256="0" * 64))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Invalid JSON"),
        ('"a"', "expected keys and values .got 'a'."),
        ('{"title": "A"}', "url: is missing"),
        ('{"url": "a.txt", "sha265": "0"}', "sha265: unknown key"),
        ('{"url": "a.txt", "sha256": "0"}', "sha256: expected text that matches"),
        ('{"url": "a.txt", "name": "../a"}', "name: expected text that matches"),
        ('{"url": "ftp://example.org/a"}', "scheme 'ftp' is none of"),
        ('{"url": "nowhere.txt"}', r"nowhere\.txt: no such file"),
        ('{"url": "."}', "expected one book, not a folder"),
        ('{"url": "https://example.org/a.tar.gz"}', "expected one book, not a folder or a tar"),
    ],
)
def test_a_line_that_is_no_book_is_named_by_its_number(run: Run, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "list.jsonl").write_text('{"url": "b.txt"}\n' + line)
    with pytest.raises(StageError, match=rf"list\.jsonl: line 2: .*{message}") as caught:
        run(BookManifest(manifest=str(tmp_path / "list.jsonl")))
    assert "list.jsonl" in str(caught.value.run)


def test_an_empty_list_is_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="not one book"):
        run(BookManifest(manifest=written(tmp_path / "list.jsonl")))


def test_two_books_of_one_name_need_names(shop: Server, run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "list.jsonl", {"url": f"{shop.base}/a/1.txt"}, {"url": f"{shop.base}/b/1.txt"})
    with pytest.raises(StageError, match=r"/a/1\.txt and .*/b/1\.txt are both named 1\.txt"):
        run(BookManifest(manifest=path))
