"""Model cards: what dvc.lock and the metrics say of a folder, in Hugging Face's format."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.checkpoints.heads import CLASSES, MASKED_LM, SPANS
from bert.model_card.card import Folder, write_card
from bert.model_card.classes import task_of
from bert.model_card.folders import checkpoint, classifier, question_answerer
from bert.model_card.lineage import lineage
from bert.model_card.sources import licence_of, seen_by
from bert.pipeline.scratch import dvc_md5
from bert.tasks.glue.examples import TaskData
from bert.tasks.glue.task import Task
from bert.tasks.glue.tasks import TASKS
from tests.export.models import squad_settings
from tests.training.tiny import CONFIG

MODEL, IMPORTED, DATA = Path("data/models/squad"), Path("data/models/imported"), Path("data/cloze/squad")
SETTINGS = squad_settings(max_seq_length=160, doc_stride=64, max_query_length=48)
STARS = Task(name="stars", labels=("bad", "good", "best"), metrics=("accuracy",), is_pair=True, is_own=True)
METRICS, RECORD = Path("metrics/squad.json"), Path("metrics/provenance/squad.json")
WIKI = {"url": "package://gensim/wiki.bz2", "licence": "cc-by-sa-3.0"}
# {stage: (params, deps, outs)}
PIPELINE: dict[str, tuple[dict[str, Any], list[Path], list[Path]]] = {
    "squad": (
        {"seed": 7, "squad": {"version": "auto", "max_seq_length": 160}},
        [IMPORTED, DATA],
        [MODEL, METRICS, RECORD],
    ),
    "cloze": ({"seed": 7}, [Path("data/documents/text")], [DATA]),
    "documents@text": ({}, [Path("data/download/text")], [Path("data/documents/text")]),
    "download@text": ({"download.text": [WIKI]}, [], [Path("data/download/text")]),
    "import_checkpoint": (
        {"import_checkpoint": {"source": [{"url": "~/nobody/model.safetensors", "licence": "Apache-2.0"}]}},
        [],
        [IMPORTED],
    ),
    "download@books": ({"download.books": [{"url": "unused.txt"}]}, [], [Path("data/download/books")]),
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """After a run of PIPELINE."""
    monkeypatch.chdir(tmp_path)
    for _, _, outs in PIPELINE.values():
        for out in outs:
            if out.suffix:
                out.parent.mkdir(parents=True, exist_ok=True)
            else:
                out.mkdir(parents=True)
                (out / "content").write_text(str(out))
    baselines = {"position": {"exact_match": 10.0, "f1": 12.5}}
    scores = {"exact_match": 81.5, "f1": 87.25, "count": 300, "train_questions": 1700}
    METRICS.write_text(json.dumps(scores | {"baselines": baselines}))
    RECORD.write_text(json.dumps({"commit": "abc1234", "dirty": False, "machine": {"cpu": "fastest"}}))
    write_lock(PIPELINE)
    return tmp_path


def write_lock(pipeline: dict[str, tuple[dict[str, Any], list[Path], list[Path]]]) -> None:
    def listed(paths: list[Path]) -> list[dict[str, str]]:
        return [{"path": str(path), "md5": dvc_md5(path)} for path in paths]

    stages = {
        name: {"cmd": name, "params": {"params.yaml": params}, "deps": listed(deps), "outs": listed(outs)}
        for name, (params, deps, outs) in pipeline.items()
    }
    with open("dvc.lock", "w") as f:
        YAML(typ="safe", pure=True).dump({"schema": "2.0", "stages": stages}, f)


def card(what: Folder | None = None, model: Path = MODEL) -> tuple[dict[str, Any], str]:
    """The head and the text of README.md."""
    write_card(Path(), what or question_answerer(SETTINGS), model.name, CONFIG, lineage(model))
    text = Path("README.md").read_text()
    _, head, body = text.split("---\n", 2)
    return YAML(typ="safe", pure=True).load(head), body


def test_the_head_has_licence_language_tags_metrics_and_scores(workspace: Path) -> None:
    head, _ = card()
    assert head["license"] == "other"
    assert head["license_name"] == "apache-2.0-and-cc-by-sa-3.0"
    assert head["language"] == ["en"]
    assert head["pipeline_tag"] == "question-answering"
    assert head["metrics"] == ["exact_match", "f1"]
    assert "bert" in head["tags"]
    (result,) = head["model-index"][0]["results"]
    assert result["task"] == {"type": "question-answering"}
    assert {metric["type"]: metric["value"] for metric in result["metrics"]} == {"exact_match": 81.5, "f1": 87.25}


def test_the_text_names_data_licences_parameters_commit_and_scores(workspace: Path) -> None:
    _, body = card()
    assert "| text | `package://gensim/wiki.bz2` | cc-by-sa-3.0 |" in body
    assert "| a checkpoint to start from | `model.safetensors` | Apache-2.0 |" in body
    assert "| dev | F1 | 87.2 | 12.5 (position) |" in body
    assert "- position: the same place in each text" in body
    assert "Fine-tuned on 1,700 questions, measured on 300 others." in body
    assert "The model: imported weights, fine-tuned on questions made from the corpus, like SQuAD." in body
    assert "`squad` (commit `abc1234`), `import_checkpoint`, `cloze`" in body
    assert "version: auto" in body
    assert "unused" not in body, "the books are no part of what led to it"
    assert "nobody/" not in body and "fastest" not in body, "nothing of this machine"


@pytest.mark.parametrize(
    "what",
    [
        question_answerer(SETTINGS),
        classifier(STARS, 64),
        *(checkpoint(True, CONFIG, heads, [], []) for heads in ((SPANS,), (CLASSES,), (MASKED_LM,), ())),
        checkpoint(False, CONFIG, (SPANS,), [], []),
    ],
)
def test_each_kind_of_folder_has_a_head_that_the_hub_takes(workspace: Path, what: Folder) -> None:
    head, body = card(what)
    assert head["pipeline_tag"] == what.task
    assert what.use in body
    for code in re.findall(r"```python\n(.*?)```", body, re.DOTALL):
        compile(code, "README.md", "exec")
    if importlib.util.find_spec("huggingface_hub"):
        from huggingface_hub import ModelCard  # type: ignore[import-not-found,unused-ignore]

        data = ModelCard.load("README.md").data
        assert [result.metric_value for result in data.eval_results] == [81.5, 87.25]


def test_it_is_the_same_whenever_it_is_written_and_whatever_params_are_now(workspace: Path) -> None:
    card()
    before = Path("README.md").read_bytes()
    Path("params.yaml").write_text("seed: 8\n")
    card()
    assert Path("README.md").read_bytes() == before


def test_scores_and_commit_of_another_run_are_left_out(workspace: Path) -> None:
    METRICS.write_text(json.dumps({"exact_match": 99.0, "f1": 99.0}))
    RECORD.unlink()
    head, body = card()
    assert "model-index" not in head
    assert "None are known of it." in body
    assert "`squad` (commit unknown: its record was not at hand), `import_checkpoint`, `cloze`" in body


def test_a_model_that_dvc_lock_does_not_have_is_not_described_by_it(workspace: Path) -> None:
    (MODEL / "content").write_text("other weights")
    head, body = card()
    assert head["license"] == "unknown"
    assert "Not known: no dvc.lock names this model" in body
    Path("dvc.lock").unlink()
    assert card() == (head, body)


def test_a_lineage_ends_where_an_input_has_been_made_anew(workspace: Path) -> None:
    found = [step.stage for step in lineage(MODEL)]
    assert found == ["squad", "import_checkpoint", "cloze", "documents@text", "download@text"]
    stages = YAML(typ="safe", pure=True).load(Path("dvc.lock"))["stages"]
    stages["cloze"]["outs"][0]["md5"] = "0" * 32 + ".dir"
    with open("dvc.lock", "w") as f:
        YAML(typ="safe", pure=True).dump({"schema": "2.0", "stages": stages}, f)
    assert [step.stage for step in lineage(MODEL)] == ["squad", "import_checkpoint"]


@pytest.mark.parametrize(
    ("sources", "licence"),
    [
        ([], "unknown"),
        ([WIKI], "cc-by-sa-3.0"),
        ([WIKI, {"url": "b", "licence": "MIT"}], "other"),
        ([WIKI, {"url": "b"}], "unknown"),
        ([{"url": "b", "licence": "my own"}], "other"),
        ([{"wiki": "enwiki", "date": "20260901"}], "cc-by-sa-4.0"),
        ([{"manifest": "books.jsonl", "licence": "pddl"}], "pddl"),
    ],
)
def test_the_licence_is_the_one_that_all_sources_have(
    workspace: Path, sources: list[dict[str, str]], licence: str
) -> None:
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["download@text"][0]["download.text"] = sources
    pipeline["import_checkpoint"][0]["import_checkpoint"]["source"] = None
    write_lock(pipeline)
    assert licence_of(seen_by(lineage(MODEL))) == licence


def test_names_and_passwords_in_urls_are_nobodys_business(workspace: Path) -> None:
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["download@text"][0]["download.text"] = [
        {"url": "https://me:secret@example.org/a.txt?token=secret"},
        {"url": "file:///home/me/b.txt"},
        {"url": "~/c"},
    ]
    write_lock(pipeline)
    names = {seen.name for seen in seen_by(lineage(MODEL))}
    assert names == {"https://example.org/a.txt", "b.txt", "c", "model.safetensors"}


def learned_stars(params: dict[str, Any], name: str = "stars") -> Path:
    """After a run of a classifier's stages, of a task of one's own where that is what `params` says: the model."""
    model, data, source = Path(f"data/models/glue/{name}"), Path(f"data/glue/{name}"), Path("data/download/glue")
    for folder in (model, source):
        folder.mkdir(parents=True)
        (folder / "content").write_text(str(folder))
    TaskData(STARS if name == "stars" else TASKS[name].with_sets(()), {}).write(data)
    metrics = Path(f"metrics/glue/{name}.json")
    metrics.parent.mkdir()
    metrics.write_text(json.dumps({"accuracy": 75.0, "count": 40, "train_examples": 160}))
    made = {f"glue.{name}": {"max_seq_length": 64} | params}
    pipeline: dict[str, tuple[dict[str, Any], list[Path], list[Path]]] = {
        f"glue@{name}": (made, [data], [model, metrics]),
        f"glue_data@{name}": (made, [source], [data]),
        "download@glue": ({"download.glue": [{"url": "~/stars", "licence": "mit"}]}, [], [source]),
    }
    write_lock(pipeline)
    return model


def test_lengths_are_those_of_the_task(workspace: Path) -> None:
    assert "windows of 160 tokens, each with the question in it and 64 tokens after the one before" in card()[1]
    spans = card(checkpoint(True, CONFIG, (SPANS,), lineage(MODEL), []))[1]
    at_most = f"at most {CONFIG.max_position_embeddings} tokens"
    assert f"It takes {at_most}, and was fine-tuned on windows of at most 160." in spans
    assert "max_length=160" in spans
    stars = learned_stars({"train_file": "a.csv"})
    served = card(classifier(STARS, 64), stars)[1]
    assert served.count("Longer pairs are cut to 64 tokens.") == 2
    assert at_most not in served
    assert "fine-tuned on pairs cut to 64." in card(checkpoint(True, CONFIG, (CLASSES,), lineage(stars), []), stars)[1]


def test_a_classifiers_card_names_its_classes_in_their_order(workspace: Path) -> None:
    stars = learned_stars({"train_file": "a.csv"})
    task = task_of(lineage(stars))
    assert task == STARS
    listed = "it gives a pair of texts one of 3 labels, in this order: `bad`, `good`, `best`."
    assert listed in card(classifier(task, 64), stars)[1]
    head, body = card(checkpoint(True, CONFIG, (CLASSES,), lineage(stars), STARS.labels), stars)
    assert listed in body
    assert "On `stars`. Fine-tuned on 160 examples, measured on 40 others." in body
    assert "language" not in head and "The language of the data is not known here" in body


def test_where_the_data_are_not_here_only_glues_own_classes_are_known(workspace: Path) -> None:
    mrpc = learned_stars({}, "mrpc")
    Path("data/glue/mrpc/task.json").write_text("of another run")
    task = task_of(lineage(mrpc))
    assert task is not None
    assert "in this order: `0` (not equivalent), `1` (equivalent)." in card(classifier(task, 64), mrpc)[1]
    assert "On MRPC." in card(classifier(task, 64), mrpc)[1]
    assert task_of([]) is None


def test_classes_of_ones_own_are_not_guessed(workspace: Path) -> None:
    stars = learned_stars({"train_file": "a.csv"})
    Path("data/glue/stars/task.json").unlink()
    assert task_of(lineage(stars)) is None
    assert "it labels a text or a pair of texts." in card(checkpoint(True, CONFIG, (CLASSES,), lineage(stars), []))[1]


def test_sources_that_are_empty_have_made_nothing(workspace: Path) -> None:
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["cloze"][1].append(Path("data/documents/books"))
    pipeline["documents@books"] = ({}, [Path("data/download/books")], [Path("data/documents/books")])
    Path("data/documents/books").mkdir()
    write_lock(pipeline)
    assert "`documents@books`" in card()[1] and "`download@books`" in card()[1]
    pipeline["download@books"][0]["download.books"] = []
    write_lock(pipeline)
    assert "books" not in card()[1]


def test_imported_weights_are_not_said_to_be_trained_here(workspace: Path) -> None:
    _, body = card(checkpoint(True, CONFIG, (), lineage(IMPORTED), []), IMPORTED)
    assert "The model: imported weights." in body
    assert "The parameters" not in body


def test_a_model_of_cloze_questions_says_how_it_wants_to_be_asked(workspace: Path) -> None:
    advice = "It was fine-tuned on cloze questions alone"
    _, body = card()
    assert advice in body
    assert 'questions = ["Ada was born in which city in 1843?", "In which year was Ada born?"]' in body
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["download@squad"] = ({"download.squad": [WIKI]}, [], pipeline.pop("cloze")[2])
    write_lock(pipeline)
    assert advice not in card()[1]


@pytest.mark.parametrize(
    ("before", "said"), [("no_weights", "random weights"), ("of_another_run", "weights not known here")]
)
def test_where_the_weights_came_from_is_told_by_the_stages_alone(workspace: Path, before: str, said: str) -> None:
    pipeline = copy.deepcopy(PIPELINE)
    pipeline[before] = ({}, [], pipeline.pop("import_checkpoint")[2])
    write_lock(pipeline)
    assert f"The model: {said}, fine-tuned on" in card()[1]
