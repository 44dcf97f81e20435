"""No settings of this machine decide what the training tests see."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_training_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    of_machine = ("BERT_RANKS", "BERT_HOSTS", "BERT_MICRO_BATCH", "BERT_RESUME", "BERT_SAVE_SECONDS")
    for name in (*of_machine, "BERT_TENSORBOARD", "BERT_DVCLIVE", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
