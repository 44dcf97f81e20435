"""No settings of this machine decide what the training tests see."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_training_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BERT_RANKS", "BERT_HOSTS", "BERT_MICRO_BATCH", "BERT_RESUME", "BERT_SAVE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
