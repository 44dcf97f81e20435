"""Beam's own job service and a pool of external workers, as a cluster has them, on the loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bert.pipeline.code import ROOT
from tests.ports import HOST, free_port


def wait_until(true: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.05)


def group(leader: int) -> list[int]:
    """The living processes of a process group, by /proc."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = status.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        if int(its_group) == leader and state != "Z":
            found.append(int(status.parent.name))
    return found


@contextmanager
def serving(module: str, log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module` as the leader of a process group, none of which is left at the end."""
    with open(log, "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=log.parent,
            # The pool starts its workers as `python`, and they unpickle what this project's modules name.
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((HOST, port)) == 0


@contextmanager
def portable(folder: Path) -> Iterator[str]:
    """The Beam options that send a pipeline there. Their logs are in `folder`."""
    jobs, workers = free_port(), free_port()
    runners = "apache_beam.runners"
    with (
        serving(f"{runners}.portability.local_job_service_main", folder / "jobs.log", "--port", str(jobs)),
        serving(f"{runners}.worker.worker_pool_main", folder / "pool.log", f"--service_port={workers}") as pool,
    ):
        wait_until(lambda: answers(jobs) and answers(workers), "job service and worker pool listen")
        yield (
            f"--runner=PortableRunner --job_endpoint=localhost:{jobs} "
            f"--environment_type=EXTERNAL --environment_config=localhost:{workers}"
        )
        wait_until(lambda: group(pool.pid) == [pool.pid], "the pool has stopped its workers")
        said = (folder / "pool.log").read_text()
        assert "Starting worker with command" in said, "nothing has run in the pool"
