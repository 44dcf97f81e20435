"""bert/beam/local_worker.py: worker processes that end before their time, and drivers that do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from tests.beam import ending
from tests.project import files

pytestmark = pytest.mark.slow
# Far more than it takes, far less than for ever.
SECONDS = 120.0


class Driver:
    """A driver process of two workers, and the items that they begin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *ends: str, slow: float = 0.3) -> subprocess.Popen[str]:
        (self.folder / "log").write_text("")
        command = [sys.executable, "-m", "tests.beam.ending", str(self.folder), json.dumps(ends), str(slow)]
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
        )

    def run(self, *ends: str) -> tuple[int, list[str]]:
        """Exit status, and what was said but for the chatter of Beam's workers as they start."""
        return self.end(self.start(*ends))

    def end(self, driver: subprocess.Popen[str]) -> tuple[int, list[str]]:
        try:
            _, said = driver.communicate(timeout=SECONDS)
        finally:
            driver.kill()
        return driver.returncode, [line for line in said.splitlines() if not line.startswith(("INFO:", "WARNING:"))]

    def go_on(self, *ends: str) -> None:
        """The next run of the same items, in this process: what it finds and does depends on the parts alone."""
        (self.folder / "log").write_text("")
        ending.run(self.folder, list(ends), 0.0, ("--direct_running_mode=in_memory",))

    @property
    def begun(self) -> dict[str, int]:
        """{item: the process that has begun it}"""
        return {name: int(pid) for name, pid in map(str.split, (self.folder / "log").read_text().splitlines())}

    @property
    def finished(self) -> list[str]:
        return sorted(path.parent.name for path in (self.folder / "scratch/parts").glob("*/part.json"))


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver(tmp_path)


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(driver: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, args in rows if int(parent) == driver and "sdk_worker_main" in args]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


# The two workers take turns at the items: a, c, e are the first one's.
@pytest.mark.parametrize(
    ("ends", "how"),
    [
        ("killed ok ok ok ok ok", "SIGKILL, as the kernel does to processes when memory runs out"),
        ("ok ok ok killed ok ok", "SIGKILL"),
        ("ok ok ok ok ok killed", "SIGKILL"),
        ("killed killed", "SIGKILL"),
        ("ok aborted ok ok", "SIGABRT"),
        ("ok ok exit:0 ok", "status 0"),
        ("ok ok ok exit:3", "status 3"),
    ],
)
def test_a_worker_that_is_gone_is_one_error_and_the_next_run_goes_on(driver: Driver, ends: str, how: str) -> None:
    status, said = driver.run(*ends.split())
    assert status == 1
    error, command = said
    assert error.startswith("error: a worker process of Beam is gone (ended ") and how in error
    assert error.endswith("the parts that are finished are kept")
    assert command.startswith("  next: dvc repro: it goes on.")
    finished, names = driver.finished, "abcdef"[: len(ends.split())]
    driver.go_on(*["ok"] * len(names))
    assert sorted(driver.begun) == sorted(set(names) - set(finished)), "what was finished is not done again"
    parts = files(driver.folder / "scratch/parts")
    assert {path: data for path, data in parts.items() if path.endswith("/file")} == {
        f"{name}/file": b"half of it, and all" for name in names
    }


def test_a_worker_that_is_killed_before_its_first_item_is_an_error(driver: Driver) -> None:
    process = driver.start("ok", "ok", "ok")
    wait_for(lambda: workers_of(process.pid))
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    status, said = driver.end(process)
    assert status == 1
    assert len(said) == 2 and "worker process of Beam is gone (ended by SIGKILL" in said[0]


def test_the_other_workers_are_not_waited_for(driver: Driver) -> None:
    process = driver.start("ok", "killed", slow=10 * SECONDS)
    status, said = driver.end(process)
    assert status == 1
    assert len(said) == 2 and "worker process of Beam is gone" in said[0]
    assert not any(is_running(pid) for pid in driver.begun.values())


def test_where_memory_is_refused_the_item_is_named(driver: Driver) -> None:
    """Not the kernel ends it then, but the allocation fails."""
    status, said = driver.run("ok", "hungry", "ok", "ok")
    assert status == 1
    assert said[0] == "error: a worker had not enough memory for b (99 bytes); the parts that are finished are kept"
    assert len(said) == 2 and said[1].startswith("  next: ")


def test_a_killed_driver_leaves_no_worker_behind(driver: Driver) -> None:
    process = driver.start("ok", "ok", "ok", "ok", slow=10 * SECONDS)
    wait_for(lambda: len(driver.begun) == 2)
    workers = set(driver.begun.values())
    assert len(workers) == 2 and all(map(is_running, workers))
    process.kill()
    driver.end(process)
    wait_for(lambda: not any(map(is_running, workers)))
    assert len(driver.begun) == 2, "nothing more was begun"
