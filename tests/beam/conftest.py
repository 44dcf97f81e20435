"""What the tests of Beam share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beam.shout import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")
