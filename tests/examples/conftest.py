from __future__ import annotations

from pathlib import Path

import pytest

from bert.tokens.tokenizer import WordPieceTokenizer
from tests.corpus import PIECES


@pytest.fixture(scope="session")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n")
    return path


@pytest.fixture(scope="session")
def tokenizer(vocab: Path) -> WordPieceTokenizer:
    return WordPieceTokenizer(vocab)
