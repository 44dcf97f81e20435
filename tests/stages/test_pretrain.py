"""Tests for stages/pretrain.py: both phases, as DVC runs them, on tiny data; ranks in tests/launch/test_ranks.py."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.checkpoints.folder import Model, load_model, save_model
from bert.launch.stage import FINISHED
from bert.model.parameters import pretraining_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tokens.casing import write_casing
from stages.pretrain import main
from tests.model.reference import random_weights
from tests.project import Project, catches
from tests.training import stage
from tests.training.stage import metrics_of
from tests.training.tiny import CONFIG, LAMB, PIECES, write_records, write_vocab

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
    *("precision", "precision_effective", "xla", "skipped_steps", "rollbacks", "skipped_batches", "peak_rss_mb"),
    *("allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"),
}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which both phases have run; to be read and copied only."""
    folder = tmp_path_factory.mktemp("pretrained")
    stage.write_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BERT_MICRO_BATCH", "pretrain_phase2=2")
        patch.setenv("DVC_STAGE", "pretrain_phase1")  # under DVC the scratch stays until dvc.lock has the result
        main(stage.arguments("phase1"))
        patch.delenv("DVC_STAGE")
        main(stage.arguments("phase2"))
    return folder


@pytest.fixture
def here(project: Project) -> Path:
    """A project in which nothing has run, as the working directory."""
    stage.write_project(project.path)
    return project.path


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


def test_the_held_out_curve_is_of_the_weights_in_between(pretrained: Path) -> None:
    rows = stage.curve(pretrained, "phase1_held_out")
    assert [row["step"] for row in rows] == [20, 40]
    assert rows[0].keys() == {"step", "mlm_loss", "mlm_accuracy", "nsp_loss", "nsp_accuracy"}
    metrics = metrics_of(pretrained, "phase1")
    best = min(rows, key=lambda row: row["mlm_loss"])
    assert (metrics["best_step"], metrics["kept_step"]) == (best["step"], 40)
    assert metrics["best_mlm_loss"] == pytest.approx(best["mlm_loss"], rel=1e-5)
    assert [row["step"] for row in stage.curve(pretrained, "phase2_held_out")] == [4], "the last step in any case"


def test_the_best_weights_are_the_result_where_they_are_to_be_kept(here: Path) -> None:
    every = {"steps": 12, "learning_rate": 0.5, "warmup_steps": 0, "eval_every": 2, "eval_rows": 13}
    stage.write_params(here, phase1=every, pretrain={"keep": "best"})
    main(stage.arguments())
    stage.write_params(here, phase1=every)
    main(stage.arguments(out="last"))
    best, last = metrics_of(here, "phase1"), metrics_of(here, "last")
    rows = stage.curve(here, "phase1_held_out")
    assert rows == stage.curve(here, "last_held_out")
    assert best["best_step"] == last["best_step"] == min(rows, key=lambda row: row["mlm_loss"])["step"]
    assert best["best_step"] < 12, "or this test tells nothing"
    assert (best["kept_step"], last["kept_step"]) == (best["best_step"], 12)
    # All 13 held-out rows each time: the evaluation at the end is of the very weights that are kept.
    assert best["mlm_loss"] == pytest.approx(best["best_mlm_loss"], rel=1e-6)
    assert last["mlm_loss"] == pytest.approx(rows[-1]["mlm_loss"], rel=1e-5)


def test_without_evaluations_in_between_the_held_out_curve_is_the_end(here: Path) -> None:
    stage.write_params(here, phase1={"steps": 3, "eval_every": None})
    main(stage.arguments())
    metrics = metrics_of(here, "phase1")
    (row,) = stage.curve(here, "phase1_held_out")
    assert (row["step"], metrics["best_step"], metrics["kept_step"]) == (3, 3, 3)
    assert row["mlm_loss"] == pytest.approx(metrics["mlm_loss"], rel=1e-5)
    assert metrics["best_mlm_loss"] == metrics["mlm_loss"]


def test_the_best_of_no_evaluations_cannot_be_kept(here: Path) -> None:
    stage.write_params(here, phase1={"eval_every": None}, pretrain={"keep": "best"})
    with pytest.raises(StageError, match=r"pretrain\.keep is best, but pretrain\.phase1\.eval_every is null"):
        main(stage.arguments())


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


