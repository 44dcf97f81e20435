"""Tests for stages/export_glue.py: what is served of a GLUE task is what was predicted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  its operations are in the SavedModel

from bert.export.check_examples import check_examples, read_predictions
from bert.export.classifier import export_classifier
from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example
from bert.tasks.glue.features import make_rows
from bert.tasks.glue.task import Task
from bert.training.objectives import regression
from stages.export_glue import main
from stages.glue import main as fine_tune
from tests.export.alone import printed_alone
from tests.export.models import classifying, write_vocabulary
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import read

EXPORT = arguments("export_glue", item__task="mrpc")
PREDICTIONS, METRICS = Path("data/predictions/glue/mrpc/dev.tsv"), Path("metrics/export_glue/mrpc.json")
MODEL = Path("data/export/glue/mrpc")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which pairs have been learned and the model is exported; to be read only."""
    project = finetuning.write_project(tmp_path_factory.mktemp("exported") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        fine_tune(arguments("glue", item__task="mrpc"))
        main(EXPORT)
    return project


@pytest.fixture
def here(exported: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, in which it is not exported, as the working directory."""
    shutil.copytree(exported.path, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    shutil.rmtree(MODEL)
    METRICS.unlink()
    return tmp_path / "project"


def test_the_served_labels_are_those_that_were_learned(exported: Project) -> None:
    loaded = tf.saved_model.load(str(exported.path / MODEL))
    labels, a, b = zip(*finetuning.pairs(), strict=True)
    served = loaded.signatures["serving_default"](text_a=tf.constant(a), text_b=tf.constant(b))
    assert [label.decode() for label in served["label"].numpy()] == list(labels)
    shares = served["probabilities"].numpy()
    assert [str(n) for n in shares.argmax(1)] == list(labels)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    saved_model = files(exported.path / MODEL)
    size = sum(len(content) for name, content in saved_model.items() if name != "README.md")
    assert read(exported.path / METRICS) == {"checked": 20, "agreeing": 20, "ties": 0, "bytes": size}


def test_predictions_of_another_model_are_an_error(here: Path) -> None:
    lines = PREDICTIONS.read_text().splitlines()
    lines[1] = lines[1].replace("\t1", "\t0")
    PREDICTIONS.write_text("\n".join(lines) + "\n")
    with pytest.raises(StageError, match=r"1 of 20 predictions are not what the model answers .*: row 0 of dev,"):
        main(EXPORT)
    assert not MODEL.exists() and not METRICS.exists()
    finetuning.write_params(here, precision="bf16")
    main(EXPORT)
    assert (read(METRICS)["checked"], read(METRICS)["agreeing"], read(METRICS)["ties"]) == (20, 19, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "no such file"),
        ("0\t1\n", "expected lines of an index and a prediction below that header"),
        ("index\tprediction\n0\n", "expected lines of an index and a prediction below that header"),
        ("index\tprediction\n0\t1\n", "19 of 20 examples of dev have no prediction, row 1 for one"),
    ],
)
def test_predictions_that_are_not_whole_are_an_error(here: Path, text: str | None, expected: str) -> None:
    PREDICTIONS.unlink()
    if text is not None:
        PREDICTIONS.write_text(text)
    with pytest.raises(StageError, match=expected) as error:
        main(EXPORT)
    assert "dvc repro glue@mrpc" in str(error.value)


def test_numbers_are_held_to_the_digits_that_are_written(tmp_path: Path) -> None:
    model = classifying(write_vocabulary(tmp_path), 1)
    task = Task(name="stsb", labels=(), metrics=(), is_pair=True, scale=(-5.0, 5.0))
    export_classifier(model, task, 16, tmp_path / "model")
    examples = [Example(n, "a b c", "d e f g"[:n], 1.0) for n in range(1, 8)]
    rows = make_rows(examples, model.tokenizer(), max_seq_length=16)
    batch = {name: getattr(rows, name) for name in ("input_ids", "input_mask", "segment_ids")}
    numbers = regression().forward(model.weights, model.config, batch, tf.float32).numpy()[:, 0]
    predicted = {example.index: f"{number:.3f}" for example, number in zip(examples, numbers, strict=True)}

    def check(precision: str = "fp32", **others: str) -> dict[str, Any]:
        changed = {"dev": {**predicted, **{int(n[1:]): text for n, text in others.items()}}}
        return check_examples(tmp_path / "model", model, task, 16, {"dev": examples}, changed, precision)

    assert check() == {"checked": 7, "agreeing": 7, "ties": 0}
    assert check(_3=f"{numbers[2] + 0.001:.3f}") == {"checked": 7, "agreeing": 6, "ties": 1}
    with pytest.raises(StageError, match=r"1 of 7 predictions are not what the model answers .*: row 3 of dev"):
        check(_3=f"{numbers[2] + 0.01:.3f}")
    assert check("bf16", _3=f"{numbers[2] + 0.05:.3f}") == {"checked": 7, "agreeing": 6, "ties": 1}
    with pytest.raises(StageError, match=r"1 of 7 .* where precision is bf16: row 3 of dev"):
        check("bf16", _3=f"{numbers[2] + 0.2:.3f}")
    # What is served has to be right in any precision.
    other = replace(model, weights={**model.weights, "output_bias": model.weights["output_bias"] + np.float32(0.05)})
    export_classifier(other, task, 16, tmp_path / "model")
    with pytest.raises(StageError, match=r"answers 7 of 7 otherwise than the model itself in float32"):
        check("bf16")


def test_what_was_written_is_read(exported: Project) -> None:
    found = read_predictions(exported.path / PREDICTIONS, "dvc repro glue@mrpc")
    assert list(found.values()) == [label for label, *_ in finetuning.pairs()]
    assert list(found)[:9] == [0, 1, 2, 3, 4, 5, 6, 8, 9]


ALONE = """
import tensorflow as tf
import tensorflow_text
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
found = serve(text_a=tf.constant([sys.argv[2]]), text_b=tf.constant([sys.argv[3]]))
print(json.dumps(found["label"].numpy()[0].decode()))
"""


@pytest.mark.slow
def test_it_loads_with_tensorflow_alone(exported: Project, tmp_path: Path) -> None:
    """In another folder, where this project cannot be imported."""
    label, a, b = finetuning.pairs()[1]
    assert printed_alone(ALONE, tmp_path, str(exported.path / MODEL), a, b) == label


@pytest.mark.slow
def test_the_same_model_is_exported_as_the_same_bytes(exported: Project, tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for name in ("one", "other"):
        shutil.copytree(exported.path, tmp_path / name, symlinks=True)
        shutil.rmtree(tmp_path / name / MODEL)
        Project(tmp_path / name).run("export_glue", *EXPORT, PYTHONHASHSEED=str(len(made)))
        made.append(files(tmp_path / name / MODEL))
    assert made[0].keys() >= {"saved_model.pb", "fingerprint.pb", "variables/variables.index"}
    assert made[0] == made[1]
