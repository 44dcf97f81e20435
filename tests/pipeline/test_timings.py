"""bert/pipeline/timings.py: seconds by phase."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bert.pipeline import timings
from bert.pipeline.code import ROOT
from bert.pipeline.timings import COMPILING, EVALUATING, REST, SAVING, START, STEPS, Clock, process_started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """One whose seconds pass in `sleep` alone."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return Clock(started=98.0)


def test_a_phases_seconds_are_without_those_inside_it(clock: Clock) -> None:
    time.sleep(1)
    with clock.phase(EVALUATING):
        time.sleep(10)
        with clock.phase(SAVING):
            time.sleep(100)
        time.sleep(20)
    time.sleep(2)
    found = clock.by_phase()
    assert found == {START: 2, COMPILING: 0, STEPS: 0, EVALUATING: 30, SAVING: 100, REST: 3}
    assert sum(found.values()) == time.time() - clock.started


def test_the_first_call_of_a_program_compiles_it(clock: Clock) -> None:
    for program, seconds in (("long", 9), ("short", 4), ("long", 3), ("long", 3), ("short", 1), ("once", 5)):
        with clock.call(STEPS, program):
            time.sleep(seconds)
    found = clock.by_phase()
    assert (found[COMPILING], found[STEPS]) == (6 + 3 + 5, 3 * 3 + 2 * 1)
    assert clock.by_phase() == found, "asking changes nothing"


def test_what_fails_is_counted_and_left(clock: Clock) -> None:
    with pytest.raises(ValueError), clock.call(STEPS, "one"):
        time.sleep(1)
        raise ValueError
    time.sleep(2)
    assert (clock.by_phase()[STEPS], clock.by_phase()[REST]) == (1, 2)


def test_other_threads_are_not_measured(clock: Clock) -> None:
    def work() -> None:
        with clock.phase(STEPS):
            time.sleep(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (clock.by_phase()[STEPS], clock.by_phase()[REST]) == (0, 1)


def test_without_the_setting_nothing_is_measured() -> None:
    with timings.phase(STEPS), timings.call(STEPS, "one"):
        assert timings._clock is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not known")
def test_a_process_knows_when_it_was_started() -> None:
    code = "from bert.pipeline.timings import process_started; print(process_started())"
    before = time.time()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert before - 0.05 <= float(done.stdout) <= before + 1
    assert process_started() < before


PROGRAM = """
import time
from pathlib import Path
from bert.pipeline import timings
timings.measure(Path("{folder}"), "glue@mrpc")
time.sleep(0.2)
with timings.phase(timings.STEPS):
    import slow_to_import
    time.sleep(0.3)
"""


def test_a_process_leaves_its_seconds_and_imports_are_its_start(tmp_path: Path) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(0.4); import json")
    out = tmp_path / "out"
    path = f"{ROOT}{os.pathsep}{tmp_path}"
    environment = {**os.environ, "PYTHONPATH": path}
    began = time.time()
    subprocess.run([sys.executable, "-c", PROGRAM.format(folder=out)], env=environment, check=True)
    took = time.time() - began
    (file,) = out.iterdir()
    found = json.loads(file.read_text())
    assert found["stage"] == "glue@mrpc" and file.name.startswith("glue@mrpc-")
    seconds = found["seconds"]
    assert seconds[START] > 0.4 and 0.3 <= seconds[STEPS] < took - 0.6 and seconds[REST] >= 0.2
    assert sum(seconds.values()) <= took + 0.02
