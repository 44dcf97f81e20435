"""Tests for bert/tasks/squad/data.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.squad.data import Question, evenly_spaced, has_answers, read_gold, read_squad, squad_version


def write(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def qas_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["data"][0]["paragraphs"][0]["qas"]


def test_questions_carry_their_context_answers_and_kind(tmp_path: Path, squad: dict[str, Any]) -> None:
    questions, dropped = read_squad(write(tmp_path, squad), "download")
    context = squad["data"][0]["paragraphs"][0]["context"]
    assert questions == [
        Question("1", "Who was born?", context, (("Neil", 5),), None),
        Question("2", "When?", context, (("1930", 22), ("in 1930", 19)), "date"),
    ]
    assert dropped == Counter()


@pytest.mark.parametrize(
    ("change", "kept", "reasons"),
    [
        ({"answers": [{"text": "1931", "answer_start": 22}]}, 1,
         {"answer: not at answer_start, not in the context": 1, "question: no answer left": 1}),
        ({"answers": [{"text": "1930", "answer_start": 21}, {"text": "1930", "answer_start": 22}]}, 2,
         {"answer: not at answer_start, elsewhere in the context": 1}),
        ({"answers": [{"text": "moon.", "answer_start": -5}]}, 1,
         {"answer: not at answer_start, elsewhere in the context": 1, "question: no answer left": 1}),
        ({"answers": [{"text": " ", "answer_start": 4}]}, 1, {"answer: blank": 1, "question: no answer left": 1}),
        ({"question": "  "}, 1, {"question: blank": 1}),
        ({"id": "1"}, 1, {"question: id came before": 1}),
        ({"answers": [], "is_impossible": True}, 2, {}),
        ({"answers": []}, 2, {}),
        ({"is_impossible": True}, 2, {"answer: of an impossible question": 2}),
    ],
)  # fmt: skip
def test_what_is_dropped_is_counted_by_reason(
    tmp_path: Path, squad: dict[str, Any], change: dict[str, Any], kept: int, reasons: dict[str, int]
) -> None:
    qas_of(squad)[1].update(change)
    questions, dropped = read_squad(write(tmp_path, squad), "download")
    assert (len(questions), dict(dropped)) == (kept, reasons)
    for question in questions:
        for text, start in question.answers:
            assert question.context[start : start + len(text)] == text


def test_an_unanswerable_question_has_no_answers(tmp_path: Path, squad: dict[str, Any]) -> None:
    qas_of(squad)[1].update(answers=[], is_impossible=True, plausible_answers=[{"text": "1930", "answer_start": 22}])
    assert read_squad(write(tmp_path, squad), "download")[0][1].answers == ()


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda d: d.pop("data"), "expected list 'data' at the top, got nothing"),
        (lambda d: d["data"].append("x"), r"expected an object at data\[1\], got str"),
        (lambda d: d["data"][0]["paragraphs"][0].update(context=3), "str 'context' at .*, got int"),
        (lambda d: qas_of(d)[1].pop("question"), r"str 'question' at data\[0\].paragraphs\[0\].qas\[1\], got nothing"),
        (lambda d: qas_of(d)[1].update(answers=None), r"list 'answers' at .*, got NoneType"),
        (lambda d: qas_of(d)[1].pop("id"), "str 'id' at .*, got nothing"),
        (lambda d: qas_of(d)[1].update(id=True), "str 'id' at .*, got bool"),
        (lambda d: qas_of(d)[1].update(id=1.5), "str 'id' at .*, got float"),
        (lambda d: qas_of(d)[1].update(is_impossible="no"), "bool 'is_impossible' at .*, got str"),
        (lambda d: qas_of(d)[0]["answers"][0].update(answer_start=True), "int 'answer_start' at .*, got bool"),
        (lambda d: qas_of(d)[0].update(answer_type=7), "str 'answer_type'"),
        (lambda d: qas_of(d).clear(), r"no question left \(the file has none\)"),
    ],
)  # fmt: skip
def test_a_malformed_file_says_where_and_what_to_run(
    tmp_path: Path, squad: dict[str, Any], break_it: Any, message: str
) -> None:
    break_it(squad)
    path = write(tmp_path, squad)
    with pytest.raises(StageError, match=message) as caught:
        read_squad(path, "cloze")
    assert str(path) in str(caught.value) and caught.value.run == "dvc repro cloze"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"{", "not valid JSON"), (b'"\xff"', "not valid"), (b"[" * 100_000, "not valid")],
)
def test_a_missing_or_broken_file_is_a_stage_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "train.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError, match=message) as caught:
        read_squad(path, "download")
    assert str(path) in str(caught.value) and caught.value.run == "dvc repro download@squad"


def test_a_folder_is_no_file_of_questions(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="expected a file of JSON, but: Is a directory"):
        read_squad(tmp_path, "download")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path, squad: dict[str, Any], encoding: str) -> None:
    expected = read_squad(write(tmp_path, squad), "download")
    path = tmp_path / "marked.json"
    path.write_text(json.dumps(squad, ensure_ascii=False), encoding=encoding)
    assert read_squad(path, "download") == expected


def test_ids_may_be_numbers(tmp_path: Path, squad: dict[str, Any]) -> None:
    for number, qa in enumerate(qas_of(squad)):
        qa["id"] = number
    qas_of(squad).append({**qas_of(squad)[0], "id": "0"})
    questions, dropped = read_squad(write(tmp_path, squad), "download")
    assert [q.id for q in questions] == ["0", "1"], "as they stand in a file of predictions, which is JSON"
    assert dropped == {"question: id came before": 1}


@pytest.mark.parametrize("change", ["absent", "empty"])
def test_a_file_that_only_asks_is_read(tmp_path: Path, squad: dict[str, Any], change: str) -> None:
    for qa in qas_of(squad):
        del qa["answers"]
        if change == "empty":
            qa["answers"] = []
    path = write(tmp_path, squad)
    questions, dropped = read_squad(path, "download")
    assert [q.answers for q in questions] == [(), ()] and not dropped
    assert has_answers(questions) is False
    for version in ("auto", "1.1"):
        assert squad_version({path: questions}, version, "x") == "1.1"
    assert squad_version({path: questions}, "2.0", "x") == "2.0"


def test_an_answered_file_has_answers(tmp_path: Path, squad: dict[str, Any]) -> None:
    for qa in qas_of(squad):
        qa["is_impossible"] = False  # SQuAD v2, of whose questions only the answered ones are taken
    path = write(tmp_path, squad)
    questions, _ = read_squad(path, "download")
    assert has_answers(questions) is True
    assert squad_version({path: questions}, "auto", "x") == "1.1"


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ([{}, {"answers": [], "is_impossible": True}], 1),
        ([{}, {"answers": [], "is_impossible": True, "plausible_answers": [{"text": "1930", "answer_start": 22}]}], 1),
        ([{}, {"is_impossible": True}], 1),
        ([{}, {"answers": []}], 1),
        ([{"answers": []}, {"answers": [], "is_impossible": True}], 2),
        ([{"answers": [], "is_impossible": True}, {"answers": [], "is_impossible": True}], 2),
    ],
)
def test_unanswerable_questions_are_of_version_2_and_refused_by_1_with_their_number(
    tmp_path: Path, squad: dict[str, Any], changes: list[dict[str, Any]], count: int
) -> None:
    for qa, change in zip(qas_of(squad), changes, strict=True):
        qa |= change
    path = write(tmp_path, squad)
    questions, _ = read_squad(path, "download")
    assert has_answers(questions)
    answered = {tmp_path / "train.json": [Question("1", "?", "c", (("c", 0),))]}
    for version in ("auto", "2.0"):
        assert squad_version(answered | {path: questions}, version, "x") == "2.0"
    message = rf"{count} of 2 questions have no answer .SQuAD v2\.0., expected SQuAD v1\.1"
    with pytest.raises(StageError, match=message) as error:
        squad_version(answered | {path: questions}, "1.1", "the next command")
    assert str(path) in str(error.value) and error.value.run == "the next command"


def test_a_scorer_reads_every_answer_wherever_it_stands(tmp_path: Path, squad: dict[str, Any]) -> None:
    first, second = qas_of(squad)
    first["answers"] += [{"text": "elsewhere", "answer_start": 99}, {"text": " ", "answer_start": -1}]
    second |= {"is_impossible": True, "question": " "}
    qas_of(squad).append({"id": 3, "question": "?"})
    qas_of(squad).append(dict(first))
    gold = read_gold(write(tmp_path, squad), "x")
    assert [(q.id, [text for text, _ in q.answers]) for q in gold] == [
        ("1", ["Neil", "elsewhere", " "]),
        ("2", ["1930", "in 1930"]),
        ("3", []),
        ("1", ["Neil", "elsewhere", " "]),
    ]


def test_a_limit_takes_questions_from_the_whole_file() -> None:
    questions = [Question(str(i), "?", "c", ()) for i in range(10)]
    assert [q.id for q in evenly_spaced(questions, 4)] == ["0", "2", "5", "7"]
    assert evenly_spaced(questions, None) == evenly_spaced(questions, 99) == questions
