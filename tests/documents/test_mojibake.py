"""bert/documents/mojibake.py: what Windows-1252 makes of text that is in it, and of text that is not."""

from __future__ import annotations

import pytest

from bert.documents.mojibake import is_mojibake
from tests.documents.languages import CENTRAL, OTHERS, WESTERN


def as_cp1252(text: str, encoding: str) -> str:
    return text.encode(encoding).decode("cp1252", errors="replace")


@pytest.mark.parametrize("language", WESTERN)
def test_text_in_windows_1252_or_latin_1_is_text(language: str) -> None:
    text = WESTERN[language]
    assert not is_mojibake(text) and not is_mojibake(text.upper())
    latin = text.encode("latin-1", errors="ignore")
    assert not is_mojibake(latin.decode("cp1252"))


@pytest.mark.parametrize("encoding", OTHERS)
def test_text_in_another_encoding_is_not(encoding: str) -> None:
    assert is_mojibake(as_cp1252(OTHERS[encoding], encoding))


@pytest.mark.parametrize("language", CENTRAL)
@pytest.mark.parametrize("encoding", ["cp1250", "iso8859-2"])
def test_text_of_central_europe_is_not(language: str, encoding: str) -> None:
    assert is_mojibake(as_cp1252(CENTRAL[language] * 2, encoding))


def test_a_text_that_quotes_other_languages_is_text() -> None:
    quoted = " ".join(WESTERN.values())
    assert not is_mojibake(WESTERN["English"] * 400 + quoted)


def test_a_name_of_two_strange_letters_is_no_reason() -> None:
    assert not is_mojibake("He met Šøren there.")
    assert is_mojibake("Ðåêà áûëà")
