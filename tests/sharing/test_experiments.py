"""Experiments: a queue over precisions, runs in a copy of the workspace, a kill in each, and sharing by a git server.

One repository for all, with the first training of the pipeline on a model of two layers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.tokens.casing import write_casing
from tests.dvc import SECONDS, environment, run
from tests.ports import HOST, free_port
from tests.sharing.servers import serving
from tests.training.stage import write_params, write_project

pytestmark = pytest.mark.slow

STAGE = "pretrain_phase1"
TOGETHER = ("code", "no_weights", STAGE)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records in DVC's cache, and the stages that train on them, of which none has run."""
    base = tmp_path_factory.mktemp("experiments")
    folder = base / "repo"
    folder.mkdir()
    for name in ("bert", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".dvcignore", folder / ".dvcignore")
    (folder / ".gitignore").write_text("__pycache__/\n.scratch/\n/dvclive/\n")
    pipeline = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())
    with open(folder / "dvc.yaml", "w") as f:
        YAML(typ="safe", pure=True).dump({"stages": {name: pipeline["stages"][name] for name in TOGETHER}}, f)
    write_project(folder)
    write_params(folder, {"steps": 100, "eval_every": None})  # enough of them to be caught at
    write_casing(folder / "data", True)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc/config", folder / ".dvc/config")
    run(folder, "dvc", "remote", "add", "-q", "-d", "team", str(base / "remote"))
    run(folder, "dvc", "add", "-q", "data/tfrecords/phase1", "data/vocab.txt", "data/tokenizer_config.json")
    run(folder, "dvc", "repro", "-q", "code", "no_weights")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "before any training")
    return folder


def wait_for(what: Callable[[], Any], why: str) -> Any:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(why)


def kill_a_training(repo: Path, goes_on: Callable[[], bool] = lambda: True) -> None:
    """SIGKILL for the one that works in the repository's scratch, once it has saved some steps."""

    def saved() -> list[int]:
        assert goes_on(), "it has ended before"
        marks = [mark for mark in repo.glob(".scratch/*/checkpoints/step-*.json") if int(mark.stem[5:]) >= 5]
        holders = [re.findall(r"process (\d+)", (mark.parents[1] / "lock").read_text()) for mark in marks]
        return [int(process) for (process,) in filter(None, holders) if Path(f"/proc/{process}").exists()]

    (process, *_) = wait_for(saved, "no checkpoint in the scratch of the repository")
    os.kill(process, signal.SIGKILL)


def start_queue(repo: Path, **env: str) -> None:
    """Without pipes: the worker would hold them, and whoever reads them would wait for its end."""
    command = ["dvc", "queue", "start", "-j", "1"]
    nowhere = subprocess.DEVNULL
    subprocess.run(command, cwd=repo, env=environment(**env), check=True, stdout=nowhere, stderr=nowhere)


def ended(repo: Path) -> dict[str, str]:
    """{experiment: its state in the queue}, {} while there is something to do, or a worker."""
    time.sleep(1)
    said = run(repo, "dvc", "queue", "status").stdout
    if "0 active, 0 idle" not in said or re.search("Queued|Running", said):
        return {}
    return {row.split()[1]: row.split()[-1] for row in said.splitlines() if re.match(r"[0-9a-f]{7} ", row)}


def metrics(repo: Path, *revisions: str) -> dict[str, Any]:
    diff = json.loads(run(repo, "dvc", "metrics", "diff", "--all", "--json", *revisions).stdout)
    found: dict[str, Any] = diff[f"metrics/{STAGE}.json"]
    return found


def test_a_killed_run_in_a_copy_of_the_workspace_goes_on_where_it_was(repo: Path) -> None:
    command = ["dvc", "exp", "run", "--temp", "-n", "in-a-copy", "-S", "seed=11", STAGE]
    with subprocess.Popen(command, cwd=repo, env=environment(BERT_SAVE_SECONDS="0"), stdout=subprocess.DEVNULL) as dvc:
        kill_a_training(repo, lambda: dvc.poll() is None)
        assert dvc.wait(SECONDS) != 0
    assert run(repo, "git", "for-each-ref", "refs/exps/*/*/in-a-copy").stdout == ""
    done = run(repo, *command)
    assert "going on from step" in done.stderr
    assert run(repo, "git", "status", "--porcelain").stdout == "", "the workspace has seen nothing of it"


@pytest.mark.timeout(900)
def test_a_queue_over_precisions_survives_the_kill_of_one(repo: Path) -> None:
    for precision in ("fp32", "bf16"):
        queued = ["dvc", "exp", "run", "--queue", "-n", f"at-{precision}", "-S", f"precision={precision}", STAGE]
        run(repo, *queued)
    start_queue(repo, BERT_SAVE_SECONDS="0")
    kill_a_training(repo)
    assert wait_for(lambda: ended(repo), "the queue has not gone on") == {"at-fp32": "Failed", "at-bf16": "Success"}
    run(repo, "dvc", "queue", "remove", "--failed")
    run(repo, "dvc", "exp", "run", "--queue", "-n", "at-fp32", STAGE)
    start_queue(repo)
    assert wait_for(lambda: ended(repo), "the queue has not ended")["at-fp32"] == "Success"
    assert "going on from step" in run(repo, "dvc", "queue", "logs", "at-fp32").stdout
    assert metrics(repo, "at-fp32", "at-bf16")["precision"] == {"old": "fp32", "new": "bf16"}


@pytest.fixture
def origin(repo: Path, tmp_path: Path) -> Iterator[str]:
    """A git server."""
    run(tmp_path, "git", "init", "-q", "--bare", "-b", "main", "bert.git")
    port = free_port()
    command = ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={tmp_path}"]
    with serving([*command, f"--listen={HOST}", f"--port={port}"], port, tmp_path / "git.log"):
        yield f"git://{HOST}:{port}/bert.git"


def test_an_experiment_comes_to_a_colleague_by_a_git_server(repo: Path, origin: str, tmp_path: Path) -> None:
    run(repo, "git", "remote", "add", "origin", origin)
    run(repo, "git", "push", "-q", "origin", "main")
    run(repo, "dvc", "exp", "push", "origin", "in-a-copy")
    there = tmp_path / "there"
    run(tmp_path, "git", "clone", "-q", origin, str(there))
    assert "in-a-copy" in run(there, "dvc", "exp", "list", "origin").stdout
    run(there, "dvc", "exp", "pull", "origin", "in-a-copy")
    run(there, "dvc", "exp", "apply", "in-a-copy")
    assert json.loads((there / f"metrics/{STAGE}.json").read_text()) == json.loads(
        run(repo, "git", "show", f"{exp_ref(repo, 'in-a-copy')}:metrics/{STAGE}.json").stdout
    )
    assert (there / "data/models/phase1/weights.safetensors").stat().st_size > 0
    assert "up to date" in run(there, "dvc", "status", STAGE).stdout


def exp_ref(repo: Path, name: str) -> str:
    return run(repo, "git", "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").stdout.strip()
