"""What DVC runs again when one task of GLUE, or of one's own, changes: real DVC, with a model of two layers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bert.checkpoints.exporters import exported, write_hugging_face
from bert.checkpoints.folder import Model
from bert.model.parameters import pretraining_shapes
from bert.pipeline.code import ROOT
from tests.dvc import ran, run
from tests.model.reference import random_weights
from tests.stages.finetuning import CONFIG, PIECES
from tests.tasks.glue.own_tasks import SETTINGS, write

pytestmark = pytest.mark.slow

TRAINED = {"max_seq_length": 16, "epochs": 1, "batch_size": 4, "learning_rate": 0.001, "warmup_proportion": 0.1}
SENTENCES = "sentence\tlabel\nit is cold\t1\nit is dark\t0\n"
REVIEWS = "title,stars\nit is cold,bad\nit is dark,good\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name in ("bert", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, folder / name)
    write(folder / "mine", {"SST-2/train.tsv": SENTENCES, "SST-2/dev.tsv": SENTENCES})
    write(folder / "mine", {"reviews/train.csv": REVIEWS, "reviews/dev.csv": REVIEWS})
    given = folder / "theirs"
    given.mkdir()
    (given / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    model = Model(CONFIG, random_weights(pretraining_shapes(CONFIG), seed=1), given / "vocab.txt")
    write_hugging_face(given, exported(model, "make it anew"))
    yaml = YAML()
    params = yaml.load((folder / "params.yaml").read_text())
    params |= {"xla": False}
    params["import_checkpoint"]["source"] = [{"url": "theirs"}]
    params["finetune"] |= {"init": "imported", "controls": []}
    params["download"]["glue"] = [{"url": "mine"}]
    own = SETTINGS | {"text": "title"} | TRAINED | {"reinit_layers": 0}
    params["glue"] |= {"data": "download", "tasks": ["sst2", "reviews"], "reviews": own}
    params["glue"]["sst2"] |= TRAINED
    with open(folder / "params.yaml", "w") as f:
        yaml.dump(params, f)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    return folder


def test_a_task_alone_runs_again_when_its_files_or_its_section_change(repo: Path) -> None:
    """Without the corpus and the cloze data, which a download does not need."""
    first = ran(run(repo, "dvc", "repro", "glue"))
    assert sorted(first) == sorted(
        [
            "code",
            "download@glue",
            "import_checkpoint",
            "glue_data@sst2",
            "glue_data@reviews",
            "glue@sst2",
            "glue@reviews",
        ]
    )
    (repo / "mine/reviews/train.csv").write_text(REVIEWS + "it is far,good\n")
    assert ran(run(repo, "dvc", "repro", "-f", "-s", "download@glue")) == ["download@glue"]
    assert sorted(ran(run(repo, "dvc", "repro", "glue"))) == ["glue@reviews", "glue_data@reviews", "glue_data@sst2"]
    yaml = YAML()
    params = yaml.load((repo / "params.yaml").read_text())
    params["glue"]["reviews"]["labels"] = ["good", "bad"]
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)
    assert ran(run(repo, "dvc", "repro", "--dry", "glue")) == ["glue_data@reviews", "glue@reviews"]
