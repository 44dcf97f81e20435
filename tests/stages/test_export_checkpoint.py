"""Tests for stages/export_checkpoint.py: from a model folder to somebody else's, and back through the import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.checkpoints.folder import load_model, save_model
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, classifier_shapes, pretraining_shapes, squad_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages import export_checkpoint, import_checkpoint
from tests.model.reference import random_weights
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import CONFIG, PIECES
from tests.training.tiny import write_vocab

IMPORTED = Path("data/models/imported")
FORMATS = export_checkpoint.FORMATS


def write_model(folder: Path, shapes: Shapes, config: BertConfig = CONFIG) -> Path:
    save_model(folder, config, random_weights(shapes, seed=1), write_vocab(Path("vocab.txt"), PIECES))
    return folder


def export(model: Path, out: str, form: str, *more: str) -> None:
    export_checkpoint.main(["--model", str(model), "--out", out, "--format", form, *more])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("phase2", pretraining_shapes(CONFIG)),
        ("squad", squad_shapes(CONFIG)),
        ("glue/mrpc", classifier_shapes(CONFIG, 2)),
    ],
)
def test_a_model_folder_comes_back_as_the_same_bytes(small: Project, form: str, name: str, shapes: Shapes) -> None:
    model = write_model(Path("data/models") / name, shapes)
    export(model, "exported", form)
    names = [{"url": f"exported/{path.name}"} for path in sorted(Path("exported").iterdir())]
    finetuning.write_params(small.path, import_checkpoint__source=names)
    import_checkpoint.main(arguments("import_checkpoint"))
    assert files(IMPORTED) == files(model)


def test_a_classifiers_labels_are_given_names(small: Project) -> None:
    model = write_model(Path("data/models/glue/mrpc"), classifier_shapes(CONFIG, 2))
    export(model, "exported", "hugging_face", "--labels", "different", "paraphrase")
    assert json.loads(Path("exported/config.json").read_text())["id2label"] == {"0": "different", "1": "paraphrase"}


def test_what_is_there_already_is_left_alone(small: Project) -> None:
    model = write_model(Path("data/models/phase1"), pretraining_shapes(CONFIG))
    Path("there").mkdir()
    export(model, "there", "tensorflow")  # empty: no harm
    before = files(Path("there"))
    for out in ("there", "there/vocab.txt", str(model)):
        with pytest.raises(StageError, match="is there already, expected a new or an empty folder"):
            export(model, out, "hugging_face")
    assert files(Path("there")) == before


def test_what_fails_leaves_nothing(small: Project) -> None:
    erf = CONFIG.model_copy(update={"hidden_act": "gelu_erf"})
    model = write_model(Path("data/models/phase1"), pretraining_shapes(erf), erf)
    with pytest.raises(StageError, match="hidden_act is gelu_erf"):
        export(model, "new/exported", "tensorflow")
    assert not list(Path("new").iterdir())
    export(model, "new/exported", "hugging_face")
    assert [path.name for path in Path("new").iterdir()] == ["exported"]


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("phase1", "dvc repro pretrain_phase1"),
        ("imported", "dvc repro import_checkpoint"),
        ("glue/mrpc", "dvc repro glue@mrpc"),
        ("squad", "dvc repro squad"),
    ],
)
def test_a_model_that_is_not_there_names_the_command_that_makes_it(small: Project, name: str, run: str) -> None:
    with pytest.raises(StageError, match=rf"data/models/absent/{name}/manifest\.json: no such file") as error:
        export(Path("data/models/absent") / name, "exported", "hugging_face")
    assert error.value.run == run
    assert not Path("exported").exists()


def test_an_import_without_a_source_names_the_parameter(small: Project) -> None:
    manifest.write_unconfigured(IMPORTED)
    with pytest.raises(StageError, match="data/models/imported is empty: its source is not configured") as error:
        export(IMPORTED, "exported", "hugging_face")
    assert error.value.run == "set import_checkpoint.source (or another --model), then dvc repro import_checkpoint"


def test_a_folder_that_was_damaged_is_not_exported(small: Project) -> None:
    model = write_model(Path("data/models/phase1"), pretraining_shapes(CONFIG))
    load_model(model, "")
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(StageError, match="not what its manifest lists"):
        export(model, "exported", "hugging_face")


def test_the_command_is_what_its_help_says(small: Project) -> None:
    model = write_model(Path("data/models/phase1"), pretraining_shapes(CONFIG))
    small.run("export_checkpoint", "--model", str(model), "--out", "exported", "--format", "hugging_face")
    written = ["README.md", "config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]
    assert sorted(files(Path("exported"))) == written
    with pytest.raises(SystemExit):
        export(model, "other", "onnx")
