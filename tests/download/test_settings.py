"""bert/download/settings.py: what an entry says of how its files are read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bert.download.settings import BookManifest, Source, WikipediaDump, check_reading
from bert.pipeline.errors import StageError


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("cp1251", "cp1251"),
        ("windows-1251", "cp1251"),
        ("KOI8-R", "koi8-r"),
        ("Shift-JIS", "shift_jis"),
        ("utf-16", "utf-16"),
    ],
)
def test_an_encoding_is_known_by_its_names(given: str, known: str) -> None:
    assert Source(url="a", encoding=given).about() == {"encoding": known}
    assert BookManifest(manifest="a", encoding=given, format="bert").about() == {"encoding": known, "format": "bert"}


def test_nothing_is_said_of_files_that_are_looked_into() -> None:
    assert Source(url="a").about() == Source(url="a", format="auto").about() == {}


@pytest.mark.parametrize(
    "encoding",
    ["cp125l", "", "rot13", "hex", "base64", "zlib", "idna", "punycode", "unicode_escape", "undefined", "a\0"],
)
def test_what_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match=r"no encoding that Python knows, such as cp1251"):
        Source(url="a", encoding=encoding)


def test_a_format_is_one_of_those_that_are_read() -> None:
    with pytest.raises(ValidationError, match=r"'auto', 'lines', 'jsonl' or 'bert'"):
        Source(url="a", format="csv")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        (
            "wikipedia",
            {"encoding": "cp1251"},
            r"download\.wikipedia\.1\.encoding: only .*download\.books and download\.text",
        ),
        ("squad", {"encoding": "cp1251"}, r"download\.squad\.1\.encoding"),
        ("books", {"format": "bert"}, r"download\.books\.1\.format: only entries of download\.text .*\(got 'bert'\)"),
    ],
)
def test_what_no_stage_heeds_is_refused(name: str, keys: dict[str, str], message: str) -> None:
    entry = Source.model_validate({"url": "a", **keys})
    with pytest.raises(StageError, match=message):
        check_reading(name, [WikipediaDump(wiki="enwiki", date="20260901"), entry])
    check_reading("text", [entry])
