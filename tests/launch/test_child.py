"""bert/launch/child.py: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bert.launch.child import child_command

PYTHON = sys.executable


def test_it_is_the_command_with_its_arguments_environment_and_status(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1:], os.environ['MARK'], os.getppid(), flush=True); sys.exit(7)"
    done = subprocess.run(
        child_command([PYTHON, "-c", code, "a b", "$c", "--", ""]),
        env={**os.environ, "MARK": "é"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"['a b', '$c', '--', ''] é {os.getpid()}\n"
    assert (done.returncode, done.stderr) == (7, "")


def test_what_gets_a_signal_is_the_command() -> None:
    with subprocess.Popen(child_command(["sleep", "60"])) as process:
        while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == -signal.SIGTERM


def test_it_is_killed_with_its_parent() -> None:
    code = (
        "import subprocess, sys; from bert.launch.child import child_command\n"
        "child = subprocess.Popen(child_command(['sleep', '60']), start_new_session=True)\n"
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        parent.kill()
    assert ended(child, within=10)


def test_it_does_not_start_where_its_parent_has_ended() -> None:
    command = child_command([PYTHON, "-c", "print('started')"])
    command[command.index(str(os.getpid()))] = "1"  # as for one that has another parent since
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def ended(process: int, within: float) -> bool:
    """Whether no process of that number computes any more, after so many seconds at most."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # nobody has fetched its status
            return True
        time.sleep(0.01)
    return False


def test_nothing_runs_between_fork_and_exec() -> None:
    """Of our own: what gRPC and TensorFlow register there is safe in no process with threads."""
    root = Path(__file__).parents[2]
    files = [path for room in ("bert", "stages", "tests", "benchmarks") for path in (root / room).rglob("*.py")]
    users = {path.name for path in files if "preexec_fn" in path.read_text()}
    assert users == {"child.py", "test_child.py"}
