"""stages/tfrecords.py, and the whole way from a dump to TFRecords: the same bytes however it is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.tfrecords import main
from tests.corpus import HEAD, PIECES, TAIL, document, multistream, page
from tests.project import Project, files

INPUTS = ["--train", "data/shards/train", "--test", "data/shards/test", "--vocab", "data/vocab.txt"]


def arguments(project: Project) -> list[str]:
    lengths = ["--lengths", "metrics/lengths/phase1.tsv"]
    return ["--phase", "phase1", *INPUTS, *project.arguments("tfrecords", "phase1"), *lengths]


def sources(project: Project) -> None:
    """Two dumps and a vocabulary, and params.yaml that names them."""
    (project.path / "given").mkdir()
    for name, numbers in (("a", range(1, 25)), ("b", range(25, 40))):
        pages = [page(n, document(n)) for n in numbers]
        (project.path / "given" / f"{name}.xml.bz2").write_bytes(multistream(HEAD, *pages, TAIL))
    (project.path / "data").mkdir()
    (project.path / "data/vocab.txt").write_text("\n".join(PIECES) + "\n")
    project.set(download={"wikipedia": [{"url": "given/a.xml.bz2"}, {"url": "given/b.xml.bz2"}]})


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
    record = json.loads((project.path / "metrics/provenance/tfrecords/phase1.json").read_text())
    assert record["command"] == "dvc repro -f -s tfrecords@phase1"


def test_missing_shards_are_named(project: Project) -> None:
    with pytest.raises(StageError, match="data/shards/train: no such file or folder"):
        main(arguments(project))


def run_all(project: Project, **environment: str) -> dict[str, bytes]:
    """The data stages in processes of their own; every file that they publish."""
    project.run("download", "--source", "wikipedia", *project.arguments("download", "wikipedia"), **environment)
    out = project.arguments("documents", "wikipedia")
    project.run("documents", "--corpus", "wikipedia", "--source", "data/download/wikipedia", *out, **environment)
    project.run("shards", "--documents", "data/documents/wikipedia", *project.arguments("shards"), **environment)
    project.run("tfrecords", *arguments(project), **environment)
    metrics = {name: data for name, data in files(project.path / "metrics").items() if "provenance" not in name}
    return files(project.path / "data") | metrics


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_neither_workers_nor_hash_seed_nor_work_folder_change_a_byte(tmp_path: Path) -> None:
    """One run differs from the other in all three: if the bytes are equal, none of them matters."""
    made = []
    for name, environment in {
        "memory": {"PYTHONHASHSEED": "0"},
        "processes": {
            "PYTHONHASHSEED": "1",
            "BERT_BEAM_OPTIONS": "--direct_running_mode=multi_processing --direct_num_workers=2",
            "BERT_WORK": str(tmp_path / "work"),
        },
    }.items():
        project = Project.create(tmp_path / name)
        sources(project)
        made.append(run_all(project, **environment))
    assert made[0].keys() == made[1].keys()
    assert [path for path in made[0] if made[0][path] != made[1][path]] == []
    records = [path for path in made[0] if path.endswith(".tfrecord")]
    assert len(records) == 5 and all(made[0][path] for path in records)
    assert files(tmp_path / "work") == {}, "uploads and parts go with the runs"
