"""Tests for stages/scratch.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.scratch import main


def test_the_cache_of_features_is_listed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = tmp_path / ".scratch/features/squad-0123456789abcdef"
    entry.mkdir(parents=True)
    (entry / "ids.npy").write_bytes(bytes(2 * 2**20))
    main(["--list"])
    assert capsys.readouterr().out == "features  2.0 MB  made again when missed\n"
    main(["--prune"])
    assert list((tmp_path / ".scratch").iterdir()) == []
