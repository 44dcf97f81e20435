"""The machines that ranks run on, and how they are reached: BERT_HOSTS and its settings (bert/pipeline/machine.py).

Other hosts are reached by ssh without a password. Without BERT_HOSTS all ranks are here.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bert.pipeline.errors import StageError
from bert.pipeline.machine import Host, MachineSettings

# Of one host: whether it answers is asked after a rank of it may be gone.
SSH_SECONDS = 15


def hosts_for(ranks: int, machine: MachineSettings) -> list[Host]:
    """BERT_HOSTS; by default this machine alone. Raises StageError where they have too little room."""
    hosts = list(machine.hosts) or [Host("localhost", ranks)]
    room = sum(host.slots for host in hosts)
    if room < ranks:
        raise StageError(
            f"BERT_RANKS is {ranks}, but BERT_HOSTS has room for {room}: {joined(hosts)}",
            run=f"set BERT_RANKS to {room} at most, or more ranks a host",
        )
    return hosts


def joined(hosts: Iterable[Host]) -> str:
    """As BERT_HOSTS and horovodrun's -H have them. Example: host1:8,host2:8"""
    return ",".join(map(str, hosts))


def host_of(rank: int, hosts: Sequence[Host]) -> str:
    """Where a rank runs: horovodrun fills the hosts up in their order."""
    for host in hosts:
        if rank < host.slots:
            return host.name
        rank -= host.slots
    raise ValueError(f"no host has room for that rank: {joined(hosts)}")


def without(hosts: Sequence[Host], ranks: Iterable[int]) -> list[Host]:
    """The hosts with a place less for each of `ranks`; a host without places is left out."""
    gone = [host_of(rank, hosts) for rank in ranks]
    left = [host._replace(slots=host.slots - gone.count(host.name)) for host in hosts]
    return [host for host in left if host.slots > 0]


def network_flags(hosts: Iterable[Host], machine: MachineSettings) -> list[str]:
    """What horovodrun has to know of the way to the hosts. On this one alone, ranks talk through its loopback."""
    if all(is_here(host.name) for host in hosts):
        return []
    flags = {
        "--network-interface": machine.network_interface,
        "--ssh-port": machine.ssh_port,
        "--ssh-identity-file": machine.ssh_identity,
    }
    return [part for flag, value in flags.items() if value is not None for part in (flag, str(value))]


def is_here(name: str) -> bool:
    """Whether `name` is this machine: one can listen at its address."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


def _answers(host: Host, machine: MachineSettings) -> bool:
    """Whether a rank could be started there."""
    if is_here(host.name):
        return True
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", f"ConnectTimeout={SSH_SECONDS}"]
    if machine.ssh_port is not None:
        options += ["-p", str(machine.ssh_port)]
    if machine.ssh_identity is not None:
        options += ["-i", machine.ssh_identity]
    try:
        done = subprocess.run(
            ["ssh", *options, host.name, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2 * SSH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def reachable(hosts: Sequence[Host], machine: MachineSettings) -> list[Host]:
    """Those of `hosts` on which a rank could be started."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        answers = pool.map(lambda host: _answers(host, machine), hosts)
        return [host for host, there in zip(hosts, answers, strict=True) if there]
