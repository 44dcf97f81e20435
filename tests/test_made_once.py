"""tests/made_once.py: who asks at the same time gets the same, whole."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.made_once import made_once


def test_who_asks_at_the_same_time_gets_what_one_of_them_has_made(tmp_path: Path) -> None:
    made: list[int] = []

    def ask(number: int) -> str:
        def make(folder: Path) -> None:
            folder.mkdir()
            time.sleep(0.05)
            (folder / "file").write_text(f"{number}")
            made.append(number)

        return (made_once(tmp_path / "shared", make) / "file").read_text()

    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(ask, range(4)))
    assert len(made) == 1
    assert read == [f"{made[0]}"] * 4


def test_what_could_not_be_made_is_made_anew(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made_once(tmp_path / "shared", fail)
    assert made_once(tmp_path / "shared", Path.mkdir).is_dir()
