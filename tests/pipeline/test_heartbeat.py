"""bert/pipeline/heartbeat.py: a stage that says nothing says that it is at work."""

from __future__ import annotations

import logging
import re
import threading
import time

import pytest

from bert.pipeline import heartbeat
from bert.pipeline.heartbeat import beating, heard, silent

SILENCE = 0.2


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(heartbeat, "SECONDS_OF_SILENCE", SILENCE)
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN_LOOKS", 0.02)
    caplog.set_level(logging.INFO, logger="bert")
    return caplog


def wait_for(said: pytest.LogCaptureFixture, lines: int) -> None:
    until = time.monotonic() + 30
    while len(said.messages) < lines:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_silence_is_broken_again_and_again(said: pytest.LogCaptureFixture) -> None:
    with beating("export"):
        wait_for(said, 3)
    assert all(re.fullmatch(r"export: at work for \d+ s", line) for line in said.messages)


@pytest.mark.parametrize("speak", [heard, lambda: logging.getLogger("bert.training.loop").info("step")])
def test_whoever_speaks_is_not_interrupted(
    said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, speak: object
) -> None:
    assert callable(speak)
    monkeypatch.setattr(heartbeat, "SECONDS_OF_SILENCE", 30.0)
    with beating("squad"):
        monkeypatch.setattr(heartbeat._Heard, "at", time.monotonic() - 29.0)
        speak()
        time.sleep(1.5)  # past the moment at which the silence would have been long enough
    assert [line for line in said.messages if "at work" in line] == []


def test_nothing_is_left_when_the_stage_ends(said: pytest.LogCaptureFixture) -> None:
    before, handlers = set(threading.enumerate()), list(logging.getLogger("bert").handlers)
    with pytest.raises(ValueError), beating("export"):
        assert set(threading.enumerate()) - before
        raise ValueError
    assert not set(threading.enumerate()) - before
    assert logging.getLogger("bert").handlers == handlers


def test_it_says_nothing_while_another_process_works_and_speaks(
    said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS_OF_SILENCE", 5 * SILENCE)  # or it may speak before, or right after
    with beating("benchmark"):
        with silent():
            time.sleep(7 * SILENCE)
        assert said.messages == []
        wait_for(said, 1)
