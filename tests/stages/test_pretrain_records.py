"""stages/pretrain.py on every kind of records that stages/tfrecords.py makes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.training import pretraining
from bert.training import record_batches as examples
from stages.pretrain import main
from tests.corpus import PIECES
from tests.examples.shards import stage_records
from tests.project import Project
from tests.training import stage

PACKED = {"sequence_length": 64, "max_predictions": 10, "packing": True}
KINDS: dict[str, dict[str, Any]] = {
    "dynamic and packed": {"masking": "dynamic", "phase": PACKED, "short_seq_prob": 0.5},
    "static, packed, sentence order": {"objective": "mlm+sop", "phase": PACKED, "short_seq_prob": 0.5},
    "dynamic, packed, masked LM alone": {"masking": "dynamic", "objective": "mlm", "phase": PACKED, "whole_word": True},
    "static, masked LM alone": {"objective": "mlm", "short_seq_prob": 0.5},
}
STEPS = 6


def project_of(kind: str, project: Project) -> Path:
    folder = project.path
    vocab = stage.write_vocab_in(folder, PIECES)
    made = stage_records(folder / "made", vocab, **KINDS[kind])
    shutil.move(made, folder / "data" / "tfrecords" / "phase1")
    stage.write_params(folder, phase1={"steps": STEPS})
    return folder


def outcome(folder: Path, out: str) -> tuple[dict[str, Any], bytes, list[dict[str, float]]]:
    """Metrics, weights and the curve."""
    metrics: dict[str, Any] = json.loads((folder / "metrics" / f"pretrain_{out}.json").read_text())
    weights = (folder / "data" / "models" / out / "weights.safetensors").read_bytes()
    return metrics, weights, stage.curve(folder, out)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_ends_with_the_same_bits_and_micro_batches_with_the_same_curve(
    kind: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = project_of(kind, project)
    main(stage.arguments(out="whole"))
    metrics, weights, curve = outcome(here, "whole")
    assert ("nsp_loss" in metrics) == ("nsp_loss" in curve[0]) == (KINDS[kind].get("objective") != "mlm")
    assert metrics["mlm_loss"] < 6 and metrics["held_out_predictions"] > 100

    real = examples.record_batches

    def cut(records: Any, masking: Any, seed: int, first: int, *rest: Any) -> Iterator[Any]:
        for number, batch in enumerate(real(records, masking, seed, first, *rest), start=first):
            if number == 4:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setenv("BERT_SAVE_SECONDS", "0")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pretraining, "record_batches", cut)
        main(stage.arguments(out="cut"))
    main(stage.arguments(out="cut"))
    record = json.loads((here / "metrics" / "provenance" / "pretrain_cut.json").read_text())
    assert record["resumed_from_step"] == 4
    resumed, same_weights, same_curve = outcome(here, "cut")
    assert same_weights == weights and same_curve == curve
    for name, value in metrics.items():
        if not name.endswith("_per_second") and name != "peak_rss_mb":
            assert resumed[name] == value, name

    monkeypatch.setenv("BERT_MICRO_BATCH", "2")
    main(stage.arguments(out="micro"))
    accumulated, _, its_curve = outcome(here, "micro")
    assert accumulated["accumulation"] == 4
    for row, expected in zip(its_curve, curve, strict=True):
        assert row == pytest.approx(expected, rel=1e-4)


def test_splits_of_two_makes_name_the_stage_to_rerun(project: Project) -> None:
    here = project_of("dynamic and packed", project)
    folder = here / "data" / "tfrecords" / "phase1" / "test"
    listed = json.loads((folder / manifest.NAME).read_text())
    (folder / manifest.NAME).write_text(json.dumps(listed | {"max_sequences": 2}))
    with pytest.raises(StageError, match="to train on have max_sequences 3, those held out 2") as error:
        main(stage.arguments())
    assert error.value.run == "dvc repro tfrecords@phase1"
