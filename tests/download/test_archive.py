"""bert/download/archive.py, through the pipeline: tars of all kinds, and some that should not be trusted."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from bert.download.settings import Source
from bert.pipeline.errors import StageError
from tests.download.run import Run
from tests.download.server import Server, cut

TEXT = {"b/two.txt": b"two" * 5000, "a.txt": b"one", "c/d/three.txt": b""}


def regular(name: str, body: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(body)
    return member, body


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def packed(members: Iterable[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
        for member, body in members:
            tar.addfile(member, io.BytesIO(body))
    return out.getvalue()


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    return packed((regular(name, body) for name, body in files.items()), mode)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.TGZ", "w:gz"), ("x.tar.bz2", "w:bz2"), ("x.tar.xz", "w:xz")],
)
def test_a_tar_stands_for_its_members_in_the_order_of_their_names(
    run: Run, tmp_path: Path, name: str, mode: str
) -> None:
    (tmp_path / name).write_bytes(tar_of(TEXT, mode))
    assert run(Source(url=str(tmp_path / name))) == TEXT
    assert [file["path"] for file in run.manifest["files"]] == sorted(TEXT)
    assert run.manifest["files"][1] == {
        "path": "b/two.txt",
        "url": str(tmp_path / name),
        "bytes": 15000,
        "sha256": hashlib.sha256(TEXT["b/two.txt"]).hexdigest(),
    }
    assert run.metrics == {"files": 3, "bytes": 15003, "dropped": {}}


def test_a_tar_from_the_web_is_checked_resumed_and_given_a_folder(server: Server, run: Run) -> None:
    server.body = tar_of(TEXT)
    server.script = [cut(after=9000)]
    digest = hashlib.sha256(server.body).hexdigest()
    got = run(Source(url=f"{server.base}/books.tar", sha256=digest, name="shop"), retries=1)
    assert got == {f"shop/{name}": body for name, body in TEXT.items()}
    assert server.ranges == [None, "bytes=9000-"]
    with pytest.raises(StageError, match=rf"books\.tar: sha256 {digest}, expected 0000"):
        run(Source(url=f"{server.base}/books.tar", sha256="0" * 64))


def test_the_same_files_packed_otherwise_are_the_same_corpus(run: Run, tmp_path: Path) -> None:
    tar = tmp_path / "x.tar"
    tar.write_bytes(tar_of(TEXT))
    run(Source(url=str(tar)))
    first = (run.out / "manifest.json").read_bytes()
    tar.write_bytes(tar_of(dict(reversed(TEXT.items()))))
    run(Source(url=str(tar)))
    assert (run.out / "manifest.json").read_bytes() == first


def test_links_devices_and_hidden_files_are_not_taken_and_counted(run: Run, tmp_path: Path) -> None:
    members = [
        special("folder", tarfile.DIRTYPE),
        regular("folder/a.txt"),
        regular("./b.txt"),
        regular(".DS_Store"),
        regular("folder/._a.txt"),
        special("link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard.txt", tarfile.LNKTYPE, "folder/a.txt"),
        special("pipe", tarfile.FIFOTYPE),
        special("device", tarfile.CHRTYPE),
    ]
    (tmp_path / "x.tar").write_bytes(packed(members))
    assert run(Source(url=str(tmp_path / "x.tar"))) == {"b.txt": b"x", "folder/a.txt": b"x"}
    assert run.metrics["dropped"] == {"hidden_file": 2, "not_a_regular_file": 4}


@pytest.mark.parametrize("name", ["../up.txt", "a/../../up.txt", "/tmp/absolute.txt"])
def test_a_member_that_leads_outside_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "x.tar").write_bytes(packed([regular("a.txt"), regular(name)]))
    with pytest.raises(StageError, match=rf"x\.tar: member '{name}' leads outside"):
        run(Source(url=str(tmp_path / "x.tar")))
    assert not (run.out.parent / "up.txt").exists() and not Path("/tmp/absolute.txt").exists()


def test_a_link_to_outside_is_no_way_out(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    members = [special("way", tarfile.SYMTYPE, str(outside)), regular("way/out.txt")]
    (tmp_path / "x.tar").write_bytes(packed(members))
    assert run(Source(url=str(tmp_path / "x.tar"))) == {"way/out.txt": b"x"}
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_that_ends_early_is_an_error(run: Run, tmp_path: Path, mode: str) -> None:
    noise = bytes(hashlib.sha256(str(n).encode()).digest()[0] for n in range(40_000))
    whole = tar_of({"a.txt": noise, "b.txt": noise}, mode)
    (tmp_path / "x.tar").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(StageError, match=r"x\.tar: cannot be unpacked: "):
        run(Source(url=str(tmp_path / "x.tar")))
    assert not (run.out / "manifest.json").exists()


@pytest.mark.parametrize("body", [b"", b"a novel, not a tar\n" * 100])
def test_what_is_no_tar_is_an_error(run: Run, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(body)
    with pytest.raises(StageError, match=r"x\.tar: cannot be unpacked: "):
        run(Source(url=str(tmp_path / "x.tar")))


def test_two_members_of_one_name_are_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(packed([regular("a.txt", b"old"), regular("a.txt", b"new")]))
    with pytest.raises(StageError, match=r"both named a\.txt"):
        run(Source(url=str(tmp_path / "x.tar")))


def test_a_member_cannot_replace_the_stages_own_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(packed([regular("manifest.json")]))
    with pytest.raises(StageError, match=r"manifest\.json is the name of the stage's own list"):
        run(Source(url=str(tmp_path / "x.tar")))


def test_a_name_that_is_no_utf8_is_an_error(run: Run, tmp_path: Path) -> None:
    members = [regular(b"caf\xe9.txt".decode("utf-8", "surrogateescape"))]
    (tmp_path / "x.tar").write_bytes(packed(members, "w"))
    with pytest.raises(StageError, match="not in UTF-8"):
        run(Source(url=str(tmp_path / "x.tar")))


def test_a_tar_or_a_folder_with_fewer_files_than_the_minimum_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_of(TEXT))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/one.txt").write_text("x")
    with pytest.raises(StageError, match=r"x\.tar: 3 files came, expected at least 4\n"):
        run(Source(url=str(tmp_path / "x.tar"), minimum=4))
    with pytest.raises(StageError, match=r"folder: 1 files came, expected at least 2\n"):
        run(Source(url=str(tmp_path / "folder"), minimum=2), Source(url=str(tmp_path / "x.tar"), minimum=3))


def test_hidden_files_of_a_folder_are_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder/.git").mkdir(parents=True)
    for name in ("a.txt", ".DS_Store", ".git/config"):
        (tmp_path / "folder" / name).write_text("x")
    assert run(Source(url=str(tmp_path / "folder"))) == {"a.txt": b"x"}
    assert run.metrics["dropped"] == {"hidden_file": 2}
