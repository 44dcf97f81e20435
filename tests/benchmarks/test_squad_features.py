"""benchmarks/squad_features.py on a tiny file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.squad_features import main
from tests.stages import finetuning


def test_each_part_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.json").write_text(
        json.dumps({"data": [{"paragraphs": finetuning.questions()}]}), encoding="utf-8"
    )
    (tmp_path / "vocab.txt").write_text("\n".join(finetuning.PIECES) + "\n", encoding="utf-8")
    main([str(tmp_path / "train.json"), str(tmp_path / "vocab.txt"), "--threads", "1", "--runs", "2"])
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == ["read", "tokenize, threads: 1", "fill, threads: 1", "write", "cached"]
    assert all(figures[part]["clock"] >= 0 for part in ("read", "write", "cached"))
