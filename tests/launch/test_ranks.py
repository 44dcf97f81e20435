"""Tests of training in several processes, under a real Horovod."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bert.checkpoints.folder import load_model
from bert.examples.reading import Records
from bert.model.parameters import pretraining_shapes
from bert.pipeline.code import ROOT
from bert.training.batches import rows_of
from bert.training.evaluation import HeldOut
from bert.training.world import Split, World
from stages.pretrain import main
from tests.corpus import PIECES
from tests.examples.shards import stage_records
from tests.launch.in_ranks import LATE, ROWS, STEPS
from tests.launch.rank_processes import SECONDS, assert_no_rank_is_left, first_checkpoint, ranks_in
from tests.model.reference import random_weights
from tests.project import Project, catches
from tests.training import stage
from tests.training.stage import metrics_of
from tests.training.tiny import (
    CONFIG,
    FP32,
    fresh_step,
    held_out_sums,
    take_steps,
    values_of,
    write_records,
    write_vocab,
)

pytestmark = [pytest.mark.ranks, pytest.mark.slow, pytest.mark.usefixtures("horovod")]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two ranks saw, see in_ranks.py."""
    folder = tmp_path_factory.mktemp("ranks")
    write_records(folder / "test", [5, 0, 8], write_vocab(folder / "vocab.txt"))
    horovodrun = str(Path(sys.executable).parent / "horovodrun")
    command = [horovodrun, "-np", "2", "-H", "localhost:2", "--gloo", sys.executable]
    subprocess.run([*command, "-m", "tests.launch.in_ranks", str(folder)], cwd=ROOT, check=True, timeout=SECONDS)
    return folder


def of_rank(seen: Path, rank: int) -> dict[str, Any]:
    seen_here: dict[str, Any] = json.loads((seen / f"{rank}.json").read_text())
    return seen_here


def test_ranks_sum_and_gather_in_their_order(seen: Path) -> None:
    for rank in range(2):
        assert of_rank(seen, rank)["sum"] == 1 + 2
        assert of_rank(seen, rank)["gathered"] == [{"rank": 0}, {"rank": 1}]


def test_the_peak_memory_is_that_of_the_rank_that_held_the_most(seen: Path) -> None:
    own = [of_rank(seen, rank)["peak_rss_mb"] for rank in range(2)]
    assert own[1] > own[0] + 300, "the second rank has held 500 MB more"
    for rank in range(2):
        memory = of_rank(seen, rank)["memory"]
        assert memory.keys() >= {"peak_rss_mb"}
        assert memory["peak_rss_mb"] == pytest.approx(own[1], abs=0.1)


def test_two_ranks_step_as_one_with_dropout_on(seen: Path) -> None:
    step = fresh_step(Split(1, 1, ROWS), clip_norm=0.5)
    for figures, expected in zip(of_rank(seen, 0)["figures"], take_steps(step, range(STEPS), ROWS), strict=True):
        assert expected.pop("allreduce_seconds") == 0, "one rank waits for nobody"
        assert figures == pytest.approx(expected, rel=1e-5)
    ours = load_file(seen / "0.safetensors")
    for name, value in values_of(step).items():
        np.testing.assert_allclose(ours[name], value, rtol=2e-4, atol=2e-6, err_msg=name)


def test_ranks_hold_the_same_bits(seen: Path) -> None:
    # Nothing is broadcast after the start: ranks that drift apart would train different models.
    first, second = (load_file(seen / f"{rank}.safetensors") for rank in range(2))
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value, err_msg=name)
    assert of_rank(seen, 0)["figures"] == of_rank(seen, 1)["figures"]


def test_what_one_rank_finds_not_finite_no_rank_takes(seen: Path) -> None:
    for rank in range(2):
        assert of_rank(seen, rank)["poisoned"] == {"finite": 0, "unchanged": True}


def test_gradients_sent_as_float16_are_within_its_rounding(seen: Path) -> None:
    step = fresh_step(Split(1, 1, ROWS), clip_norm=0.0)
    (expected,) = take_steps(step, range(1), ROWS)
    for rank in range(2):
        exchanged = of_rank(seen, rank)["compressed"]
        assert exchanged["first"]["loss_scale"] == 2.0**10 and exchanged["first"]["finite"] == 1
        for name in ("mlm_loss", "nsp_loss", "predictions", "rows"):
            assert exchanged["first"][name] == pytest.approx(expected[name], rel=1e-6), "sums are not rounded"
        errors = {}
        for name, moment in exchanged["moments"].items():
            if not name.endswith("key/bias"):  # 0 but for rounding
                exact = step.variables[name].numpy()
                errors[name] = np.linalg.norm(np.array(moment) - exact) / np.linalg.norm(exact)
        assert 2**-16 < max(errors.values()) < 2**-9, errors  # half a unit of 11 bits, twice: each part, and the sum


