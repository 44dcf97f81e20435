"""A model alone: pulled without the corpus, and brought into another repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dvc import run
from tests.project import files
from tests.sharing import small
from tests.sharing.servers import Remote
from tests.sharing.small import MODEL

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Whose owner has pushed it to a folder, and whose cache is out of reach."""
    made = small.create(tmp_path / "made")
    small.use(made, Remote(str(tmp_path / "remote"), {}, {}, {}, dict, print, print))
    small.commit(made)
    run(made, "dvc", "push")
    there = tmp_path / "project"
    run(tmp_path, "git", "clone", "-q", "--bare", str(made), str(there))
    return there


def test_a_model_is_pulled_without_what_it_was_made_of(project: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    run(tmp_path, "git", "clone", "-q", str(project), str(there))
    run(there, "dvc", "pull", MODEL)
    assert files(there / MODEL) == files(tmp_path / "made" / MODEL)
    assert not (there / "corpus.txt").exists()


def test_another_repository_gets_a_model_or_imports_it_and_follows_its_commits(project: Path, tmp_path: Path) -> None:
    made, other = tmp_path / "made", tmp_path / "other"
    run(tmp_path, "dvc", "get", str(project), MODEL, "-o", "got")
    assert files(tmp_path / "got") == files(made / MODEL)
    other.mkdir()
    run(other, "git", "init", "-q")
    run(other, "dvc", "init", "-q")
    run(other, "dvc", "import", str(project), MODEL, "-o", "bert")
    assert files(other / "bert") == files(made / MODEL)
    assert "up to date" in run(other, "dvc", "status").stdout
    small.set_seed(made, 3)
    run(made, "dvc", "repro")
    small.commit(made)
    run(made, "dvc", "push")
    run(made, "git", "push", "-q", str(project), "main")
    run(other, "dvc", "update", "bert.dvc")
    assert files(other / "bert") == files(made / MODEL)
    assert files(other / "bert") != files(tmp_path / "got")
