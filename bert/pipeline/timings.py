"""Where the time of a stage goes: its seconds by phase, where `BERT_TIMINGS` names a folder for them.

The process that DVC starts leaves one file there when it ends. Without the setting nothing is measured. Seconds of a
phase are without those of the phases inside it; what is in no phase is `rest`.
"""

from __future__ import annotations

import atexit
import builtins
import os
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

from bert.pipeline.files import write_json

START, COMPILING, STEPS, EVALUATING, SAVING, REST = "start", "compiling", "steps", "evaluating", "saving", "rest"
"""The phases: from the start of the process to that of its work, and all imports; the first calls of compiled programs,
beyond what a later call takes; steps; evaluation and prediction; files of weights; everything else."""
PHASES = (START, COMPILING, STEPS, EVALUATING, SAVING, REST)


def process_started() -> float:
    """When this process was started, in seconds since 1970: before its interpreter was there (Linux; else: now)."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, AttributeError):
        return time.time()


class Clock:
    """Adds up the seconds of phases, in the thread that makes it."""

    def __init__(self, started: float) -> None:
        """started: of the process, in seconds since 1970. From then to now is START."""
        self.started = started
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self._calls: dict[tuple[str, Hashable], list[float]] = {}
        self._thread = threading.get_ident()
        self._inside = [REST]
        self._since = time.perf_counter()
        self.seconds[START] = time.time() - started

    def _spend(self) -> None:
        """Give the time until now to the innermost phase."""
        now = time.perf_counter()
        self.seconds[self._inside[-1]] += now - self._since
        self._since = now

    def is_in(self, name: str) -> bool:
        return self._inside[-1] == name

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        if threading.get_ident() != self._thread:
            yield
            return
        self._spend()
        self._inside.append(name)
        try:
            yield
        finally:
            self._spend()
            self._inside.pop()

    @contextmanager
    def call(self, phase: str, program: Hashable) -> Iterator[None]:
        """A call of a compiled program, in a phase: the first one compiles it."""
        with self.phase(phase):
            before = self.seconds[phase]
            yield
            self._spend()
            self._calls.setdefault((phase, program), []).append(self.seconds[phase] - before)

    def by_phase(self) -> dict[str, float]:
        """Seconds by phase until now. Of a program that was called once, all is compiling."""
        self._spend()
        found = dict(self.seconds)
        for (phase, _), (first, *later) in self._calls.items():
            beyond = max(0.0, first - (median(later) if later else 0.0))
            found[COMPILING] += beyond
            found[phase] -= beyond
        return found


_clock: Clock | None = None


def phase(name: str) -> AbstractContextManager[None]:
    """What runs inside is in the phase `name`."""
    return nullcontext() if _clock is None else _clock.phase(name)


def call(name: str, program: Hashable) -> AbstractContextManager[None]:
    """What runs inside is in the phase `name`: one call of a compiled program, such as of a function for a shape."""
    return nullcontext() if _clock is None else _clock.call(name, program)


def measure(folder: Path, stage: str) -> None:
    """Begin to measure this process, and leave `<stage>-<process>.json` in `folder` when it ends.

    Imports are START wherever they stand.
    """
    global _clock
    clock = _clock = Clock(process_started())
    import_module = builtins.__import__

    def timed_import(*args: Any, **kwargs: Any) -> Any:
        if clock.is_in(START):
            return import_module(*args, **kwargs)
        with clock.phase(START):
            return import_module(*args, **kwargs)

    builtins.__import__ = timed_import

    def leave() -> None:
        seconds = {name: round(value, 3) for name, value in clock.by_phase().items()}
        write_json(
            folder / f"{stage.replace('/', '-')}-{os.getpid()}.json",
            {"stage": stage, "started": round(clock.started, 3), "seconds": seconds},
        )

    atexit.register(leave)
