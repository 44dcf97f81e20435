"""Tests for stages/glue.py: a classifier that learns twenty pairs by heart, see tests/stages/finetuning.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from bert.tasks.glue.tasks import TASKS
from stages.glue import main
from stages.glue_data import main as make_examples
from stages.random_weights import main as make_random_weights
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import assert_same_weights, read
from tests.stages.killing import kill_after_checkpoint

PREDICTIONS, METRICS = Path("data/predictions/glue/mrpc/dev.tsv"), Path("metrics/glue/mrpc.json")
MODEL = Path("data/models/glue/mrpc")
MRPC = arguments("glue", item__task="mrpc")
RESULTS = {
    *("accuracy", "f1", "count", "baselines", "train_examples", "dropped"),
    *("train_loss", "sequences_per_second", "steps", "global_batch", "ranks", "precision", "precision_effective"),
    "inference_engine",
    *("xla", "attention", "skipped_steps", "rollbacks", "skipped_batches", "peak_rss_mb"),
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
    assert metrics["dropped"]["dev"] == {"examples": 20}


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


def stability_glue(seed: int, precision: str = "default") -> list[str]:
    return arguments("stability_glue", item__task="mrpc", item__seed=str(seed), item__precision=precision)


def test_a_run_of_the_stability_test_leaves_metrics_alone(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    finetuning.write_params(small.path, glue__mrpc__epochs=0.5)
    before = files(small.path / "data")
    monkeypatch.setenv("DVC_STAGE", "stability_glue@mrpc-default-3")  # under DVC the scratch stays
    monkeypatch.setattr("bert.tasks.finetuning.save_model", None)  # nobody calls it
    main(stability_glue(3))
    metrics = read(small.path / "metrics/stability_glue/mrpc-default-3.json")
    assert metrics.keys() == RESULTS
    assert (metrics["count"], metrics["precision"]) == (20, "fp32")
    assert files(small.path / "data") == before
    (scratch,) = (small.path / ".scratch").glob("stability_glue-mrpc-default-3-*")
    assert [path for path in scratch.iterdir() if path.is_dir()] == [], "no checkpoints, no predictions"


def test_a_run_of_the_stability_test_has_its_own_precision(small: Project) -> None:
    finetuning.write_params(small.path, glue__mrpc__epochs=0.5, precision="fp16")
    losses = {}
    for precision in ("default", "bf16"):
        main(stability_glue(3, precision))
        metrics = read(small.path / f"metrics/stability_glue/mrpc-{precision}-3.json")
        assert metrics["precision_effective"] == ("fp16" if precision == "default" else precision)
        losses[precision] = metrics["train_loss"]
    assert 0 < abs(losses["default"] - losses["bf16"]) < 0.02, losses


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--seed", "3", "--precision", "fp8"], "--precision: expected one of default, fp32, tf32, .*, got 'fp8'"),
        (["--precision", "bf16"], "--precision bf16: expected --seed beside it"),
    ],
)
def test_a_precision_that_is_none_or_of_no_run_is_an_error(small: Project, flags: list[str], said: str) -> None:
    with pytest.raises(StageError, match=said):
        main([*MRPC, *flags])
    assert not METRICS.exists()


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
    for file in ("dev.jsonl", "task.json"):
        (small.path / "data/glue/mrpc" / file).unlink()
        with pytest.raises(StageError, match=rf"data/glue/mrpc/{file}: no such file") as error:
            main(MRPC)
        assert error.value.run == "dvc repro glue_data@mrpc"


def read_predictions(path: Path) -> list[str]:
    """Those of all rows, from 0 on."""
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert header == ["index", "prediction"]
    assert [index for index, _ in rows] == [str(n) for n in range(len(rows))]
    return [label for _, label in rows]


def write_table(folder: Path, file: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A file of the official data."""
    path = folder / "data/download/glue" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join("\t".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")


SMALL = {"max_seq_length": 32, "batch_size": 8, "epochs": 60, "learning_rate": 0.005}


@pytest.mark.slow
def test_mnli_has_two_dev_sets_and_predicts_the_diagnostic_set(small: Project) -> None:
    names = {"1": "entailment", "0": "contradiction"}
    pairs = [(a, b, names[label]) for label, a, b in finetuning.pairs()]
    pairs += [(a, a, "neutral") for a, _, label in pairs if label == "entailment"]
    other = [(a, b, "neutral" if n < 3 else label) for n, (a, b, label) in enumerate(pairs[:12])]
    labelled, unlabelled = ("sentence1", "sentence2", "gold_label"), ("index", "sentence1", "sentence2")
    for split, rows in (("train", pairs), ("dev_matched", pairs), ("dev_mismatched", other)):
        write_table(small.path, f"MNLI/{split}.tsv", labelled, rows)
    ax = TASKS["mnli"].submissions[2]
    diagnostic = [(str(n), *pairs[n % len(pairs)][:2]) for n in range(ax.rows)]
    write_table(small.path, ax.file, unlabelled, diagnostic)
    finetuning.write_params(small.path, glue__data="download", **{f"glue__mnli__{k}": v for k, v in SMALL.items()})
    make_examples(arguments("glue_data", item__task="mnli", glue__data="download"))
    main(arguments("glue", item__task="mnli"))

    metrics = read(small.path / "metrics/glue/mnli.json")
    assert metrics.keys() == RESULTS - {"f1"} | {"mismatched"}
    assert (metrics["accuracy"], metrics["count"]) == (100, 30)
    majority = {"majority": {"accuracy": 41.6667}}  # contradiction, the first of three that are as frequent
    assert metrics["mismatched"] == {"accuracy": 75.0, "count": 12, "baselines": majority}
    assert metrics["dropped"].keys() == {"train", "dev_matched", "dev_mismatched"}
    folder = small.path / "data/predictions/glue/mnli"
    assert sorted(path.name for path in folder.iterdir()) == ["AX.tsv", "dev_matched.tsv", "dev_mismatched.tsv"]
    labels = [label for *_, label in pairs]
    assert read_predictions(folder / "dev_matched.tsv") == labels
    assert read_predictions(folder / "dev_mismatched.tsv") == labels[:12]
    assert read_predictions(folder / "AX.tsv") == [labels[n % len(labels)] for n in range(ax.rows)]


def test_a_regression_predicts_numbers(small: Project) -> None:
    """1.5 for a sentence and itself, 0.5 for it and another."""
    rows = [row for label, a, b in finetuning.pairs() if label == "1" for row in ((a, a, "1.5"), (a, b, "0.5"))]
    for split in ("train", "dev"):
        write_table(small.path, f"STS-B/{split}.tsv", ("sentence1", "sentence2", "score"), rows)
    finetuning.write_params(small.path, glue__data="download", **{f"glue__stsb__{k}": v for k, v in SMALL.items()})
    make_examples(arguments("glue_data", item__task="stsb", glue__data="download"))
    main(arguments("glue", item__task="stsb"))
    metrics = read(small.path / "metrics/glue/stsb.json")
    assert metrics.keys() == RESULTS - {"accuracy", "f1"} | {"pearson", "spearman"}
    assert metrics["baselines"].keys() == {"overlap"}
    predicted = np.array(read_predictions(small.path / "data/predictions/glue/stsb/dev.tsv"), float)
    expected = np.array([float(score) for *_, score in rows])
    assert np.abs(predicted - expected).max() < 0.4
    assert metrics["pearson"] == pytest.approx(100 * np.corrcoef(expected, predicted)[0, 1], abs=0.01)
    model = load_model(small.path / "data/models/glue/stsb", "dvc repro glue@stsb")
    assert model.weights["output_weights"].shape == (1, finetuning.CONFIG.hidden_size)
