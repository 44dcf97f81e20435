"""Tests for stages/export_checkpoint.py: from a model folder to somebody else's, and back through the import."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from bert.checkpoints.folder import load_model, save_model
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, classifier_shapes, pretraining_shapes, squad_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.scratch import dvc_md5
from bert.tasks.glue.examples import TaskData
from bert.tasks.glue.task import Task
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


def labels_of(out: str) -> dict[str, dict[str, object]]:
    written = json.loads(Path(out, "config.json").read_text())
    return {key: written[key] for key in ("id2label", "label2id")}


def test_classes_are_called_as_the_files_of_the_task_call_them(
    small: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="stages")
    model, data = write_model(Path("data/models/glue/stars"), classifier_shapes(CONFIG, 3)), Path("data/glue/stars")
    export(model, "unnamed", "hugging_face")
    assert labels_of("unnamed")["label2id"] == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
    assert "the names of its 3 classes are not known here, config.json says LABEL_0" in caplog.text
    caplog.clear()
    task = Task(name="stars", labels=("bad", "good", "best"), metrics=("accuracy",), is_pair=False, is_own=True)
    TaskData(task, {}).write(data)
    outs = {"glue@stars": model, "glue_data@stars": data}
    entries = {stage: {"path": str(path), "md5": dvc_md5(path)} for stage, path in outs.items()}
    stages = {stage: {"cmd": "", "outs": [entry]} for stage, entry in entries.items()}
    stages["glue@stars"]["deps"] = [entries["glue_data@stars"]]
    Path("dvc.lock").write_text(json.dumps({"stages": stages}))
    export(model, "named", "hugging_face")
    assert labels_of("named")["id2label"] == {"0": "bad", "1": "good", "2": "best"}
    assert labels_of("named")["label2id"] == {"bad": 0, "good": 1, "best": 2}
    assert "in this order: `bad`, `good`, `best`." in Path("named/README.md").read_text()
    assert not caplog.text
    export(model, "again", "hugging_face")
    assert files(Path("again")) == files(Path("named"))
    export(model, "renamed", "hugging_face", "--labels", "1", "2", "3")
    assert labels_of("renamed")["id2label"] == {"0": "1", "1": "2", "2": "3"}


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
