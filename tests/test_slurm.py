"""setup/slurm.py: a job's nodes as BERT_HOSTS; and what setup/slurm.sbatch does when its time is up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from setup.slurm import bert_hosts, tasks_of_nodes


@pytest.mark.parametrize(
    ("tasks_per_node", "expected"), [("8", [8]), ("8(x3)", [8, 8, 8]), ("8(x2),4", [8, 8, 4]), ("1,2(x1),3", [1, 2, 3])]
)
def test_tasks_per_node_are_read_as_slurm_writes_them(tasks_per_node: str, expected: list[int]) -> None:
    assert tasks_of_nodes(tasks_per_node) == expected


@pytest.mark.parametrize("tasks_per_node", ["", "0", "8(x0)", "8x3", "8,", "many"])
def test_other_words_are_shown(tasks_per_node: str) -> None:
    with pytest.raises(ValueError, match=r"SLURM_TASKS_PER_NODE is .* expected numbers such as"):
        tasks_of_nodes(tasks_per_node)


def test_each_node_gets_its_number_of_ranks() -> None:
    assert bert_hosts(["n1", "n2", "n7"], "8(x2),4") == "n1:8,n2:8,n7:4"
    with pytest.raises(ValueError, match="of 2 nodes, but the job has 3"):
        bert_hosts(["n1", "n2", "n7"], "8(x2)")


def test_the_command_reads_what_scontrol_writes() -> None:
    command = [sys.executable, "-m", "setup.slurm", "2(x2)"]
    done = subprocess.run(command, cwd=ROOT, input="n1\nn2\n", capture_output=True, text=True, check=True)
    assert done.stdout == "n1:2,n2:2\n"


def test_when_time_is_up_the_batch_script_has_the_stage_save_and_goes_back_into_the_queue(tmp_path: Path) -> None:
    """With stand-ins for scontrol and dvc: the latter starts a stage that says what it is told."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    stage = (
        "import signal, time, os; signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.3), print('saved'), exit(1)))"
    )
    written = {
        "scontrol": '#!/bin/sh\n[ "$1" = show ] && printf "n1\\nn2\\n" || echo "scontrol $*"\n',
        "dvc": "#!/bin/sh\ntrap '' INT\n"  # as dvc does while a stage runs
        f'echo "dvc $* on $BERT_HOSTS, at least $BERT_MIN_RANKS"\n{sys.executable} -c "{stage}; print(\'begun\', '
        'flush=True); time.sleep(60)"\n',
        "python": f'#!/bin/sh\nexec env PYTHONPATH={ROOT} {sys.executable} "$@"\n',
    }
    for name, text in written.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    settings = {"NODELIST": "n[1-2]", "ID": "17"}
    environment = {f"SLURM_JOB_{name}": value for name, value in settings.items()}
    environment |= {"SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_NTASKS": "4", "SLURM_SUBMIT_DIR": str(tmp_path)}
    with open(tmp_path / "log", "w") as log:
        job = subprocess.Popen(
            ["bash", str(ROOT / "setup" / "slurm.sbatch"), "pretrain_phase1"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + 120
        while "begun" not in (tmp_path / "log").read_text():
            assert job.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        job.send_signal(signal.SIGTERM)
        job.wait(120)
    first, *rest = (tmp_path / "log").read_text().splitlines()
    assert first == "dvc repro --single-item pretrain_phase1 on n1:2,n2:2, at least 2"
    assert rest == ["begun", "saved", "time is up: saved, and back into the queue", "scontrol requeue 17"]
