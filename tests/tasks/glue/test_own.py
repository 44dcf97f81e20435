"""Tests for bert/tasks/glue/own: files of one's own as people have them, and what is wrong with some."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example
from bert.tasks.glue.own.data import read_own
from bert.tasks.glue.own.settings import METRICS_OF, OwnTaskSettings, check_name
from bert.tasks.glue.own.tables import read_columns
from bert.tasks.settings import FILE_KEYS, GlueTaskSettings
from tests.tasks.glue.own_tasks import REGRESSION, SETTINGS, write

NEXT = "correct the file that download.glue names, dvc repro -f -s download@glue, then dvc repro glue@reviews"


def settings(**changes: Any) -> OwnTaskSettings:
    return OwnTaskSettings(**(SETTINGS | changes))


def csv(*rows: str, header: str = "title,stars") -> str:
    return "\n".join([header, *rows]) + "\n"


def read(folder: Path, train: str, dev: str | None = None, test: str | None = None, **changes: Any) -> Any:
    """(task, {set: examples}, {set: what was dropped}) of csv files with a title and stars."""
    given = {"text": ["title"], "train_file": "r/train.csv", "dev_file": "r/dev.csv"} | changes
    write(folder, {"r/train.csv": train, "r/dev.csv": dev or train} | ({} if test is None else {"r/new.csv": test}))
    if test is not None:
        given["test_file"] = "r/new.csv"
    data, dropped = read_own(folder, "reviews", settings(**given))
    return data.task, dict(data.examples), {split: dict(reasons) for split, reasons in dropped.items()}


def refused(folder: Path, *files: str, **changes: Any) -> StageError:
    with pytest.raises(StageError) as caught:
        read(folder, *files, **changes)
    return caught.value


def test_the_keys_that_training_does_not_read_are_those_of_the_files() -> None:
    assert set(FILE_KEYS) == set(OwnTaskSettings.model_fields)


def test_csv_has_commas_quotation_marks_and_line_breaks_in_quotation_marks(tmp_path: Path) -> None:
    rows = ['"Good, very ""good""",5', '"Two\r\nlines",1', '5" tall, really', '"\u2028",3', "é\u0085x,1"]
    rows[2] = '5" tall,3'
    train = "\ufeff" + "\r\n".join(["title,stars", *rows]) + "\r\n"
    task, examples, dropped = read(tmp_path, train)
    assert task.labels == ("1", "3", "5")
    assert examples["train"] == [
        Example(0, 'Good, very "good"', None, 2),
        Example(1, "Two\r\nlines", None, 0),
        Example(2, '5" tall', None, 1),
        Example(4, "é\u0085x", None, 0),
    ]
    assert dropped["train"] == {"blank text": 1}, "U+2028 alone is white space; its number is not given again"
    assert (task.name, task.devs, task.unlabelled, task.is_own, task.is_pair) == ("reviews", ("dev",), (), True, False)


def test_a_line_is_named_where_rows_have_several(tmp_path: Path) -> None:
    train = csv('"One\ntwo\nthree",1', "", "b,2", '"x\ny",3')
    assert "r/dev.csv, line 6: expected as stars one of 1, 2, 3, got '4'" in str(
        refused(tmp_path, train, csv('"One\ntwo\nthree",1', "", "b,4"))
    )
    assert "r/dev.csv, line 6: expected the 2 columns title, stars, got 3" in str(
        refused(tmp_path, train, csv('"One\ntwo\nthree",1', "", "b,4,5"))
    )
    assert "r/dev.csv, line 6: expected CSV with commas, but: " in str(
        refused(tmp_path, train, csv('"One\ntwo\nthree",1', "", '"b"c,4'))
    )
    error = refused(tmp_path, train, csv("a,1", '"never closed,1', "c,2"))
    assert "r/dev.csv, line 3: expected CSV" in str(error) and error.run == NEXT


