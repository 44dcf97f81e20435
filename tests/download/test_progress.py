"""bert/download/progress.py: files that are finished, coming, and not begun."""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path

import pytest

from bert.download.http import state_of
from bert.download.progress import _Look, watcher


def look(folder: Path, *sizes: int | None) -> _Look:
    """Files 0, 1, ... of these sizes as listed; finished in whole/, coming in part/."""
    for name in ("whole", "part"):
        (folder / name).mkdir(exist_ok=True)
    files = [{"name": str(n), "size": size} for n, size in enumerate(sizes)]
    return _Look(files, lambda f: folder / "whole" / f["name"], lambda f: [folder / "part" / f["name"]])


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
    monkeypatch.setattr("bert.download.progress.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.1)
    part = tmp_path / "0"
    part.write_bytes(b"x" * 1_000_000)
    show = watcher("download", [{"name": "0", "size": 8_000_000}], lambda f: tmp_path / "none", lambda f: [part])
    stop = threading.Event()
    thread = threading.Thread(target=show, args=(stop,))
    thread.start()
    line = re.compile(r"download: [2-7]/8 MB, \d+ s left, 0/1 files, \d+\.\d MB/s")
    try:
        while not any(map(line.fullmatch, caplog.messages)):
            assert thread.is_alive() and part.stat().st_size < 8_000_000, caplog.messages
            with open(part, "ab") as f:
                f.write(b"x" * 50_000)
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join()
