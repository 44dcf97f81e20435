"""What every test stands on: no settings of this machine, and a project folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project

MACHINE_SETTINGS = ("BERT_BEAM_OPTIONS", "BERT_WORK", "BERT_LOG", "DVC_ROOT", "DVC_STAGE")


@pytest.fixture(autouse=True)
def _no_machine_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own Beam runner or work folder must not decide what the tests see."""
    for name in MACHINE_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name in ("no_proxy", "NO_PROXY"):  # the loopback servers of the tests are not behind a proxy
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with the code, params.yaml and no data, as the working directory."""
    made = Project.create(tmp_path / "project")
    monkeypatch.chdir(made.path)
    return made
