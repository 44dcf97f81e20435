"""What a file is by its first bytes, where that is no text: names, which people change, do not say it."""

from __future__ import annotations

import re

# File signatures, from each format's own specification. A tar has its mark behind the first member's name.
_SIGNATURES = (
    (re.compile(rb"\x1f\x8b"), "packed by gzip"),
    (re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"), "packed by bzip2"),
    (re.compile(rb"\xfd7zXZ\x00"), "packed by xz"),
    (re.compile(rb"[\x22-\x28]\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), "packed by zstd"),
    (re.compile(rb"\x04\x22\x4d\x18"), "packed by lz4"),
    (re.compile(rb"LZIP\x01"), "packed by lzip"),
    (re.compile(rb"\x5d\x00\x00.{2}(?:\xff{8}|.{4}\x00{4})", re.DOTALL), "packed by lzma"),
    (re.compile(rb"\x1f[\x9d\xa0]"), "packed by compress"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb"PK\x03\x04.{26}mimetypeapplication/epub\+zip", re.DOTALL), "an EPUB e-book"),
    (re.compile(rb"PK(?:\x03\x04|\x05\x06)"), "a ZIP archive (as .docx and .odt are)"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-"), "a PDF"),
    (re.compile(rb"%!PS"), "PostScript"),
    (re.compile(rb"\{\\rtf"), "RTF"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a Microsoft Office document"),
    (re.compile(rb".{60}(?:BOOKMOBI|TEXtREAd)", re.DOTALL), "a Mobipocket e-book"),
    (re.compile(rb"AT&TFORM"), "a DjVu document"),
    (re.compile(rb"PAR1"), "Parquet"),
    (re.compile(rb"ARROW1|\xff{4}.{3}\x00\x10\x00", re.DOTALL), "Arrow"),
    (re.compile(rb"Obj\x01"), "Avro"),
    (re.compile(rb"SQLite format 3\x00"), "an SQLite database"),
    (re.compile(rb"\x89HDF\r\n"), "HDF5"),
    (re.compile(rb"\x93NUMPY"), "a NumPy array"),
    (re.compile(rb"\x89PNG|GIF8[79]a|\xff\xd8\xff"), "an image"),
    (re.compile(rb"version https://git-lfs\.github\.com/spec/"), "a pointer of Git LFS (git lfs pull brings the file)"),
)
BZIP2 = "packed by bzip2"
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_PROLOG = r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>"
_ROOT = re.compile(rf"\s*(?:(?:{_PROLOG})\s*)*<([A-Za-z][\w.:-]*)", re.DOTALL)
# A first tag has attributes, is alone on its line or ended later: `<unk> the` and `<The keeper>` are text.
_ATTRIBUTE = r"""\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>]+)"""
_FIRST_TAG = re.compile(
    rf"\s*(?:(?:{_PROLOG})\s*)*<([A-Za-z][\w.:-]*)"
    rf"(?:(?:{_ATTRIBUTE})+\s*/?>|\s*/?>[ \t]*(?:\r|\n|$)|\s*>(?=.*?</\1\s*>))",
    re.DOTALL,
)
_HTML_TAG = re.compile(
    rf"\s*(?:(?:{_PROLOG})\s*)*<(?:head|body|title|meta|link|p|div|h[1-6]|table|center|pre|br|hr)\b[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_XML_START = re.compile(r"\s*<(?:\?xml|mediawiki)\b")


def no_text(head: bytes) -> str | None:
    """What a file that begins with `head` is, as the end of a sentence (`it is ...`); None for text of any kind."""
    return next((name for signature, name in _SIGNATURES if signature.match(head)), None)


def markup(head: str) -> str | None:
    """`an HTML page`, `HTML`, `XML (<root>)`, or None, of the beginning of a text."""
    if _HTML.match(head):
        return "an HTML page"
    if _HTML_TAG.match(head):
        return "HTML"
    if found := _FIRST_TAG.match(head):
        return f"XML (<{found[1]}>)"
    if _XML_START.match(head):
        root = root_of(head)
        return "an HTML page" if root == "html" else f"XML (<{root}>)" if root else "XML"
    return None


def root_of(head: str) -> str | None:
    """The first tag of XML, behind declaration and comments; None where the text does not begin as XML does."""
    found = _ROOT.match(head)
    return found[1] if found else None
