"""bert/cloze/make.py with questions/squad.py and paraphrases/{pairs,mrpc}.py: both sets, on made-up documents."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bert.cloze.draws import position
from bert.cloze.make import make_cloze
from bert.cloze.paraphrases.mrpc import HEADER, make_rows
from bert.cloze.paraphrases.overlap import overlap
from bert.cloze.questions.squad import make_questions
from bert.cloze.settings import ClozeSettings, ParaphraseSettings, QuestionSettings
from bert.cloze.texts import Text
from bert.documents.document import Document
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tasks.glue.data import read_glue
from bert.tasks.glue.tasks import TASKS
from bert.tasks.squad.data import read_squad
from tests.cloze.made_up import CLOZE, DISTORTIONS, PARAPHRASES, QUESTIONS, document, write_folder
from tests.watching import Watching

SEED = 5


def questions(text: Document, **changes: Any):
    return make_questions(Text(text, SEED), QuestionSettings(**{**QUESTIONS, **changes}))


def rows(text: Document, **changes: Any):
    return make_rows(Text(text, SEED), ParaphraseSettings(**{**PARAPHRASES, **changes}))


@pytest.mark.parametrize("number", range(3))
def test_each_sentence_is_asked_about_or_counted(number: int) -> None:
    text = document(number, sentences=30)
    for changes in ({}, {"max_per_document": 4}, {"max_per_context": 1, "max_question_words": 7}):
        made, dropped = questions(text, **changes)
        assert made and len(made) + dropped.total() == len(Text(text, SEED).sentences)
    made, dropped = rows(text)
    assert made and len(made) / 2 + dropped.total() == len(Text(text, SEED).sentences)


def test_answers_stand_once_in_the_context_at_answer_start() -> None:
    for question in questions(document(1, sentences=60))[0]:
        assert question.context[question.answer_start :].startswith(question.answer)
        assert question.context.lower().count(question.answer.lower()) == 1
        assert question.answer not in question.question and len(question.context) <= QUESTIONS["max_context_chars"]
        assert question.answer_type in ("name", "number", "date")


NO_NAME = "no name, number or date"
ONE_FACT = "Then Anna Grey left the village. The weather was very bad for weeks and nobody was glad about it."


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        (ONE_FACT, {}, {NO_NAME: 1}),
        (ONE_FACT, {"min_question_words": 9}, {NO_NAME: 1, "question too short": 1}),
        (ONE_FACT, {"max_question_words": 3, "min_question_words": 1}, {NO_NAME: 1, "question too long": 1}),
        (ONE_FACT, {"max_answer_words": 1}, {NO_NAME: 1, "answer too long": 1}),
        (ONE_FACT, {"max_context_chars": 30}, {"sentence longer than a context": 2}),
        (ONE_FACT, {"min_context_sentences": 3}, {"context too short": 2}),
        (ONE_FACT.replace("nobody", "Anna Grey"), {}, {"answer more than once in the context": 2}),
        (ONE_FACT.replace("village.", "village!"), {}, {NO_NAME: 1, "no statement": 1}),
        ("They saw Tarn at last. They saw Sund at last.", {"max_per_context": 1}, {"context has its questions": 1}),
        ("They saw Tarn at last. They saw Sund at last.", {"max_per_document": 1}, {"document has its questions": 1}),
    ],
)  # fmt: skip
def test_reasons_for_no_question(text: str, changes: dict[str, int], expected: dict[str, int]) -> None:
    assert questions(Document("a:1", "", "A", text), **changes)[1] == Counter(expected)


PLAIN = "In 1905, the entire company of Anna Grey also painted three ships for Norland and Sund."


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        (PLAIN, {"min_words": 40, "max_words": 50}, "sentence too short"),
        (PLAIN, {"max_words": 9}, "sentence too long"),
        (PLAIN.replace("painted", '"painted"'), {}, "no plain statement"),
        (PLAIN.replace(".", "!"), {}, "no plain statement"),
        (PLAIN.replace("Sund.", "the U.S."), {}, "no plain statement"),
        (PLAIN.replace("Norland", "(Norland"), {}, "no plain statement"),
        (PLAIN, {"min_rewrites": 15, "max_rewrites": 15}, "too few rewriting rules fit"),
        (PLAIN, {"distortions": {**dict.fromkeys(DISTORTIONS, 0.0), "opposite": 1.0}}, "no distortion fits"),
    ],
)  # fmt: skip
def test_reasons_for_no_pair(text: str, changes: dict[str, Any], expected: str) -> None:
    made, dropped = rows(Document("a:1", "", "A", text), **changes)
    assert (made, dropped) == ([], Counter({expected: 1}))


def test_a_negative_has_the_positives_overlap_and_a_distortion_or_there_is_no_pair() -> None:
    made, dropped = rows(document(2, sentences=60), overlap_tolerance=0.02)
    assert dropped["no negative of the positive's word overlap"] > 0
    for positive, negative in zip(made[::2], made[1::2], strict=True):
        a, b = positive.pair, negative.pair
        assert (a.label, b.label) == (1, 0) and a.source == b.source
        assert abs(overlap(a.source, a.version.text) - overlap(b.source, b.version.text)) <= 0.02
        assert a.version.distortions == () != b.version.distortions
        assert len(a.version.kinds) >= PARAPHRASES["min_rewrites"] and a.version.text != a.source
        assert positive.first_id == negative.first_id and positive.second_id != negative.second_id


def make(tmp_path: Path, name: str, documents: list[Document], **changes: Any) -> dict[str, Any]:
    folder = tmp_path / f"{name}-documents"
    if not folder.exists():
        write_folder(folder, documents, files=2)
    settings = ClozeSettings(**{**CLOZE, **changes})
    return make_cloze([folder], settings, SEED, tmp_path / name)


def read(out: Path) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    asked = {split: read_squad(out / "squad" / f"{split}-v1.1.json", "cloze") for split in ("train", "dev")}
    said = {split: read_glue(out / "glue", TASKS["mrpc"], split, "cloze") for split in ("train", "dev")}
    for _, dropped in (*asked.values(), *said.values()):
        assert not dropped, "the readers find nothing wrong"
    return {split: items for split, (items, _) in asked.items()}, {split: items for split, (items, _) in said.items()}


def test_it_shows_how_far_it_is(tmp_path: Path) -> None:
    write_folder(tmp_path / "documents", [document(number) for number in range(10)], files=2)
    watching = Watching()
    make_cloze([tmp_path / "documents"], ClozeSettings(**CLOZE), SEED, tmp_path / "out", watching)
    assert watching.shown == {"cloze": (10, 10, "documents")}


DOCUMENTS = [document(number) for number in range(10)]


def test_the_files_are_what_the_readers_read_and_the_metrics_count(tmp_path: Path) -> None:
    metrics = make(tmp_path, "out", DOCUMENTS)
    asked, said = read(tmp_path / "out")
    for split in ("train", "dev"):
        assert metrics["questions"][split]["count"] == len(asked[split]) > 0
        assert metrics["paraphrases"][split]["count"] == len(said[split]) > 0
        assert metrics["questions"][split]["answer_types"] == {
            kind: sum(question.answer_type == kind for question in asked[split]) for kind in ("name", "number", "date")
        }
        assert metrics["paraphrases"][split]["share_of_paraphrases"] == 0.5
    ids = [question.id for split in asked.values() for question in split]
    assert len(set(ids)) == len(ids)
    lines = (tmp_path / "out/glue/MRPC/dev.tsv").read_text().split("\n")
    assert lines[0] == HEADER and lines[-1] == "" and all(line.count("\t") == 4 for line in lines[:-1])
    for folder, count in (("squad", len(asked["dev"])), ("glue", len(said["dev"]))):
        listed = manifest.read_configured(tmp_path / "out" / folder, "cloze", "dvc repro cloze")["files"]
        assert [entry["count"] for entry in listed if "dev" in entry["path"]] == [count]


def test_a_document_is_in_one_split_only(tmp_path: Path) -> None:
    metrics = make(tmp_path, "out", DOCUMENTS)
    dev = {d.title for d in DOCUMENTS if position("split", d.id) < CLOZE["dev_share"]}
    assert metrics["documents"] == {"train": len(DOCUMENTS) - len(dev), "dev": len(dev)}
    for split, expected in (("dev", dev), ("train", {d.title for d in DOCUMENTS} - dev)):
        data = json.loads((tmp_path / f"out/squad/{split}-v1.1.json").read_text())["data"]
        assert {article["title"] for article in data} == expected


def test_what_a_document_gives_depends_on_it_alone(tmp_path: Path) -> None:
    make(tmp_path, "all", DOCUMENTS)
    make(tmp_path, "reversed", DOCUMENTS[::-1])
    assert read(tmp_path / "all") == read(tmp_path / "reversed")
    make(tmp_path, "some", DOCUMENTS[3:])
    few, every = read(tmp_path / "some"), read(tmp_path / "all")
    # Dev may lose what the other documents say too.
    assert {q.id for q in few[0]["train"]} <= {q.id for q in every[0]["train"]}
    assert {(e.text_a, e.text_b) for e in few[1]["train"]} <= {(e.text_a, e.text_b) for e in every[1]["train"]}


def test_limits_take_whole_documents_and_are_kept_exactly(tmp_path: Path) -> None:
    small = {**QUESTIONS, "max_train": 30, "max_dev": 5}
    metrics = make(tmp_path, "small", DOCUMENTS, questions=small, paraphrases={**PARAPHRASES, "max_train": 20})
    asked, said = read(tmp_path / "small")
    assert (len(asked["train"]), len(asked["dev"]), len(said["train"])) == (30, 5, 20)
    assert metrics["questions"]["train"]["dropped"]["beyond the limit"] > 0
    make(tmp_path, "all", DOCUMENTS)
    assert {q.id for q in asked["train"]} <= {q.id for q in read(tmp_path / "all")[0]["train"]}


def test_dev_has_no_sentence_of_train(tmp_path: Path) -> None:
    dev = next(d for d in DOCUMENTS if position("split", d.id) < CLOZE["dev_share"])
    copies = (Document(f"copy:{n}", "", "Copy", dev.text) for n in range(99))
    copy = next(d for d in copies if position("split", d.id) >= CLOZE["dev_share"])
    metrics = make(tmp_path, "out", [*DOCUMENTS, copy])
    assert metrics["paraphrases"]["dev"]["dropped"]["sentence is in train too"] > 0
    asked, said = read(tmp_path / "out")
    assert not {e.text_a for e in said["train"]} & {e.text_a for e in said["dev"]}
    assert not {q.question for q in asked["train"]} & {q.question for q in asked["dev"]}


@pytest.mark.parametrize(
    ("documents", "changes", "message"),
    [
        ([], {}, "no source is configured"),
        (DOCUMENTS[:1], {}, "at least 2 documents"),
        (
            DOCUMENTS[:4],
            {"dev_share": 1e-9},
            r"no dev questions came out of 0 dev documents .* cloze.dev_share is 1e-09",
        ),
        ([Document(f"a:{n}", "", "", "No facts here.") for n in range(9)], {}, "no train questions"),
    ],
)
def test_too_little_to_make_both_sets_is_an_error_that_says_so(
    tmp_path: Path, documents: list[Document], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(StageError, match=message) as error:
        make(tmp_path, "out", documents, **changes)
    assert "dvc repro" in str(error.value)


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        ("paraphrases", {"min_words": 31}, "min_words is 31, above max_words, 30"),
        ("paraphrases", {"min_rewrites": 9}, "min_rewrites is 9, above max_rewrites, 3"),
        (
            "paraphrases",
            {"distortions": {"name": 1}},
            "distortions is .*'name': 1.0.*, expected a weight for each of relation, opposite",
        ),
        ("paraphrases", {"distortions": dict.fromkeys(DISTORTIONS, 0)}, "'relation': 0.0, .*, not all 0"),
        ("questions", {"max_train": 0}, "max_train"),
        ("questions", {"extra": 1}, "extra"),
    ],
)
def test_settings_that_cannot_work_are_refused(section: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClozeSettings(**{**CLOZE, section: {**CLOZE[section], **changes}})


def test_the_limit_per_document_leaves_out_names_first() -> None:
    def kinds(limit: int) -> Counter[str]:
        return Counter(
            question.answer_type for question in questions(document(1, sentences=60), max_per_document=limit)[0]
        )

    every = kinds(1000)
    others = every.total() - every["name"]
    assert others >= 5 and every["name"] >= 5
    assert "name" not in kinds(others) and kinds(others + 3)["name"] == 3
