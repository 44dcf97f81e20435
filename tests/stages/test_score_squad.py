"""stages/score_squad.py: JSON in, the official scores out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from stages.score_squad import main

CONTEXT = "The black cat sat."


def qa(name: Any, *answers: str, **more: Any) -> dict[str, Any]:
    # Starts that are wrong: a scorer looks at texts alone, and so drops nothing.
    return {"id": name, "question": "", "answers": [{"text": a, "answer_start": 99} for a in answers], **more}


def data(folder: Path, *qas: dict[str, Any]) -> str:
    document = {"version": "any", "data": [{"title": "t", "paragraphs": [{"context": CONTEXT, "qas": list(qas)}]}]}
    return written(folder / "data.json", document)


def written(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    main(arguments)
    found: dict[str, float] = json.loads(capsys.readouterr().out)
    return found


def test_answered_questions_are_scored_by_version_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exact and F1: cat 1, 1; "black" of "black cat" 0, 2/3; "The" without a word 1, 0; no prediction 0, 0."""
    asked = data(tmp_path, qa("a", "dog", "the cat"), qa("b", "black cat"), qa("c", "The"), qa(7, "sat"))
    predictions = written(tmp_path / "p.json", {"a": "Cat.", "b": "black", "c": "the", "other": "x"})
    scores = printed(capsys, asked, predictions)
    assert scores == {"exact_match": 50, "f1": pytest.approx(100 * (1 + 2 / 3) / 4)}
    assert list(scores) == ["exact_match", "f1"]


def test_an_id_that_comes_twice_counts_twice_by_version_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = data(tmp_path, qa("a", "cat"), qa("a", "dog"), qa("b", "dog"))
    predictions = written(tmp_path / "p.json", {"a": "cat", "b": "dog"})
    assert printed(capsys, asked, predictions)["exact_match"] == pytest.approx(200 / 3)


def test_ids_that_are_numbers_are_those_of_the_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = written(tmp_path / "p.json", {"7": "cat"})
    assert printed(capsys, data(tmp_path, qa(7, "cat")), predictions)["exact_match"] == 100


def test_no_predictions_score_zero_by_version_1_and_nothing_by_version_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = written(tmp_path / "p.json", {})
    assert printed(capsys, data(tmp_path, qa("a", "cat")), predictions) == {"exact_match": 0, "f1": 0}
    with pytest.raises(StageError, match=r"p\.json: expected predictions, got none"):
        main([data(tmp_path, qa("a")), predictions, "--version", "2.0"])


@pytest.mark.parametrize("flags", [(), ("--version", "2.0")])
def test_unanswerable_questions_are_scored_by_version_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    asked = data(tmp_path, qa("a", "cat"), qa("b", is_impossible=True), qa("c", "The"))
    predictions = written(tmp_path / "p.json", {"a": "", "b": "", "c": ""})
    assert printed(capsys, asked, predictions, *flags) == {
        **{"exact": pytest.approx(200 / 3), "f1": pytest.approx(200 / 3), "total": 3},
        **{"HasAns_exact": 50, "HasAns_f1": 50, "HasAns_total": 2},
        **{"NoAns_exact": 100, "NoAns_f1": 100, "NoAns_total": 1},
    }


def test_null_odds_bring_the_best_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = data(tmp_path, qa("a", "cat"), qa("b", is_impossible=True))
    predictions = written(tmp_path / "p.json", {"a": "cat", "b": "x"})
    odds = written(tmp_path / "odds.json", {"a": -0.5, "b": 0.5})
    scores = printed(capsys, asked, predictions, "--null-odds", odds)
    assert (scores["exact"], scores["best_exact"], scores["best_f1_thresh"]) == (50, 100, -0.5)
    assert printed(capsys, asked, predictions, "--null-odds", odds, "--threshold", "0")["exact"] == 100
    # Null odds are of version 2.0, even where all questions have answers.
    answered = data(tmp_path, qa("a", "cat"))
    assert printed(capsys, answered, predictions, "--null-odds", odds)["best_exact"] == 100


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--threshold", "0"), "--threshold is one of --null-odds"),
        (("--null-odds", "x", "--threshold", "nan"), "expected a number, got nan"),
        (("--null-odds", "x", "--version", "1.1"), "--null-odds are of version 2.0, got --version 1.1"),
        (("--version", "3"), "invalid choice: '3'"),
    ],
)
def test_flags_that_do_not_go_together_are_told(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(["data.json", "p.json", *flags])
    assert message in capsys.readouterr().err


def test_files_that_cannot_be_scored_are_told(tmp_path: Path) -> None:
    predictions = written(tmp_path / "p.json", {"a": "cat", "b": ""})
    mixed = data(tmp_path, qa("a", "cat"), qa("b", is_impossible=True))
    with pytest.raises(
        StageError, match=r"data\.json: 1 of 2 questions have no answer .*expected SQuAD v1\.1"
    ) as error:
        main([mixed, predictions, "--version", "1.1"])
    assert error.value.run is not None and "--version 2.0" in error.value.run
    with pytest.raises(StageError, match=r"data\.json: none of its 1 questions has an answer to score by"):
        main([data(tmp_path, qa("a")), predictions])
    with pytest.raises(StageError, match=r"p\.json: not SQuAD's structure: expected list 'data'"):
        main([predictions, mixed])
    with pytest.raises(StageError, match=r"expected a file of JSON, but: Is a directory"):
        main([str(tmp_path), predictions])


def test_the_command_prints_scores_alone_on_its_output(tmp_path: Path) -> None:
    asked = data(tmp_path, qa("a", "cat"), qa("b"), qa("c", "x"))
    predictions = written(tmp_path / "p.json", {"a": "cat", "b": ""})
    done = subprocess.run(
        [sys.executable, "-m", "stages.score_squad", asked, predictions],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout)["total"] == 2
    assert "1 of 3 questions have no prediction and are left out, the first is c" in done.stderr
