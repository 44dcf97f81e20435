"""run_alone of bert/launch/ranks.py: real processes that end in each of the ways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bert.launch import endings
from bert.launch.endings import OutOfMemory, killed_for_memory
from bert.launch.ranks import run_alone
from bert.pipeline.errors import StageError

KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def vmstat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the kernel counts."""
    path = tmp_path / "vmstat"
    path.write_text("nr_free_pages 5\noom_kill 2\n")
    monkeypatch.setattr(endings, "VMSTAT", path)
    return path


def test_the_kernel_counts_whom_it_has_killed(vmstat: Path) -> None:
    assert killed_for_memory() == 2
    vmstat.write_text("nr_free_pages 5\n")
    assert killed_for_memory() == 0
    vmstat.unlink()
    assert killed_for_memory() == 0


def test_it_runs_on_so_many_cores(tmp_path: Path) -> None:
    code = f"import os; open({str(tmp_path / 'cores')!r}, 'w').write(str(len(os.sched_getaffinity(0))))"
    run_alone("squad", ["-c", code], tmp_path, cores=1)
    assert (tmp_path / "cores").read_text() == "1"
    run_alone("squad", ["-c", code], tmp_path)
    assert (tmp_path / "cores").read_text() == str(len(os.sched_getaffinity(0)))


def test_killed_by_the_kernel_for_want_of_memory_is_out_of_memory(tmp_path: Path, vmstat: Path) -> None:
    counted = f"open({str(vmstat)!r}, 'w').write('oom_kill 3'); {KILLED}"
    with pytest.raises(OutOfMemory, match="a process ran out of memory, or was killed by the kernel for want of it"):
        run_alone("squad", ["-c", counted], tmp_path)


def test_killed_by_somebody_is_not(tmp_path: Path, vmstat: Path) -> None:
    with pytest.raises(StageError, match="squad ended with -9") as error:
        run_alone("squad", ["-c", KILLED], tmp_path)
    assert not isinstance(error.value, OutOfMemory)


def test_an_error_of_its_own_is_not_though_the_kernel_killed_others(tmp_path: Path, vmstat: Path) -> None:
    with pytest.raises(StageError, match="squad ended with 3") as error:
        run_alone("squad", ["-c", f"open({str(vmstat)!r}, 'w').write('oom_kill 3'); raise SystemExit(3)"], tmp_path)
    assert not isinstance(error.value, OutOfMemory)


def test_a_process_that_says_so_is_out_of_memory(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from bert.launch.endings import recording_ending\n"
        f"with recording_ending(Path({str(tmp_path)!r})): raise MemoryError('no room')"
    )
    with pytest.raises(OutOfMemory):
        run_alone("squad", ["-c", code], tmp_path)
