"""Tests for bert/model/config.py and the models in bert/model/configs."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from bert.model.config import MODELS, BertConfig
from bert.pipeline.errors import StageError
from tests.training.tiny import CONFIG


@pytest.mark.parametrize(
    ("model", "layers", "hidden", "heads"),
    [
        # Turc et al. 2019, table 1, and Devlin et al. 2019, section 3.
        ("tiny", 2, 128, 2),
        ("mini", 4, 256, 4),
        ("small", 4, 512, 8),
        ("medium", 8, 512, 8),
        ("base", 12, 768, 12),
        ("large", 24, 1024, 16),
    ],
)
def test_models_have_their_published_sizes(model: str, layers: int, hidden: int, heads: int) -> None:
    config = BertConfig.named(model, 30522)
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (layers, hidden, heads)
    assert config.intermediate_size == 4 * hidden
    assert (config.max_position_embeddings, config.type_vocab_size, config.vocab_size) == (512, 2, 30522)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0.1
    assert (config.hidden_act, config.initializer_range) == ("gelu", 0.02)


def test_every_model_that_can_be_named_is_tested_above() -> None:
    assert MODELS == ("tiny", "mini", "small", "medium", "base", "large")


def test_the_vocabulary_of_the_corpus_sets_the_size() -> None:
    assert BertConfig.named("base", 8000).vocab_size == 8000


def test_dropout_is_replaced_where_a_rate_is_given_0_included() -> None:
    assert BertConfig.named("tiny", 40, dropout=0.0).hidden_dropout_prob == 0
    assert BertConfig.named("tiny", 40, dropout=None).attention_probs_dropout_prob == 0.1
    assert CONFIG.with_dropout(0.0).attention_probs_dropout_prob == 0
    assert CONFIG.with_dropout(None) is CONFIG
    own = CONFIG.with_dropout(0.3, attention=0.0)
    assert (own.hidden_dropout_prob, own.attention_probs_dropout_prob) == (0.3, 0.0)
    assert CONFIG.with_dropout(None, attention=0.2).hidden_dropout_prob == CONFIG.hidden_dropout_prob


def test_an_unknown_model_names_the_parameter_and_the_choice() -> None:
    with pytest.raises(StageError, match=r"model: 'huge' is none of tiny, mini"):
        BertConfig.named("huge", 40)


@pytest.mark.parametrize("changes", [{}, {"hidden_act": "gelu_erf"}, {"layer_norm_eps": 1e-5}], ids=str)
def test_a_file_reads_back_as_it_was_written(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "bert_config.json"
    config = CONFIG.model_copy(update=changes)
    path.write_text(config.text())
    assert BertConfig.read(path, "dvc repro pretrain_phase1") == config


def test_a_file_has_googles_keys_alone_where_the_model_is_googles() -> None:
    published = json.loads((resources.files("bert.model") / "configs" / "tiny.json").read_text())
    written = json.loads(BertConfig.named("tiny", 30522).text())
    assert written == published and written["hidden_act"] == "gelu"
    assert BertConfig(**published).layer_norm_eps == 1e-12, "folders published before the key was known"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps(CONFIG.model_dump() | {"hidden_act": "mish"}),
        json.dumps(CONFIG.model_dump() | {"num_attention_heads": 3}),
        json.dumps({key: value for key, value in CONFIG.model_dump().items() if key != "vocab_size"}),
    ],
    ids=["cut short", "a list", "another activation", "heads that do not divide", "without a size"],
)
def test_a_file_that_does_not_fit_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bert_config.json"
    path.write_text(text)
    with pytest.raises(StageError, match=r"bert_config\.json: not a bert_config.*\n?(.|\n)*next: dvc repro pretrain"):
        BertConfig.read(path, "dvc repro pretrain_phase1")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"bert_config\.json: no such file"):
        BertConfig.read(tmp_path / "bert_config.json", "dvc repro pretrain_phase1")
