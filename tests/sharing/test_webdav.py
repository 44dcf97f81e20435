"""WebDAV: what is pushed to a real server is what a colleague gets, or an error. A folder without stages is enough."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dvc import run
from tests.project import files
from tests.sharing import small
from tests.sharing.servers import Remote, webdav
from tests.sharing.small import MODEL, SIZE, clone, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    home = tmp_path_factory.mktemp("webdav")
    with pytest.MonkeyPatch.context() as patch, webdav(home) as remote:
        patch.setenv("HOME", str(home))  # no settings of whoever runs the tests
        yield remote


@pytest.fixture(scope="module")
def project(server: Remote, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model under DVC that has been pushed."""
    folder = tmp_path_factory.mktemp("project")
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    (folder / MODEL).mkdir(parents=True)
    for name in ("weights", "moments"):
        (folder / MODEL / name).write_bytes(random.Random(name).randbytes(SIZE))
    run(folder, "dvc", "add", "-q", MODEL)
    small.use(folder, server)
    small.commit(folder)
    run(folder, "dvc", "push")
    return folder


def test_a_fresh_clone_pulls_what_was_pushed(project: Path, server: Remote, tmp_path: Path) -> None:
    there = clone(project, tmp_path / "clone", server)
    run(there, "dvc", "pull")
    assert files(there / MODEL) == files(project / MODEL)


def test_a_damaged_object_is_found_and_not_used(project: Path, server: Remote, tmp_path: Path) -> None:
    name, content = next((name, content) for name, content in server.read().items() if len(content) == SIZE)
    server.write(name, content[:-1] + bytes([content[-1] ^ 1]))
    there = clone(project, tmp_path / "clone", server)
    found = run(there, "dvc", "pull", check=False)
    server.write(name, content)
    assert found.returncode != 0
    assert f"Checkout failed for following targets:\n{MODEL}" in said(found)
    assert not (there / MODEL).exists()
    assert not (there / ".dvc/cache" / name).exists()


def test_a_refused_password_is_one_clear_error(project: Path, server: Remote, tmp_path: Path) -> None:
    empty = server.folder("empty")
    there = shutil.copytree(project, tmp_path / "project", symlinks=True)
    small.use(there, empty)
    small.sign_in(there, empty.refused)
    done = run(there, "dvc", "push", check=False)
    assert done.returncode != 0
    assert empty.read() == {}
    (error,) = re.findall(r"^ERROR: (.*)", said(done), re.M)
    assert "401" in error
    assert "Traceback" not in said(done)
