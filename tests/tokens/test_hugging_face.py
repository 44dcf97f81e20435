"""Tests for bert/tokens/hugging_face.py: files beside a vocabulary, as transformers writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from bert.tokens.hugging_face import casing_beside
from bert.tokens.vocabulary import SPECIAL_PIECES, Vocabulary

PIECES = (*SPECIAL_PIECES, "[unused0]", "[E1]", "the", "The")
VOCABULARY = Vocabulary(PIECES, "")
CONFIG, FAST = "tokenizer_config.json", "tokenizer.json"
NORMALIZER = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": False,
}
# As transformers 4 writes them for a cased BERT.
FILES: dict[str, Any] = {
    CONFIG: {
        "added_tokens_decoder": {str(n): {"content": piece, "special": True} for n, piece in enumerate(SPECIAL_PIECES)},
        "clean_up_tokenization_spaces": True,
        "cls_token": "[CLS]",
        "do_basic_tokenize": True,
        "do_lower_case": False,
        "mask_token": {"content": "[MASK]", "lstrip": True},
        "model_max_length": 512,
        "never_split": None,
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
        "unk_token": "[UNK]",
    },
    FAST: {
        "added_tokens": [{"id": n, "content": piece, "special": True} for n, piece in enumerate(SPECIAL_PIECES)],
        "normalizer": NORMALIZER,
    },
    "special_tokens_map.json": {"unk_token": "[UNK]", "sep_token": {"content": "[SEP]"}},
}


def said(folder: Path, files: dict[str, Any]) -> tuple[bool | None, str]:
    for name, values in files.items():
        (folder / name).write_text(json.dumps(values))
    return casing_beside(folder / "vocab.txt", VOCABULARY, "dvc repro import_checkpoint")


def test_files_as_transformers_writes_them_are_understood(tmp_path: Path) -> None:
    assert said(tmp_path, FILES) == (False, CONFIG)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, (None, "")),
        ({CONFIG: {"model_max_length": 512}}, (None, "")),
        ({CONFIG: {"do_lower_case": True, "strip_accents": True}}, (True, CONFIG)),
        ({CONFIG: {"do_lower_case": False, "strip_accents": False}}, (False, CONFIG)),
        ({FAST: {"normalizer": NORMALIZER}}, (False, FAST)),
        ({CONFIG: {"do_lower_case": False}, FAST: {"normalizer": NORMALIZER}}, (False, CONFIG)),
        ({"added_tokens.json": {"[PAD]": 0, "[unused0]": 5}}, (None, "")),
    ],
)
def test_each_file_may_say_it_and_none_has_to(
    tmp_path: Path, files: dict[str, Any], expected: tuple[bool | None, str]
) -> None:
    assert said(tmp_path, files) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({CONFIG: {"tokenize_chinese_chars": False}}, "tokenize_chinese_chars is false"),
        ({FAST: {"normalizer": NORMALIZER | {"handle_chinese_chars": False}}}, "handle_chinese_chars is false"),
        ({CONFIG: {"do_lower_case": True, "strip_accents": False}}, "strip_accents is false.* true, as do_lower_case"),
        ({CONFIG: {"strip_accents": False}}, "strip_accents is false"),
        ({CONFIG: {"do_lower_case": False, "strip_accents": True}}, "strip_accents is true.* false, as do_lower_case"),
        ({FAST: {"normalizer": NORMALIZER | {"strip_accents": True}}}, "strip_accents is true.* as lowercase is"),
        ({CONFIG: {"do_lower_case": "yes"}}, 'do_lower_case is "yes"'),
        ({CONFIG: {"do_basic_tokenize": False}}, "do_basic_tokenize is false"),
        ({CONFIG: {"tokenizer_class": "BertJapaneseTokenizer"}}, 'tokenizer_class is "BertJapaneseTokenizer"'),
        ({CONFIG: {"word_tokenizer_type": "mecab"}}, 'word_tokenizer_type is "mecab"'),
        ({CONFIG: {"subword_tokenizer_type": "character"}}, 'subword_tokenizer_type is "character"'),
        ({FAST: {"normalizer": {"type": "NFKC"}}}, 'normalizer.type is "NFKC"'),
        ({FAST: {"normalizer": None, "model": {}}}, "normalizer is null"),
        ({CONFIG: {"cls_token": "<s>"}}, r'cls_token is "<s>".*has \[CLS\]'),
        ({"special_tokens_map.json": {"mask_token": {"content": "<mask>"}}}, r'mask_token is "<mask>"'),
        ({"special_tokens_map.json": {"additional_special_tokens": ["[E1]"]}}, "additional_special_tokens is"),
        ({"added_tokens.json": {"[NEW]": 9}}, r"adds the token '\[NEW\]' with id 9 to vocab.txt, which has 9 pieces"),
        ({"added_tokens.json": {"[PAD]": 1}}, r"'\[PAD\]' with id 1 to vocab.txt, which has '\[UNK\]' there"),
        ({"added_tokens.json": {"[E1]": 6}}, r"adds the token '\[E1\]'"),
        ({"added_tokens.json": {"the": None}}, "expected added tokens with their ids"),
        ({CONFIG: {"added_tokens_decoder": {"9": {"content": "<e>"}}}}, "tokenizer_config.json: adds the token '<e>'"),
        ({FAST: {"normalizer": NORMALIZER, "added_tokens": [{"id": 9, "content": "<e>"}]}}, "adds the token '<e>'"),
        (
            {CONFIG: {"do_lower_case": True}, FAST: {"normalizer": NORMALIZER}},
            "do_lower_case: true, .*lowercase: false",
        ),
        ({CONFIG: []}, "expected a JSON object"),
    ],
)
def test_a_tokenizer_that_cuts_text_otherwise_is_refused_by_name(
    tmp_path: Path, files: dict[str, Any], message: str
) -> None:
    with pytest.raises(StageError, match=message) as error:
        said(tmp_path, files)
    assert error.value.run is not None and "dvc repro import_checkpoint" in error.value.run
