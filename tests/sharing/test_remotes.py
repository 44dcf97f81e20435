"""Remotes: what is pushed to a real S3 API and a real SFTP server is what a colleague gets, or an error."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from tests.dvc import SECONDS, environment, ran, run
from tests.project import files
from tests.sharing import small
from tests.sharing.servers import Remote, breaking, s3, sftp
from tests.sharing.small import MODEL, clone, said

pytestmark = pytest.mark.slow

SERVERS = {"s3": s3, "sftp": sftp}


@dataclass(frozen=True)
class Team:
    """A project and its remote, an empty folder on a server."""

    project: Path
    remote: Remote


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.create(tmp_path_factory.mktemp("small") / "project")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    home = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, SERVERS[request.param](home) as remote:
        patch.setenv("HOME", str(home))  # no keys and settings of whoever runs the tests
        yield remote


@pytest.fixture
def team(made: Path, server: Remote, tmp_path: Path) -> Team:
    remote = server.folder(tmp_path.name)
    project = shutil.copytree(made, tmp_path / "project", symlinks=True)
    small.use(project, remote)
    small.commit(project)
    return Team(project, remote)


def damaged(remote: Remote) -> list[str]:
    """Objects that are not what their names say, the MD5 of their contents."""
    objects = {name: content for name, content in remote.read().items() if is_object(name)}
    assert objects
    return [name for name, content in objects.items() if hashlib.md5(content).hexdigest() != md5(name)]


def is_object(name: str) -> bool:
    """Not so what an upload by SFTP has left that was cut: a hidden file beside them."""
    return name.startswith("files/md5/") and not name.rpartition("/")[2].startswith(".")


def md5(name: str) -> str:
    return name.removeprefix("files/md5/").replace("/", "").removesuffix(".dir")


def push_runs(folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-m", "stages.push_runs", check=check, PYTHONPATH=str(ROOT))


def test_a_fresh_clone_pulls_what_was_pushed_and_has_nothing_to_do(team: Team, tmp_path: Path) -> None:
    run(team.project, "dvc", "push")
    there = clone(team.project, tmp_path / "clone", team.remote)
    run(there, "dvc", "pull")
    assert files(there / MODEL) == files(team.project / MODEL)
    assert "up to date" in run(there, "dvc", "status").stdout
    assert ran(run(there, "dvc", "repro")) == []


def test_repro_pull_takes_a_run_of_another_clone(team: Team, tmp_path: Path) -> None:
    """Of seed 1, which no commit has, with metrics, which `dvc push` leaves to git."""
    run(team.project, "dvc", "push")
    done = push_runs(team.project)
    assert done.stdout.startswith("2 runs, ")
    there = clone(team.project, tmp_path / "clone", team.remote)
    small.set_seed(there, 1)
    done = run(there, "dvc", "repro", "--pull")
    assert ran(done) == []
    assert (there / "metrics.json").read_text() == '{"loss": 0.1}'
    small.set_seed(team.project, 1)
    run(team.project, "dvc", "repro")
    assert files(there / MODEL) == files(team.project / MODEL)


def test_a_damaged_object_is_found_and_not_used_and_mended_by_a_push_once_it_is_removed(
    team: Team, tmp_path: Path
) -> None:
    run(team.project, "dvc", "push")
    objects = team.remote.read()
    name = next(name for name, content in objects.items() if len(content) == small.SIZE)
    team.remote.write(name, objects[name][:-1] + bytes([objects[name][-1] ^ 1]))
    assert damaged(team.remote) == [name]
    there = clone(team.project, tmp_path / "clone", team.remote)
    found = run(there, "dvc", "pull", check=False)
    assert found.returncode != 0
    assert f"Checkout failed for following targets:\n{MODEL}" in said(found)
    assert not (there / MODEL).exists()
    assert not (there / ".dvc/cache" / name).exists()
    # DVC believes that what a folder's list names is there, while the list is.
    team.remote.remove(name)
    for listing in [other for other in objects if other.endswith(".dir")]:
        team.remote.remove(listing)
    run(team.project, "dvc", "push")
    run(there, "dvc", "pull")
    assert files(there / MODEL) == files(team.project / MODEL)


def test_refused_credentials_are_one_clear_error(team: Team) -> None:
    small.sign_in(team.project, team.remote.refused)
    done = run(team.project, "dvc", "push", check=False)
    assert done.returncode != 0
    assert team.remote.read() == {}
    (error,) = re.findall(r"^ERROR: (.*)", said(done), re.M)
    assert re.search("403|Permission denied", error)
    runs = push_runs(team.project, check=False)
    assert runs.returncode == 1
    assert re.search("error: the runs of this cache were not pushed: .*(403|Forbidden|Permission denied)", runs.stderr)
    assert "Traceback" not in said(done) + said(runs)


def test_a_push_that_was_cut_leaves_whole_objects_and_the_next_one_completes_it(team: Team, tmp_path: Path) -> None:
    with breaking(team.remote.port, after=2 * small.SIZE) as port:
        small.use(team.project, team.remote.at(port))
        done = run(team.project, "dvc", "push", "-j", "1", check=False)
        assert done.returncode != 0
        assert "files failed to upload" in said(done)
    assert damaged(team.remote) == []
    assert 0 < sum(is_object(name) for name in team.remote.read()) < 5
    assert not any(name.endswith(".dir") for name in team.remote.read()), "a folder is there once all its files are"
    small.use(team.project, team.remote)
    run(team.project, "dvc", "push")
    assert damaged(team.remote) == []
    there = clone(team.project, tmp_path / "clone", team.remote)
    run(there, "dvc", "pull")
    assert files(there / MODEL) == files(team.project / MODEL)


def test_two_may_push_at_once(team: Team, tmp_path: Path) -> None:
    other = shutil.copytree(team.project, tmp_path / "other", symlinks=True)
    small.set_seed(other, 3)
    run(other, "dvc", "repro")
    small.commit(other)
    pushes = [
        subprocess.Popen(
            ["dvc", "push"], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for folder in (team.project, other)
    ]
    for push in pushes:
        out, _ = push.communicate(timeout=SECONDS)
        assert push.returncode == 0, out
    assert damaged(team.remote) == []
    for folder in (team.project, other):
        there = clone(folder, tmp_path / f"clone-of-{folder.name}", team.remote)
        run(there, "dvc", "pull")
        assert files(there / MODEL) == files(folder / MODEL)