def test_lines_may_end_as_old_spreadsheets_end_them(tmp_path: Path) -> None:
    _, examples, _ = read(tmp_path, csv("a,1", "b,2").replace("\n", "\r"))
    assert [example.text_a for example in examples["train"]] == ["a", "b"]


def test_a_field_may_be_a_whole_document(tmp_path: Path) -> None:
    _, examples, _ = read(tmp_path, csv(f"{'word ' * 40_000},1", "b,2"))
    assert len(examples["train"][0].text_a) == 200_000


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    write(tmp_path, {"r/train.tsv": '\ufefftitle\tstars\r\n"a, "b\t1\r\n\r\nc"\t2\r\n'})
    data, _ = read_own(tmp_path, "r", settings(text="title", train_file="r/train.tsv", dev_file="r/train.tsv"))
    assert data.examples["train"] == [Example(0, '"a, "b', None, 0), Example(1, 'c"', None, 1)]


def test_json_lines_have_strings_numbers_truth_values_and_nulls(tmp_path: Path) -> None:
    lines = [
        '{"title": "a\\u2028\\"b", "body": 1.50, "stars": 10, "more": {"x": [1]}}',
        "",
        '{"stars": "9", "body": "y", "title": true}\r',
        '{"title": "z", "body": null, "stars": 9}',
    ]
    write(tmp_path, {"r/train.jsonl": "\ufeff" + "\n".join(lines), "r/dev.txt": lines[0]})
    given = {"train_file": "r/train.jsonl", "dev_file": "r/dev.txt", "format": "jsonl"}
    data, dropped = read_own(tmp_path, "r", settings(**given))
    assert data.task.labels == ("9", "10"), "numbers are sorted as numbers"
    assert data.examples["train"] == [Example(0, 'a\u2028"b', "1.50", 1), Example(1, "true", "y", 0)]
    assert dropped["train"] == {"blank text": 1}
    assert data.task.is_pair


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Expecting property name"),
        ("[1]", "it is something else"),
        ('{"title": "a"}', r"it has no 'stars', only \['title'\]"),
        ('{"title": ["a"], "stars": 1}', "'title' is no string and no number"),
        ('{"title": "a", "stars": NaN}', "NaN is no number"),
        (r'{"title": "\ud800", "stars": 1}', "surrogates not allowed"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_line_that_is_no_object_with_the_keys_is_named(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, {"x.jsonl": '\n{"title": "a", "stars": 1}\n' + line})
    with pytest.raises(
        StageError, match=rf"x\.jsonl, line 3: expected a JSON object with title, stars, but .*{message}"
    ):
        read_columns(tmp_path / "x.jsonl", "jsonl", ("title", "stars"), "x")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("", r"line 1: expected a column 'title', got \[\]"),
        ("title;stars\na;1\n", r"line 1: expected a column 'title', got \['title;stars'\]"),
        ("title,title,stars\na,b,1\n", r"line 1: expected one column 'title', got \['title', 'title', 'stars'\]"),
        (csv(), r"no example of reviews left \(no rows\)"),
        (csv(" ,1"), r"no example of reviews left \(1 x blank text\)"),
        (csv("a,1", "b, 1"), "expected two different values of stars or more, got only '1'"),
        (csv("a,1", "b,"), "line 3: expected as stars a label in one line, got ''"),
        (csv("a,1", '"b","x\ty"'), r"line 3: expected as stars a label in one line, got 'x\\ty'"),
    ],
)
def test_a_training_file_of_which_nothing_can_be_learned_is_refused(tmp_path: Path, train: str, message: str) -> None:
    with pytest.raises(StageError, match=rf"r/train\.csv[:,] {message}") as caught:
        read(tmp_path, train)
    assert caught.value.run == NEXT


