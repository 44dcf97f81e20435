"""Data stages that are killed again and again, at random moments: they go on from their finished parts.

`BERT_KILLS` says how many kills a stage gets (default 2); `pytest -s` shows where they landed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bert.beam.part import MARK
from bert.documents.document import Document
from bert.pipeline import manifest
from tests.corpus import HEAD, PIECES, TAIL, page, sentence
from tests.download.server import serving
from tests.project import Project
from tests.stages.way import made, stages

KILLS = int(os.environ.get("BERT_KILLS", "2"))
RUNNERS = {
    "memory": "--direct_running_mode=in_memory",
    "processes": "--direct_running_mode=multi_processing --direct_num_workers=2",
}
LATEST = 1.5
"""Seconds from the first part of a run to its kill, at most: about what the whole of a corpus below takes."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 60 * KILLS)]


def texts(count: int, sentences: int) -> list[str]:
    """Different texts of so many sentences each, in a moment."""
    rng, chance = np.random.default_rng(1), random.Random(1)
    known = [sentence(rng) for _ in range(2000)]
    return [" ".join(chance.choices(known, k=sentences)) for _ in range(count)]


@contextmanager
def files_of_a_server(project: Project) -> Iterator[None]:
    """Sixteen files from a server that takes 0.3 s for each, on two connections."""
    with serving() as server:
        server.files = {f"/{n}.txt": random.Random(n).randbytes(150_000) for n in range(16)}
        server.bytes_a_second = 500_000
        project.set(
            download={"wikipedia": [{"url": f"{server.base}{path}"} for path in server.files], "connections": 2}
        )
        yield


@contextmanager
def dumps(project: Project) -> Iterator[None]:
    """Eight files, each of which is large enough to be an item of its own (bert/documents/items.py)."""
    folder = project.path / "data/download/wikipedia"
    folder.mkdir(parents=True)
    body = texts(85, 600)
    for n in range(8):
        pages = [page(n * 85 + i, text, title=f"Page {n}-{i}") for i, text in enumerate(body)]
        (folder / f"{n:02d}.xml").write_text("".join([HEAD, *pages, TAIL]))
    manifest.write(folder, [{"path": f"{n:02d}.xml", "url": "https://example.org/dump"} for n in range(8)])
    yield


@contextmanager
def documents(project: Project) -> Iterator[None]:
    """Sixteen files of documents, a few of them twice; as many buckets and two dozen shards."""
    project.set(shards={"train": 20, "test": 4, "duplicates": "near"})
    folder = project.path / "data/documents/wikipedia"
    folder.mkdir(parents=True)
    documents = [Document(f"wikipedia:{n}", "u", "", text) for n, text in enumerate(texts(1600, 100))]
    documents[1500:] = [Document(f"wikipedia:copy-{n}", "u", "", documents[n].text) for n in range(100)]
    for n in range(16):
        lines = b"".join(document.to_json() for document in documents[n::16])
        (folder / f"documents-{n:05d}.jsonl").write_bytes(lines)
    manifest.write(folder)
    yield


@contextmanager
def shards(project: Project) -> Iterator[None]:
    """Twenty shards of sentences, and the vocabulary of their words."""
    (project.path / "data").mkdir()
    (project.path / "data/vocab.txt").write_text("\n".join(PIECES) + "\n")
    for split, numbers in (("train", range(16)), ("test", range(16, 20))):
        folder = project.path / "data/shards" / split
        folder.mkdir(parents=True)
        for n in numbers:
            lines = [text.replace(". ", ".\n") + "\n" for text in texts(60 + n, 50)]
            (folder / f"{split}-{n:02d}.txt").write_text("\n".join(lines))
        manifest.write(folder)
    yield


INPUTS: dict[str, Callable[[Project], AbstractContextManager[None]]] = {
    "download": files_of_a_server,
    "documents": dumps,
    "shards": documents,
    "tfrecords": shards,
}


def finished(project: Project) -> int:
    """Parts under .scratch that are marked as whole."""
    # os.walk: the folders may vanish meanwhile.
    return sum(MARK in names for _, _, names in os.walk(project.path / ".scratch"))


def living(project: Project) -> list[int]:
    """The processes at work in the project's folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.resolve() == project.path.resolve() and int(link.parent.name) != os.getpid():
                found.append(int(link.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def killed(project: Project, stage: str, arguments: list[str], runner: str, seconds: float) -> bool:
    """Run the stage, and kill it so long after its first new part. False: it had come to its end by then."""
    before, began = finished(project), time.monotonic()
    process = project.start(stage, *arguments, leads=True, BERT_BEAM_OPTIONS=RUNNERS[runner], BERT_LOG="WARNING")
    try:
        while process.poll() is None and finished(project) <= before:  # in the imports a kill proves nothing
            assert time.monotonic() < began + 120, "no part in two minutes"
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        after = finished(project)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
    deadline = time.monotonic() + 60
    while left := living(project):  # a process that was killed takes a moment to go
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
    assert process.returncode in (0, -signal.SIGKILL), said
    landed = "ended" if process.returncode == 0 else f"killed {seconds:.2f} s after its first part"
    print(f"{stage}, {runner}: {before} -> {after} parts, {landed}")
    return process.returncode != 0


@pytest.mark.parametrize("stage", INPUTS)
def test_kills_at_random_moments_change_no_byte(stage: str, project: Project) -> None:
    """By turns in memory and in two processes, driver and workers at once. A run that comes to its end is compared."""
    chance = random.Random(stage)
    arguments, main = stages(project)[stage], import_module(f"stages.{stage}").main
    outs = [project.path / "data" / stage, project.path / "metrics"]

    def afresh() -> None:
        for out in (*outs, project.path / ".scratch"):
            shutil.rmtree(out, ignore_errors=True)

    with INPUTS[stage](project):
        main(arguments)
        undisturbed = made(project)
        afresh()
        kills = 0
        while kills < KILLS:
            runner = list(RUNNERS)[kills % 2]
            if killed(project, stage, arguments, runner, chance.uniform(0, LATEST)):
                kills += 1
                half = {path: data for path, data in made(project).items() if ".publishing" not in path}
                assert half.items() <= undisturbed.items(), "nothing half-written is ever under --out"
            else:
                assert made(project) == undisturbed
                afresh()
        main(arguments)
        assert made(project) == undisturbed
