"""Starting the ranks, and starting them again when some are lost.

`BERT_MIN_RANKS` lets a job that loses ranks, or whole machines, go on with fewer, down to that number. All of them end
then, and as many as can share the global batch are started again: training goes on from its last checkpoint, which the
first rank writes when it loses the others, and since a resumed run computes what an uninterrupted one does, and R ranks
what one does, the result is the same, to rounding.

Horovod's own elastic mode (--min-np, --host-discovery-script) keeps the surviving processes and hands the state from
memory to memory. It saves their start, half a minute. For that it needs the loop written around its State objects, a
second way to resume beside the checkpoint, and a discovery script; it retries whatever a rank dies of, bad input too;
and a loss of the first rank with its machine is still one for the checkpoint.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bert.launch import endings
from bert.launch.child import child_command
from bert.launch.hosts import host_of, hosts_for, joined, network_flags, reachable, without
from bert.launch.stopping import StopRequest, pass_on_signals
from bert.pipeline.errors import StageError
from bert.pipeline.heartbeat import heard, silent
from bert.pipeline.machine import Host, MachineSettings
from bert.training.context import Stopped
from bert.training.world import Split

log = logging.getLogger(__name__)

SplitFor = Callable[[int], Split]
# Starts in a row from the same step: what kills a rank each time is no accident.
MAX_IN_VAIN = 3
_FIRST_TO_END = re.compile(r"Terminating remaining workers after failure of Process (\d+)\.\n")


@dataclass(frozen=True)
class Launched:
    """How a job went: the ranks that ended it, where, and how often they were started again."""

    ranks: int
    hosts: str
    restarts: int


@dataclass(frozen=True)
class _Attempt:
    """One start. status: horovodrun's; lost: ranks that are gone, None where one failed by itself.

    out_of_memory: whether that, or the kernel's killing of one, was for want of memory.
    """

    status: int
    lost: list[int] | None
    out_of_memory: bool = False


def _horovodrun(ranks: int) -> str:
    command = shutil.which("horovodrun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None or importlib.util.find_spec("horovod") is None:
        raise StageError(
            f"BERT_RANKS is {ranks} but Horovod is not installed",
            run="make horovod (needs a C++ compiler), or unset BERT_RANKS",
        )
    return command


def _start(
    command: Sequence[str],
    ranks: int,
    hosts: Sequence[Host],
    scratch: Path,
    machine: MachineSettings,
    variables: dict[str, str],
) -> _Attempt:
    """Run `command` as that many ranks, to their end. variables: of their environment, beyond that of this process."""
    endings.clear(scratch)
    first_to_end, killed_before = None, endings.killed_for_memory()
    flags = ["-np", str(ranks), "-H", joined(hosts), "--gloo", "--disable-cache", *network_flags(hosts, machine)]
    with subprocess.Popen(
        # Killed with this process, it takes its ranks along; else they would train on in a scratch whose lock is free.
        child_command([_horovodrun(ranks), *flags, *command]),
        env={
            **os.environ,
            **variables,
            "HOROVOD_GLOO_TIMEOUT_SECONDS": str(machine.stall_seconds),
            "PYTHONUNBUFFERED": "1",
            "BERT_TIMINGS": "",  # this process's
        },
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        # A session of its own: Ctrl-C is for this process, which gives the ranks the time to save.
        start_new_session=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            heard()
            if first_to_end is None and (match := _FIRST_TO_END.fullmatch(line)):
                first_to_end = int(match[1])
        status = process.wait()
    if status < 0:  # somebody has killed horovodrun itself: no rank is to blame
        return _Attempt(status, None)
    found = endings.endings(scratch)
    if status and not found and first_to_end is None:  # horovodrun has not come so far as to start ranks
        return _Attempt(status, None)
    lost = endings.lost(found, ranks, first_to_end)
    return _Attempt(status, lost, bool(status) and _out_of_memory(found, bool(lost), killed_before))


def _out_of_memory(found: dict[int, endings.Ending], silent: bool, killed_before: int) -> bool:
    """Whether ranks ended for want of memory. silent: one said nothing; killed_before: the kernel's count."""
    if endings.Ending.OUT_OF_MEMORY in found.values():
        return True
    return silent and endings.killed_for_memory() > killed_before


def run_alone(stage: str, command: Sequence[str], scratch: Path, cores: int | None = None) -> None:
    """Run `python command` as one process beside this one, without Horovod, to its end: the kernel may kill it.

    Args:
        stage, command, scratch: as in `launch`.
        cores: that it may use; None: all of this process's.

    Raises:
        OutOfMemory: it has said so, or the kernel has killed it for want of memory.
        StageError: it failed by something else, or was asked to stop.
    """
    endings.clear(scratch)
    killed_before = endings.killed_for_memory()
    with silent(), pass_on_signals(scratch) as stop:
        status = subprocess.run(
            child_command([sys.executable, *command], cores),
            env={**os.environ, "BERT_TIMINGS": ""},
            start_new_session=True,
            check=False,
        ).returncode
    if not status:
        return
    found = endings.endings(scratch)
    if stop.asked:
        raise Stopped(f"{stage}: stopped as asked", run=f"dvc repro {stage}")
    if _out_of_memory(found, status == -signal.SIGKILL, killed_before):
        raise _too_large()
    raise StageError(f"{stage} ended with {status}; its own message stands above", run=f"dvc repro {stage}")


