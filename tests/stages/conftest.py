"""What several of the stages' tests stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stages import pretrain, squad
from tests.conftest import MACHINE_SETTINGS
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.training import stage


@contextmanager
def _in(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """A working directory, without this machine's settings, for fixtures that outlive a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in MACHINE_SETTINGS:
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield patch


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which both phases of pretraining have run; to be read and copied only."""
    folder = tmp_path_factory.mktemp("pretrained")
    stage.write_project(folder)
    with _in(folder) as patch:
        patch.setenv("BERT_MICRO_BATCH", "pretrain_phase2=2")
        patch.setenv("DVC_STAGE", "pretrain_phase1")  # under DVC the scratch stays until dvc.lock has the result
        pretrain.main(stage.arguments("phase1"))
        patch.delenv("DVC_STAGE")
        pretrain.main(stage.arguments("phase2"))
    return folder


@pytest.fixture
def here(project: Project) -> Path:
    """A project in which nothing has been pretrained, as the working directory."""
    stage.write_project(project.path)
    return project.path


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the model of tests/stages/finetuning.py has learned its questions; to be read only."""
    project = finetuning.write_project(tmp_path_factory.mktemp("answering") / "project")
    with _in(project.path):
        squad.main(arguments("squad"))
    return project


@pytest.fixture(scope="session")
def unanswering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, of SQuAD v2.0: a third of the questions have no answer."""
    project = finetuning.write_project(tmp_path_factory.mktemp("unanswering") / "project")
    finetuning.write_unanswerable(project.path)
    with _in(project.path):
        squad.main(arguments("squad"))
    return project


@pytest.fixture(scope="session")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, with a cased model: lower-cased, most of its words would be unknown."""
    project = finetuning.write_project(tmp_path_factory.mktemp("cased") / "project")
    finetuning.write_model(project.path / "data/models/phase2", finetuning.cased_pieces(), do_lower_case=False)
    with _in(project.path):
        squad.main(arguments("squad"))
    return project


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which nothing has been fine-tuned, as the working directory."""
    project = finetuning.write_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    return project
