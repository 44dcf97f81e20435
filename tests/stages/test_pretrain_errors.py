"""stages/pretrain.py: what is wrong with records or parameters is one error that names the next command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tokens.casing import write_casing
from stages.pretrain import main
from tests.training import stage
from tests.training.tiny import LAMB, PIECES, write_records


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
        ({"attention": "flash"}, "params.yaml: attention"),
        ({"attention": "fused"}, r"attention is fused: .*dropout is 0\.1\n.*pretrain\.attention_dropout=0"),
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
