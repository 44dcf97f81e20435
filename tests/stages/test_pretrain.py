"""stages/pretrain.py: both phases, as DVC runs them, on tiny data; ranks in tests/launch/test_ranks.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.checkpoints.folder import load_model
from bert.tokens.casing import write_casing
from stages.pretrain import main
from tests.stages.command import arguments
from tests.training import stage
from tests.training.stage import masked_lm_alone, metrics_of
from tests.training.tiny import PIECES

METRICS = {
    *("mlm_loss", "mlm_accuracy", "nsp_loss", "nsp_accuracy", "unigram_entropy", "nats_below_unigram"),
    *("best_step", "best_mlm_loss", "kept_step"),
    *("held_out_sequences", "held_out_predictions", "train_mlm_loss", "train_nsp_loss"),
    *(
        "sequences_per_second",
        "tokens_per_second",
        "steps",
        "global_batch",
        "ranks",
        "accumulation",
        "recompute",
        "epochs",
    ),
    *(
        "precision",
        "precision_effective",
        "xla",
        "attention",
        "skipped_steps",
        "rollbacks",
        "skipped_batches",
        "peak_rss_mb",
    ),
    *("allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"),
}


def test_both_phases_tell_the_same_metrics(pretrained: Path) -> None:
    for phase in ("phase1", "phase2"):
        metrics = metrics_of(pretrained, phase)
        assert metrics.keys() == METRICS
        assert 0 <= metrics["mlm_accuracy"] <= 1 and 0 <= metrics["nsp_accuracy"] <= 1
        assert metrics["nats_below_unigram"] == pytest.approx(metrics["unigram_entropy"] - metrics["mlm_loss"])
        assert 0 < metrics["unigram_entropy"] <= np.log(len(PIECES))
        assert metrics["tokens_per_second"] == pytest.approx(16 * metrics["sequences_per_second"], rel=0.01)
        assert (metrics["held_out_sequences"], metrics["ranks"], metrics["skipped_steps"]) == (13, 1, 0)
    assert metrics_of(pretrained, "phase1")["epochs"] == pytest.approx(40 * 8 / 60, abs=1e-4)
    assert metrics_of(pretrained, "phase1")["accumulation"] == 1
    assert metrics_of(pretrained, "phase2")["accumulation"] == 4


def test_phase_1_learns(pretrained: Path) -> None:
    curve = stage.curve(pretrained, "phase1")
    assert [row["step"] for row in curve] == list(range(1, 41))
    assert curve[0]["mlm_loss"] == pytest.approx(np.log(len(PIECES)), rel=0.05)
    assert curve[-1]["mlm_loss"] < curve[0]["mlm_loss"] - 0.1
    assert curve[4]["learning_rate"] == pytest.approx(0.01)


def test_phase_2_begins_with_the_weights_of_phase_1(pretrained: Path) -> None:
    # Its learning rate is 1e-9 here: what it ends with is what it began with, but for that.
    first, second = (load_model(pretrained / "data" / "models" / p, "dvc repro").weights for p in ("phase1", "phase2"))
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, rtol=0, atol=1e-6, err_msg=name)
    # The held-out records of the two are the same here, and so must their losses be.
    phase1, phase2 = metrics_of(pretrained, "phase1"), metrics_of(pretrained, "phase2")
    assert phase2["mlm_loss"] == pytest.approx(phase1["mlm_loss"], rel=1e-4)
    assert stage.curve(pretrained, "phase2")[0]["mlm_loss"] < stage.curve(pretrained, "phase1")[0]["mlm_loss"] - 0.1


def test_the_model_folder_is_complete(pretrained: Path) -> None:
    model = load_model(pretrained / "data" / "models" / "phase2", "dvc repro pretrain_phase2")
    assert model.vocab.read_bytes() == (pretrained / "data" / "vocab.txt").read_bytes()
    assert model.config.vocab_size == len(PIECES), "of the vocabulary at hand, not of the published model"
    # Fine-tuning has a dropout of its own: the model keeps the published rate, whatever phase 1 used.
    assert model.config.hidden_dropout_prob == 0.1


def test_only_under_dvc_scratch_is_left(pretrained: Path) -> None:
    assert len(list((pretrained / ".scratch").glob("pretrain_phase1-*"))) == 1
    assert not list((pretrained / ".scratch").glob("pretrain_phase2-*"))
    record = json.loads((pretrained / "metrics" / "provenance" / "pretrain_phase1.json").read_text())
    assert record["resumed_from_step"] == 0


def test_a_model_of_cased_records_is_cased_and_so_is_the_phase_after_it(here: Path) -> None:
    write_casing(here / "data", False)
    for path in sorted((here / "data" / "tfrecords").rglob("manifest.json")):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"do_lower_case": False}))
    stage.write_params(here, phase1={"steps": 1, "eval_every": None})
    main(stage.arguments())
    assert not load_model(here / "data/models/phase1", "dvc repro pretrain_phase1").do_lower_case
    # Phase 2 follows the model that it starts from, not the file beside data/vocab.txt.
    (here / "data" / "tokenizer_config.json").unlink()
    main(stage.arguments("phase2"))
    assert not load_model(here / "data/models/phase2", "dvc repro pretrain_phase2").do_lower_case


def test_masked_lm_alone_is_trained_without_packing_too(here: Path) -> None:
    masked_lm_alone(here)
    stage.write_params(here, phase1={"steps": 3, "eval_every": None})
    main(stage.arguments())
    assert METRICS - metrics_of(here, "phase1").keys() == {"nsp_loss", "nsp_accuracy", "train_nsp_loss"}


def of_seed(phase: str, seed: int, precision: str) -> list[str]:
    return arguments(f"stability_{phase}", item__seed=str(seed), item__precision=precision, pretrain__init="none")


FEW = {"steps": 4, "eval_every": None}


@pytest.fixture(scope="module")
def other_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which both phases have run under seed 8, at the default precision and at bf16; to be read only."""
    folder = tmp_path_factory.mktemp("other_seed")
    stage.write_project(folder)
    stage.write_params(folder, phase1=FEW)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DVC_STAGE", "stability_phase2")  # under DVC the scratch stays
        for precision in ("default", "bf16"):
            main(of_seed("phase1", 8, precision))
            with patch.context() as inner:
                inner.setattr("bert.training.pretraining.save_model", None)  # nobody calls it
                main(of_seed("phase2", 8, precision))
    return folder


