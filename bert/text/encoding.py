"""Bytes of a text file -> text."""

from __future__ import annotations

import re
from collections import Counter


def _as_cp1252(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:  # five bytes mean nothing there; decoders pass them on as they are
        return chr(byte)


_BYTES = {_as_cp1252(byte): byte for byte in range(0x80, 0x100)}
_FOLLOWING = re.escape("".join(char for char, byte in _BYTES.items() if byte < 0xC0))
# What UTF-8 looks like that somebody took for Windows-1252 and saved again: "Ã©", "â€™". Only the three first bytes of
# Western letters and punctuation: others do stand before such a sign in good text («CAFÉ»).
_TWICE = re.compile(f"[\u00c2\u00c3][{_FOLLOWING}]|\u00e2[{_FOLLOWING}]{{2}}")


def decode(data: bytes, counts: Counter[str]) -> str:
    """UTF-8, else Windows-1252 (what old e-texts are in); what was encoded twice is mended. Both are counted."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        counts["decoded_as_cp1252"] += 1
        return data.decode("cp1252", errors="replace")

    def mend(match: re.Match[str]) -> str:
        try:
            once = bytes(_BYTES[char] for char in match[0]).decode("utf-8")
        except UnicodeDecodeError:
            return match[0]
        counts["mended_characters"] += 1
        return once

    return _TWICE.sub(mend, text)
