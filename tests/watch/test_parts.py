"""bert/watch/parts.py: finished parts are seen while the work goes on."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import pytest

from bert.beam.run import Item, Part, Workplace
from bert.pipeline.periodic import looking
from bert.watch.parts import watch_parts

ITEMS: list[Item] = [{"name": name, "bytes": 1} for name in "abcd"]


def test_a_line_tells_how_many_parts_are_finished(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bert")
    monkeypatch.setattr("bert.watch.parts.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.0)
    place = Workplace(tmp_path)
    deadline = time.monotonic() + 30
    with watch_parts("shards", ITEMS, place):
        for number, item in enumerate(ITEMS[:3], start=1):
            Part(place.parts, item["name"]).finish({})
            while not any(line.startswith(f"shards: {number}/4 parts") for line in caplog.messages):
                assert time.monotonic() < deadline, caplog.messages
                time.sleep(0.01)
    assert caplog.messages[-1].startswith("shards: 4/4 parts"), "the work has ended well, so all are finished"


def test_of_failed_work_no_line_says_that_it_is_finished(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bert")
    monkeypatch.setattr("bert.watch.progress.SECONDS_BETWEEN_LINES", 0.0)
    with pytest.raises(ZeroDivisionError), watch_parts("shards", ITEMS, Workplace(tmp_path)):
        raise ZeroDivisionError
    assert not any("4/4" in line for line in caplog.messages)


def test_looking_ends_with_the_work_however_long_a_look_takes() -> None:
    begun, looks = threading.Event(), list[bool]()

    def look(stop: threading.Event) -> None:
        begun.set()
        looks.append(stop.wait(60))

    with looking(look, 0.01):
        assert begun.wait(30)
        ended = time.monotonic()
    assert looks == [True] and time.monotonic() - ended < 30
