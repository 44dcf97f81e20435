"""stages/cloze.py: main() in a project folder, and as processes."""

from __future__ import annotations

import json

import pytest

from bert.pipeline.errors import StageError
from bert.pipeline.scratch import runs
from stages.cloze import main
from tests.cloze.made_up import CLOZE, document, write_folder
from tests.project import PARAMS, Project, files

FOLDERS = ("wikipedia", "books", "text")


@pytest.fixture
def ready(project: Project) -> Project:
    """Two configured folders and an empty one."""
    project.write_params({**PARAMS, "cloze": CLOZE})
    for name, numbers in (("wikipedia", range(8)), ("books", range(0)), ("text", range(20, 24))):
        write_folder(project.path / "data/documents" / name, [document(n, corpus=name) for n in numbers])
    return project


def arguments(project: Project) -> list[str]:
    return ["--documents", *(f"data/documents/{name}" for name in FOLDERS), *project.arguments("cloze")]


def test_both_sets_metrics_and_provenance_are_written(ready: Project) -> None:
    main(arguments(ready))
    assert set(files(ready.path / "data/cloze")) == {
        "squad/manifest.json",
        "squad/train-v1.1.json",
        "squad/dev-v1.1.json",
        "glue/manifest.json",
        "glue/MRPC/train.tsv",
        "glue/MRPC/dev.tsv",
    }
    metrics = json.loads((ready.path / "metrics/cloze.json").read_text())
    assert sum(metrics["documents"].values()) == 12
    # The overlap of a positive and its negative differ by 0.05 at most, and no threshold tells them apart.
    assert metrics["paraphrases"]["train"]["best_overlap_threshold_accuracy"] < 0.6
    record = json.loads((ready.path / ".scratch/provenance/cloze.json").read_text())
    assert record["stage"] == "cloze"
    assert runs() == []


def test_two_processes_with_different_hash_seeds_write_the_same_bytes(ready: Project) -> None:
    made = []
    for seed in ("1", "2"):
        ready.run("cloze", *arguments(ready), PYTHONHASHSEED=seed)
        made.append({**files(ready.path / "data/cloze"), "metrics": (ready.path / "metrics/cloze.json").read_bytes()})
    assert made[0] == made[1]


def test_another_seed_asks_other_questions_of_the_same_documents(ready: Project) -> None:
    def titles() -> dict[str, list[str]]:
        found = {}
        for split in ("train", "dev"):
            data = json.loads((ready.path / f"data/cloze/squad/{split}-v1.1.json").read_text())["data"]
            found[split] = [article["title"] for article in data]
        return found

    main(arguments(ready))
    before = files(ready.path / "data/cloze"), titles()
    ready.write_params({**PARAMS, "cloze": CLOZE, "seed": 8})
    main(arguments(ready))
    assert titles() == before[1] and files(ready.path / "data/cloze") != before[0]


def test_no_documents_at_all_is_an_error_and_leaves_nothing(project: Project) -> None:
    project.write_params({**PARAMS, "cloze": CLOZE})
    for name in FOLDERS:
        write_folder(project.path / "data/documents" / name, [])
    with pytest.raises(StageError, match="no source is configured"):
        main(arguments(project))
    assert not (project.path / "data/cloze").exists()


def test_a_missing_parameter_is_named(ready: Project) -> None:
    ready.write_params({**PARAMS, "cloze": {key: value for key, value in CLOZE.items() if key != "dev_share"}})
    with pytest.raises(StageError, match=r"cloze\.dev_share: is missing"):
        main(arguments(ready))