def test_records_of_another_vocabulary_name_the_stage_to_rerun(here: Path) -> None:
    stage.write_vocab_in(here, [*PIECES[:-1], "another"])
    with pytest.raises(StageError, match=r"records were made with another vocabulary \(40 pieces") as error:
        main(stage.arguments())
    assert error.value.run == "dvc repro tfrecords@phase1"


def test_records_of_another_casing_name_the_stage_to_rerun(here: Path) -> None:
    write_casing(here / "data", False)
    with pytest.raises(StageError, match=r"made with do_lower_case: true, but for .*vocab\.txt it is false") as error:
        main(stage.arguments())
    assert error.value.run == "dvc repro tfrecords@phase1"


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


def write_imported(folder: Path, pieces: list[str] = PIECES, cased: bool = False, without: str = "none") -> Model:
    """A model as stages/import_checkpoint.py leaves it, of another shape than params.yaml's."""
    config = CONFIG.model_copy(update={"hidden_act": "gelu_erf", "layer_norm_eps": 1e-5})
    weights = {
        name: 0.1 * value
        for name, value in random_weights(pretraining_shapes(config), seed=4).items()
        if without not in name
    }
    vocab = write_vocab(folder / "theirs.txt", pieces)
    save_model(folder / "data/models/imported", config, weights, vocab, do_lower_case=not cased)
    return load_model(folder / "data/models/imported", "")


def masked_lm_alone(folder: Path) -> None:
    """Records without labels of pairs, for both phases."""
    for phase in ("phase1", "phase2"):
        shutil.rmtree(folder / "data/tfrecords" / phase)
        for part, counts in (("train", [30, 10]), ("test", [13])):
            place = folder / "data/tfrecords" / phase / part
            write_records(place, counts, folder / "data/vocab.txt", seed=len(part), objective="mlm")


@pytest.mark.parametrize("without", ["none", "seq_relationship"])
def test_phase_1_goes_on_from_an_imported_model_in_its_shape_with_its_heads(here: Path, without: str) -> None:
    start = write_imported(here, without=without)
    if without != "none":
        masked_lm_alone(here)
    phase1 = {"steps": 2, "eval_every": None, "learning_rate": 1e-9}
    stage.write_params(here, phase1=phase1, pretrain={"init": "imported"})
    main(stage.arguments(init="imported"))
    model = load_model(here / "data/models/phase1", "")
    assert model.config == start.config, "and not of params.yaml's model"
    for name, value in start.weights.items():
        np.testing.assert_allclose(model.weights[name], value, rtol=0, atol=1e-6, err_msg=name)
    # Phase 2 follows as ever.
    main(stage.arguments("phase2"))
    assert load_model(here / "data/models/phase2", "").config == start.config


def test_masked_lm_alone_is_trained_without_packing_too(here: Path) -> None:
    masked_lm_alone(here)
    stage.write_params(here, phase1={"steps": 3, "eval_every": None})
    main(stage.arguments())
    assert METRICS - metrics_of(here, "phase1").keys() == {"nsp_loss", "nsp_accuracy", "train_nsp_loss"}


def test_without_init_an_import_changes_nothing(here: Path, pretrained: Path) -> None:
    write_imported(here)
    stage.write_params(here, phase1={"steps": 1, "eval_every": None})
    main(stage.arguments())
    main([a for a in stage.arguments(out="plain") if a not in ("--init", "data/models/none")])
    one, other = (here / "data/models" / name / "weights.safetensors" for name in ("phase1", "plain"))
    assert one.read_bytes() == other.read_bytes()
    assert load_model(one.parent, "").config == load_model(pretrained / "data/models/phase1", "").config


def test_an_imported_model_without_a_head_that_is_trained_is_refused(here: Path) -> None:
    write_imported(here, without="seq_relationship")
    with pytest.raises(StageError, match="data/models/imported: has no next-sentence head, "):
        main(stage.arguments(init="imported"))
    assert not (here / "data/models/phase1").exists()


def test_an_import_without_a_source_names_both_parameters(here: Path) -> None:
    manifest.write_unconfigured(here / "data/models/imported")
    with pytest.raises(StageError, match="data/models/imported is empty: its source is not configured") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == (
        "set import_checkpoint.source (or pretrain.init to none), then dvc repro import_checkpoint"
    )


