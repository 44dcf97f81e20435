"""What several of the stages' tests stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import squad
from tests.conftest import MACHINE_SETTINGS
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the model of tests/stages/finetuning.py has learned its questions; to be read only."""
    project = finetuning.write_project(tmp_path_factory.mktemp("answering") / "project")
    with pytest.MonkeyPatch.context() as patch:
        for name in MACHINE_SETTINGS:
            patch.delenv(name, raising=False)
        patch.chdir(project.path)
        squad.main(arguments("squad"))
    return project


@pytest.fixture(scope="session")
def unanswering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, of SQuAD v2.0: a third of the questions have no answer."""
    project = finetuning.write_project(tmp_path_factory.mktemp("unanswering") / "project")
    finetuning.write_unanswerable(project.path)
    with pytest.MonkeyPatch.context() as patch:
        for name in MACHINE_SETTINGS:
            patch.delenv(name, raising=False)
        patch.chdir(project.path)
        squad.main(arguments("squad"))
    return project


@pytest.fixture(scope="session")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, with a cased model: lower-cased, most of its words would be unknown."""
    project = finetuning.write_project(tmp_path_factory.mktemp("cased") / "project")
    finetuning.write_model(project.path / "data/models/phase2", finetuning.cased_pieces(), do_lower_case=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in MACHINE_SETTINGS:
            patch.delenv(name, raising=False)
        patch.chdir(project.path)
        squad.main(arguments("squad"))
    return project


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which nothing has been fine-tuned, as the working directory."""
    project = finetuning.write_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    return project
