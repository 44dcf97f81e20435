"""Tests for bert/checkpoints/configurations.py: whose words a file speaks, and every key accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.checkpoints.configurations import read_configuration
from bert.model.config import BertConfig
from bert.pipeline.errors import StageError
from tests.training.tiny import CONFIG

GOOGLES = json.loads(CONFIG.text())
# As transformers 4 wrote those of BERT's own models.
HUGGING_FACES = GOOGLES | {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "transformers_version": "4.6.0.dev0",
    "use_cache": True,
    "gradient_checkpointing": False,
    "classifier_dropout": None,
    "torch_dtype": "float32",
    "id2label": {"0": "no", "1": "yes"},
}


def read(folder: Path, name: str, values: Any, ignored: tuple[str, ...] = ()) -> BertConfig:
    (folder / name).write_text(json.dumps(values))
    return read_configuration(folder / name, ignored)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("gelu", "gelu_erf"),
        ("gelu_python", "gelu_erf"),
        ("gelu_new", "gelu"),
        ("gelu_fast", "gelu"),
        ("gelu_pytorch_tanh", "gelu"),
        ("relu", "relu"),
    ],
)
def test_activations_are_what_hugging_face_means_by_them(tmp_path: Path, theirs: str, ours: str) -> None:
    assert read(tmp_path, "config.json", HUGGING_FACES | {"hidden_act": theirs}).hidden_act == ours


@pytest.mark.parametrize(("theirs", "ours"), [("gelu", "gelu"), ("gelu_erf", "gelu_erf"), ("relu", "relu")])
def test_activations_are_what_google_means_by_them(tmp_path: Path, theirs: str, ours: str) -> None:
    assert read(tmp_path, "bert_config.json", GOOGLES | {"hidden_act": theirs}).hidden_act == ours


@pytest.mark.parametrize(
    ("name", "more", "ours"),
    [
        ("bert_config.json", {}, "gelu"),
        ("config.json", {}, "gelu_erf"),
        ("bert_config.json", {"model_type": "bert"}, "gelu_erf"),
        ("bert_config.json", {"architectures": ["BertModel"]}, "gelu_erf"),
        ("bert_config.json", {"transformers_version": "4.1.0"}, "gelu_erf"),
        ("bert_config.json", {"directionality": "bidi", "pooler_type": "first_token_transform"}, "gelu"),
    ],
)
def test_whose_a_file_is_decides_what_gelu_is(tmp_path: Path, name: str, more: dict[str, Any], ours: str) -> None:
    assert read(tmp_path, name, GOOGLES | more).hidden_act == ours


def test_this_projects_own_file_reads_as_it_was_written(tmp_path: Path) -> None:
    for hidden_act in ("gelu", "gelu_erf", "relu"):
        config = CONFIG.model_copy(update={"hidden_act": hidden_act, "layer_norm_eps": 1e-5})
        assert read(tmp_path, "bert_config.json", json.loads(config.text())) == config


@pytest.mark.parametrize(("values", "epsilon"), [(HUGGING_FACES | {"layer_norm_eps": 1e-5}, 1e-5), (GOOGLES, 1e-12)])
def test_the_epsilon_of_layer_norm_is_the_files_or_googles(
    tmp_path: Path, values: dict[str, Any], epsilon: float
) -> None:
    assert read(tmp_path, "config.json", values).layer_norm_eps == epsilon


@pytest.mark.parametrize(
    "change",
    [
        {"position_embedding_type": "relative_key"},
        {"position_embedding_type": "relative_key_query"},
        {"is_decoder": True},
        {"add_cross_attention": True},
        {"is_encoder_decoder": True},
        {"tie_word_embeddings": False},
        {"embedding_size": 8},
        {"model_type": "roberta"},
        {"model_type": "albert", "num_hidden_groups": 2},
        {"quantization_config": {"bits": 4}},
        {"pruned_heads": {"0": [1]}},
        {"auto_map": {"AutoModel": "modeling.Mine"}},
        {"hidden_act": "silu"},
        {"hidden_act": None},
        {"hidden_act": "gelu_10"},
        {"hidden_act": ["gelu"]},
        {"layer_norm_eps": 0},
        {"layer_norm_eps": None},
        {"type_vocab_size": 1},
        {"tokenizer_class": "BertJapaneseTokenizer"},
        {"directionality": "left to right"},
        {"num_attention_heads": 3},
        {"hidden_dropout_prob": 1.5},
    ],
    ids=lambda change: "-".join(change),
)
def test_what_would_change_the_numbers_is_refused_by_name(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(StageError, match=next(iter(change))) as error:
        read(tmp_path, "config.json", HUGGING_FACES | change)
    assert "config.json" in str(error.value) and error.value.run is not None
    assert "import_checkpoint.source" in error.value.run


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"is_decoder is true, expected false; hidden_act is \"silu\", computed are"):
        read(tmp_path, "config.json", HUGGING_FACES | {"is_decoder": True, "hidden_act": "silu"})


def test_a_folder_of_2019_says_by_its_architectures_what_it_is(tmp_path: Path) -> None:
    old = {key: value for key, value in HUGGING_FACES.items() if key != "model_type"}
    assert read(tmp_path, "config.json", old).hidden_act == "gelu_erf"
    with pytest.raises(StageError, match=r"architectures is \[\"RobertaModel\"\], expected names that begin with Bert"):
        read(tmp_path, "config.json", old | {"architectures": ["RobertaModel"]})


def test_an_unknown_key_is_refused_until_somebody_says_that_it_does_nothing(tmp_path: Path) -> None:
    values = HUGGING_FACES | {"rope_theta": 10000.0, "best_metric": 0.9}
    with pytest.raises(StageError, match="does not know best_metric, rope_theta") as error:
        read(tmp_path, "config.json", values)
    assert error.value.run is not None and "import_checkpoint.ignore to [best_metric, rope_theta]" in error.value.run
    with pytest.raises(StageError, match="does not know rope_theta,"):
        read(tmp_path, "config.json", values, ("best_metric",))
    assert read(tmp_path, "config.json", values, ("best_metric", "rope_theta")).hidden_size == CONFIG.hidden_size


@pytest.mark.parametrize("missing", ["hidden_act", "vocab_size", "num_hidden_layers"])
def test_a_missing_key_is_named(tmp_path: Path, missing: str) -> None:
    values = {key: value for key, value in HUGGING_FACES.items() if key != missing}
    with pytest.raises(StageError, match=missing):
        read(tmp_path, "config.json", values)