def test_a_file_that_is_not_there_has_to_be_named_in_download_glue(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"r/dev\.csv: no such file") as caught:
        write(tmp_path, {"r/train.csv": csv("a,1", "b,2")})
        read_own(tmp_path, "reviews", settings(text="title", train_file="r/train.csv", dev_file="r/dev.csv"))
    assert caught.value.run == "name it, or its folder, in download.glue of params.yaml, then dvc repro glue@reviews"
    (tmp_path / "r/dev.csv").write_bytes("title,stars\né,1\n".encode("cp1252"))
    with pytest.raises(StageError, match=r"r/dev\.csv: expected UTF-8"):
        read_own(tmp_path, "reviews", settings(text="title", train_file="r/train.csv", dev_file="r/dev.csv"))


def test_labels_are_those_given_in_their_order_or_those_found_sorted(tmp_path: Path) -> None:
    rows = csv("a,b", "b,10", "c,9")
    assert read(tmp_path, rows)[0].labels == ("10", "9", "b")
    assert read(tmp_path, csv("a, 1", "b,2 ", "c,1"))[0].labels == ("1", "2"), "white space around it is none of it"
    task, examples, _ = read(tmp_path, csv("a,true", "b,2"), labels=[2, 1.5, True])
    assert task.labels == ("2", "1.5", "true") and [each.label for each in examples["train"]] == [2, 0]
    error = refused(tmp_path, rows, labels=["b", "10"])
    assert "r/train.csv, line 4: expected as stars one of b, 10, got '9'" in str(error)
    many = csv(*(f"a,{n}" for n in range(15)))
    assert "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 more, got 'x'" in str(refused(tmp_path, many, csv("a,x")))


def test_f1_is_of_two_labels(tmp_path: Path) -> None:
    assert read(tmp_path, csv("a,1", "b,2"), metrics="f1")[0].metrics == ("f1",)
    error = refused(tmp_path, csv("a,1", "b,2", "c,3"), metrics=["accuracy", "f1"])
    assert "glue.reviews.metrics: f1 is of two labels, but stars has 1, 2, 3" in str(error)
    assert error.run == "take f1_macro, then dvc repro glue@reviews"


@pytest.mark.parametrize("number", ["nan", "inf", "5.1", "", "five"])
def test_a_number_outside_the_scale_is_named(tmp_path: Path, number: str) -> None:
    task, examples, _ = read(tmp_path, csv("a,1", "b,2.5"), **REGRESSION)
    assert task.is_regression and task.labels == () and task.scale == (1.0, 5.0)
    assert [type(each.label) for each in examples["train"]] == [float, float]
    error = refused(tmp_path, csv("a,1", f"b,{number}"), **REGRESSION)
    assert f"r/train.csv, line 3: expected as stars a number from 1 to 5, got {number!r}" in str(error)


def test_each_row_of_a_file_without_labels_is_predicted(tmp_path: Path) -> None:
    task, examples, dropped = read(tmp_path, csv("a,1", "b,2"), test="title\nx\n \ny\n")
    assert examples["test"] == [Example(0, "x", None, None), Example(1, " ", None, None), Example(2, "y", None, None)]
    assert task.unlabelled == ("test",) and "test" not in dropped
    assert "r/new.csv: no example of reviews left (no rows)" in str(
        refused(tmp_path, csv("a,1", "b,2"), csv("a,1"), "title\n")
    )


