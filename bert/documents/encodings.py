"""Bytes of a text file -> text."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import ftfy

from bert.documents.mojibake import is_mojibake

# So many bytes of a file tell what it is.
HEAD = 1 << 16
# UTF-32's mark begins with UTF-16's, so it comes first.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
# How ISO-2022-JP, which has seven bits and would pass for ASCII, begins Japanese.
_ISO_2022_JP = re.compile(rb"\x1b\$[@B][\x21-\x7e]{2}")
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
# Fields of fixed length are filled up with NULs; they part words as spaces do.
_NULS_BETWEEN = re.compile(r"(?<=[^\s\0])\0+(?=[^\s\0])")
_FALLBACK = "cp1252"
# Where more characters than these are none of a named encoding, it is another one.
_LEAST, _LEAST_SHARE = 3, 0.01


class Undecodable(ValueError):
    """Bytes that are no UTF-8, and no text in Windows-1252 either."""


def detect(head: bytes, named: str | None = None) -> str | None:
    """The encoding of a file that begins with `head`: by its byte order mark; else `named`; else by what it holds.

    A name that leaves the order of bytes open (`utf-16`) is made definite by what the file holds, too.

    In UTF-16 and UTF-32 NUL bytes stand beside each character below U+0100 (line ends and spaces, if nothing else), and
    ISO-2022-JP has its escapes. None for UTF-8, and where nothing shows it.
    """
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    if marked == "utf-8":
        return None
    if marked or (named and not _needs_mark(named)):
        return marked or named
    if _ISO_2022_JP.search(head):
        return "iso2022_jp"
    if b"\0" not in head and not named:
        return None
    if not named and head.count(0) * 4 < len(head) and _is_narrow(head.replace(b"\0", b"")):
        return None  # NULs in it, or at its end
    family = codecs.lookup(named).name if named else ""
    fitting = [(e, text) for e in _WIDE if e.startswith(family) and (text := _strictly(head, e))]
    return max(fitting, key=lambda fit: sum(map(str.isascii, fit[1])) / len(fit[1]))[0] if fitting else named


def _needs_mark(encoding: str) -> bool:
    """Whether an encoding's name leaves the order of its bytes to a mark, which files may lack all the same."""
    return codecs.lookup(encoding).name in ("utf-16", "utf-32")


def is_binary(head: bytes) -> bool:
    """Whether `head` has NUL bytes and is text of no encoding that has them."""
    return b"\0" in head and detect(head) is None and not _is_narrow(head.replace(b"\0", b""))


def _is_narrow(head: bytes) -> bool:
    return _strictly(head, "utf-8") is not None


def _strictly(head: bytes, encoding: str) -> str | None:
    """`head` in `encoding`, if it is text in that: no control characters, some of it ASCII."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)  # it may be cut inside a character
    except UnicodeDecodeError:
        return None
    return text if any(map(str.isascii, text)) and not _CONTROL.search(text) else None


def has_byte_lines(encoding: str | None) -> bool:
    """Whether the byte 10 is the end of a line and nothing else, so that a file may be cut there before it is decoded.

    It is not in UTF-16 and UTF-32, nor in EBCDIC.
    """
    return encoding is None or "\n".encode(encoding) == b"\n"


def decode(data: bytes, counts: Counter[str], encoding: str | None = None) -> str:
    """Text in `encoding`; without one in UTF-8, else in Windows-1252, which old e-texts are in.

    Lines of Unicode that were decoded wrongly before are mended by ftfy: quotation marks, ligatures and widths stay
    what the author used. Where a few bytes are no UTF-8, only their lines are not read as that.

    Adds to `counts`: decoded_as_cp1252 (files, or lines where the caller reads by lines), mended_lines, and
    undecodable_characters and nul_characters, which are no text.

    Raises:
        Undecodable: Windows-1252 makes no text of it, or `encoding` does not.
    """
    if encoding is not None:
        text = data.decode(encoding, errors="replace")
        if (bad := text.count("\ufffd")) >= _LEAST and bad > _LEAST_SHARE * len(text):
            raise Undecodable(f"not in {encoding}, the `encoding` of its source: {_excerpt(text)!r}")
        return _clean(_mend(text, counts) if codecs.lookup(encoding).name.startswith("utf") else text, counts)
    try:
        return _clean(_mend(data.decode("utf-8"), counts), counts)
    except UnicodeDecodeError:
        return _fall_back(data.removeprefix(codecs.BOM_UTF8), counts)


def decode_lines(lines: Iterable[bytes], counts: Counter[str], encoding: str | None) -> Iterator[str | Undecodable]:
    """Lines of an open file, one at a time, with their ends; where one cannot be decoded, the error stands for it.

    What has no byte lines (`has_byte_lines`) is decoded as one, whatever `lines` takes for a line, and then split.
    """
    if not has_byte_lines(encoding):
        yield from _split(codecs.iterdecode(lines, str(encoding), errors="replace"), counts)
        return
    for line in lines:
        try:
            yield decode(line, counts, encoding)
        except Undecodable as error:
            yield error


def _split(texts: Iterable[str], counts: Counter[str]) -> Iterator[str]:
    begun: list[str] = []
    for text in texts:
        *ended, rest = text.split("\n")
        for line in ended:
            yield _clean("".join([*begun, line, "\n"]), counts)
            begun = []
        begun.append(rest)
    if last := "".join(begun):
        yield _clean(last, counts)


def _fall_back(data: bytes, counts: Counter[str]) -> str:
    replaced = data.decode("utf-8", errors="replace")
    bad = replaced.count("\ufffd")
    is_damaged_utf_8 = 2 * bad < sum(not c.isascii() for c in replaced)
    if is_damaged_utf_8 and b"\n" in data.rstrip(b"\n"):
        return "\n".join(_damaged(line, counts) for line in data.split(b"\n"))
    if is_damaged_utf_8:
        return _clean(replaced, counts)
    text = data.decode(_FALLBACK, errors="replace")
    if is_mojibake(text):
        raise Undecodable(
            f"neither UTF-8 nor, as it seems, Windows-1252: {_strangest(text)!r}; name the `encoding` of its source"
        )
    counts["decoded_as_cp1252"] += 1
    return _clean(text, counts)


def _damaged(line: bytes, counts: Counter[str]) -> str:
    """A line of a text that is UTF-8 for the most part."""
    try:
        return decode(line, counts)
    except Undecodable:
        return _clean(line.decode("utf-8", errors="replace"), counts)


def _strangest(text: str) -> str:
    """The first line of `text` that shows what is wrong with it, not all of that."""
    return _excerpt(next((line for line in text.split("\n") if is_mojibake(line)), text))


def _excerpt(line: str) -> str:
    at = next((place for place, c in enumerate(line) if not c.isascii()), 0)
    return line[max(0, at - 20) : at + 40].strip()


def _clean(text: str, counts: Counter[str]) -> str:
    """Without byte order marks, which stand inside of files that were put together of several."""
    if undecodable := text.count("\ufffd"):
        counts["undecodable_characters"] += undecodable
    if nuls := text.count("\0"):
        counts["nul_characters"] += nuls
    return _NULS_BETWEEN.sub(" ", text.replace("\ufeff", "")).replace("\0", "")


def _mend(text: str, counts: Counter[str]) -> str:
    return text if text.isascii() else "\n".join(_mend_line(line, counts) for line in text.split("\n"))


def _mend_line(line: str, counts: Counter[str]) -> str:
    mended = line if line.isascii() else ftfy.fix_encoding(line)
    if mended != line:
        counts["mended_lines"] += 1
    return mended
