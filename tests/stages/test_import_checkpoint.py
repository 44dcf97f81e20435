"""Tests for stages/import_checkpoint.py, and that what it leaves can be fine-tuned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from stages import squad
from stages.import_checkpoint import main
from tests.checkpoints.hugging_face import hugging_face_weights
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import CONFIG, PIECES, read

IMPORTED = Path("data/models/imported")
FILES = ("config.json", "vocab.txt", "model.safetensors")


def write_checkpoint(folder: Path) -> dict[str, np.ndarray]:
    """A Hugging Face folder of the tiny model; its weights."""
    folder.mkdir()
    weights = hugging_face_weights(CONFIG)
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, folder / "model.safetensors")
    described: dict[str, Any] = CONFIG.model_dump() | {
        "architectures": ["BertForPreTraining"],
        "hidden_act": "gelu_new",
    }
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return weights


def configure(folder: Path, names: tuple[str, ...] = FILES, **changes: Any) -> None:
    sources = [{"url": f"given/{name}"} for name in names]
    finetuning.write_params(folder, import_checkpoint__source=sources, finetune__init="imported", **changes)


def test_without_a_source_the_folder_says_so_and_a_task_names_the_parameter(small: Project) -> None:
    main(arguments("import_checkpoint"))
    assert read(IMPORTED / "manifest.json") == {"configured": False, "files": []}
    assert read(Path("metrics/import_checkpoint.json")) == {"configured": False}
    configure(small.path, ())
    with pytest.raises(StageError, match="data/models/imported is empty: its source is not configured") as error:
        squad.main(arguments("squad", finetune__init="imported"))
    assert (
        error.value.run == "set import_checkpoint.source (or another finetune.init), then dvc repro import_checkpoint"
    )


def test_a_hugging_face_checkpoint_is_taken_over_and_fine_tuned(small: Project) -> None:
    theirs = write_checkpoint(small.path / "given")
    configure(small.path, squad__epochs=0.1, squad__learning_rate=1e-12, squad__reinit_layers=1)
    main(arguments("import_checkpoint"))
    model = load_model(IMPORTED, "dvc repro import_checkpoint")
    assert (model.config, model.vocab.read_text().split()) == (CONFIG, PIECES)
    embeddings = theirs["bert.embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(model.weights["bert/embeddings/word_embeddings"], embeddings)
    assert read(Path("metrics/import_checkpoint.json")) == {
        "configured": True,
        "weights": len(model.weights),
        "parameters": sum(value.size for value in model.weights.values()),
        "checkpoint": "model.safetensors",
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "do_lower_case": True,
        "do_lower_case_by": "the pieces",
        "pieces": len(PIECES),
        "padded_pieces": 0,
        "without": [],
        "dropped": {},
    }
    # At this learning rate a task ends with the encoder that it began with, but for the layer that starts anew.
    squad.main(arguments("squad", finetune__init="imported"))
    tuned = load_model(Path("data/models/squad"), "dvc repro squad").weights
    kernels = [name for name in tuned if name.endswith("kernel")]
    kept = [name for name in kernels if np.allclose(tuned[name], model.weights[name], atol=1e-6)]
    assert kept == [name for name in kernels if "layer_0" in name] != []


def test_a_cased_checkpoint_stays_cased_and_the_files_that_say_so_may_be_named(small: Project) -> None:
    write_checkpoint(small.path / "given")
    (small.path / "given/tokenizer_config.json").write_text('{"do_lower_case": false, "model_max_length": 512}')
    configure(small.path, (*FILES, "tokenizer_config.json"))
    main(arguments("import_checkpoint"))
    assert not load_model(IMPORTED, "dvc repro import_checkpoint").do_lower_case
    metrics = read(Path("metrics/import_checkpoint.json"))
    assert (metrics["do_lower_case"], metrics["do_lower_case_by"]) == (False, "tokenizer_config.json")
    configure(small.path, import_checkpoint__do_lower_case=False)
    main(arguments("import_checkpoint"))
    assert read(IMPORTED / "tokenizer_config.json") == {"do_lower_case": False}
    assert read(Path("metrics/import_checkpoint.json"))["do_lower_case_by"] == "import_checkpoint.do_lower_case"


def test_which_checkpoint_and_which_keys_are_parameters(small: Project) -> None:
    theirs = write_checkpoint(small.path / "given")
    names = (*FILES, "other.safetensors")
    other = {name: 2 * value for name, value in theirs.items()}
    save_file(
        {name: np.ascontiguousarray(value) for name, value in other.items()}, small.path / "given/other.safetensors"
    )
    values = read(small.path / "given/config.json") | {"my_note": "none"}
    (small.path / "given/config.json").write_text(json.dumps(values))
    configure(small.path, names)
    with pytest.raises(StageError, match=r"there are 2: model\.safetensors, other\.safetensors"):
        main(arguments("import_checkpoint"))
    configure(small.path, names, import_checkpoint__weights="other.safetensors")
    with pytest.raises(StageError, match="does not know my_note"):
        main(arguments("import_checkpoint"))
    configure(small.path, names, import_checkpoint__weights="other.safetensors", import_checkpoint__ignore=["my_note"])
    main(arguments("import_checkpoint"))
    words = load_model(IMPORTED, "dvc repro import_checkpoint").weights["bert/embeddings/word_embeddings"]
    np.testing.assert_array_equal(words, other["bert.embeddings.word_embeddings.weight"])


@pytest.mark.parametrize("left_out", FILES)
def test_a_checkpoint_without_one_of_its_files_is_an_error(small: Project, left_out: str) -> None:
    write_checkpoint(small.path / "given")
    configure(small.path, tuple(name for name in FILES if name != left_out))
    with pytest.raises(StageError, match=r"no .* among the checkpoint's files"):
        main(arguments("import_checkpoint"))
    assert not IMPORTED.exists()