@pytest.mark.parametrize(
    ("file", "begin"),
    [("params.yaml", "  # reviews:\n"), ("docs/fine-tuning.md", "  reviews:\n")],
    ids=["params", "docs"],
)
def test_the_example_that_a_user_copies_is_valid(file: str, begin: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    indented = begin.replace("reviews:\n", "  ")
    lines = takewhile(lambda line: line.startswith(indented), text[text.index(begin) + len(begin) :].split("\n"))
    keys = YAML(typ="safe", pure=True).load("\n".join(line.removeprefix(indented) for line in lines))
    own = {key: value for key, value in keys.items() if key in FILE_KEYS}
    assert OwnTaskSettings(**own).train_file == "reviews/train.csv"
    assert GlueTaskSettings(**{key: value for key, value in keys.items() if key not in own}).max_seq_length == 128


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": []}, "at least 1 item"),
        ({"text": ["a", "b", "c"]}, "at most 2 items"),
        ({"text": ["title", "title"]}, "text and label: one stands there twice"),
        ({"text": "stars"}, "text and label: one stands there twice"),
        ({"train_file": "/etc/passwd"}, "expected a file below the folder of download.glue"),
        ({"train_file": "../x.csv"}, "expected a file below the folder of download.glue"),
        ({"dev_file": "dev.txt"}, "format is auto, but dev.txt ends in none of .tsv, .csv, .jsonl, .ndjson"),
        ({"labels": ["a"]}, "at least 2 items"),
        ({"labels": ["a", "a"]}, "labels: one stands there twice"),
        ({"metrics": []}, "at least 1 item"),
        ({"metrics": ["mcc", "mcc"]}, "metrics: one stands there twice"),
        ({"metrics": ["pearson"]}, "metrics of a classification are accuracy, f1, f1_macro, mcc, not pearson"),
        ({"scale": [1, 5]}, "scale is of a regression"),
        (REGRESSION | {"metrics": ["accuracy"]}, "metrics of a regression are pearson, spearman, not accuracy"),
        (REGRESSION | {"scale": None}, r"a regression needs a scale \[smallest, largest\] within -10 and 10"),
        (REGRESSION | {"scale": [0, 100]}, "numbers are learned as they are, so divide larger ones"),
        (REGRESSION | {"scale": [5, 1]}, "a regression needs a scale"),
        (REGRESSION | {"labels": ["1", "5"]}, "labels are of a classification"),
        ({"lables": ["a", "b"]}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)


def test_every_metric_is_known_to_what_scores() -> None:
    from bert.report.stability import SCORES
    from bert.tasks.glue.metrics import METRICS

    assert {metric for metrics in METRICS_OF.values() for metric in metrics} == METRICS.keys()
    assert METRICS.keys() <= set(SCORES)


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("mrpc", ["epochs", "train_file"], r"glue\.mrpc\.train_file: mrpc is a task of GLUE, whose files are known"),
        ("reviews", ["epochs"], r"glue\.reviews: reviews is no task of GLUE \(cola, .*does not say what its files are"),
        ("reviews", None, r"glue\.reviews: reviews is no task of GLUE"),
        ("my reviews", ["text"], r"expected letters, digits, _ and - as a task's name.* got 'my reviews'"),
        ("a/b", ["text"], "as a task's name"),
        ("a.b", ["text"], "as a task's name"),
        ("-a", ["text"], "as a task's name"),
        ("data", ["text"], "none of data, tasks"),
    ],
)
def test_a_name_that_fits_nothing_is_refused(name: str, keys: Iterable[str] | None, message: str) -> None:
    sections: dict[str, Any] = {"data": "cloze", "tasks": [name]}
    if keys is not None and name not in sections:
        sections[name] = dict.fromkeys(keys)
    with pytest.raises(StageError, match=message):
        check_name(name, sections)


def test_a_name_says_whose_the_task_is() -> None:
    assert not check_name("mrpc", {"mrpc": {"epochs": 1}})
    assert check_name("My_reviews-2", {"My_reviews-2": SETTINGS})


def test_lines_are_json_objects_whoever_wrote_them(tmp_path: Path) -> None:
    """As Python and pandas write them, all in ASCII, or with every character as it is."""
    rows = [{"title": "é\u2028", "stars": 1}, {"title": "\U0001f600", "stars": 2}]
    for ascii_alone in (True, False):
        write(tmp_path, {"x.ndjson": "\n".join(json.dumps(row, ensure_ascii=ascii_alone) for row in rows)})
        found = read_columns(tmp_path / "x.ndjson", "jsonl", ("stars", "title"), "x").rows
        assert [row.fields for row in found] == [["1", "é\u2028"], ["2", "\U0001f600"]]
