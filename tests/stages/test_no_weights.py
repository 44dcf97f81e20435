"""Tests for stages/no_weights.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.no_weights import main
from tests.project import Project, files


def test_the_folder_says_that_it_holds_no_model_and_is_the_same_each_time(project: Project) -> None:
    for out in ("data/models/none", "data/models/other"):
        main(["--out", out])
        with pytest.raises(StageError, match=f"{out} is empty"):
            manifest.read_configured(out, "a source", "dvc repro")
    assert files(Path("data/models/none")) == files(Path("data/models/other"))
