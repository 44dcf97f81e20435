"""A page that is served in a thread, with a tiny model behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bert.ask.server import AskServer
from bert.tasks.squad.asking import Asker
from tests.tasks.squad.tiny_asker import tiny_asker

DOCUMENT = (
    "\n😀 The moon <b>is</b> far, & e\u0301 & 12.\r\n\tالقَمَرُ\u00a0فِي السَّمَاءِ. "
    + "abc, xyz. " * 200
    + "Moon! 👩\u200d👧\nEnd."
)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    return tiny_asker(tmp_path_factory.mktemp("asker"))


@contextmanager
def serving(asker: Any, host: str = "127.0.0.1", **options: Any) -> Iterator[AskServer]:
    """Answers until the end of the block."""
    given: dict[str, Any] = {"port": 0, "windows": 4, "n_best": 3, "document": DOCUMENT} | options
    with AskServer(asker, "models/<squad>", host=host, **given) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def server(asker: Asker) -> Iterator[AskServer]:
    with serving(asker) as found:
        yield found


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")
