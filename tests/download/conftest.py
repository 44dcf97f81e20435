from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bert.download.settings import DownloadSettings
from tests.download.run import Run
from tests.download.server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on the loopback with 300 kB under every path."""
    with serving() as running:
        running.body = bytes(range(251)) * 1200
        yield running


@pytest.fixture
def settings() -> DownloadSettings:
    return DownloadSettings(
        contact=None, connections=2, retries=2, timeout_seconds=5, dumps="http://127.0.0.1:1", mirrors=[]
    )


@pytest.fixture
def run(tmp_path: Path, settings: DownloadSettings) -> Run:
    return Run(tmp_path / "run", settings.model_copy(update={"retries": 0}))
