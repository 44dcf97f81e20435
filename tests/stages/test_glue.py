"""Tests for stages/glue.py: a classifier that learns twenty pairs by heart, see tests/stages/finetuning.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from stages.glue import main
from stages.random_weights import main as make_random_weights
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import assert_same_weights, read
from tests.stages.killing import kill_after_checkpoint

PREDICTIONS, METRICS = Path("data/predictions/glue/mrpc.tsv"), Path("metrics/glue/mrpc.json")
MODEL = Path("data/models/glue/mrpc")
MRPC = arguments("glue", item__task="mrpc")
RESULTS = {
    *("accuracy", "f1", "count", "baselines", "train_examples", "dropped"),
    *("train_loss", "sequences_per_second", "steps", "global_batch", "ranks", "precision", "precision_effective"),
    *("xla", "skipped_steps", "rollbacks", "skipped_batches", "peak_rss_mb"),
    *("allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"),
}


@pytest.fixture(scope="module")
def classifying(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the pairs have been learned."""
    project = finetuning.write_project(tmp_path_factory.mktemp("classifying") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        main(MRPC)
    return project


def entries(folder: Path) -> dict[str, int]:
    """{entry in the cache of features: when it was written}"""
    return {mark.parent.name: mark.stat().st_mtime_ns for mark in (folder / ".scratch/features").glob("*/entry.json")}


def expected_predictions() -> str:
    """The label of each pair under its number in the file, of which row 7 was dropped."""
    rows = [f"{n + (n >= 7)}\t{label}" for n, (label, _, _) in enumerate(finetuning.pairs())]
    return "\n".join(["index\tprediction", *rows]) + "\n"


def test_what_was_learned_by_heart_is_told_apart(classifying: Project) -> None:
    metrics = read(classifying.path / METRICS)
    assert (metrics["accuracy"], metrics["f1"], metrics["count"]) == (100, 100, 20)
    assert metrics["baselines"]["majority"]["accuracy"] == 50
    assert (classifying.path / PREDICTIONS).read_text() == expected_predictions()


def test_the_metrics_say_what_was_done(classifying: Project) -> None:
    metrics = read(classifying.path / METRICS)
    assert metrics.keys() == RESULTS
    assert (metrics["train_examples"], metrics["steps"]) == (20, 150)
    assert metrics["dropped"]["dev"] == {"examples": 20, "blank sentence": 1}


def test_the_model_folder_is_complete(classifying: Project) -> None:
    model = load_model(classifying.path / MODEL, "dvc repro glue@mrpc")
    assert model.config == finetuning.CONFIG
    assert model.weights["output_weights"].shape == (2, finetuning.CONFIG.hidden_size)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bits(small: Project, classifying: Project) -> None:
    killed_at = kill_after_checkpoint(small, "glue", MRPC, "tuned")
    assert killed_at < read(classifying.path / METRICS)["steps"]
    assert not (small.path / MODEL).exists()
    main(MRPC)
    assert read(small.path / "metrics/provenance/glue/mrpc.json")["resumed_from_step"] >= killed_at
    assert files(small.path / MODEL) == files(classifying.path / MODEL)
    assert (small.path / PREDICTIONS).read_bytes() == (classifying.path / PREDICTIONS).read_bytes()
    ours, theirs = read(small.path / METRICS), read(classifying.path / METRICS)
    assert ours["train_loss"] == theirs["train_loss"]


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.usefixtures("horovod")
def test_two_ranks_learn_what_one_does(small: Project, classifying: Project) -> None:
    small.run("glue", *MRPC, BERT_RANKS="2")
    together, alone = read(small.path / METRICS), read(classifying.path / METRICS)
    assert (together["ranks"], alone["ranks"]) == (2, 1)
    for name in ("accuracy", "f1", "count", "baselines", "steps", "dropped"):
        assert together[name] == alone[name], name
    assert (small.path / PREDICTIONS).read_text() == expected_predictions()
    assert_same_weights(small.path / MODEL, classifying.path / MODEL, small.path / "data/models/phase2")


def test_a_run_of_the_stability_test_leaves_metrics_alone(small: Project) -> None:
    finetuning.write_params(small.path, glue__mrpc__epochs=0.5)
    before = files(small.path / "data")
    main(arguments("stability_run", item__task="mrpc", item__seed="3"))
    metrics = read(small.path / "metrics/stability_run/mrpc-3.json")
    assert metrics.keys() == RESULTS
    assert metrics["count"] == 20
    assert files(small.path / "data") == before


def test_a_control_starts_from_another_model_and_leaves_metrics_alone(small: Project) -> None:
    finetuning.write_params(small.path, glue__mrpc__epochs=0.5)
    make_random_weights(arguments("random_weights"))
    before = files(small.path / "data")
    main(arguments("glue_control", item__task="mrpc", item__init="random"))
    metrics = read(small.path / "metrics/glue_control/mrpc-random.json")
    assert metrics.keys() == RESULTS
    assert files(small.path / "data") == before
    features = entries(small.path)
    assert len(features) == 2
    main(MRPC)
    assert read(small.path / METRICS)["train_loss"] != metrics["train_loss"]
    assert entries(small.path) == features, "read, not made again"


def test_a_missing_file_names_the_stage_that_makes_it(small: Project) -> None:
    (small.path / "data/cloze/glue/MRPC/dev.tsv").unlink()
    with pytest.raises(StageError, match=r"MRPC/dev\.tsv: no such file") as error:
        main(MRPC)
    assert error.value.run == "dvc repro cloze"
