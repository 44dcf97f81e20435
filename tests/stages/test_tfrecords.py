"""stages/tfrecords.py in a project folder."""

from __future__ import annotations

import json

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.tfrecords import main
from tests.corpus import PIECES, document
from tests.project import Project, files

INPUTS = ["--train", "data/shards/train", "--test", "data/shards/test", "--vocab", "data/vocab.txt"]


def arguments(project: Project) -> list[str]:
    lengths = ["--lengths", "metrics/lengths/phase1.tsv"]
    return ["--phase", "phase1", *INPUTS, *project.arguments("tfrecords", "phase1"), *lengths]


def test_records_metrics_and_provenance_are_written(project: Project) -> None:
    for split, numbers in (("train", range(10)), ("test", range(10, 16))):
        folder = project.path / "data/shards" / split
        folder.mkdir(parents=True)
        (folder / f"{split}-0.txt").write_text("\n".join(document(n) + "\n" for n in numbers))
        manifest.write(folder, [{"path": f"{split}-0.txt"}])
    (project.path / "data/vocab.txt").write_text("\n".join(PIECES) + "\n")
    main(arguments(project))
    assert list(files(project.path / "data/tfrecords/phase1")) == [
        "test/manifest.json",
        "test/test-0.tfrecord",
        "train/manifest.json",
        "train/train-0.tfrecord",
    ]
    metrics = json.loads((project.path / "metrics/tfrecords/phase1.json").read_text())
    assert metrics["train"]["examples"] > metrics["test"]["examples"] > 0
    header, *rows = (project.path / "metrics/lengths/phase1.tsv").read_text().splitlines()
    assert header == "split\ttokens\tsequences"
    assert sum(int(row.split("\t")[2]) for row in rows) == sum(metrics[s]["examples"] for s in ("train", "test"))
    record = json.loads((project.path / ".scratch/provenance/tfrecords@phase1.json").read_text())
    assert record["command"] == "dvc repro -f -s tfrecords@phase1"


def test_missing_shards_are_named(project: Project) -> None:
    with pytest.raises(StageError, match="data/shards/train: no such file or folder"):
        main(arguments(project))
