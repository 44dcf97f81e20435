"""bert/pipeline/files.py and bert/pipeline/manifest.py."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, read_utf8, sha256_of, write_json, write_text


def test_a_file_is_replaced_whole_and_leaves_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "one\n")
    before = path.stat().st_ino
    write_text(path, "two\r\nü\n")
    assert path.read_bytes() == "two\r\nü\n".encode()
    assert path.stat().st_ino != before, "written in place, a reader could see half of it"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": 1, "a": 2})
    assert path.read_text() == '{\n  "b": 1,\n  "a": 2\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"loss": float("nan")})
    assert json.loads(path.read_text()) == {"b": 1, "a": 2}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"9" * 5000, "not valid JSON"),
    ],
)
def test_a_json_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError, match=rf"a\.json: {message}") as caught:
        read_json(path, "dvc repro shards")
    assert caught.value.run == "dvc repro shards"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_json_file_may_be_of_any_encoding_that_json_has_had(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"name": "Köln"}', encoding=encoding)
    assert read_json(path, "x") == {"name": "Köln"}


def test_a_text_is_utf8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text("Köln\n", encoding=encoding)
        assert read_utf8(path, "x") == "Köln\n"
    for encoding, message in (("utf-16", "its byte order mark is that of UTF-16"), ("cp1252", "can't decode byte")):
        path.write_text("Köln\n", encoding=encoding)
        with pytest.raises(StageError, match=f"expected UTF-8, but .*{message}") as caught:
            read_utf8(path, "dvc repro vocab")
        assert str(path) in str(caught.value) and caught.value.run == "dvc repro vocab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files with its manifest."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "sub" / "b.txt").write_text("second")
    manifest.write(tmp_path, [{"path": "a.txt", "documents": 1}, {"path": "sub/b.txt"}], seed=3)
    return tmp_path


def test_a_manifest_tells_size_and_hash_beside_what_it_was_given(folder: Path) -> None:
    listed = manifest.read(folder, "x")
    assert (listed["configured"], listed["seed"]) == (True, 3)
    assert listed["files"][0] == {
        "path": "a.txt",
        "documents": 1,
        "bytes": 5,
        "sha256": hashlib.sha256(b"first").hexdigest(),
    }
    assert listed["files"][1]["sha256"] == sha256_of(folder / "sub" / "b.txt")


def test_a_manifest_of_all_files_does_not_list_itself(folder: Path) -> None:
    manifest.write(folder)
    assert [f["path"] for f in manifest.read(folder, "x")["files"]] == ["a.txt", "sub/b.txt"]


def test_a_truncated_file_is_noticed(folder: Path) -> None:
    (folder / "sub" / "b.txt").write_text("sec")
    with pytest.raises(StageError, match=r"sub/b\.txt: 3 bytes, expected 6 .*truncated") as caught:
        manifest.read(folder, "dvc repro shards")
    assert caught.value.run == "dvc repro shards"


def test_a_missing_file_is_noticed(folder: Path) -> None:
    (folder / "a.txt").unlink()
    with pytest.raises(StageError, match=r"a\.txt: listed in .*manifest\.json but missing"):
        manifest.read(folder, "x")


def test_a_folder_without_a_manifest_is_no_whole_folder(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"manifest\.json: no such file"):
        manifest.read(tmp_path, "x")


def test_the_stage_that_needs_a_source_names_the_parameter_to_set(tmp_path: Path, folder: Path) -> None:
    manifest.write_unconfigured(tmp_path / "none")
    assert manifest.read(tmp_path / "none", "x") == {"configured": False, "files": []}
    with pytest.raises(StageError, match="not configured") as caught:
        manifest.read_configured(tmp_path / "none", "download.squad", "dvc repro")
    assert caught.value.run == "set download.squad, then dvc repro"
    assert manifest.read_configured(folder, "download.squad", "dvc repro")["files"]
