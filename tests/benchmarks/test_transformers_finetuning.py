"""benchmarks/transformers_finetuning.py: the other side trains on the same batches at the same rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.transformers_finetuning import main, rate
from bert.optim.schedule import learning_rate
from tests.stages import finetuning
from tests.stages.command import arguments


@given(st.integers(1, 50), st.data())
def test_the_rate_is_that_of_our_schedule(steps: int, data: st.DataObject) -> None:
    warmup, step = data.draw(st.integers(0, steps)), data.draw(st.integers(0, steps - 1))
    ours = float(learning_rate(step, 0.25, warmup, steps, 1.0, "warmup"))
    assert rate(step, 0.25, warmup, steps) == pytest.approx(ours, rel=1e-6)


@pytest.mark.slow
def test_transformers_predicts_what_the_stage_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="no torch")
    pytest.importorskip("transformers", reason="no transformers")
    small = finetuning.write_project(tmp_path / "project")
    monkeypatch.chdir(small.path)
    finetuning.write_params(small.path, squad__epochs=2, squad__learning_rate=0.0005)
    small.run("squad", *arguments("squad"))
    folder, places = Path("other"), ["--init", "data/models/phase2", "--data", "data/cloze/squad"]
    main(["write", *places, "--out", str(folder)])
    main(["train", str(folder)])
    main(["answer", str(folder), *places])
    ours = json.loads(Path("data/predictions/squad/predictions.json").read_text())
    assert json.loads((folder / "predictions.json").read_text()) == ours
    assert np.isfinite(np.load(folder / "logits.npy")).all()
