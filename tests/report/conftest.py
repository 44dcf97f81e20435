"""A folder with the files of a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.pages import page_of
from tests.report.sample import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with metrics/ as all stages leave it."""
    return write_run(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a whole run, rendered once."""
    return page_of(write_run(tmp_path_factory.mktemp("run")))
