"""README.md: the way back from an experiment, in a small project whose results lie where the pipeline's do."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.dvc import ran, run
from tests.pages import blocks

TRAIN = """\
from pathlib import Path
for file in ("data/model", "metrics/loss.json", "metrics/curves/loss.tsv"):
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(Path("params.yaml").read_text().split()[1])
"""
PIPELINE = """\
stages:
  train:
    cmd: python train.py
    params: [precision]
    outs: [data/model]
    metrics: [{metrics/loss.json: {cache: false}}, {metrics/curves/loss.tsv: {cache: false}}]
"""


def way_back() -> str:
    """The last command of README's block that runs an experiment in another precision."""
    (block,) = [block for block in blocks("README.md") if "dvc exp run -n at-bf16" in block.text]
    *_, last = block.commands()
    return " ".join(shlex.split(last, comments=True))


def test_it_leaves_nothing_to_run_and_one_s_own_changes_as_they_are(tmp_path: Path) -> None:
    run(tmp_path, "git", "init", "-q", "-b", "ours")
    run(tmp_path, "dvc", "init", "-q")
    files = {"train.py": TRAIN, "dvc.yaml": PIPELINE, "params.yaml": "precision: fp32\n", "notes.md": "committed\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    run(tmp_path, "dvc", "repro", "-q")
    run(tmp_path, "git", "add", "-A")
    run(tmp_path, "git", "commit", "-qm", "Our run")
    (tmp_path / "notes.md").write_text("mine\n")

    run(tmp_path, "dvc", "exp", "run", "-n", "at-bf16", "-S", "precision=bf16")
    assert (tmp_path / "data/model").read_text() == "bf16"
    (tmp_path / "new.md").write_text("mine too\n")
    run(tmp_path, "bash", "-c", way_back())

    assert (tmp_path / "data/model").read_text() == (tmp_path / "metrics/curves/loss.tsv").read_text() == "fp32"
    assert ran(run(tmp_path, "dvc", "repro")) == []
    assert run(tmp_path, "git", "status", "--short").stdout == " M notes.md\n?? new.md\n"
    assert run(tmp_path, "git", "branch", "--show-current").stdout == "ours\n"
    assert (tmp_path / "notes.md").read_text() == "mine\n"