def test_records_of_another_vocabulary_than_the_imported_models_name_vocab_source(here: Path) -> None:
    write_imported(here, [*PIECES[:-1], "another"])
    with pytest.raises(StageError, match=r"another vocabulary .* than data/models/imported/vocab\.txt") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == (
        "set vocab.source to {url: data/models/imported/vocab.txt} in params.yaml, then dvc repro tfrecords@phase1"
    )
    write_imported(here, cased=True)
    with pytest.raises(StageError, match=r"made with do_lower_case: true, but for .*imported/vocab\.txt") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == "set vocab.do_lower_case to false in params.yaml, then dvc repro tfrecords@phase1"


@pytest.mark.parametrize("part", ["train", "test"])
def test_records_longer_than_the_models_positions_are_an_error(here: Path, part: str) -> None:
    folder = here / "data" / "tfrecords" / "phase1" / part
    shutil.rmtree(folder)
    write_records(folder, [2], here / "data" / "vocab.txt", sequence=520)
    with pytest.raises(StageError, match="records are 520 tokens long but the model has positions for 512") as error:
        main(stage.arguments())
    assert "dvc repro tfrecords@phase1" in str(error.value)


def test_a_corrupt_record_ends_the_stage_with_its_own_message(here: Path) -> None:
    folder = here / "data" / "tfrecords" / "phase1" / "train"
    listed = json.loads((folder / manifest.NAME).read_text())
    for entry in listed["files"]:
        data = bytearray((folder / entry["path"]).read_bytes())
        data[100] ^= 1  # in the first record: one of them is met in the first epoch
        (folder / entry["path"]).write_bytes(data)
    with pytest.raises(StageError, match=r"\.tfrecord: record 0 .*checksum") as error:
        main(stage.arguments())
    assert error.value.run == "dvc repro tfrecords@phase1"


