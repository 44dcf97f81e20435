"""Tests for bert/launch/endings.py."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from bert.launch.endings import Ending, OutOfMemory, clear, endings, lost, recording_ending
from bert.pipeline.errors import StageError
from bert.training.context import Stopped
from bert.training.world import LostRanks


class ResourceExhaustedError(Exception):
    """As TensorFlow names want of memory."""


class InternalError(Exception):
    """As TensorFlow names what a device ends with."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, Ending.DONE),
        (StageError("a record is broken", run="x"), Ending.FAILED),
        (ValueError("a bug"), Ending.FAILED),
        (KeyboardInterrupt(), Ending.FAILED),
        (Stopped("as asked", run="x"), Ending.STOPPED),
        (LostRanks("the others are gone", run="x"), Ending.LOST_OTHERS),
        (InternalError("the device is gone"), Ending.LOST_DEVICE),
    ],
)
def test_a_rank_tells_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | None, expected: Ending
) -> None:
    monkeypatch.setenv("HOROVOD_RANK", "11")
    expects = nullcontext() if error is None else pytest.raises(type(error))
    with expects as raised, recording_ending(tmp_path):
        if error is not None:
            raise error
    assert raised is None or raised.value is error, "it is passed on, and as it is"
    assert endings(tmp_path) == {11: expected}
    clear(tmp_path)
    assert endings(tmp_path) == {}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory: MemoryError"),
        (
            ResourceExhaustedError("Graph execution error:\n\nOut of memory while trying to allocate 88 GiB.\n[Op:x]"),
            "88 GiB",
        ),
    ],
)
def test_want_of_memory_is_said_in_one_line(tmp_path: Path, error: Exception, said: str) -> None:
    with pytest.raises(OutOfMemory, match=said) as raised, recording_ending(tmp_path):
        raise error
    assert len(str(raised.value).splitlines()) == 2 and "BERT_MICRO_BATCH" in str(raised.value.run)
    assert endings(tmp_path) == {0: Ending.OUT_OF_MEMORY}


OTHERS = Ending.LOST_OTHERS


@pytest.mark.parametrize(
    ("found", "first_to_end", "expected"),
    [
        ({0: OTHERS, 2: OTHERS}, 1, [1]),  # killed
        ({0: OTHERS, 2: OTHERS}, 0, [1]),  # silent: those that waited for it have ended first
        ({0: OTHERS}, 1, [1]),  # the third was killed after it, in the middle of a computation
        ({}, 0, [0]),
        ({0: OTHERS}, None, [1, 2]),
        ({0: OTHERS, 1: Ending.LOST_DEVICE, 2: OTHERS}, 1, [1]),
        ({0: OTHERS, 1: OTHERS, 2: OTHERS}, 1, []),  # a connection broke, and nobody is gone
        ({0: Ending.STOPPED}, 1, [1]),  # horovodrun has told the first rank to end
        ({0: OTHERS, 1: Ending.FAILED}, 1, None),
        ({0: OTHERS, 1: Ending.OUT_OF_MEMORY}, 1, None),  # it would be so again
    ],
)
def test_who_is_lost(found: dict[int, Ending], first_to_end: int | None, expected: list[int] | None) -> None:
    assert lost(found, 3, first_to_end) == expected
