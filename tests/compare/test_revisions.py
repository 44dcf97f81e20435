"""bert/compare/revisions.py, on a real git repository with references as DVC makes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bert.compare.revisions import Revision, files, resolve
from bert.pipeline.errors import StageError
from tests.dvc import run


def commit(folder: Path, text: str) -> str:
    """All files committed, the file metrics/a.json with `text`; the commit."""
    (folder / "metrics").mkdir(exist_ok=True)
    (folder / "metrics/a.json").write_text(text)
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", text)
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    return run(folder, "git", *arguments).stdout.strip()


def experiment(folder: Path, baseline: str, name: str, at: str) -> None:
    git(folder, "update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", at)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits on main."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    commit(folder, "second")
    monkeypatch.chdir(folder)
    return folder


def test_whatever_git_understands_is_a_revision(repo: Path) -> None:
    first, second = git(repo, "rev-parse", "HEAD~1"), git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "-a", "v1", "-m", "one", "HEAD~1")
    for name in ("v1", "HEAD~1", first, first[:7]):
        assert resolve(name) == Revision(name, first)
    assert resolve("main") == Revision("main", second)
    assert resolve("workspace") == Revision("workspace", None)


def test_an_experiment_is_a_revision_before_an_abbreviated_commit_and_after_a_branch(repo: Path) -> None:
    first, second = git(repo, "rev-parse", "HEAD~1"), git(repo, "rev-parse", "HEAD")
    name = second[:4]  # of hex digits, as bf16 is
    experiment(repo, second, name, first)
    assert resolve(name).commit == first
    git(repo, "branch", name, second)
    assert resolve(name).commit == second


def test_of_several_experiments_of_one_name_it_is_that_from_head(repo: Path) -> None:
    first, second = git(repo, "rev-parse", "HEAD~1"), git(repo, "rev-parse", "HEAD")
    experiment(repo, first, "at-bf16", first)
    experiment(repo, second, "at-bf16", second)
    assert resolve("at-bf16").commit == second
    commit(repo, "third")
    with pytest.raises(StageError, match="'at-bf16': 2 experiments") as error:
        resolve("at-bf16")
    assert first[:7] in str(error.value) and second[:7] in str(error.value)


def test_an_unknown_name_is_an_error_with_those_near_it(repo: Path) -> None:
    head = git(repo, "rev-parse", "HEAD")
    experiment(repo, head, "at-tf32", head)
    git(repo, "update-ref", "refs/exps/stash", head)  # DVC's own
    git(repo, "branch", "at-fp32")
    git(repo, "tag", "far-away")
    with pytest.raises(StageError, match="'at-tf23': no branch, tag, commit or experiment") as error:
        resolve("at-tf23")
    near = str(error.value.args[0]).partition("near it: ")[2].split(", ")
    assert near == ["at-tf32", "at-fp32"]
    assert error.value.run == "dvc exp list --all-commits"
    with pytest.raises(StageError, match=r"has this name\n"):
        resolve("--all")


def test_an_experiment_that_is_not_here_may_be_on_the_remote(repo: Path) -> None:
    git(repo, "remote", "add", "team", "https://example.org/team.git")
    with pytest.raises(StageError, match="'at-bf16': no branch") as error:
        resolve("at-bf16")
    assert error.value.run == "dvc exp list --all-commits team, and if it is there: dvc exp pull team at-bf16"


def test_outside_of_a_repository_it_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(StageError, match=f"{re.escape(str(tmp_path))}: expected a git repository"):
        resolve("HEAD")


def test_files_are_those_of_the_revision_and_in_the_workspace_those_on_disk(repo: Path) -> None:
    (repo / "metrics/a.json").write_text("third")
    (repo / "metrics/ünder score.json").write_bytes(b"a\n\n")
    found = [files(resolve(name), ["metrics", "params.yaml"]) for name in ("HEAD~1", "HEAD", "workspace")]
    assert found[:2] == [{"metrics/a.json": b"first"}, {"metrics/a.json": b"second"}]
    assert found[2] == {"metrics/a.json": b"third", "metrics/ünder score.json": b"a\n\n"}
    run(repo, "git", "add", "-A")
    run(repo, "git", "commit", "-qm", "third")
    assert files(resolve("HEAD"), ["metrics"]) == found[2]


def test_a_project_may_be_a_folder_of_a_repository(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = repo / "project"
    inside.mkdir()
    commit(inside, "inside")
    monkeypatch.chdir(inside)
    assert files(resolve("HEAD"), ["metrics"]) == {"metrics/a.json": b"inside"}
    assert files(resolve("HEAD~1"), ["metrics"]) == {}
