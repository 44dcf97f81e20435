"""No settings of this machine decide what the training tests see."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_training_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *("BERT_RANKS", "BERT_HOSTS", "BERT_MIN_RANKS", "BERT_MICRO_BATCH", "BERT_RESUME", "BERT_SAVE_SECONDS"),
        *("BERT_TENSORBOARD", "BERT_DVCLIVE", "DVC_EXP_NAME"),
        *("BERT_STALL_SECONDS", "BERT_NETWORK_INTERFACE", "BERT_SSH_PORT", "BERT_SSH_IDENTITY"),
    ):
        monkeypatch.delenv(name, raising=False)
