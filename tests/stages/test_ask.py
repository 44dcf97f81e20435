"""stages/ask.py: a text and questions in, answers with their places out; and the page, as a process."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from stages import ask
from tests.project import Project
from tests.stages.finetuning import PEOPLE, answers, questions, read

pytestmark = pytest.mark.slow
MODEL = ["--model", "data/models/squad"]
FILLER = "It is said of it, and of those who have not, that it is cold. " * 20


@pytest.fixture
def text(answering: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All of what the model has learned in one long text, as a file; the working directory is the project."""
    monkeypatch.chdir(answering.path)
    path = tmp_path / "text.txt"
    contexts = (paragraph["context"] for paragraph in questions())
    path.write_text("\ufeff😀 " + "".join(f"{context}\n{FILLER}\n" for context in contexts), encoding="utf-8")
    return path


def test_of_a_long_text_the_part_that_the_question_is_about_is_read(
    text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [f"When was {name} born?" for name in PEOPLE]
    ask.main([*MODEL, "--context", str(text), "--json", "--n-best", "3", "--windows", "2", *asked])
    found = json.loads(capsys.readouterr().out)
    context = text.read_text(encoding="utf-8-sig")
    assert found["characters"] == len(context)
    assert [reply["question"] for reply in found["replies"]] == asked
    for reply, name in zip(found["replies"], PEOPLE, strict=True):
        assert (reply["windows_read"], len(reply["answers"])) == (2, 3)
        assert reply["windows"] > 100
        assert all(answer["text"] == context[answer["start"] : answer["end"]] for answer in reply["answers"])
        # What the model makes of so much filler is another matter: it has seen none.
        place = context.index(f"{name} was born")
        assert all(abs(answer["start"] - place) < 150 for answer in reply["answers"])


def test_all_windows_give_what_the_stage_predicted(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = read(Path("data/predictions/squad/predictions.json"))
    assert predictions == answers()
    for paragraph in questions()[2:5]:
        text.write_text(paragraph["context"], encoding="utf-8")
        asked = paragraph["qas"]
        ask.main([*MODEL, "--context", str(text), "--all", "--json", *(qa["question"] for qa in asked)])
        replies = json.loads(capsys.readouterr().out)["replies"]
        assert [reply["answers"][0]["text"] for reply in replies] == [predictions[qa["id"]] for qa in asked]
        assert all(reply["windows_read"] == reply["windows"] for reply in replies)


def test_people_read_the_answer_in_its_place(
    text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = "\n\n  Jule was born\n\tin Oslo in 1953."
    text.write_text(context, encoding="utf-8")
    ask.main([*MODEL, "--context", str(text), "--n-best", "1", "Where was Jule born?", "When was Jule born?"])
    place, year = capsys.readouterr().out.split("\n\n")
    assert place.splitlines()[:2] == ["Where was Jule born?", "  1. Oslo"]
    start = context.index("Oslo")
    assert f"characters {start} to {start + 4}, line 4, column 5" in place
    assert "     Jule was born in [Oslo] in 1953.\n  read 1 of 1 windows of the text" in place
    assert "  1. 1953\n" in year


def test_the_text_may_come_by_the_standard_input(answering: Project) -> None:
    command = [sys.executable, "-m", "stages.ask", *MODEL, "--context", "-", "Where was Jule born?", "\udcff"]
    done = subprocess.run(
        command,
        cwd=answering.path,
        input=b"Jule was born in Oslo in 1953.",
        capture_output=True,
        timeout=240,
        check=True,
    )
    assert b"  1. Oslo\n" in done.stdout
    assert b"\\udcff\n  1. " in done.stdout  # a question that is no UTF-8


def test_an_empty_text_has_no_answer(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text.write_text("", encoding="utf-8")
    ask.main([*MODEL, "--context", str(text), "Where was Jule born?"])
    said = "Where was Jule born?\n  no answer: the text has no token\n  read 0 of 0 windows of the text\n"
    assert capsys.readouterr().out == said


def test_a_model_of_version_2_may_say_that_there_is_none(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The threshold lies beside the predictions, those of the model's name or those that are named."""
    threshold = {"null_score_diff_threshold": -1e6}
    (tmp_path / "predictions/squad").mkdir(parents=True)
    (tmp_path / "predictions/squad/null_threshold.json").write_text(json.dumps(threshold))
    (tmp_path / "models").mkdir()
    (tmp_path / "models/squad").symlink_to(Path("data/models/squad").absolute())
    asked = ["--context", str(text), "--json", "Where was Jule born?"]
    for where in (
        ["--model", str(tmp_path / "models/squad")],
        [*MODEL, "--predictions", str(tmp_path / "predictions/squad")],
    ):
        ask.main([*where, *asked])
        (reply,) = json.loads(capsys.readouterr().out)["replies"]
        assert reply["no_answer"] and reply["null_odds"] > -1e6 and reply["answers"]
    ask.main([*MODEL, *asked])
    (reply,) = json.loads(capsys.readouterr().out)["replies"]
    assert not reply["no_answer"] and reply["null_odds"] is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["why?"], "expected --context, a file or -"),
        (["--context", "x"], "expected a question, or --serve"),
        (["--serve", "why?"], "give no question and no --json"),
        (["--context", "x", "--windows", "0", "why?"], "--windows: expected 1 or more, got 0"),
        (["--context", "x", "--n-best", "-1", "why?"], "--n-best: expected 1 or more, got -1"),
    ],
)
def test_flags_that_do_not_go_together_are_told(
    capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        ask.main([*MODEL, *flags])
    assert message in capsys.readouterr().err


def test_what_cannot_be_read_is_told(small: Project, tmp_path: Path) -> None:
    for name, content, reason in (
        ("absent.txt", None, "expected a text in UTF-8, but: No such file"),
        (".", None, "expected a text in UTF-8, but: Is a directory"),
        ("latin.txt", "é".encode("latin-1"), "expected UTF-8, but"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(StageError, match=reason):
            ask.main([*MODEL, "--context", str(tmp_path / name), "why?"])
    (tmp_path / "text").write_text("text")
    with pytest.raises(StageError, match=r"data/models/squad/manifest\.json: no such file") as error:
        ask.main([*MODEL, "--context", str(tmp_path / "text"), "why?"])
    assert error.value.run == "dvc repro squad, or dvc pull data/models/squad where a remote has it"
    with pytest.raises(StageError, match=r"--n-best is 21, but no more than squad\.n_best_size 20"):
        ask.main([*MODEL, "--context", str(tmp_path / "text"), "--n-best", "21", "why?"])


@pytest.mark.parametrize(
    ("number", "host", "warned"),
    [(signal.SIGTERM, [], False), (signal.SIGINT, ["--host", "0.0.0.0"], True)],
)
def test_the_page_is_served_until_a_signal(
    answering: Project, text: Path, number: signal.Signals, host: list[str], warned: bool
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.ask", *MODEL, "--context", str(text), "--serve", *host],
        cwd=answering.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert isinstance(process.stdout, io.TextIOWrapper)
    try:
        address = process.stdout.readline().strip()
        assert re.fullmatch(rf"http://{'0.0.0.0' if warned else '127.0.0.1'}:\d+/", address)
        address = address.replace("0.0.0.0", "127.0.0.1")
        page = urllib.request.urlopen(address, timeout=60).read().decode()
        assert "data/models/squad" in page and "Jule was born in Oslo" in page
        body = json.dumps({"context": "Jule was born in Oslo in 1953.", "question": "Where was Jule born?"}).encode()
        request = urllib.request.Request(f"{address}answer", body, {"Content-Type": "application/json"})
        assert json.load(urllib.request.urlopen(request, timeout=60))["answers"][0]["text"] == "Oslo"
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert ("is not the loopback" in said) == warned
