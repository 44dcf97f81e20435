"""What several of the stages' tests stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stages import pretrain, squad
from tests.conftest import MACHINE_SETTINGS
from tests.made_once import folder_of_the_run, made_once
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

    def make(folder: Path) -> None:
        folder.mkdir()
        stage.write_project(folder)
        with _in(folder) as patch:
            patch.setenv("BERT_MICRO_BATCH", "pretrain_phase2=2")
            patch.setenv("DVC_STAGE", "pretrain_phase1")  # under DVC the scratch stays until dvc.lock has the result
            pretrain.main(stage.arguments("phase1"))
            patch.delenv("DVC_STAGE")
            pretrain.main(stage.arguments("phase2"))

    return made_once(folder_of_the_run(tmp_path_factory) / "pretrained", make)


@pytest.fixture
def here(project: Project) -> Path:
    """A project in which nothing has been pretrained, as the working directory."""
    stage.write_project(project.path)
    return project.path


def _no_change(project: Project) -> None:
    pass


def _cased_model(project: Project) -> None:
    finetuning.write_model(project.path / "data/models/phase2", finetuning.cased_pieces(), do_lower_case=False)


def _answering(factory: pytest.TempPathFactory, name: str, change: Callable[[Project], None] = _no_change) -> Project:
    """A project, changed before that, in which the model of tests/stages/finetuning.py has learned its questions."""

    def make(folder: Path) -> None:
        project = finetuning.write_project(folder)
        change(project)
        with _in(folder):
            squad.main(arguments("squad"))

    return Project(made_once(folder_of_the_run(factory) / name, make))


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the model of tests/stages/finetuning.py has learned its questions; to be read only."""
    return _answering(tmp_path_factory, "answering")


@pytest.fixture(scope="session")
def unanswering(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, of SQuAD v2.0: a third of the questions have no answer."""
    return _answering(tmp_path_factory, "unanswering", lambda project: finetuning.write_unanswerable(project.path))


@pytest.fixture(scope="session")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As `answering`, with a cased model: lower-cased, most of its words would be unknown."""
    return _answering(tmp_path_factory, "cased", _cased_model)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which nothing has been fine-tuned, as the working directory."""
    project = finetuning.write_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    return project
