"""What a stage writes to stderr: its own lines, and of TensorFlow's nothing but errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stages import log_level
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments

OURS = re.compile(r"\d\d:\d\d:\d\d [A-Z] ")


def others(said: str) -> list[str]:
    return [line for line in said.splitlines() if not OURS.match(line)]


@pytest.mark.slow
def test_tensorflow_says_nothing_about_its_start_and_what_it_builds(
    small: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # the stage's own
    finetuning.write_params(small.path, squad__epochs=1)
    said = small.run("squad", *arguments("squad"))
    assert "squad: done in" in said
    assert others(said) == []


@pytest.mark.slow
def test_whoever_asks_tensorflow_to_speak_hears_it(small: Project) -> None:
    assert others(small.run("random_weights", *arguments("random_weights"), TF_CPP_MIN_LOG_LEVEL="0"))


def test_where_there_is_a_gpu_errors_are_heard(tmp_path: Path) -> None:
    assert log_level(tmp_path) == "3"
    (tmp_path / "nvidia-uvm").touch()  # without the driver's first device, no GPU
    assert log_level(tmp_path) == "3"
    (tmp_path / "nvidia0").touch()
    assert log_level(tmp_path) == "2"
