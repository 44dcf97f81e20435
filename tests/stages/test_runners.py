"""The Beam stages on each runner that can be had on one machine: the same bytes, and of bad input one error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from bert.pipeline import manifest
from tests.project import Project
from tests.stages.portable import portable
from tests.stages.way import made, sources, stages

PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"
RUNNERS = ("memory", "processes", "portable")

pytestmark = pytest.mark.slow


@contextmanager
def options(runner: str, folder: Path) -> Iterator[str]:
    """BERT_BEAM_OPTIONS of a runner."""
    if runner == "portable":
        with portable(folder) as found:
            yield found
    else:
        yield {"memory": "--direct_running_mode=in_memory", "processes": PROCESSES}[runner]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the stages make in this very process."""
    project = Project.create(tmp_path_factory.mktemp("undisturbed") / "project")
    sources(project)
    before = Path.cwd()
    os.chdir(project.path)
    try:
        for stage, arguments in stages(project).items():
            import_module(f"stages.{stage}").main(arguments)
    finally:
        os.chdir(before)
    published = made(project)
    assert sum(bool(data) for path, data in published.items() if path.endswith(".tfrecord")) == 5
    return published


@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_makes_the_same_bytes(
    runner: str, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another hash seed and another place to work, too: if the bytes are equal, none of them matters."""
    project = Project.create(tmp_path / "project")
    sources(project)
    monkeypatch.setenv("PYTHONHASHSEED", str(1 + RUNNERS.index(runner)))  # the pool's, too
    if runner != "memory":
        monkeypatch.setenv("BERT_WORK", str(tmp_path / "work"))
    with options(runner, tmp_path) as given:
        for stage, arguments in stages(project).items():
            said = project.run(stage, *arguments, BERT_BEAM_OPTIONS=given)
            assert "Traceback" not in said
    published = made(project)
    assert published.keys() == undisturbed.keys()
    assert [path for path, data in published.items() if data != undisturbed[path]] == []
    assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == [], "uploads and parts go with it"


@pytest.mark.parametrize("runner", RUNNERS)
def test_of_bad_input_every_runner_tells_one_error_and_nothing_else(
    runner: str, project: Project, tmp_path: Path
) -> None:
    """Two files of four are broken, so that two workers find something at the same time."""
    folder = project.path / "data/download/text"
    folder.mkdir(parents=True)
    for name in "abcd":
        (folder / f"{name}.jsonl").write_text('{"text": "Long enough to be kept as a passage."}\n' * 1000)
    for name in "ad":
        with open(folder / f"{name}.jsonl", "a") as f:
            f.write("no JSON\n")
    manifest.write(folder, [{"path": f"{name}.jsonl", "url": f"https://example.org/{name}.jsonl"} for name in "abcd"])
    with options(runner, tmp_path) as given:
        flags = ["--corpus", "text", "--source", "data/download/text", *project.arguments("documents", "text")]
        process = project.start("documents", *flags, BERT_BEAM_OPTIONS=given, BERT_LOG="WARNING")
        _, said = process.communicate(timeout=240)
    assert process.returncode == 1
    # Beam's own workers say on stderr that they start.
    error, command = (line for line in said.splitlines() if not line.startswith(("INFO:", "WARNING:")))
    assert error.startswith("error: ") and ("a.jsonl" in error or "d.jsonl" in error)
    assert command.startswith("  next: ")
