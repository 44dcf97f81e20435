"""Slurm's words for a job's nodes -> BERT_HOSTS.

    scontrol show hostnames "$SLURM_JOB_NODELIST" | python -m setup.slurm "$SLURM_TASKS_PER_NODE"

The list of nodes is expanded by scontrol; SLURM_TASKS_PER_NODE says how many ranks each has, such as `8(x3),4`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

_COUNT = re.compile(r"(?P<tasks>[1-9][0-9]*)(\(x(?P<times>[1-9][0-9]*)\))?")


def tasks_of_nodes(tasks_per_node: str) -> list[int]:
    """`8(x3),4` -> [8, 8, 8, 4]. Raises ValueError where it is none of Slurm's."""
    tasks = []
    for entry in tasks_per_node.strip().split(","):
        match = _COUNT.fullmatch(entry)
        if match is None:
            raise ValueError(f"SLURM_TASKS_PER_NODE is {tasks_per_node!r}: expected numbers such as 8(x3),4")
        tasks += [int(match["tasks"])] * int(match["times"] or 1)
    return tasks


def bert_hosts(nodes: Sequence[str], tasks_per_node: str) -> str:
    """BERT_HOSTS of `nodes`, in their order. Raises ValueError where the numbers do not fit them."""
    tasks = tasks_of_nodes(tasks_per_node)
    if len(tasks) != len(nodes):
        raise ValueError(
            f"SLURM_TASKS_PER_NODE is {tasks_per_node!r}, of {len(tasks)} nodes, but the job has {len(nodes)}"
        )
    return ",".join(f"{node}:{count}" for node, count in zip(nodes, tasks, strict=True))


if __name__ == "__main__":
    try:
        print(bert_hosts(sys.stdin.read().split(), sys.argv[1] if len(sys.argv) == 2 else ""))
    except ValueError as error:
        sys.exit(f"error: {error}\n  next: sbatch setup/slurm.sbatch, with --ntasks-per-node")
