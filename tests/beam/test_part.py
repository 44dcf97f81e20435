"""bert/beam/part.py: the files of one work item."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.beam.run import Part, read
from tests.project import files


def test_a_file_of_a_part_appears_when_it_is_whole_and_leaves_nothing_when_it_fails(tmp_path: Path) -> None:
    part = Part(str(tmp_path), "one")
    with part.create("file") as f:
        f.write(b"first")
        assert not (tmp_path / "one" / "file").exists()
    with pytest.raises(ZeroDivisionError), part.create("file") as f:
        f.write(b"second")
        raise ZeroDivisionError
    assert files(tmp_path) == {"one/file": b"first"}
    with part.create("file") as f:
        f.write(b"third")
    assert files(tmp_path) == {"one/file": b"third"}


def test_two_writers_of_one_part_do_not_mix(tmp_path: Path) -> None:
    """A worker that outlives its killed driver goes on while the restarted stage does the same item."""
    part = Part(str(tmp_path / "with [brackets]"), "one")
    with part.create("file") as old:
        old.write(b"the first half,")
        with part.create("file") as new:
            new.write(b"all of it")
        with read(part.path("file")) as f:
            assert f.read() == b"all of it"
    assert files(tmp_path) == {"with [brackets]/one/file": b"the first half,"}


def test_files_may_be_empty(tmp_path: Path) -> None:
    part = Part(str(tmp_path), "one")
    with part.create("nothing"):
        pass
    with part.create("no bytes") as f:
        f.write(b"")
    assert files(tmp_path) == {"one/no bytes": b"", "one/nothing": b""}
