"""Servers on the loopback that remotes are on: S3, SFTP, WebDAV. And a line that breaks, to one of the first two."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from tests.ports import HOST, free_port

SECONDS = 60
ALLOWED = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}'
)


@dataclass(frozen=True)
class Remote:
    """A remote as its users know it, and the objects in it as its server does.

    Attributes:
        options: of `dvc remote`, for .dvc/config
        secrets: those for .dvc/config.local
        refused: secrets that the server refuses
        read: the objects that are there, {name: bytes}
        write: gives an object other bytes
        remove: an object
    """

    url: str
    options: dict[str, str]
    secrets: dict[str, str]
    refused: dict[str, str]
    read: Callable[[], dict[str, bytes]]
    write: Callable[[str, bytes], Any]
    remove: Callable[[str], Any]

    def folder(self, name: str) -> Remote:
        """The part of it under a folder of its own."""
        prefix = f"{name}/"
        return replace(
            self,
            url=f"{self.url}/{name}",
            read=lambda: {key.removeprefix(prefix): b for key, b in self.read().items() if key.startswith(prefix)},
            write=lambda key, content: self.write(prefix + key, content),
            remove=lambda key: self.remove(prefix + key),
        )

    @property
    def port(self) -> int:
        endpoint = self.options.get("endpointurl")
        return int(self.options["port"]) if endpoint is None else urlsplit(endpoint).port or 0

    def at(self, port: int) -> Remote:
        """The same through another port."""
        there = {"endpointurl": f"http://{HOST}:{port}"} if "endpointurl" in self.options else {"port": str(port)}
        return replace(self, options=self.options | there)


@contextmanager
def serving(command: list[str], port: int, log: Path, **env: str) -> Iterator[None]:
    """A server's process, from when it listens."""
    with open(log, "w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | env) as process:
        try:
            until = time.monotonic() + SECONDS
            while True:
                with suppress(OSError), socket.create_connection((HOST, port), 1):
                    break
                assert process.poll() is None and time.monotonic() < until, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


@contextmanager
def s3(folder: Path) -> Iterator[Remote]:
    """A bucket that the owner of one pair of keys may use, and nobody else."""
    pytest.importorskip("moto.server")
    port = free_port()
    address = f"http://{HOST}:{port}"
    with serving([sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], port, folder / "moto.log"):
        first = {"endpoint_url": address, "region_name": "us-east-1"}
        anybody = first | {"aws_access_key_id": "anybody", "aws_secret_access_key": "anybody"}
        iam = boto3.client("iam", **anybody)
        iam.create_user(UserName="colleague")
        iam.put_user_policy(UserName="colleague", PolicyName="all", PolicyDocument=ALLOWED)
        key = iam.create_access_key(UserName="colleague")["AccessKey"]
        boto3.client("s3", **anybody).create_bucket(Bucket="team")
        # From here on signatures are checked.
        requests.post(f"{address}/moto-api/reset-auth", data="0", timeout=SECONDS).raise_for_status()
        secrets = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        client = boto3.client("s3", **first, **{f"aws_{name}": value for name, value in secrets.items()})

        def read() -> dict[str, bytes]:
            listed = client.list_objects_v2(Bucket="team").get("Contents", [])
            return {o["Key"]: client.get_object(Bucket="team", Key=o["Key"])["Body"].read() for o in listed}

        yield Remote(
            "s3://team",
            {"endpointurl": address, "region": "us-east-1"},
            secrets,
            secrets | {"secret_access_key": "wrong"},
            read,
            lambda name, content: client.put_object(Bucket="team", Key=name, Body=content),
            lambda name: client.delete_object(Bucket="team", Key=name),
        )


@contextmanager
def sftp(folder: Path) -> Iterator[Remote]:
    """OpenSSH's server that lets the owner of one key in. With `folder` as HOME, its host key is known."""
    pytest.importorskip("dvc_ssh", reason="no dvc-ssh: make environment")
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no OpenSSH server: apt-get install openssh-server")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it confines what it does not trust yet
    for name in ("host", "colleague", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "colleague.pub", folder / "authorized_keys")
    port = free_port()
    settings = {
        "ListenAddress": f"{HOST}:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "no",
        "StrictModes": "no",  # the folders above are open to all, as temporary ones are
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
    }
    ssh = folder / ".ssh"
    ssh.mkdir()
    (ssh / "known_hosts").write_text(f"* {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    objects = folder / "objects"
    objects.mkdir()
    with serving([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], port, folder / "sshd.log"):
        yield Remote(
            f"ssh://{HOST}{objects}",
            {"user": getpass.getuser(), "port": str(port)},
            {"keyfile": str(folder / "colleague")},
            {"keyfile": str(folder / "stranger")},
            lambda: _read(objects),
            lambda name, content: _overwrite(objects / name, content),
            lambda name: (objects / name).unlink(),
        )


@contextmanager
def webdav(folder: Path) -> Iterator[Remote]:
    """WsgiDAV that lets one user in who has the password. The remote's folder is there: DVC does not make it."""
    for module in ("dvc_webdav", "wsgidav", "cheroot"):
        pytest.importorskip(module, reason=f"no {module}: make environment")
    objects = folder / "shared" / "team"
    objects.mkdir(parents=True)
    port = free_port()
    settings = {
        "host": HOST,
        "port": port,
        "provider_mapping": {"/": str(objects.parent)},
        "simple_dc": {"user_mapping": {"*": {"colleague": {"password": "right"}}}},
    }
    (folder / "wsgidav.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "wsgidav.server.server_cli", "-c", str(folder / "wsgidav.json")]
    with serving(command, port, folder / "wsgidav.log"):
        yield Remote(
            f"webdav://{HOST}:{port}/team",
            {"user": "colleague"},
            {"password": "right"},
            {"password": "wrong"},
            lambda: _read(objects),
            lambda name, content: _overwrite(objects / name, content),
            lambda name: (objects / name).unlink(),
        )


def _read(objects: Path) -> dict[str, bytes]:
    return {str(path.relative_to(objects)): path.read_bytes() for path in objects.rglob("*") if path.is_file()}


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@contextmanager
def breaking(port: int, after: int) -> Iterator[int]:
    """A line to `port` that is dead for good once so many bytes have gone to the server. Its own port."""
    budget, lock = after, threading.Lock()
    ends: list[socket.socket] = []
    listener = socket.create_server((HOST, 0))

    def close_all() -> None:
        for end in (listener, *ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def pump(source: socket.socket, target: socket.socket, counted: bool) -> None:
        nonlocal budget
        with suppress(OSError):
            while data := source.recv(65536):
                if counted:
                    with lock:
                        budget -= len(data)
                    if budget < 0:
                        close_all()
                        return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((HOST, port), SECONDS)
                ends.extend((client, server))
                threading.Thread(target=pump, args=(client, server, True), daemon=True).start()
                threading.Thread(target=pump, args=(server, client, False), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        assert budget < 0, "the line has not been used up"
        close_all()
