"""Memory and processor time of a command, summed over all its processes, by Linux's /proc.

PSS, the proportional set size, counts a page that several processes share once: each has its part of it. So the sum is
what the processes take of the machine, which the sum of resident sizes is not.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Reading a process's map takes milliseconds: the watcher takes at most this share of one core's time.
MOST_WATCHING = 0.1
LEAST_PAUSE = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a command took.

    cpu_seconds: of all processes. peak_pss: in bytes. peak_own: of it, what is no page of a file (a library, a mapped
    input), which other programs of the machine may share. looks: how often memory was read.
    """

    seconds: float
    cpu_seconds: float
    peak_pss: int
    peak_own: int
    processes: int
    looks: int


def _stat(pid: int) -> tuple[int, float] | None:
    """(parent, processor seconds) of a process; None if it is gone."""
    with suppress(OSError):
        # The name before the last parenthesis may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS
    return None


def family(root: int) -> dict[int, float]:
    """{process: processor seconds} of `root` and all that descend from it."""
    stats = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    parents = {pid: stat for pid, stat in stats.items() if stat is not None}
    found, waiting = dict[int, float](), [root]
    while waiting:
        pid = waiting.pop()
        if pid in parents:
            found[pid] = parents[pid][1]
            waiting += [child for child, (parent, _) in parents.items() if parent == pid]
    return found


def pss(pid: int) -> tuple[int, int]:
    """Proportional set size of a process in bytes, and how much of it is no file's; zeros if it is gone."""
    with suppress(OSError):
        lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        sizes = {words[0]: 1024 * int(words[1]) for words in lines}
        return sizes["Pss:"], sizes["Pss_Anon:"]
    return 0, 0


def watched(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Usage:
    """Run a command to its end; what it took.

    Raises:
        RuntimeError: it failed; with what it wrote.
    """
    began = time.monotonic()
    cpu: dict[int, float] = {}
    peak = own = looks = 0
    with open(cwd / "said.txt", "w+") as said:
        process = subprocess.Popen(command, cwd=cwd, env=dict(environment), stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            look = time.monotonic()
            found = family(process.pid)
            sizes = [pss(pid) for pid in found]
            peak, own = max(peak, sum(size for size, _ in sizes)), max(own, sum(mine for _, mine in sizes))
            cpu |= found
            looks += 1
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(LEAST_PAUSE, (time.monotonic() - look) / MOST_WATCHING))
        seconds = time.monotonic() - began
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{said.read()[-4000:]}")
    return Usage(seconds, sum(cpu.values()), peak, own, len(cpu), looks)
