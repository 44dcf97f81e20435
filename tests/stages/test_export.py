"""Tests for stages/export.py: what is served is what was predicted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  its operations are in the SavedModel

from bert.checkpoints.folder import load_model
from bert.export.check_questions import check_questions
from bert.export.question_answerer import export_question_answerer
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.tasks.squad.asking import Asker
from bert.tasks.squad.data import Question, read_squad
from stages.export import main
from tests.export.alone import printed_alone
from tests.export.models import squad_settings
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
    """A project in which the export has run; to be read only."""
    folder = copy_with_other_predictions(answering, tmp_path_factory.mktemp("exported") / "project", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(arguments("export"))
    return folder


@pytest.fixture(scope="module")
def serve(exported: Path) -> Any:
    """The signature: question and context in, answer, its place and score out."""
    loaded = tf.saved_model.load(str(exported / "data/export/squad"))
    # The function holds its variables weakly.
    return lambda *texts, _kept=loaded: _kept.signatures["serving_default"](
        question=tf.constant(texts[0]), context=tf.constant(texts[1])
    )


def test_the_served_answers_are_those_that_were_learned(serve: Any, exported: Path) -> None:
    asked = [(q["question"], p["context"]) for p in finetuning.questions() for q in p["qas"]]
    served = serve([question for question, _ in asked], [context for _, context in asked])
    places = zip(served["start"].numpy().tolist(), served["end"].numpy().tolist(), strict=True)
    cut = [context[start:end] for (_, context), (start, end) in zip(asked, places, strict=True)]
    assert cut == list(finetuning.answers().values())
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
    saved_model = files(exported / "data/export/squad")
    size = sum(len(content) for name, content in saved_model.items() if name != "README.md")
    assert read(exported / "metrics/export.json") == {"checked": 20, "agreeing": 20, "ties": 0, "bytes": size}


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
    assert served.keys() == {"answer", "start", "end", "score", "null_odds"}
    expected = read(PREDICTIONS)
    assert [answer.decode() for answer in served["answer"].numpy()] == [expected[name] for name, *_ in asked]
    odds = read(PREDICTIONS.with_name("null_odds.json"))
    np.testing.assert_allclose(served["null_odds"].numpy(), [odds[name] for name, *_ in asked], rtol=1e-3)
    best = [found[0] for found in read(NBEST).values()]
    logits = [candidate["start_logit"] + candidate["end_logit"] for candidate in best]
    np.testing.assert_allclose(served["score"].numpy(), logits, rtol=1e-4)


def test_predictions_of_another_model_are_an_error(
    answering: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copy_with_other_predictions(answering, tmp_path / "project", 3)
    monkeypatch.chdir(here)
    with pytest.raises(StageError, match=r"3 of 20 predictions are not what the model answers .* at most 0 .* fp32"):
        main(arguments("export"))
    finetuning.write_params(here, precision="bf16")
    with pytest.raises(StageError, match=r"3 of 20 .* at most 2 where precision is bf16"):
        main(arguments("export"))
    assert not (here / "data/export").exists()
    assert not (here / "metrics/export.json").exists()
    # As many as may be for their precision.
    predictions = read(here / PREDICTIONS)
    changed = next(name for name, text in predictions.items() if text.endswith("."))
    predictions[changed] = predictions[changed].removesuffix(".")
    (here / PREDICTIONS).write_text(json.dumps(predictions))
    main(arguments("export"))
    metrics = read(here / "metrics/export.json")
    assert (metrics["checked"], metrics["agreeing"], metrics["ties"]) == (20, 18, 0)


def test_a_question_without_a_prediction_is_an_error(
    answering: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copy_with_other_predictions(answering, tmp_path / "project", 0)
    monkeypatch.chdir(here)
    predictions = read(here / PREDICTIONS)
    del predictions["Ivo-When"]
    (here / PREDICTIONS).write_text(json.dumps(predictions))
    with pytest.raises(StageError, match=r"1 of 20 questions have no prediction, Ivo-When for one"):
        main(arguments("export"))


def test_an_export_that_answers_otherwise_is_an_error(answering: Project, exported: Path) -> None:
    """Of another model than the one that the stage's own code asks."""
    settings = squad_settings(limit_dev=None)
    questions = read_squad(answering.path / "data/cloze/squad/dev-v1.1.json", "cloze")[0]
    model = load_model(answering.path / "data/models/squad", "dvc repro squad")
    other = {**model.weights, "cls/squad/output_bias": -model.weights["cls/squad/output_bias"]}
    other["cls/squad/output_weights"] = -model.weights["cls/squad/output_weights"]
    with pytest.raises(
        StageError, match=r"answers \d+ of 20 otherwise than the model itself in float32: question Ada-"
    ):
        check_questions(
            exported / "data/export/squad",
            Asker(replace(model, weights=other), settings),
            questions,
            {question.id: "nobody" for question in questions},
            "bf16",
        )


