"""bert/watch/downloads.py: files that are finished, coming, and not begun."""

from __future__ import annotations

import json
import logging
import re
import time
from pathlib import Path

import pytest

from bert.beam.run import Workplace
from bert.download.http import state_of
from bert.download.lane import PARTIAL, partial_of
from bert.watch.downloads import Look, watch_download


def look(folder: Path, *sizes: int | None) -> Look:
    """Files 0, 1, ... of these sizes as listed; finished in whole/, coming in part/."""
    for name in ("whole", "part"):
        (folder / name).mkdir(exist_ok=True)
    files = [{"name": str(n), "size": size} for n, size in enumerate(sizes)]
    return Look(files, lambda f: folder / "whole" / f["name"], lambda f: [folder / "part" / f["name"]])


def test_bytes_are_counted_of_finished_and_of_coming_files(tmp_path: Path) -> None:
    seen = look(tmp_path, 1000, 2000, 3000)
    (tmp_path / "whole/0").write_bytes(b"x" * 1000)
    (tmp_path / "part/1").write_bytes(b"x" * 500)
    seen.look()
    assert (seen.done, seen.files, seen.have, seen.total) == (1, 3, 1500, 6000)
    (tmp_path / "part/1").rename(tmp_path / "whole/1")
    (tmp_path / "whole/1").write_bytes(b"x" * 2000)
    seen.look()
    assert (seen.done, seen.have, seen.total) == (2, 3000, 6000)


def test_a_size_that_no_list_tells_is_what_the_server_announces(tmp_path: Path) -> None:
    seen = look(tmp_path, None)
    (tmp_path / "part/0").write_bytes(b"x" * 500)
    state_of(tmp_path / "part/0").write_text(json.dumps({"url": "", "validator": None, "bytes": 4000}))
    seen.look()
    assert (seen.have, seen.total) == (500, 4000)


def test_files_of_unknown_size_count_as_the_average_one(tmp_path: Path) -> None:
    seen = look(tmp_path, 1000, 3000, None, None)
    seen.look()
    assert seen.total == 8000


def test_a_line_tells_megabytes_time_left_files_and_rate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bert")
    monkeypatch.setattr("bert.watch.downloads.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.1)
    file = {"name": "0", "size": 8_000_000, "part": "file-0", "addresses": ["http://127.0.0.1/0"]}
    part = partial_of(tmp_path / PARTIAL, file, "http://127.0.0.1/0")
    part.parent.mkdir()
    part.write_bytes(b"x" * 1_000_000)
    line = re.compile(r"download: [2-7]/8 MB, \d+ s left, 0/1 files, \d+\.\d MB/s")
    with watch_download("download", [{"name": "lane", "bytes": 1, "files": [file]}], Workplace(tmp_path)):
        while not any(map(line.fullmatch, caplog.messages)):
            assert part.stat().st_size < 8_000_000, caplog.messages
            with open(part, "ab") as f:
                f.write(b"x" * 50_000)
            time.sleep(0.02)
