"""Bytes of a text file -> text."""

from __future__ import annotations

from collections import Counter

import ftfy


def decode(data: bytes, counts: Counter[str]) -> str:
    """UTF-8, else Windows-1252 (what old e-texts are in); lines that were decoded wrongly before are mended by ftfy.

    Adds to `counts`: decoded_as_cp1252 (files, or lines where the caller reads by lines) and mended_lines. Only the
    encoding is mended: quotation marks, ligatures and widths stay what the author used.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        counts["decoded_as_cp1252"] += 1
        return data.decode("cp1252", errors="replace")
    return text if text.isascii() else "\n".join(_mend(line, counts) for line in text.split("\n"))


def _mend(line: str, counts: Counter[str]) -> str:
    mended = line if line.isascii() else ftfy.fix_encoding(line)
    if mended != line:
        counts["mended_lines"] += 1
    return mended