@pytest.mark.slow
def test_both_phases_of_another_seed_or_precision_leave_their_metrics(other_seed: Path) -> None:
    found = {path.relative_to(other_seed / "metrics").as_posix() for path in (other_seed / "metrics").rglob("*")}
    names = [f"stability_{phase}/{p}-8.json" for phase in ("phase1", "phase2") for p in ("default", "bf16")]
    assert {name for name in found if "." in name} == {*names, *(f"provenance/{name}" for name in names)}, "no curve"
    metrics = [json.loads((other_seed / "metrics" / name).read_text()) for name in names]
    assert all(m.keys() == METRICS for m in metrics)
    assert [m["precision_effective"] for m in metrics] == ["fp32", "bf16"] * 2
    # Phase 2 hardly learns here: it shows whose phase 1 it started from.
    losses = [m["mlm_loss"] for m in metrics]
    assert losses[2:] == pytest.approx(losses[:2], rel=1e-6)
    assert losses[0] != pytest.approx(losses[1], rel=1e-6)
    assert [path.name for path in (other_seed / "data/models").iterdir()] == ["stability"]
    for scratch in (other_seed / ".scratch").glob("stability_phase2-*"):
        assert [path for path in scratch.iterdir() if path.is_dir()] == [], "no checkpoints"


@pytest.mark.slow
def test_a_run_of_a_seed_is_the_result_under_that_seed(here: Path, other_seed: Path) -> None:
    stage.write_params(here, phase1=FEW, seed=8)
    main(stage.arguments())
    ours = load_model(other_seed / "data/models/stability/default-8", "").weights
    theirs = load_model(here / "data/models/phase1", "").weights
    assert ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def assert_same_start(ours: Path, expected: Path, tolerance: float) -> None:
    """The first five steps, in which the schedules of runs of six and of forty steps are the same."""
    assert len(stage.curve(ours)) == 6
    for row, other in zip(stage.curve(ours)[:5], stage.curve(expected)[:5], strict=True):
        assert row["mlm_loss"] == pytest.approx(other["mlm_loss"], rel=tolerance)
        assert row["nsp_loss"] == pytest.approx(other["nsp_loss"], rel=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 5e-3), ("bf16", 2e-2)])
def test_16_bit_precisions_train_to_finite_losses_near_those_of_fp32(
    here: Path, pretrained: Path, precision: str, tolerance: float
) -> None:
    stage.write_params(here, precision=precision, phase1={"steps": 6})
    main(stage.arguments())
    metrics = metrics_of(here, "phase1")
    assert (metrics["precision"], metrics["precision_effective"]) == (precision, precision)
    assert all(np.isfinite(list(row.values())).all() for row in stage.curve(here))
    assert_same_start(here, pretrained, tolerance)


@pytest.mark.slow
def test_xla_and_accumulation_and_tf32_train_to_the_same_losses(
    here: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "2")
    stage.write_params(here, xla=True, precision="tf32", phase1={"steps": 6})
    main(stage.arguments())
    metrics = metrics_of(here, "phase1")
    assert (metrics["xla"], metrics["accumulation"], metrics["precision"]) == (True, 4, "tf32")
    if not tf.config.list_physical_devices("GPU"):
        assert metrics["precision_effective"] == "fp32", "a CPU has no TF32, and the metrics must not claim it"
    assert_same_start(here, pretrained, 1e-4 if metrics["precision_effective"] == "fp32" else 1e-2)