def largest(most: int, least: int, split: SplitFor, micro_batch: int) -> int | None:
    """The largest number of ranks from `most` down to `least` that can share the global batch; None if none can.

    micro_batch: rows that a rank holds at a time. They stay, so that the memory does; a rank accumulates more of them.
    """
    for ranks in range(most, least - 1, -1):
        try:
            rows = split(ranks).rows_per_rank
        except StageError:
            continue
        if rows % micro_batch == 0:
            return ranks
    return None


def _progress(scratch: Path) -> int:
    """Steps in the newest checkpoints of a scratch; of fine-tuning and its control together."""
    newest: dict[Path, int] = {}
    for mark in scratch.rglob("checkpoints/step-*.json"):
        newest[mark.parent] = max(newest.get(mark.parent, 0), int(mark.stem.removeprefix("step-")))
    return sum(newest.values())


def _ended(attempt: _Attempt, stop: StopRequest) -> StageError:
    """The error of a job that is not started again."""
    if stop.asked:
        return Stopped("stopped as asked; what the first rank has saved stands above", run="dvc repro: it goes on")
    if attempt.out_of_memory:
        return _too_large()
    return StageError(
        f"a rank failed (horovodrun ended with {attempt.status}); its own message stands above",
        run="dvc repro: it goes on from the last checkpoint",
    )


def _too_large() -> endings.OutOfMemory:
    return endings.OutOfMemory(
        "a process ran out of memory, or was killed by the kernel for want of it", run=endings.LESS_MEMORY
    )


def launch(
    stage: str, command: Sequence[str], scratch: Path, split: SplitFor | None, machine: MachineSettings
) -> Launched:
    """Run `python command`, such as -m stages.squad ..., as BERT_RANKS processes; returns when all have succeeded.

    SIGTERM and Ctrl-C are passed on: the first rank saves, and then all end.

    Args:
        stage: DVC's name of it.
        scratch: the folder that the ranks share.
        split: how a number of ranks cuts the global batch; raises StageError where it cannot. None: the result depends
            on the ranks, so that fewer are no way to go on.

    Raises:
        StageError: Horovod is not installed, a rank failed, ranks were lost beyond BERT_MIN_RANKS, or the run was asked
            to stop.
    """
    ranks, least = machine.wanted_ranks, machine.min_ranks
    hosts = hosts_for(ranks, machine)
    if least is not None and least > ranks:
        raise StageError(f"BERT_MIN_RANKS is {least}, more than the {ranks} of BERT_RANKS", run="set it to fewer")
    micro_batch = split(ranks).micro_batch if least is not None and split is not None else None
    variables = {"BERT_MICRO_BATCH": f"{stage}={micro_batch}"} if micro_batch else {}
    restarts, in_vain, before = 0, 0, _progress(scratch)
    with pass_on_signals(scratch) as stop:
        while True:
            log.info("%d ranks on %s", ranks, joined(hosts))
            attempt = _start([sys.executable, *command], ranks, hosts, scratch, machine, variables)
            if not attempt.status:
                return Launched(ranks, joined(hosts), restarts)
            if stop.asked or attempt.lost is None or least is None or split is None or micro_batch is None:
                raise _ended(attempt, stop)
            now = _progress(scratch)
            in_vain = 0 if now > before else in_vain + 1
            before = now
            if in_vain >= MAX_IN_VAIN:
                raise StageError(
                    f"ranks were lost {in_vain} times in a row, and not one step was taken in between",
                    run="see what stands above; dvc repro goes on from the last checkpoint",
                )
            gone = [f"rank {rank} on {host_of(rank, hosts)}" for rank in attempt.lost]
            left = without(hosts, attempt.lost)
            hosts = reachable(left, machine)
            gone += [f"host {host.name}, which does not answer" for host in left if host not in hosts]
            fewer = largest(min(ranks, sum(host.slots for host in hosts)), least, split, micro_batch)
            if fewer is None:
                raise StageError(
                    f"lost {_listed(gone)}; on {joined(hosts) or 'no host'} no number of ranks from {least} "
                    "(BERT_MIN_RANKS) on can share the batch",
                    run="dvc repro with the ranks that are left: it goes on from the last checkpoint",
                )
            ranks, restarts = fewer, restarts + 1
            log.warning("lost %s: going on from the last checkpoint, ranks: %d", _listed(gone), ranks)


def _listed(gone: Sequence[str]) -> str:
    return ", ".join(gone) if gone else "no rank, but ranks have lost each other"
