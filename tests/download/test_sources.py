"""bert/download/sources.py, and the names that bert/download/expand.py gives."""

from __future__ import annotations

from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest
from pydantic import ValidationError

from bert.download.expand import expand
from bert.download.settings import DownloadSettings, Source
from bert.download.sources import Fetchable, package_file
from bert.pipeline.errors import StageError

SETTINGS = DownloadSettings(
    contact=None, connections=1, retries=0, timeout_seconds=1, dumps="https://dumps.example.org", mirrors=[]
)


def expanded(*sources: Source) -> list[Fetchable]:
    files, _ = expand(sources, SETTINGS, Path("nowhere"), Counter())
    return files


def names(*sources: Source) -> list[str]:
    return [file.name for file in expanded(*sources)]


def test_a_web_file_is_named_by_the_end_of_its_url() -> None:
    assert names(Source(url="https://files.example.org/wiki/a%20dump.xml.bz2?token=1")) == ["a dump.xml.bz2"]


def test_a_given_name_wins() -> None:
    (file,) = expanded(Source(url="https://files.example.org/download?id=3", name="dump.xml"))
    assert (file.name, file.path, file.hosts) == ("dump.xml", None, frozenset({"files.example.org"}))


@pytest.mark.parametrize("path", ["", "/", "/a/..", "/%2e"])
def test_a_url_without_a_file_name_needs_one(path: str) -> None:
    with pytest.raises(StageError, match="ends in no file name") as caught:
        expanded(Source(url=f"https://files.example.org{path}"))
    assert caught.value.run == "give the source a `name`"


def test_one_host_is_one_host_whatever_stands_around_its_name() -> None:
    urls = ["https://files.example.org/a", "http://files.example.org:80/b", "https://me@FILES.example.org/c"]
    assert {file.hosts for file in expanded(*[Source(url=url) for url in urls])} == {frozenset({"files.example.org"})}


def test_plain_paths_and_file_urls_name_files_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a b#1.txt").write_text("x")
    by_path = expanded(Source(url=f"{tmp_path}/a b#1.txt"))
    by_url = expanded(Source(url=f"file://{tmp_path}/a%20b%231.txt"))
    assert by_path[0].path == by_url[0].path == tmp_path / "a b#1.txt"
    assert by_path[0].name == by_url[0].name == "a b#1.txt"


def test_a_folder_is_all_its_files_but_the_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.txt", "sub/a.txt", ".hidden", "sub/.hidden", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(Source(url=f"file://{tmp_path}")) == ["b.txt", "sub/a.txt"]
    assert names(Source(url=str(tmp_path), name="books")) == ["books/b.txt", "books/sub/a.txt"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="holds no files"):
        expanded(Source(url=str(tmp_path)))


def test_a_folder_cannot_have_one_sha256(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="one sha256"):
        expanded(Source(url=str(tmp_path), sha256="0" * 64))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"nowhere\.txt: no such file"):
        expanded(Source(url=f"{tmp_path}/nowhere.txt"))


def test_an_unknown_scheme_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(StageError, match="'ftp' is none of https, http, file, package"):
        expanded(Source(url="ftp://files.example.org/a"))


def test_a_package_file_is_found_without_importing_the_package() -> None:
    wanted = next(str(f) for f in metadata.files("pytest") or [] if str(f).endswith("pytest/py.typed"))
    assert package_file(f"package://pytest/{wanted}").name == "py.typed"
    assert names(Source(url=f"package://pytest/{wanted}")) == ["py.typed"]


@pytest.mark.parametrize("name", ["no-such-package-anywhere", ""])
def test_a_missing_package_is_told_with_the_command_that_installs_it(name: str) -> None:
    with pytest.raises(StageError, match="is not installed") as caught:
        package_file(f"package://{name}/file.txt")
    assert caught.value.run == f"pip install {name}"


def test_a_file_that_the_package_does_not_ship_is_told_with_its_version() -> None:
    with pytest.raises(StageError, match=rf"pytest {metadata.version('pytest')} ships no such file"):
        package_file("package://pytest/pytest/no_such_file.txt")


def test_two_files_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(StageError) as caught:
        expanded(Source(url="https://files.example.org/a.txt"), Source(url=f"{tmp_path}/a.txt"))
    assert "https://files.example.org/a.txt" in str(caught.value) and f"{tmp_path}/a.txt" in str(caught.value)
    assert "both named a.txt" in str(caught.value) and "`name`" in str(caught.value.run)


def test_a_file_and_a_folder_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("x")
    with pytest.raises(StageError, match="both named a"):
        expanded(Source(url="https://files.example.org/a"), Source(url=str(tmp_path), name="a"))


def test_a_file_with_the_name_of_the_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(StageError, match=r"manifest\.json is the name of the stage's own list"):
        expanded(Source(url=str(tmp_path)))
    assert names(Source(url=str(tmp_path), name="sub")) == ["sub/manifest.json"]


@pytest.mark.parametrize("name", ["../up", "/root", ".hidden", "a//b", ""])
def test_a_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        Source(url="https://files.example.org/a", name=name)