def test_a_batch_that_does_not_divide_names_the_parameter(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "3")
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH is 3, .*pretrain\.phase1\.batch_size 8 / 1 ranks"):
        main(stage.arguments())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"precision": "fp8"}, "params.yaml: precision: .*got 'fp8'"),
        ({"xla": "maybe"}, "params.yaml: xla"),
        ({"deterministic": "maybe"}, "params.yaml: deterministic"),
        ({"allreduce": "bf16"}, "params.yaml: allreduce"),
        ({"model": "huge"}, "model: 'huge' is none of tiny"),
        ({"phase1": {"steps": 0}}, "params.yaml: pretrain.phase1.steps: .*got 0"),
        ({"phase1": {"decay_from": "end"}}, "params.yaml: pretrain.phase1.decay_from: .*got 'end'"),
        ({"phase1": {"micro_batches": {"rows": 2, "mean": False, "clip": False}}}, "set micro_batches to null"),
        (
            {"phase1": {"micro_batches": {"rows": 3, "mean": True, "clip": True}}},
            r"micro_batches\.rows is 3, which does not divide the 8 rows .*pretrain\.phase1\.batch_size 8",
        ),
        (
            {
                "pretrain": {"optimizer": LAMB | {"clip_norm": 0}},
                "phase1": {"micro_batches": {"rows": 2, "mean": True, "clip": True}},
            },
            r"phase1\.micro_batches\.clip is true, but pretrain\.optimizer\.clip_norm is 0",
        ),
        ({"pretrain": {"dropout": 1.5}}, "params.yaml: pretrain.dropout: .*got 1.5"),
        ({"pretrain": {"keep": "first"}}, "params.yaml: pretrain.keep: .*got 'first'"),
        ({"phase1": {"eval_every": 0}}, "params.yaml: pretrain.phase1.eval_every: .*got 0"),
        ({"pretrain": {"drop": 0.1}}, "params.yaml: pretrain.drop: "),
    ],
)
def test_a_wrong_parameter_is_named_without_a_traceback(here: Path, changes: dict[str, object], named: str) -> None:
    stage.write_params(here, **changes)  # type: ignore[arg-type]
    with pytest.raises(StageError, match=named):
        main(stage.arguments())


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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_stopped_stage_goes_on_and_ends_with_the_same_bytes(
    number: signal.Signals, here: Path, pretrained: Path, project: Project
) -> None:
    """Killed, from its last checkpoint; asked to stop, from the step at which it saved."""
    saves = "0" if number == signal.SIGKILL else "1000"
    process = project.start("pretrain", *stage.arguments(), BERT_SAVE_SECONDS=saves)
    marks = here / ".scratch"
    deadline = time.monotonic() + 120
    # Of SIGINT Python has a handler from the start; that of the loop comes with the one for SIGTERM.
    while not (
        list(marks.glob("pretrain_phase1-*/checkpoints/step-*.json"))
        if number == signal.SIGKILL
        else catches(process.pid, signal.SIGTERM)
    ):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, number)
    said = process.communicate()[1]
    if number != signal.SIGKILL:
        assert process.returncode == 1 and "Traceback" not in said
        (mark,) = marks.glob("pretrain_phase1-*/checkpoints/step-*.json")
        assert f"pretrain_phase1: stopped as asked after step {int(mark.stem[5:])} of 40, saved" in said
    assert not (here / "data" / "models").exists()

    main(stage.arguments())
    resumed = json.loads((here / "metrics" / "provenance" / "pretrain_phase1.json").read_text())["resumed_from_step"]
    assert 0 < resumed < 40
    ours, theirs = here / "data" / "models" / "phase1", pretrained / "data" / "models" / "phase1"
    for name in ("weights.safetensors", "manifest.json"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    assert stage.curve(here) == stage.curve(pretrained)
    assert stage.curve(here, "phase1_held_out") == stage.curve(pretrained, "phase1_held_out")


@pytest.mark.slow
def test_a_disk_that_is_full_at_saving_is_one_error_and_the_next_run_is_whole(
    here: Path, pretrained: Path, project: Project
) -> None:
    """A limit on the size of files that the process writes stands for the disk's end."""
    process = project.start("pretrain", *stage.arguments(), BERT_SAVE_SECONDS="0")
    try:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    except (OSError, AttributeError) as error:
        process.kill()
        pytest.skip(f"the limits of another process cannot be set here: {error}")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in said
    assert "File too large; what has been done so far is kept\n  next: make room there, then dvc repro" in said
    assert not list((here / ".scratch").glob("pretrain_phase1-*/checkpoints/*")), "half a checkpoint takes up room"

    main(stage.arguments())
    name = "data/models/phase1/weights.safetensors"
    assert (here / name).read_bytes() == (pretrained / name).read_bytes()


@pytest.fixture
def finished(pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Phase 1 has finished, and DVC died before it wrote dvc.lock: the next repro deletes the outs and starts it."""
    folder = tmp_path / "copy"
    shutil.copytree(pretrained, folder)
    shutil.rmtree(folder / "data" / "models")
    (folder / "metrics" / "pretrain_phase1.json").unlink()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_STAGE", "pretrain_phase1")
    return folder


def made_by_other_code(folder: Path) -> None:
    (mark,) = (folder / ".scratch").glob(f"pretrain_phase1-*/{FINISHED}")
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"bert/model/layers.py": "other"}))


def results(folder: Path) -> list[bytes]:
    """Metrics, among them the measured speed, which a second training would not hit; and the weights."""
    return [
        (folder / "metrics" / "pretrain_phase1.json").read_bytes(),
        (folder / "data" / "models" / "phase1" / "weights.safetensors").read_bytes(),
    ]


def test_a_finished_run_is_published_and_not_repeated(finished: Path, pretrained: Path) -> None:
    main(stage.arguments())
    assert results(finished) == results(pretrained)


def test_a_result_of_other_code_does_not_pass_for_one_of_this(finished: Path) -> None:
    made_by_other_code(finished)
    with pytest.raises(StageError, match=r"result in .* made by other code; changed since: bert/model/layers\.py"):
        main(stage.arguments())
    assert not (finished / "data" / "models").exists()


def test_a_result_of_other_code_is_published_if_it_is_accepted(
    finished: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_other_code(finished)
    monkeypatch.setenv("BERT_RESUME", "accept")
    main(stage.arguments())
    assert results(finished) == results(pretrained)


@pytest.mark.slow
def test_a_result_of_other_code_is_made_anew_if_that_is_wished(
    finished: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_other_code(finished)
    monkeypatch.setenv("BERT_RESUME", "fresh")
    main(stage.arguments())
    (metrics, weights), (old_metrics, old_weights) = results(finished), results(pretrained)
    assert metrics != old_metrics
    assert weights == old_weights
    main(stage.arguments())  # and now the result is one of this code
    assert results(finished) == [metrics, weights]
