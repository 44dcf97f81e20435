"""A tiny vocabulary, a small SQuAD file, and where the development data lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bert.tokens.tokenizer import WordPieceTokenizer
from bert.tokens.vocabulary import SPECIAL_PIECES

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = ["who", "when", "was", "is", "the", "in", "of", "born", "river", "he", "it", "moon"]
PIECES = [*SPECIAL_PIECES, *"?.,!-'()", *LETTERS, *(f"##{c}" for c in LETTERS), *WORDS]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WordPieceTokenizer:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return WordPieceTokenizer(path)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with `squad/` and `glue/`: BERT_SHARED_DATA, or ../shared/data beside the repository."""
    path = Path(os.environ.get("BERT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no development data at {path}: set BERT_SHARED_DATA to run the checks on real files")
    return path


@pytest.fixture
def squad() -> dict[str, Any]:
    """A valid document with two questions about one context."""
    context = "Café Neil was born in 1930. He walked on the moon."
    qas = [
        {"id": "1", "question": "Who was born?", "answers": [{"text": "Neil", "answer_start": 5}]},
        {
            "id": "2",
            "question": "When?",
            "answers": [{"text": "1930", "answer_start": 22}, {"text": "in 1930", "answer_start": 19}],
            "answer_type": "date",
        },
    ]
    return {"version": "1.1", "data": [{"title": "Neil", "paragraphs": [{"context": context, "qas": qas}]}]}
