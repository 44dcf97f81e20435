"""Content-Encoding (RFC 9110, 8.4): whether what came is the file, or packed on its way, unasked.

Servers name a `.tar.gz`'s own packing so (Apache with AddEncoding), leave the header empty, write a charset into it, or
pack what they were asked not to. So the header is a hint, and the bytes decide.
"""

from __future__ import annotations

import codecs
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bert.pipeline.errors import StageError

# Bytes: what a kill can lose, at most.
CHUNK = 1 << 16
# What stands first in everything that is packed so, and the suffixes of files that are.
MAGIC = {
    "gzip": b"\x1f\x8b",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "zstd": b"\x28\xb5\x2f\xfd",
    "compress": b"\x1f\x9d",
}
OF_SUFFIX = {
    ".gz": "gzip",
    ".tgz": "gzip",
    ".bz2": "bzip2",
    ".tbz2": "bzip2",
    ".xz": "xz",
    ".txz": "xz",
    ".zst": "zstd",
    ".z": "compress",
}
# IANA's registry. zlib reads the first two; any other word, such as utf-8 or x-bzip2, is no coding.
CODINGS = frozenset({"gzip", "deflate", "br", "zstd", "compress", "dcb", "dcz", "exi", "pack200-gzip"})


def codings(header: str) -> list[str]:
    """What a header's value says was done to the file, in order: "X-GZIP , identity" -> ["gzip"], "" -> []."""
    names = [name.strip().lower().removeprefix("x-") for name in header.split(",")]
    return [name for name in names if name in CODINGS]


def readings(raw: Path, url: str, header: str) -> list[str]:
    """How the bytes of `raw` may be read, the likelier one first: `raw` as they came, `unpacked` by zlib.

    Raises:
        StageError: they are packed in a way that we cannot undo.
    """
    said = codings(header)
    if not said:
        return ["raw"]
    with open(raw, "rb") as f:
        head = f.read(CHUNK)
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix.lower()
    own = OF_SUFFIX.get(suffix)
    if _is_zlib(said[-1], head):
        inner = next(unpacked(raw, url, limit=CHUNK), b"")
        if own == "gzip" and said[-1] == "gzip" and not inner.startswith(MAGIC["gzip"]):
            return ["raw", "unpacked"]  # the file's own packing
        if len(said) == 1:
            return ["unpacked", "raw"]
    else:
        as_named = head.startswith(MAGIC[own]) if own else _is_text(head)
        if as_named or (len(said) == 1 and not head.startswith(MAGIC.get(said[0], b""))):
            return ["raw"]
    raise StageError(
        f"{url}: came as Content-Encoding {header}, asked for none, and cannot be read",
        run="give the url of a server that sends the file as it is, or download it yourself and give its path, in "
        "params.yaml; then dvc repro",
    )


def unpacked(raw: Path, url: str, limit: int = 0) -> Iterator[bytes]:
    """What is packed in `raw` as gzip or zlib, in one stream or several; `limit`: at most so much at a time, 0: any.

    Raises:
        StageError: it is broken, or ends early.
    """
    stream, begun = zlib.decompressobj(32 + zlib.MAX_WBITS), False
    with open(raw, "rb") as f:
        try:
            while chunk := f.read(CHUNK):
                while chunk:
                    if stream.eof:
                        if not chunk.strip(b"\0"):  # padding
                            break
                        stream = zlib.decompressobj(32 + zlib.MAX_WBITS)
                    begun = True
                    yield stream.decompress(chunk, limit)
                    chunk = stream.unused_data or stream.unconsumed_tail
        except zlib.error as error:
            raise _broken(url, str(error)) from None
    if begun and not stream.eof:
        raise _broken(url, "it ends early")


def opened(raw: Path, url: str, reading: str) -> Iterator[bytes]:
    """The bytes of `raw` by one of its `readings`, some at a time. Raises as `unpacked`."""
    if reading == "unpacked":
        yield from unpacked(raw, url)
        return
    with open(raw, "rb") as f:
        while chunk := f.read(CHUNK):
            yield chunk


def _broken(url: str, reason: str) -> StageError:
    return StageError(
        f"{url}: came packed (Content-Encoding), and cannot be unpacked: {reason}",
        run="dvc repro later; if it stays so, give another server's url in params.yaml",
    )


def _is_zlib(coding: str, head: bytes) -> bool:
    """Whether `head` begins as what zlib unpacks and the coding names."""
    if coding == "gzip":
        return head.startswith(MAGIC["gzip"])
    # RFC 1950, 2.2: method 8, and a check of the first two bytes.
    return coding == "deflate" and len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2]) % 31 == 0


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters but those of layout."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(c) == "Cc" and c not in "\t\n\r\f\v" for c in set(text))
