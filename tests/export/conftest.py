"""What the tests of exports stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.models import write_vocabulary


@pytest.fixture(scope="session")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vocabulary(tmp_path_factory.mktemp("vocab"))
