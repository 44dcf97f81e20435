"""benchmarks/length_buckets.py on twenty questions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import length_buckets
from tests.stages import finetuning


@pytest.mark.slow
def test_both_ways_are_timed_and_the_padding_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finetuning.write_data(tmp_path)
    paths = [str(tmp_path / "data/cloze/squad"), str(tmp_path / "data/models/phase2")]
    sizes = ["--length", "32", "--stride", "8", "--query", "8", "--rows", "4", "--predicted-rows", "8"]
    monkeypatch.setattr(sys, "argv", ["length_buckets", *paths, *sizes, "--epochs", "20", "--turns", "1"])
    length_buckets.main()
    figures = json.loads(capsys.readouterr().out)
    assert figures["largest_difference_of_logits"] < 1e-5
    training, prediction = figures["training"], figures["prediction"]
    assert training["batches_of_length"] == {"24": 4, "32": 3}
    assert 0 < training["padding_grouped"] < training["padding"]
    # So few windows are worth no second length.
    assert prediction["batches_of_length"] == {"32": 4} and prediction["times_as_fast"] == 1
