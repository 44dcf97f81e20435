"""Tests for bert/tasks/squad/data.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.squad.data import Question, evenly_spaced, read_squad


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
        ({"answers": []}, 1, {"question: no answer left": 1}),
        ({"question": "  "}, 1, {"question: blank": 1}),
        ({"id": "1"}, 1, {"question: id came before": 1}),
        ({"answers": [], "is_impossible": True}, 2, {}),
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
        (lambda d: qas_of(d)[1].pop("answers"), r"list 'answers' at data\[0\].paragraphs\[0\].qas\[1\], got nothing"),
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


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"{", "not JSON"), (b'"\xff"', "not JSON")])
def test_a_missing_or_broken_file_is_a_stage_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "train.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError, match=message) as caught:
        read_squad(path, "download")
    assert str(path) in str(caught.value) and caught.value.run == "dvc repro download@squad"


def test_a_limit_takes_questions_from_the_whole_file() -> None:
    questions = [Question(str(i), "?", "c", ()) for i in range(10)]
    assert [q.id for q in evenly_spaced(questions, 4)] == ["0", "2", "5", "7"]
    assert evenly_spaced(questions, None) == evenly_spaced(questions, 99) == questions