def test_gradients_sent_as_float16_take_half_the_bytes(seen: Path) -> None:
    for rank in range(2):
        whole, half = of_rank(seen, rank)["sent"], of_rank(seen, rank)["compressed"]["sent"]
        assert whole["weights"] == half["weights"]
        assert 2 * half["gradients"] == whole["gradients"] - half["sums"]
        assert half["sums"] < half["gradients"] / 100


def test_what_is_too_large_for_float16_on_one_rank_no_rank_takes(seen: Path) -> None:
    for rank in range(2):
        exchanged = of_rank(seen, rank)["compressed"]
        assert exchanged["overflow"] == {"finite": 0, "unchanged": True, "scale": 2.0**39}
        # 1e5 is too large by itself, on the second rank alone; 4e4 + 4e4 only in the sum. Sums may be larger.
        assert exchanged["large"] == [14.0, float("inf"), float("inf")]
        assert exchanged["sums"] == 200002


def test_a_bad_micro_batch_on_one_rank_skips_the_update_and_halves_the_loss_scale_on_all(seen: Path) -> None:
    for rank in range(2):
        expected = {"finite": 0, "unchanged": True, "scale": 2.0**9}
        assert of_rank(seen, rank)["compressed"]["bad_row"] == expected


def test_the_time_of_the_all_reduce_tells_waiting_from_sending(seen: Path) -> None:
    waiting, late = (of_rank(seen, rank)["timed"] for rank in range(2))
    assert waiting["seconds"] > 0.8 * LATE and 0 < late["seconds"] < 0.5 * LATE
    mean = (waiting["seconds"] + late["seconds"]) / 2
    for metrics in (waiting, late):
        assert metrics["allreduce_seconds_per_step"] == pytest.approx(mean, abs=1e-5)
        assert metrics["allreduce_wait_seconds_per_step"] == pytest.approx(mean - late["seconds"], abs=1e-5)
        assert 0 < metrics["allreduce_share"] < 1


def test_the_held_out_numbers_do_not_depend_on_the_number_of_ranks(seen: Path) -> None:
    weights, records = random_weights(pretraining_shapes(CONFIG), seed=1), Records(seen / "test", "dvc repro")
    alone = HeldOut(held_out_sums(weights), records, None, 4, World())(FP32.xla)
    for rank in range(2):
        # The batches' sums are added in the order of the batches, whoever computed them. Only the product of a batch
        # may be cut among another number of threads.
        assert of_rank(seen, rank)["held_out"] == pytest.approx(alone, rel=1e-6)


def test_ranks_that_see_different_checkpoints_stop(seen: Path) -> None:
    # Or one would end while another waits for it, after steps that mix old weights with new ones.
    for rank in range(2):
        assert "the ranks would start at different steps [0, 2]" in of_rank(seen, rank)["error"]


def test_the_first_rank_makes_features_once_and_each_rank_reads_them(seen: Path) -> None:
    features = [of_rank(seen, rank)["features"] for rank in range(2)]
    assert [found["made"] for found in features] == [[0, 0], []], "once in the shared folder, once in its own"
    for found in features:
        assert found["read"] == [[[0, 1, 2, 3, 4, 5], {"rows": 6}]] * 2


def test_a_failure_of_the_first_rank_is_one_of_the_others_at_once(seen: Path) -> None:
    first, second = (of_rank(seen, rank)["features"] for rank in range(2))
    assert first["failed"] == "StageError: questions.json: no such file\n  next: dvc repro cloze"
    assert second["failed"].startswith(
        "LostRanks: test, features: rank 1 goes no further, since the first rank has failed: questions.json: no such"
    )
    assert second["failed after"] < 60, "the stall time is ten minutes"


