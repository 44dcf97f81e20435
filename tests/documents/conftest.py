"""Fixtures of the tests of documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.downloaded import Corpus


@pytest.fixture
def corpus(tmp_path: Path, request: pytest.FixtureRequest) -> Corpus:
    return Corpus(tmp_path / "corpus", request.param)
