"""benchmarks/squad_v2.py: questions that another paragraph of the article does not answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.squad_v2 import main, with_unanswerable
from bert.tasks.squad.data import read_squad


def document() -> dict[str, Any]:
    """Two articles of three paragraphs with five questions each; "shared" stands in all of one article."""
    articles = []
    for title in "AB":
        paragraphs = []
        for n in range(3):
            context = f"{title} shared word{n} and {title.lower()}{n}."
            answers = ["shared", *[f"word{n}"] * 4]
            qas = [
                {"id": f"{title}{n}-{i}", "question": "?", "answers": [{"text": a, "answer_start": context.index(a)}]}
                for i, a in enumerate(answers)
            ]
            paragraphs.append({"context": context, "qas": qas})
        articles.append({"title": title, "paragraphs": paragraphs})
    return {"version": "1.1", "data": articles}


def test_moved_questions_have_no_answer_and_stay_in_their_article(tmp_path: Path) -> None:
    (tmp_path / "v2.json").write_text(json.dumps(with_unanswerable(document(), 0.5)))
    questions, dropped = read_squad(tmp_path / "v2.json", "download")
    assert len(questions) == 30 and not dropped
    moved = [q for q in questions if q.is_impossible]
    assert 5 <= len(moved) <= 20
    for question in questions:
        title, number = question.id[0], question.id[1]
        assert question.context.startswith(title)
        assert (f"word{number}" in question.context) != question.is_impossible
        assert bool(question.answers) != question.is_impossible
    assert not any(q.id.endswith("-0") for q in moved), "every paragraph holds that answer"


@pytest.mark.parametrize(("share", "moved"), [(0.0, 0), (1.0, 24)])
def test_the_share_is_that_of_the_questions_that_can_move(share: float, moved: int) -> None:
    made = with_unanswerable(document(), share)
    assert sum(qa["is_impossible"] for a in made["data"] for p in a["paragraphs"] for qa in p["qas"]) == moved


def test_the_same_file_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v1.json").write_text(json.dumps(document()))
    for name in ("one", "other"):
        main([str(tmp_path / "v1.json"), str(tmp_path / name), "--questions", "12"])
        assert json.loads(capsys.readouterr().out)["questions"] == 12
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
