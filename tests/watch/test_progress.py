"""bert/watch/progress.py where stderr is no terminal, as under pytest."""

from __future__ import annotations

import logging

import pytest

from bert.watch.progress import Progress, duration, track


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="bert")
    return caplog


def test_a_line_is_written_every_few_seconds_and_no_more(
    lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("bert.watch.progress.time.monotonic", lambda: clock[0])
    with Progress("shards", total=8, unit="files") as shown:
        for done in (1, 2, 4, 8):
            clock[0] += 3.0
            shown.update(done, note="loss 2.5")
    # After 6 s: 2 of 8 done, so 18 s left; after 12 s all.
    assert lines.messages == ["shards: 2/8 files, 18 s left, loss 2.5", "shards: 8/8 files, loss 2.5"]


def test_the_time_before_the_first_update_is_not_expected_again(
    lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("bert.watch.progress.time.monotonic", lambda: clock[0])
    with Progress("pretrain", total=101, unit="steps") as shown:
        for done, now in ((1, 600.0), (11, 620.0)):  # ten minutes of compiling, then two seconds a step
            clock[0] = now
            shown.update(done)
    assert lines.messages == ["pretrain: 1/101 steps", "pretrain: 11/101 steps, 3 min left"]


def test_durations_are_readable() -> None:
    assert [duration(s) for s in (0.4, 119, 150, 3600 * 2 + 600)] == ["0 s", "119 s", "2 min", "2 h 10 min"]


def test_a_resumed_run_counts_on_and_times_its_own_work(
    lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("bert.watch.progress.time.monotonic", lambda: clock[0])
    with Progress("pretrain", total=100, unit="steps", start=80) as shown:
        for done, now in ((81, 1.0), (91, 11.0)):
            clock[0] = now
            shown.update(done)
    assert lines.messages == ["pretrain: 91/100 steps, 9 s left"]


def test_track_passes_all_items_on() -> None:
    assert list(track(iter("abc"), "letters", 3, "letters")) == ["a", "b", "c"]
