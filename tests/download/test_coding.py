"""bert/download/coding.py: what servers say of the bytes that they send, and what these are; on the loopback."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zlib
from typing import Literal

import pytest

from bert.download.coding import codings
from bert.download.settings import BookManifest, Source
from bert.pipeline.errors import StageError
from tests.download.run import Run
from tests.download.server import Answer, Handler, Server

TEXT = "Die Fähre fuhr nicht, denn der Fluß stand hoch.\n".encode() * 4000
LATIN = TEXT.decode().encode("cp1252")
EMPTY = gzip.compress(b"", mtime=1)
# What brotli makes of anything has no mark; this is no text either.
BROTLI = b"\x8b\x02\x80hello\x03" * 50


def tar(mode: Literal["w:", "w:gz", "w:bz2", "w:xz"]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        member = tarfile.TarInfo("book.txt")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    return packed.getvalue()


def name_of(value: object) -> str | None:
    """Of a parameter, in the name of its test."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


def labelled(body: bytes, encoding: str) -> Answer:
    return lambda handler: handler.say(200, body, Content_Encoding=encoding)


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", []),
        ("identity", []),
        ("Identity , ", []),
        ("X-GZIP", ["gzip"]),
        ("gzip, identity", ["gzip"]),
        ("deflate,GZip", ["deflate", "gzip"]),
        ("utf-8", []),
        ("x-bzip2", []),
        ("none", []),
    ],
)
def test_a_header_names_codings(header: str, said: list[str]) -> None:
    assert codings(header) == said


@pytest.mark.parametrize(
    ("name", "body", "encoding"),
    [
        ("more.tar.gz", tar("w:gz"), "x-gzip"),
        ("more.tar.gz", tar("w:gz"), "gzip"),
        ("more.tgz", tar("w:gz"), "gzip, identity"),
        ("more.TAR.GZ?download=1", tar("w:gz"), "GZIP"),
        ("more.tar.bz2", tar("w:bz2"), "x-bzip2"),
        ("more.tar.bz2", tar("w:bz2"), "gzip"),
        ("more.tar.bz2", tar("w:bz2"), "br"),
        ("more.tar.xz", tar("w:xz"), "xz"),
        ("more.tar", tar("w:"), "zstd"),
        ("book.txt", TEXT, ""),
        ("book.txt", TEXT, "identity"),
        ("book.txt", TEXT, "gzip"),
        ("book.txt", TEXT, "deflate"),
        ("book.txt", TEXT, "br"),
        ("book.txt", TEXT, "deflate, br"),
        ("book.txt", LATIN, "utf-8"),
        ("book.txt", LATIN, "gzip"),
        ("book.txt", b"", "gzip"),
        # Packed on its way.
        ("book.txt", gzip.compress(TEXT), "gzip"),
        ("book.txt", gzip.compress(TEXT[:70_000]) + gzip.compress(TEXT[70_000:]) + b"\0" * 9, "x-gzip"),
        ("book.txt", zlib.compress(TEXT), "deflate"),
        ("book.txt", EMPTY, "gzip"),
        ("more.tar", tar("w:gz"), "gzip"),
        ("more.tar.gz", gzip.compress(tar("w:gz")), "gzip"),
        ("more.tar.bz2", gzip.compress(tar("w:bz2")), "gzip"),
    ],
    ids=name_of,
)
def test_the_bytes_decide_what_the_file_is(run: Run, server: Server, name: str, body: bytes, encoding: str) -> None:
    server.script = [labelled(body, encoding)]
    expected = {EMPTY: b"", b"": b"", LATIN: LATIN}.get(body, TEXT)
    assert run(Source(url=f"{server.base}/{name}")) == {"book.txt": expected}
    (entry,) = run.manifest["files"]
    assert entry["sha256"] == hashlib.sha256(expected).hexdigest() and entry["bytes"] == len(expected)


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (BROTLI, "br", "came as Content-Encoding br, asked for none, and cannot be read"),
        (b"\x28\xb5\x2f\xfd" + bytes(99), "zstd", "came as Content-Encoding zstd"),
        (raw_deflate(TEXT), "deflate", "came as Content-Encoding deflate"),
        (gzip.compress(zlib.compress(TEXT)), "deflate, gzip", "came as Content-Encoding deflate, gzip"),
        (gzip.compress(TEXT)[:-9], "gzip", "cannot be unpacked: it ends early"),
        (gzip.compress(TEXT)[:-8] + bytes(8), "gzip", "cannot be unpacked: Error -3"),
        (gzip.compress(TEXT) + b"what is this", "gzip", "cannot be unpacked: Error -3"),
    ],
    ids=name_of,
)
def test_what_cannot_be_read_is_one_error(run: Run, server: Server, body: bytes, encoding: str, reason: str) -> None:
    server.script = [labelled(body, encoding)]
    with pytest.raises(StageError) as caught:
        run(Source(url=f"{server.base}/book.txt"))
    assert str(caught.value).startswith(f"{server.base}/book.txt: came ") and reason in str(caught.value)
    assert caught.value.run is not None and "params.yaml" in caught.value.run
    assert not list(run.scratch.glob("partial/*[!k]/*")), "nothing is gone on from"


