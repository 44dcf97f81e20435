"""What every test stands on: no settings of this machine, and a project folder of its own."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import settings

import stages  # noqa: F401  before TensorFlow, which then starts as it does in a stage: without its lines
from bert.pipeline.machine import variables
from tests.chromium import Browser
from tests.project import Project

settings.register_profile("tests", settings(), deadline=None)  # by the clock, an example fails where others run too
settings.load_profile("tests")

MACHINE_SETTINGS = (*variables(), "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: to look for garbage in it takes half as long again as all of the rest."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()  # nor in the tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with the most slow tests first: `make test` gives whole files to its workers."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def _no_machine_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own Beam runner or work folder must not decide what the tests see."""
    for name in MACHINE_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name in ("no_proxy", "NO_PROXY"):  # the loopback servers of the tests are not behind a proxy
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with the code, params.yaml and no data, as the working directory."""
    made = Project.create(tmp_path / "project")
    monkeypatch.chdir(made.path)
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Skips tests of pages where there is no browser."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with Browser(program, tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="session")
def horovod() -> None:
    """Skips tests of several ranks where Horovod is not installed."""
    if importlib.util.find_spec("horovod") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Horovod: CI installs it (make horovod), so that these tests are not skipped there")
        pytest.skip("no Horovod: make horovod")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty S3 bucket on the loopback, as a url."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3 = pytest.importorskip("boto3")
        boto3.client("s3").create_bucket(Bucket="work")
        yield "s3://work"
        # What is in it would be in the next server's, too: they share this process's memory.
        requests.post(f"http://{host}:{port}/moto-api/reset", timeout=60).raise_for_status()
    finally:
        server.stop()
