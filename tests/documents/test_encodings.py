"""bert/documents/encodings.py: bytes -> text."""

from __future__ import annotations

import codecs
import io
from collections import Counter

import pytest

from bert.documents.encodings import Undecodable, decode, decode_lines, detect, has_byte_lines, is_binary
from tests.documents.languages import JAPANESE, OTHERS, WESTERN

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


RIVER = "The river was high.\nThe café is closed “now”.\n"
WIDE = [
    ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("utf-16", codecs.BOM_UTF16_BE, "utf-16-be"),
    ("utf-32", codecs.BOM_UTF32_LE, "utf-32-le"),
    ("utf-32", codecs.BOM_UTF32_BE, "utf-32-be"),
]


@pytest.mark.parametrize(("detected", "mark", "encoding"), WIDE)
@pytest.mark.parametrize("text", [RIVER, OTHERS["gb18030"] + "\n", OTHERS["cp1251"], "a"])
def test_wide_encodings_are_known_by_their_mark_and_without_one(
    detected: str, mark: bytes, encoding: str, text: str
) -> None:
    data = text.encode(encoding)
    assert (detect(mark + data), detect(data)) == (detected, encoding)
    for read_as, whole in ((detected, mark + data), (encoding, data), (encoding, mark + data)):
        assert decode(whole, Counter(), read_as) == text
    assert not is_binary(data)


@pytest.mark.parametrize(("detected", "mark", "encoding"), WIDE)
def test_a_head_that_ends_inside_a_character_shows_its_encoding_too(detected: str, mark: bytes, encoding: str) -> None:
    data = ("The river 𝄞 rose. " * 40).encode(encoding)
    assert [detect(data[:n]) for n in range(37, 90)] == [encoding] * 53
    assert detect(mark + data[:37]) == detected


def test_a_mark_is_stronger_than_a_name_and_a_name_than_nul_bytes() -> None:
    assert detect(RIVER.encode("utf-8-sig"), "cp1251") is None
    assert detect(RIVER.encode("utf-16"), "cp1251") == "utf-16"
    assert detect(RIVER.encode("utf-16-le"), "cp1251") == "cp1251"
    assert detect(RIVER.encode(), None) is None
    text = codecs.lookup("gb18030").encode("\ufeff" + OTHERS["gb18030"])[0]
    assert detect(text) == "gb18030" and decode(text, Counter(), "gb18030") == OTHERS["gb18030"]


def test_nul_bytes_in_eight_bits_are_left_out_and_counted() -> None:
    data = RIVER.encode() + bytes(7)
    assert detect(data) is None and not is_binary(data)
    assert read(data) == (RIVER, {"nul_characters": 7})


@pytest.mark.parametrize(
    "data", [bytes(range(256)), bytes(40), b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\xff\xfe"]
)
def test_what_has_nul_bytes_and_is_no_text_is_binary(data: bytes) -> None:
    assert is_binary(data) and detect(data) is None


def test_marks_inside_of_a_file_are_no_text() -> None:
    assert read("\ufeffOne.\n\ufeffTwo.".encode()) == ("One.\nTwo.", {})


@pytest.mark.parametrize("encoding", OTHERS)
def test_what_makes_no_sense_is_refused_and_read_where_its_encoding_is_named(encoding: str) -> None:
    data = f"{OTHERS[encoding]}\n".encode(encoding)
    counts: Counter[str] = Counter()
    with pytest.raises(Undecodable, match=r"neither UTF-8 nor.* name the `encoding` of its source"):
        decode(data, counts)
    assert counts == {}
    assert decode(data, counts, encoding) == f"{OTHERS[encoding]}\n" and counts == {}


@pytest.mark.parametrize("language", WESTERN)
def test_western_languages_are_read_in_windows_1252(language: str) -> None:
    assert read(WESTERN[language].encode("cp1252")) == (WESTERN[language], {"decoded_as_cp1252": 1})


def test_a_few_bad_bytes_make_no_other_encoding_of_utf_8() -> None:
    cut = "Elle était là. " * 3 + "L’été"
    data = cut.encode()[:-1] + b"\n" + WESTERN["French"].encode()
    assert read(data) == (f"{cut[:-1]}\ufffd\n{WESTERN['French']}", {"undecodable_characters": 1})
    mixed = f"{WESTERN['French']}\n".encode() * 9 + "Où est l’été ?\n".encode("cp1252")
    assert read(mixed) == (f"{WESTERN['French']}\n" * 9 + "Où est l’été ?\n", {"decoded_as_cp1252": 1})


def test_what_is_not_of_a_named_encoding_is_counted() -> None:
    counts: Counter[str] = Counter()
    assert decode(b"a\x98b", counts, "cp1251") == "a\ufffdb"
    assert counts == {"undecodable_characters": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le", "cp037"])
def test_lines_of_what_has_no_byte_lines_are_the_text_s(encoding: str) -> None:
    # 0x0a0a and 0x0d0a are characters, and half of one.
    text = "The river.\n\u0a0a\u0d0a\n\nIt rose." if encoding != "cp037" else "The river.\nIt rose."
    assert not has_byte_lines(encoding)
    file = io.BytesIO(text.encode(encoding))
    assert list(decode_lines(file, Counter(), encoding)) == text.splitlines(keepends=True)


def test_encodings_of_eight_bits_have_byte_lines() -> None:
    assert all(map(has_byte_lines, [None, "utf-8", *OTHERS, "utf-7", "hz"]))


def test_iso_2022_jp_is_known_by_its_escapes() -> None:
    data = f"{JAPANESE}\nA keeper.\n".encode("iso2022_jp")
    assert detect(data) == "iso2022_jp" and decode(data, Counter(), detect(data)) == f"{JAPANESE}\nA keeper.\n"
    assert detect(b"\x1b[1mThe keeper\x1b[0m costs $B1.") is None


@pytest.mark.parametrize("named", ["utf-8", "ascii"])
def test_an_encoding_that_is_named_wrongly_is_told(named: str) -> None:
    with pytest.raises(Undecodable, match=rf"not in {named}, the `encoding` of its source"):
        decode(OTHERS["koi8-r"].encode("koi8-r"), Counter(), named)


@pytest.mark.parametrize("named", ["utf-16", "UTF16", "utf_32"])
@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("text", [RIVER, OTHERS["cp1251"] + "\n"])
def test_a_name_without_an_order_of_bytes_needs_no_mark(named: str, order: str, text: str) -> None:
    family = codecs.lookup(named).name
    data = text.encode(f"{family}-{order}")
    assert detect(data, named) == f"{family}-{order}"
    assert decode(data, Counter(), detect(data, named)) == text
    assert detect(text.encode(family), named) == family


def test_nuls_between_words_part_them() -> None:
    assert read(b"keeper\0painted \0\0it\0\0once.\0\n\0") == ("keeper painted it once.\n", {"nul_characters": 7})