def test_answers_that_score_the_same_are_ties(answering: Project, tmp_path: Path) -> None:
    """A head of zeros finds all spans as good; that of the first token is served, others may be predicted."""
    model = load_model(answering.path / "data/models/squad", "dvc repro squad")
    head = {name: np.zeros_like(value) for name, value in model.weights.items() if name.startswith("cls/squad")}
    model, settings = replace(model, weights={**model.weights, **head}), squad_settings()
    export_question_answerer(model, settings, tmp_path / "model")
    questions = read_squad(answering.path / "data/cloze/squad/dev-v1.1.json", "cloze")[0]
    asked = [question for question in questions if question.id == "Ada-Where"] * 3
    asked = [replace(question, id=f"{n}") for n, question in enumerate(asked)]
    predicted = {"0": "Ada", "1": "Ada was", "2": "Ada"}
    found = check_questions(tmp_path / "model", Asker(model, settings), asked, predicted, "fp32")
    assert found == {"checked": 3, "agreeing": 2, "ties": 1}


@pytest.fixture(scope="module")
def undecided(answering: Project, tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], tuple[Path, Asker]]:
    """At a threshold, a head of zeros: no answer scores what all spans score, and their difference is 0."""
    model = load_model(answering.path / "data/models/squad", "dvc repro squad")
    head = {name: np.zeros_like(value) for name, value in model.weights.items() if name.startswith("cls/squad")}
    model, settings = replace(model, weights={**model.weights, **head}), squad_settings()

    @cache
    def exported(threshold: float) -> tuple[Path, Asker]:
        folder = tmp_path_factory.mktemp("undecided") / "model"
        export_question_answerer(model, settings, folder, threshold)
        return folder, Asker(model, settings, threshold)

    return exported


@pytest.mark.parametrize(
    ("threshold", "predicted", "found"),
    [
        (0.0, "", {"checked": 1, "agreeing": 0, "ties": 1}),
        (0.0, "Ada was", {"checked": 1, "agreeing": 0, "ties": 1}),
        (1.0, "", None),  # where there is an answer, this one is worse by 1
        (1.0, "Ada", {"checked": 1, "agreeing": 1, "ties": 0}),
        (-1.0, "", {"checked": 1, "agreeing": 1, "ties": 0}),
        (-1.0, "Ada", None),
    ],
)
def test_no_answer_is_as_good_as_the_best_one_at_the_threshold(
    undecided: Callable[[float], tuple[Path, Asker]], threshold: float, predicted: str, found: dict[str, int] | None
) -> None:
    served, asker = undecided(threshold)
    asked = [Question("0", "Where was Ada born?", "Ada was born in Oslo.", ())]
    if found is None:
        with pytest.raises(StageError, match="1 of 1 predictions are not what the model answers"):
            check_questions(served, asker, asked, {"0": predicted}, "fp32")
    else:
        assert check_questions(served, asker, asked, {"0": predicted}, "fp32") == found


def test_an_answer_that_does_not_stand_where_it_says_is_an_error(answering: Project, tmp_path: Path) -> None:
    class Misplacing(tf.Module):
        """Says that the whole context stands one character later."""

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, "question"), tf.TensorSpec([None], tf.string, "context")]
        )
        def serve(self, question: Any, context: Any) -> Any:
            length = tf.strings.length(context, "UTF8_CHAR")
            return {"answer": context, "start": tf.ones_like(length), "end": length + 1, "asked": question}

    module = Misplacing()
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.serve)
    model = load_model(answering.path / "data/models/squad", "dvc repro squad")
    asked = [Question("x", "Who?", "Ada", ())]
    with pytest.raises(StageError, match=r"question x with 'Ada', but says that it stands at 1\.\.\.4 .* 'da'"):
        check_questions(tmp_path / "model", Asker(model, squad_settings()), asked, {"x": "Ada"}, "fp32")


THEN = """
ids = tf.constant([[1, 2, 3]])
logits = model.signatures["ids"](input_ids=ids, input_mask=tf.ones_like(ids), segment_ids=tf.zeros_like(ids))
print(json.dumps([found["answer"].numpy()[0].decode(), start, end, logits["start_logits"].shape.as_list()]))
"""


def test_it_loads_with_tensorflow_alone_as_the_docs_say(exported: Path, tmp_path: Path) -> None:
    """In another folder, where this project cannot be imported."""
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"(?m)^```python\n(import tensorflow as tf\n(?:.*\n)+?)```", text)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/export").symlink_to(exported / "data/export")
    answer, start, end, shape = printed_alone(snippet + THEN, tmp_path)
    # Places are of code points: in bytes they would lie behind the letter of two.
    assert answer == "Ada was born in S\u00e3o Paulo in 1843."[start:end] and end > len("Ada was born in S\u00e3o")
    assert shape == [1, 3]


@pytest.mark.slow
def test_the_same_model_is_exported_as_the_same_bytes(answering: Project, tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for name in ("one", "other"):
        shutil.copytree(answering.path, tmp_path / name, symlinks=True)
        Project(tmp_path / name).run("export", *arguments("export"), PYTHONHASHSEED=str(len(made)))
        made.append(files(tmp_path / name / "data/export/squad"))
    assert made[0].keys() >= {"saved_model.pb", "fingerprint.pb", "variables/variables.index"}
    assert made[0] == made[1]
