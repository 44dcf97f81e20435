"""The machines that ranks run on: `BERT_HOSTS` and how they are reached.

`BERT_HOSTS` is `host1:8,host2:8`, a name and the number of ranks that it may hold, as horovodrun takes it; without, all
ranks are here. Other hosts are reached by ssh without a password, with `BERT_SSH_PORT` and `BERT_SSH_IDENTITY` (a key's
file) where they differ from what ~/.ssh/config says. `BERT_NETWORK_INTERFACE` is the interface that ranks talk through,
of the same name on all hosts; without, horovodrun looks for one that all have.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from bert.pipeline.errors import StageError

# Of one host: whether it answers is asked after a rank of it may be gone.
SSH_SECONDS = 15
_HOST = re.compile(r"(?P<name>[^\s:,]+):(?P<slots>[1-9][0-9]*)")


@dataclass(frozen=True)
class Host:
    """A machine and how many ranks it may hold."""

    name: str
    slots: int


def wanted_ranks() -> int:
    """BERT_RANKS; by default as many as BERT_HOSTS has room for, or 1. Raises StageError where it makes no sense."""
    told = os.environ.get("BERT_RANKS")
    if told is None:
        return sum(host.slots for host in _told_hosts()) or 1
    if not told.isdecimal() or int(told) < 1:
        raise StageError(f"BERT_RANKS is {told!r}, expected a positive number", run="unset BERT_RANKS, or correct it")
    return int(told)


def _told_hosts() -> list[Host]:
    told = os.environ.get("BERT_HOSTS", "").strip()
    hosts = []
    for entry in told.split(",") if told else []:
        match = _HOST.fullmatch(entry.strip())
        if match is None:
            raise StageError(
                f"BERT_HOSTS is {told!r}: expected host:ranks,... but {entry.strip()!r} is none",
                run="correct it, such as BERT_HOSTS=host1:8,host2:8",
            )
        hosts.append(Host(match["name"], int(match["slots"])))
    if len({host.name for host in hosts}) < len(hosts):
        raise StageError(f"BERT_HOSTS is {told!r}: a host stands there twice", run="give each host once, with a sum")
    return hosts


def wanted_hosts(ranks: int) -> list[Host]:
    """BERT_HOSTS; by default this machine alone. Raises StageError where it makes no sense or has too little room."""
    hosts = _told_hosts() or [Host("localhost", ranks)]
    room = sum(host.slots for host in hosts)
    if room < ranks:
        raise StageError(
            f"BERT_RANKS is {ranks}, but BERT_HOSTS has room for {room}: {as_told(hosts)}",
            run=f"set BERT_RANKS to {room} at most, or more ranks a host",
        )
    return hosts


def as_told(hosts: Iterable[Host]) -> str:
    """As BERT_HOSTS says it, and horovodrun's -H."""
    return ",".join(f"{host.name}:{host.slots}" for host in hosts)


def host_of(rank: int, hosts: Sequence[Host]) -> str:
    """Where a rank runs: horovodrun fills the hosts up in their order."""
    for host in hosts:
        if rank < host.slots:
            return host.name
        rank -= host.slots
    raise ValueError(f"no host has room for that rank: {as_told(hosts)}")


def without(hosts: Sequence[Host], ranks: Iterable[int]) -> list[Host]:
    """The hosts with a place less for each of `ranks`; a host without places is left out."""
    gone = [host_of(rank, hosts) for rank in ranks]
    left = [replace(host, slots=host.slots - gone.count(host.name)) for host in hosts]
    return [host for host in left if host.slots > 0]


def _ssh_settings() -> tuple[str | None, str | None]:
    """BERT_SSH_PORT and BERT_SSH_IDENTITY."""
    port = os.environ.get("BERT_SSH_PORT")
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
        raise StageError(f"BERT_SSH_PORT is {port!r}, expected a port", run="unset BERT_SSH_PORT, or correct it")
    return port, os.environ.get("BERT_SSH_IDENTITY")


def network_flags(hosts: Iterable[Host]) -> list[str]:
    """What horovodrun has to be told about the way to the hosts. On this one alone, ranks talk through its loopback."""
    if all(is_here(host.name) for host in hosts):
        return []
    port, identity = _ssh_settings()
    interface = os.environ.get("BERT_NETWORK_INTERFACE")
    return [
        *(["--network-interface", interface] if interface else []),
        *(["--ssh-port", port] if port else []),
        *(["--ssh-identity-file", identity] if identity else []),
    ]


def is_here(name: str) -> bool:
    """Whether `name` is this machine: one can listen at its address."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


def _answers(host: Host) -> bool:
    """Whether a rank could be started there."""
    if is_here(host.name):
        return True
    port, identity = _ssh_settings()
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", f"ConnectTimeout={SSH_SECONDS}"]
    flags = [*(["-p", port] if port else []), *(["-i", identity] if identity else [])]
    try:
        done = subprocess.run(
            ["ssh", *options, *flags, host.name, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2 * SSH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def that_answer(hosts: Sequence[Host]) -> list[Host]:
    """Those of `hosts` on which a rank could be started."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        return [host for host, there in zip(hosts, pool.map(_answers, hosts), strict=True) if there]
