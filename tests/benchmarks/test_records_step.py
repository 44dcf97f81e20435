"""benchmarks/records_step.py on tiny records."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import records_step
from tests.training.tiny import SEQUENCE, write_records, write_vocab


@pytest.mark.slow
def test_each_folder_of_records_is_timed_beside_constant_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vocab = write_vocab(tmp_path / "vocab.txt")
    write_records(tmp_path / "records" / "train", [40], vocab)
    given = [str(tmp_path / "records"), "--vocab", str(vocab), "--rows", "4", "--steps", "1", "--turns", "1"]
    monkeypatch.setattr(sys, "argv", ["records_step", *given])
    records_step.main()
    (figures,) = json.loads(capsys.readouterr().out).values()
    assert figures["records_over_constant"] > 0
    assert SEQUENCE / 2 <= figures["real_tokens_a_row"] <= SEQUENCE, "without the padding"
    assert figures["real_tokens_over_the_first"] == 1.0
