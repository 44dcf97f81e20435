"""A small project under DVC, and its clones, that share through a remote."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

from tests.dvc import run
from tests.sharing.servers import Remote

SIZE = 400_000
"""Bytes of each of its large files."""
MODEL = "data/models/squad"
TEAM = "'remote \"team\"'"
# Of each seed another model: three files that do not compress, and one that all have.
TRAIN = """\
import json, random
from pathlib import Path
from ruamel.yaml import YAML
seed = YAML(typ="safe").load(Path("params.yaml"))["seed"]
out = Path("data/models/squad")
out.mkdir(parents=True)
random.seed(seed)
for name in ("weights", "moments", "vocab"):
    (out / name).write_bytes(random.randbytes(400_000))
(out / "corpus").write_text(Path("corpus.txt").read_text())
Path("metrics.json").write_text(json.dumps({"loss": seed / 10}))
"""
PIPELINE = """\
stages:
  squad:
    cmd: python train.py
    deps: [train.py, corpus.txt]
    params: [seed]
    outs: [data/models/squad]
    metrics:
      - metrics.json: {cache: false}
"""


def create(folder: Path) -> Path:
    """The project after a run with seed 1 and one with seed 2, without a remote."""
    folder.mkdir()
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    (folder / "train.py").write_text(TRAIN)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "corpus.txt").write_text("The corpus.\n")
    run(folder, "dvc", "add", "-q", "corpus.txt")
    for seed in (1, 2):
        set_seed(folder, seed)
        run(folder, "dvc", "repro", "-q")
    return folder


def set_seed(folder: Path, seed: int) -> None:
    (folder / "params.yaml").write_text(f"seed: {seed}\n")


def use(folder: Path, remote: Remote) -> None:
    """What `dvc remote` writes: the address for all, the secrets for this clone alone."""
    settings = {"url": remote.url, "verify": "true", **remote.options}
    _write(folder / ".dvc/config", {"core": {"analytics": "false", "remote": "team"}, TEAM: settings})
    sign_in(folder, remote.secrets)


def sign_in(folder: Path, secrets: dict[str, str]) -> None:
    _write(folder / ".dvc/config.local", {TEAM: secrets})


def _write(path: Path, sections: dict[str, dict[str, str]]) -> None:
    lines = [[f"[{name}]", *(f"{key} = {value}" for key, value in keys.items())] for name, keys in sections.items()]
    path.write_text("".join(f"{line}\n" for section in lines for line in section))


def commit(folder: Path) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-q", "--allow-empty", "-m", "next")


def clone(project: Path, folder: Path, remote: Remote) -> Path:
    """A colleague's."""
    run(project.parent, "git", "clone", "-q", str(project), str(folder))
    sign_in(folder, remote.secrets)
    return folder


def said(done: CompletedProcess[str]) -> str:
    return done.stdout + done.stderr
