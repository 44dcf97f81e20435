"""Tests for stages/export.py: what is served is what was predicted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  its operations are in the SavedModel

from bert.pipeline.errors import StageError
from stages.export import main
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import read

PREDICTIONS = Path("data/predictions/squad/predictions.json")
NBEST = PREDICTIONS.with_name("nbest_predictions.json")


def copy_with_other_predictions(project: Project, folder: Path, count: int) -> Path:
    """A copy of the project in which so many predictions are not what the model answers."""
    shutil.copytree(project.path, folder, symlinks=True)
    predictions = read(folder / PREDICTIONS)
    for name in list(predictions)[:count]:
        predictions[name] += "."
    (folder / PREDICTIONS).write_text(json.dumps(predictions))
    return folder


@pytest.fixture(scope="module")
def exported(answering: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the export has run, with as many other predictions as may be; to be read only."""
    folder = copy_with_other_predictions(answering, tmp_path_factory.mktemp("exported") / "project", 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(arguments("export"))
    return folder


@pytest.fixture(scope="module")
def serve(exported: Path) -> Any:
    """The signature: question and context in, answer and score out."""
    loaded = tf.saved_model.load(str(exported / "data/export/squad"))
    # The function holds its variables weakly.
    return lambda *texts, _kept=loaded: _kept.signatures["serving_default"](
        question=tf.constant(texts[0]), context=tf.constant(texts[1])
    )


def test_the_served_answers_are_those_that_were_learned(serve: Any, exported: Path) -> None:
    asked = [(q["question"], p["context"]) for p in finetuning.questions() for q in p["qas"]]
    served = serve([question for question, _ in asked], [context for _, context in asked])
    assert [answer.decode() for answer in served["answer"].numpy()] == list(finetuning.answers().values())
    assert served["score"].shape == (20,)
    # Not only the same answer: what the model reads is the same, to the last [SEP] of a full window.
    best = [found[0] for found in read(exported / NBEST).values()]
    logits = [candidate["start_logit"] + candidate["end_logit"] for candidate in best]
    np.testing.assert_allclose(served["score"].numpy(), logits, rtol=1e-4)
    # One at a time, too.
    (question, context), *_ = asked
    alone = serve([question], [context])
    assert alone["answer"].numpy() == [b"S\xc3\xa3o Paulo"]
    assert alone["score"].numpy()[0] == pytest.approx(served["score"].numpy()[0], rel=1e-4)


def test_a_context_without_text_has_no_answer(serve: Any) -> None:
    assert serve(["Where was Ada born?"] * 2, ["", " "])["answer"].numpy().tolist() == [b"", b""]


def test_the_metrics_count_what_agrees(exported: Path) -> None:
    size = sum(path.stat().st_size for path in (exported / "data/export/squad").rglob("*") if path.is_file())
    assert read(exported / "metrics/export.json") == {"checked": 20, "agreeing": 18, "bytes": size}


def test_a_cased_model_is_served_cased(cased: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(cased.path, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    main(arguments("export"))
    assert read(Path("metrics/export.json"))["agreeing"] == 20
    loaded = tf.saved_model.load("data/export/squad")
    asked = [(q["question"], p["context"]) for p in finetuning.questions() for q in p["qas"]]
    served = loaded.signatures["serving_default"](
        question=tf.constant([question for question, _ in asked]),
        context=tf.constant([context for _, context in asked]),
    )
    best = [found[0] for found in read(NBEST).values()]
    logits = [candidate["start_logit"] + candidate["end_logit"] for candidate in best]
    np.testing.assert_allclose(served["score"].numpy(), logits, rtol=1e-4)


def test_a_model_of_version_2_is_served_with_its_null(
    unanswering: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(unanswering.path, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    main(arguments("export"))
    assert read(Path("metrics/export.json"))["agreeing"] == 30
    loaded = tf.saved_model.load("data/export/squad")
    paragraphs = finetuning.with_unanswerable(finetuning.questions())
    asked = [(q["id"], q["question"], p["context"]) for p in paragraphs for q in p["qas"]]
    served = loaded.signatures["serving_default"](
        question=tf.constant([question for _, question, _ in asked]),
        context=tf.constant([context for *_, context in asked]),
    )
    assert served.keys() == {"answer", "score", "null_odds"}
    expected = read(PREDICTIONS)
    assert [answer.decode() for answer in served["answer"].numpy()] == [expected[name] for name, *_ in asked]
    odds = read(PREDICTIONS.with_name("null_odds.json"))
    np.testing.assert_allclose(served["null_odds"].numpy(), [odds[name] for name, *_ in asked], rtol=1e-3)
    best = [found[0] for found in read(NBEST).values()]
    logits = [candidate["start_logit"] + candidate["end_logit"] for candidate in best]
    np.testing.assert_allclose(served["score"].numpy(), logits, rtol=1e-4)


def test_an_export_that_answers_otherwise_is_an_error(
    answering: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copy_with_other_predictions(answering, tmp_path / "project", 3)
    monkeypatch.chdir(here)
    with pytest.raises(StageError, match=r"gives only 17 of 20 checked questions .* expected at least 18"):
        main(arguments("export"))
    assert not (here / "data/export").exists()
    assert not (here / "metrics/export.json").exists()


@pytest.mark.slow
def test_the_same_model_is_exported_as_the_same_bytes(answering: Project, tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for name in ("one", "other"):
        shutil.copytree(answering.path, tmp_path / name, symlinks=True)
        Project(tmp_path / name).run("export", *arguments("export"), PYTHONHASHSEED=str(len(made)))
        made.append(files(tmp_path / name / "data/export/squad"))
    assert made[0].keys() >= {"saved_model.pb", "fingerprint.pb", "variables/variables.index"}
    assert made[0] == made[1]
