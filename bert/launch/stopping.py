"""Stopping a training when it is asked to: save, then end. For SIGTERM and Ctrl-C, alone and in ranks.

The first rank is the one that saves, so it has to take one more step together with the others: they go on until it has
ended. It learns of the wish by a signal of its own, or by the file that the process which started the ranks leaves in
the scratch, which all hosts see.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ASKED = "stop"
"""Name of the file in the scratch."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Inside, `handler` answers SIGTERM and SIGINT, in the main thread: Python lets no other set one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


class StopRequest:
    """Whether this run is to end: a Stop of bert/training/context.py."""

    def __init__(self, folder: Path) -> None:
        self._file, self._signalled = folder / ASKED, False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """As a signal handler; a second signal does what it does else."""
        self._signalled = True
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    @property
    def asked(self) -> bool:
        return self._signalled or self._file.exists()


@contextmanager
def stop_when_asked(folder: Path, is_first: bool) -> Iterator[StopRequest]:
    """What the first rank looks at after each step; the other ranks ignore the signals, and wait for it to end."""
    stop = StopRequest(folder)
    with _handling(stop.ask if is_first else signal.SIG_IGN):
        yield stop


@contextmanager
def pass_on_signals(folder: Path) -> Iterator[StopRequest]:
    """In the process that has started the ranks: a signal becomes the file, which the first rank finds."""
    stop = StopRequest(folder)

    def ask(number: int, frame: FrameType | None) -> None:
        (folder / ASKED).touch()
        stop.ask(number, frame)

    with _handling(ask):
        yield stop
