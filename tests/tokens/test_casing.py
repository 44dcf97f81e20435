"""Tests for bert/tokens/casing.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tokens.casing import decide, looks_lower_cased, lower_cases, never_made, write_casing
from bert.tokens.vocabulary import SPECIAL_PIECES

LOWER = (*SPECIAL_PIECES, "[unused0]", "[ENT]", "the", "##s", "ø", "ß", "日", "ᄒ", "##ᅡ", "1", ".", "'")
CASED = (*LOWER, "The", "##S", "Älter")
PARAMETER = "import_checkpoint.do_lower_case"


def test_the_file_beside_a_vocabulary_says_it_and_without_one_text_is_lower_cased(tmp_path: Path) -> None:
    assert lower_cases(tmp_path / "vocab.txt", "dvc repro vocab")
    for said in (False, True):
        write_casing(tmp_path, said)
        assert lower_cases(tmp_path / "vocab.txt", "dvc repro vocab") is said


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"do_lower_case": null}', '{"do_lower_case": "false"}'])
def test_a_file_that_does_not_say_it_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(StageError, match=r"tokenizer_config\.json: ") as error:
        lower_cases(tmp_path / "vocab.txt", "dvc repro vocab")
    assert error.value.run == "dvc repro vocab"


@pytest.mark.parametrize("piece", ["The", "##S", "é", "##ñ", "İ", "A", "Ж", "e\u0301", "가"])
def test_pieces_with_capitals_accents_or_composed_are_never_made_of_lower_cased_text(piece: str) -> None:
    assert never_made([*LOWER, piece]) == [piece]


def test_pieces_in_brackets_and_letters_without_case_tell_nothing() -> None:
    assert never_made(LOWER) == []


def test_the_pieces_tell_the_casing_unless_only_a_few_have_capitals() -> None:
    assert looks_lower_cased(LOWER) is True
    assert looks_lower_cased(CASED) is False
    assert looks_lower_cased((*LOWER, *(f"word{n}" for n in range(400)), "COVID")) is None


def test_what_somebody_said_counts_before_the_pieces() -> None:
    path = Path("vocab.txt")
    assert decide(LOWER, path, None, "", PARAMETER) == (True, "the pieces")
    assert decide(CASED, path, None, "", PARAMETER) == (False, "the pieces")
    assert decide(LOWER, path, False, "tokenizer.json", PARAMETER) == (False, "tokenizer.json")
    assert decide(CASED, path, True, PARAMETER, PARAMETER) == (True, PARAMETER)


@pytest.mark.parametrize(
    ("pieces", "said", "message"),
    [
        ((*LOWER, *(f"word{n}" for n in range(400)), "COVID"), None, "1 of 418 pieces .* COVID, so it is open"),
        (CASED, True, "3 of 20 pieces .* The ##S Älter, but tokenizer.json says do_lower_case: true"),
    ],
)
def test_what_is_open_or_contradictory_asks_for_the_parameter(
    pieces: tuple[str, ...], said: bool | None, message: str
) -> None:
    with pytest.raises(StageError, match=message) as error:
        decide(pieces, Path("vocab.txt"), said, "tokenizer.json", PARAMETER)
    assert error.value.run == f"set {PARAMETER} to true or false in params.yaml, then dvc repro import_checkpoint"


def test_the_file_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    write_casing(tmp_path, False)
    assert (tmp_path / "tokenizer_config.json").read_bytes() == b'{\n  "do_lower_case": false\n}\n'
    assert json.loads((tmp_path / "tokenizer_config.json").read_text()) == {"do_lower_case": False}