@pytest.mark.parametrize("encoding", ["gzip", "br", ""])
@pytest.mark.parametrize(
    "known", [gzip.compress(TEXT, mtime=1), TEXT, BROTLI, lzma.compress(TEXT), bz2.compress(TEXT)], ids=name_of
)
def test_a_known_checksum_decides_before_all(run: Run, server: Server, known: bytes, encoding: str) -> None:
    server.script = [labelled(known, encoding)]
    source = Source(url=f"{server.base}/file", sha256=hashlib.sha256(known).hexdigest())
    assert run(source) == {"file": known}


def test_what_is_packed_has_the_checksum_of_what_is_in_it(run: Run, server: Server) -> None:
    server.script = [labelled(gzip.compress(TEXT), "gzip")]
    assert run(Source(url=f"{server.base}/a.txt", sha256=hashlib.sha256(TEXT).hexdigest())) == {"a.txt": TEXT}
    server.script = [labelled(gzip.compress(TEXT), "gzip")]
    with pytest.raises(StageError, match=rf"sha256 {hashlib.sha256(TEXT).hexdigest()}, expected {'0' * 64}"):
        run(Source(url=f"{server.base}/a.txt", sha256="0" * 64))


def test_a_packed_answer_is_resumed_as_it_came(run: Run, server: Server) -> None:
    """The ranges are of the packed bytes; a run that was killed after the last of them unpacks them too."""
    packed = gzip.compress(bytes(range(256)) * 3 + TEXT * 9, compresslevel=0)

    def part(handler: Handler) -> None:
        asked = handler.headers.get("Range")
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not asked:
            handler.say(200, packed, send=200_000, Content_Encoding="gzip")
        else:
            span = f"bytes {first}-{len(packed) - 1}/{len(packed)}"
            handler.say(206, packed[first:], Content_Range=span, Content_Encoding="gzip")

    server.script = [part, part]
    assert run(Source(url=f"{server.base}/a.txt"), retries=1) == {"a.txt": gzip.decompress(packed)}
    assert server.ranges[0] is None and server.ranges[1] is not None


def test_a_list_of_books_may_be_packed(run: Run, server: Server) -> None:
    line = f'{{"url": "{server.base}/1.txt", "title": "One"}}\n'
    server.files = {"/1.txt": TEXT, "/books.jsonl": b""}
    server.scripts = {"/books.jsonl": [labelled(gzip.compress(line.encode()), "gzip")]}
    assert list(run(BookManifest(manifest=f"{server.base}/books.jsonl")).values()) == [TEXT]