def test_a_rank_that_does_not_see_the_features_says_so(seen: Path) -> None:
    first, second = (of_rank(seen, rank)["features"] for rank in range(2))
    assert first["unseen"] == ""
    assert "does not see it" in second["unseen"] and "a folder that all hosts share" in second["unseen"]


@pytest.fixture
def here(project: Project) -> Path:
    """A project in which nothing has run, as the working directory."""
    stage.write_project(project.path)
    return project.path


def test_the_stage_on_two_ranks_with_accumulation_equals_one_process_on_records_made_from_text(
    project: Project,
) -> None:
    """With dropout on; the held-out numbers too."""
    here = project.path
    vocab = stage.write_vocab_in(here, PIECES)
    shutil.move(stage_records(here / "made", vocab), here / "data" / "tfrecords" / "phase1")
    stage.write_params(here, phase1={"steps": 12, "eval_every": 4, "eval_rows": 12})
    assert stage.PARAMS["pretrain"]["dropout"] > 0
    main(stage.arguments(out="alone"))
    project.run("pretrain", *stage.arguments(), BERT_RANKS="2", BERT_MICRO_BATCH="2")
    alone, together = metrics_of(here, "alone"), metrics_of(here, "phase1")
    assert (together["ranks"], together["accumulation"]) == (2, 2)
    assert alone["allreduce_share"] == 0 < together["allreduce_share"] < 1
    assert 0 < together["allreduce_wait_seconds_per_step"] < together["allreduce_seconds_per_step"]
    for name in ("mlm_loss", "nsp_loss", "unigram_entropy", "train_mlm_loss"):
        assert together[name] == pytest.approx(alone[name], rel=1e-5), name
    for name in ("held_out_sequences", "held_out_predictions", "epochs", "global_batch"):
        assert together[name] == alone[name], name
    for row, expected in zip(stage.curve(here), stage.curve(here, "alone"), strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    held_out = stage.curve(here, "phase1_held_out")
    assert [row["step"] for row in held_out] == [4, 8, 12]
    for row, expected in zip(held_out, stage.curve(here, "alone_held_out"), strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    expected_weights = load_model(here / "data" / "models" / "alone", "dvc repro").weights
    for name, value in load_model(here / "data" / "models" / "phase1", "dvc repro").weights.items():
        np.testing.assert_allclose(value, expected_weights[name], rtol=1e-3, atol=1e-4, err_msg=name)


def ended(process: subprocess.Popen[str]) -> str:
    """What a job wrote that must fail, and must not hang."""
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert "error: a rank failed" in said
    return said


def test_a_record_that_only_one_rank_finds_broken_ends_the_job(here: Path, project: Project) -> None:
    stage.write_params(here, phase1={"steps": 7})  # 56 of 60 records: each is read once at most
    records = Records(here / "data" / "tfrecords" / "phase1" / "train", "dvc repro")
    broken = records[records.place(7, rows_of(3, Split(2, 1, 4), World(1, 2))[0])[1]]
    for path in sorted(records._folder.glob("*.tfrecord")):
        path.write_bytes(path.read_bytes().replace(broken, broken[:40] + bytes([broken[40] ^ 1]) + broken[41:]))
    # With BERT_MIN_RANKS it would go on with one rank, and find the same.
    said = ended(project.start("pretrain", *stage.arguments(), BERT_RANKS="2", BERT_MIN_RANKS="1"))
    assert ".tfrecord: record" in said and "does not match its checksum" in said
    assert "dvc repro tfrecords@phase1" in said
    assert not (here / "data" / "models").exists()
    assert_no_rank_is_left(here)


@pytest.mark.parametrize("who", ["the stage", "horovodrun"])
def test_ranks_do_not_outlive_what_has_started_them(who: str, here: Path, project: Project) -> None:
    """Else they would train on in a scratch whose lock is free for the next run."""
    stage.write_params(here, phase1={"steps": 2000})
    process = project.start("pretrain", *stage.arguments(), BERT_RANKS="2", BERT_SAVE_SECONDS="0")
    first_checkpoint(process, here)
    (horovodrun,) = (int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    os.kill(process.pid if who == "the stage" else horovodrun, signal.SIGKILL)
    assert_no_rank_is_left(here)
    if who == "horovodrun":
        assert "a rank failed (horovodrun ended with -9)" in ended(process)
    else:
        process.communicate(timeout=SECONDS)


def test_a_silent_rank_ends_the_job(here: Path, project: Project) -> None:
    stage.write_params(here, phase1={"steps": 2000})
    process = project.start(
        "pretrain", *stage.arguments(), BERT_RANKS="2", BERT_SAVE_SECONDS="0", BERT_STALL_SECONDS="25"
    )
    first_checkpoint(process, here)
    os.kill(ranks_in(here)[1], signal.SIGSTOP)
    said = ended(process)
    assert "rank 0 has lost the others: one has ended, or was silent for 25 s (BERT_STALL_SECONDS)" in said
    assert "[0]<stderr>:Traceback" not in said
    assert_no_rank_is_left(here)


def test_ranks_that_are_asked_to_stop_save_first(here: Path, project: Project) -> None:
    stage.write_params(here, phase1={"steps": 2000})
    process = project.start("pretrain", *stage.arguments(), BERT_RANKS="2", BERT_SAVE_SECONDS="1000")
    deadline = time.monotonic() + SECONDS
    while len(found := ranks_in(here)) < 2 or not catches(found[0], signal.SIGTERM):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate(timeout=1)
        time.sleep(0.01)
    process.terminate()
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    (mark,) = (here / ".scratch").glob("pretrain_phase1-*/checkpoints/step-*.json")
    assert f"stopped as asked after step {int(mark.stem[5:])} of 2000, saved" in said
    assert "error: stopped as asked; " in said
    assert_no_rank_is_left(here)


def test_a_killed_rank_ends_the_job_and_one_process_goes_on_from_its_checkpoint(here: Path, project: Project) -> None:
    stage.write_params(here, phase1={"steps": 80})
    process = project.start("pretrain", *stage.arguments(), BERT_RANKS="2", BERT_SAVE_SECONDS="0")
    first_checkpoint(process, here)
    os.kill(ranks_in(here)[1], signal.SIGKILL)
    assert "from the last checkpoint" in ended(process)
    assert_no_rank_is_left(here)

    main(stage.arguments())  # the number of ranks is no part of what is computed
    record = json.loads((here / "metrics" / "provenance" / "pretrain_phase1.json").read_text())
    assert 0 < record["resumed_from_step"] < 80
    assert metrics_of(here, "phase1")["ranks"] == 1
    assert [row["step"] for row in stage.curve(here)] == list(range(1, 81))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which one process has trained 150 steps."""
    folder = Project.create(tmp_path_factory.mktemp("undisturbed") / "project").path
    stage.write_project(folder)
    stage.write_params(folder, phase1={"steps": 150})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(stage.arguments(out="alone"))
    return folder


@pytest.mark.parametrize("killed", [0, 1])
def test_a_job_that_loses_a_rank_goes_on_with_one_less_to_the_same_result(
    killed: int, here: Path, project: Project, undisturbed: Path
) -> None:
    stage.write_params(here, phase1={"steps": 150})
    process = project.start(
        "pretrain", *stage.arguments(), BERT_RANKS="2", BERT_MIN_RANKS="1", BERT_MICRO_BATCH="2", BERT_SAVE_SECONDS="2"
    )
    first_checkpoint(process, here)
    time.sleep(0.3)  # the next one is not due yet
    os.kill(ranks_in(here)[killed], signal.SIGKILL)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert f"lost rank {killed} on localhost: going on from the last checkpoint, ranks: 1" in said
    record = json.loads((here / "metrics" / "provenance" / "pretrain_phase1.json").read_text())
    assert (record["ranks"], record["restarts"], record["hosts"]) == (1, 1, "localhost:1")
    saved = re.findall(r"the others are lost; saved after step (\d+)", said)
    if killed == 0:
        assert not saved, "it is the first rank that saves"
    else:
        assert saved == [str(record["resumed_from_step"])], "nothing is lost but the step that was not whole"
    assert 0 < record["resumed_from_step"] < 150

    alone, together = metrics_of(undisturbed, "alone"), metrics_of(here, "phase1")
    assert (together["ranks"], together["accumulation"]) == (1, 4)
    for name in ("mlm_loss", "nsp_loss", "unigram_entropy", "train_mlm_loss"):
        assert together[name] == pytest.approx(alone[name], rel=1e-3), name
    for row, expected in zip(stage.curve(here), stage.curve(undisturbed, "alone"), strict=True):
        assert row == pytest.approx(expected, rel=1e-3), row["step"]
    assert_no_rank_is_left(here)
