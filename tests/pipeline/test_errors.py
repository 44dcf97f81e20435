"""bert/pipeline/errors.py and what stages.run makes of an error."""

from __future__ import annotations

import errno
import logging
import pickle
from collections.abc import Iterator

import pytest

from bert.pipeline.errors import StageError, disk_full_as_error
from bert.pipeline.job import run


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """`run` sets up logging for a process of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("bert", "stages"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize("command", [None, "dvc repro"])
def test_an_error_survives_pickling(command: str | None) -> None:
    error = StageError("data/a.txt: line 3 is bad", run=command)
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.run) == (StageError, str(error), command)


def test_made_anew_from_its_args_it_keeps_the_command() -> None:
    # That is how Beam adds " [while running ...]" to an exception.
    error = StageError("a", run="dvc repro")
    assert str(type(error)(f"{error.args[0]}!", *error.args[1:])) == "a!\n  next: dvc repro"


def test_a_stage_error_is_one_message_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise StageError("data/a.txt: line 3 is bad", run="dvc repro")

    with pytest.raises(SystemExit) as caught:
        run(fail)
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: data/a.txt: line 3 is bad\n  next: dvc repro\n"


def test_any_other_error_keeps_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_bad_input_too(number: int) -> None:
    with pytest.raises(StageError) as caught, disk_full_as_error(".scratch/a"):
        raise OSError(number, "as the system says it")
    assert str(caught.value).startswith(".scratch/a: ") and "what has been done so far is kept" in str(caught.value)
    assert caught.value.run == "make room there, then dvc repro: it goes on"


def test_what_else_fails_on_a_disk_is_not_called_full() -> None:
    with pytest.raises(PermissionError), disk_full_as_error(".scratch/a"):
        raise PermissionError(errno.EACCES, "no")
