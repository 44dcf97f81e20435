"""bert/documents/encodings.py: bytes -> text."""

from __future__ import annotations

from collections import Counter

import pytest

from bert.documents.encodings import decode

TEXT = "The café “Harbour” – it’s closed since 1905."


def read(data: bytes) -> tuple[str, dict[str, int]]:
    counts: Counter[str] = Counter()
    return decode(data, counts), dict(counts)


def test_utf_8_is_read_with_and_without_a_mark() -> None:
    assert read(TEXT.encode()) == (TEXT, {})
    assert read(TEXT.encode("utf-8-sig")) == (TEXT, {})


def test_what_is_not_utf_8_is_read_as_windows_1252_and_counted() -> None:
    assert read(TEXT.encode("cp1252")) == (TEXT, {"decoded_as_cp1252": 1})
    assert read(b"\xe9 \x81") == (
        "é \ufffd",  # 0x81 is nothing, there
        {"decoded_as_cp1252": 1, "undecodable_characters": 1},
    )


def test_what_was_encoded_twice_is_mended_and_counted() -> None:
    twice = "".join(bytes([b]).decode("cp1252", "replace") if b not in (0x9D,) else "\x9d" for b in TEXT.encode())
    assert "â€œHarbourâ€\x9d" in twice
    assert read(twice.encode()) == (TEXT, {"mended_lines": 1})
    assert read(f"{TEXT}\r\n{twice}\n\n".encode()) == (f"{TEXT}\r\n{TEXT}\n\n", {"mended_lines": 1})


@pytest.mark.parametrize("text", ["«CAFÉ»", "São João: Ã, â…", "ÂÂ Ãb"])
def test_good_text_is_left_alone(text: str) -> None:
    assert read(text.encode()) == (text, {})
