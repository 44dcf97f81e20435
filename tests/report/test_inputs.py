"""bert/report/inputs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.report.inputs import Inputs, in_order, key_of, read, read_curve, read_lengths, stage_of

HEADER = "step\tloss\tmlm_loss\tnsp_loss\tlearning_rate\tgrad_norm\n"
CELL = "metrics/benchmark_training/tiny-128-8.json"


@pytest.mark.parametrize(
    ("path", "folder", "key"),
    [
        ("metrics/squad.json", "metrics", "squad"),
        ("/a/metrics/b/metrics/glue/mrpc.json", "metrics", "glue/mrpc"),
        ("metrics/provenance/glue/mrpc.json", "provenance", "glue/mrpc"),
        ("elsewhere/squad.json", "metrics", "squad"),
        ("metrics", "metrics", "metrics"),
    ],
)
def test_a_key_is_the_path_below_the_folder(path: str, folder: str, key: str) -> None:
    assert key_of(Path(path), folder) == key


def test_a_key_names_its_stage_as_dvc_does() -> None:
    assert stage_of("pretrain_phase1") == "pretrain_phase1"
    assert stage_of("benchmark_inference/large-384-8") == "benchmark_inference@large-384-8"


def test_the_record_knows_the_stage_better_than_the_file_name() -> None:
    inputs = Inputs(provenance={"benchmark_training/tiny-128-8": {"stage": "benchmark_training@cell0"}})
    assert inputs.again("benchmark_training/tiny-128-8") == "dvc repro -f -s benchmark_training@cell0"
    assert inputs.first_run("squad") == "dvc repro squad"


def test_keys_are_in_the_order_of_the_pipeline_and_their_numbers_count() -> None:
    keys = ["other", "glue/sst2", "stability_glue/mrpc-10", "stability_glue/mrpc-2", "squad", "documents/text"]
    assert sorted(keys, key=in_order) == [
        *("documents/text", "squad", "glue/sst2", "stability_glue/mrpc-2", "stability_glue/mrpc-10", "other")
    ]


def test_folders_are_read_whole_and_named_files_may_be_missing(run: Path) -> None:
    metrics = run / "metrics"
    inputs = read([metrics, metrics / "glue/cola.json"], [metrics / "curves"], [metrics / "provenance"])
    assert inputs.missing == {"glue/cola"}
    assert inputs.metrics["glue/mrpc"]["count"] == 408
    assert not [key for key in inputs.metrics if "provenance" in key]
    assert set(inputs.provenance) == set(inputs.metrics)
    assert len(inputs.curves["pretrain_phase1"]["step"]) == 400
    assert inputs.group("glue") == ["glue/cola", "glue/mrpc"]
    assert inputs.group("documents", ("text", "news"))[:2] == ["documents/text", "documents/news"]


def test_only_the_members_that_params_name_are_read(run: Path) -> None:
    metrics = run / "metrics"
    members = {"stability_glue": ["mrpc-default-2", "mrpc-default-3"], "benchmark_training": []}
    inputs = read([metrics / "stability_glue", run / CELL], [], [metrics / "provenance"], members=members)
    assert inputs.group("stability_glue") == ["stability_glue/mrpc-default-2", "stability_glue/mrpc-default-3"]
    assert inputs.missing == {"stability_glue/mrpc-default-3"}
    assert set(inputs.metrics) == {"stability_glue/mrpc-default-2"}
    assert "stability_glue/mrpc-default-10" not in inputs.provenance
    assert "benchmark_training/tiny-128-8" not in inputs.provenance
    assert "squad" in inputs.provenance


@pytest.mark.parametrize("folder", ["metrics", "metrics/provenance"])
@pytest.mark.parametrize("content", ["{", "[1]", "\udcff"])
def test_a_broken_file_is_named_with_the_command_that_makes_it_anew(tmp_path: Path, folder: str, content: str) -> None:
    path = tmp_path / folder / "glue/mrpc.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StageError, match=r"glue/mrpc\.json") as error:
        read([path] if folder == "metrics" else [], [], [path] if folder != "metrics" else [])
    assert error.value.run == "dvc repro -f -s glue@mrpc"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "step is missing"),
        ("step\tloss\tmlm_loss\tnsp_loss\tgrad_norm\n", "learning_rate is missing"),
        ("step\tlearning_rate\n", "loss is missing"),
        (HEADER + "1\t2\t3\t4\t5\t6\n2\t2\tx\t4\t5\t6\n", "line 3: could not convert string to float: 'x'"),
        (HEADER + "1\t2\t3\n", "line 2: 3 values for 6 columns"),
    ],
)
def test_a_broken_curve_is_named_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "pretrain_phase1.tsv"
    path.write_text(content)
    with pytest.raises(StageError, match=message) as error:
        read([], [path], [])
    assert "pretrain_phase1.tsv" in str(error.value)
    assert error.value.run == "dvc repro -f -s pretrain_phase1"


def test_a_step_that_overflowed_is_left_out_of_the_curve(tmp_path: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text(HEADER + "1\t9\t8\t1\t0.1\t1\n2\tnan\tnan\t1\t0.1\tinf\n3\t7\t6\t1\t0.1\t1\n")
    assert read_curve(path, "")["step"] == [1, 3]
    assert read_curve(path, "")["mlm_loss"] == [8, 6]


def test_a_histogram_of_lengths_is_read_by_split(tmp_path: Path) -> None:
    path = tmp_path / "phase1.tsv"
    path.write_text("split\ttokens\tsequences\ntrain\t64\t3\ntrain\t128\t97\ntest\t64\t0\n")
    lengths = {"train": [(64, 3), (128, 97)], "test": [(64, 0)]}
    assert read([], [], [], [path, tmp_path / "phase2.tsv"]).lengths == {"tfrecords/phase1": lengths}
    path.write_text("split\ttokens\tsequences\ntrain\t64\tmany\n")
    with pytest.raises(StageError, match=r"phase1\.tsv, line 2: .*many.*\n  next: dvc repro -f -s tfrecords@phase1"):
        read([], [], [], [path])
    path.write_text("tokens\tsequences\n64\t3\n")
    with pytest.raises(StageError, match="expected the columns split, tokens, sequences, got 'tokens"):
        read_lengths(path, "dvc repro")


def test_a_held_out_curve_has_columns_of_its_own_and_the_command_of_its_training(tmp_path: Path) -> None:
    path = tmp_path / "metrics" / "curves" / "pretrain_phase1_held_out.tsv"
    path.parent.mkdir(parents=True)
    path.write_text("step\tmlm_loss\n250\t7.5\n")
    assert read([], [path], []).curves == {"pretrain_phase1_held_out": {"step": [250.0], "mlm_loss": [7.5]}}
    path.write_text("step\tloss\n")
    with pytest.raises(StageError, match="expected the columns step, mlm_loss; mlm_loss is missing") as error:
        read([], [path], [])
    assert error.value.run == "dvc repro -f -s pretrain_phase1"
