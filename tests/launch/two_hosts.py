"""Two hosts on one machine: two network namespaces with a cable between them, and an sshd in the second.

They share the file system, as hosts that train together share the repository's folder. Nothing in ~/.ssh is read or
written: keys and settings lie in a folder of the test.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ADDRESSES = ("10.77.0.1", "10.77.0.2")
INTERFACE, PORT = "cable", "2222"
TOOLS = ("ip", "ssh", "ssh-keygen", "sshd")


@dataclass(frozen=True)
class TwoHosts:
    """`spaces`: the names of the namespaces; `settings`: what the environment of a stage has to say."""

    spaces: tuple[str, str]
    settings: dict[str, str]

    def start(self, folder: Path, stage: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`python -m stages.<stage>` in `folder` on the first host."""
        return subprocess.Popen(
            [*_in(self.spaces[0]), sys.executable, "-m", f"stages.{stage}", *arguments],
            cwd=folder,
            env={**os.environ, **self.settings, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def cut(self) -> None:
        """Pull the cable: what is on its way is lost, and nobody is told."""
        _run("ip", "-n", self.spaces[1], "link", "set", INTERFACE, "down")

    def space_of(self, process: int) -> str:
        """The name of the namespace that a process is in."""
        there = [s for s in self.spaces if str(process) in _run("ip", "netns", "pids", s).split()]
        return there[0] if there else "the machine's own"


def _in(space: str) -> list[str]:
    return ["ip", "netns", "exec", space]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _find(tool: str) -> str | None:
    return shutil.which(tool, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin")


def _end_all_in(space: str) -> None:
    """Whatever runs in a namespace; it has been made here, so that this is nobody else's."""
    with suppress(subprocess.CalledProcessError):
        while processes := _run("ip", "netns", "pids", space).split():
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
            time.sleep(0.05)


def _remove(space: str) -> None:
    _end_all_in(space)
    with suppress(subprocess.CalledProcessError):
        _run("ip", "netns", "del", space)


def _write_ssh(folder: Path) -> tuple[Path, str]:
    """A key, the settings of an sshd that lets it in, and an `ssh` that keeps no record of hosts; (sshd's, PATH)."""
    for name in ("key", "host"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    settings = folder / "sshd_config"
    settings.write_text(
        f"Port {PORT}\nListenAddress {ADDRESSES[1]}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
        "PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
    )
    (folder / "bin").mkdir()
    ssh = folder / "bin" / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {_find("ssh")} -F none -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"\n')
    ssh.chmod(0o755)
    return settings, f"{ssh.parent}{os.pathsep}{os.environ['PATH']}"


@contextmanager
def two_hosts(folder: Path) -> Iterator[TwoHosts]:
    """Skips the test, saying why, where there can be none."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if missing := [tool for tool in TOOLS if _find(tool) is None]:
        pytest.skip(f"two hosts on one machine need {', '.join(missing)} (packages iproute2, openssh-server)")
    spaces = (f"bert-{os.getpid()}-1", f"bert-{os.getpid()}-2")
    try:
        try:
            for space in spaces:
                _run("ip", "netns", "add", space)
            ends = [["name", INTERFACE, "netns", space] for space in spaces]
            _run("ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
            for space, address in zip(spaces, ADDRESSES, strict=True):
                _run("ip", "-n", space, "addr", "add", f"{address}/24", "dev", INTERFACE)
                for interface in ("lo", INTERFACE):
                    _run("ip", "-n", space, "link", "set", interface, "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        settings, path = _write_ssh(folder)
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists
        sshd = subprocess.Popen(
            [*_in(spaces[1]), str(_find("sshd")), "-D", "-e", "-f", str(settings)], stderr=subprocess.PIPE, text=True
        )
        try:
            assert sshd.stderr is not None
            line = sshd.stderr.readline()
            assert "listening" in line, line
            yield TwoHosts(
                spaces,
                {
                    "PATH": path,
                    "BERT_HOSTS": ",".join(f"{address}:1" for address in ADDRESSES),
                    "BERT_NETWORK_INTERFACE": INTERFACE,
                    "BERT_SSH_PORT": PORT,
                    "BERT_SSH_IDENTITY": str(folder / "key"),
                },
            )
        finally:
            for space in spaces:
                _end_all_in(space)  # sessions of the sshd too: they hold its stderr
            sshd.communicate()
    finally:
        for space in spaces:
            _remove(space)
