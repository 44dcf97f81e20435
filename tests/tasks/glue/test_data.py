"""Tests for bert/tasks/glue/{tasks,tables,data}.py: rows as the official files have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.glue.data import read_glue, read_unlabelled
from bert.tasks.glue.examples import Example
from bert.tasks.glue.tasks import TASKS, Submission

MRPC_HEADER = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"
QQP_HEADER = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
STSB_HEADER = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"
PARSES = "sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
MNLI_HEADER = f"index\tpromptID\tpairID\tgenre\t{PARSES}\tsentence1\tsentence2"
MNLI_ROW = "0\t63735\t63735n\tslate\t( A ( x . ) )\t( B . )\t(ROOT (S A x .))\t(ROOT (S B .))\tA x.\tB."


def write(tmp_path: Path, name: str, *lines: str, bom: bool = False, newline: str = "\n") -> Path:
    """The folder of all tasks, with the file `name` in it."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" * bom + newline.join([*lines, ""]).encode())
    return tmp_path


def test_mrpc_has_a_byte_order_mark_windows_lines_and_literal_quotes(tmp_path: Path) -> None:
    rows = ['1\t7\t8\tHe said " no .\tHe said "" no "" .', "0\t9\t10\tA \u0085 b .\tC ."]
    data = write(tmp_path, "MRPC/dev.tsv", MRPC_HEADER, *rows, bom=True, newline="\r\n")
    examples, dropped = read_glue(data, TASKS["mrpc"], "dev", "download")
    assert examples == [
        Example(0, 'He said " no .', 'He said "" no "" .', 1),
        Example(1, "A \u0085 b .", "C .", 0),
    ]
    assert not dropped


@pytest.mark.parametrize(
    ("name", "split", "lines", "expected"),
    [
        (
            "cola",
            "train",
            ("gj04\t1\t\tHe left.", "gj04\t0\t*\tHe leave."),
            [("He left.", None, 1), ("He leave.", None, 0)],
        ),
        ("sst2", "train", ("sentence\tlabel", "charming \t1"), [("charming ", None, 1)]),
        (
            "stsb",
            "dev",
            (STSB_HEADER, "0\tmain-captions\tMSRvid\t2012test\t0000\tnone\tnone\tA hat.\tA hard hat.\t4.667"),
            [("A hat.", "A hard hat.", 4.667)],
        ),
        ("qqp", "train", (QQP_HEADER, '133273\t213221\t213222\tHow "are"?\tWho?\t1'), [('How "are"?', "Who?", 1)]),
        (
            "mnli",
            "train",
            (f"{MNLI_HEADER}\tlabel1\tgold_label", f"{MNLI_ROW}\tentailment\tneutral"),
            [("A x.", "B.", 2)],
        ),
        (
            "mnli",
            "dev_mismatched",
            (
                f"{MNLI_HEADER}\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label",
                f"{MNLI_ROW}\tneutral\tentailment\tneutral\tneutral\tneutral\tcontradiction",
                f"{MNLI_ROW}\tneutral\tneutral\tneutral\tneutral\tneutral\tentailment",
            ),
            [("A x.", "B.", 0), ("A x.", "B.", 1)],
        ),
        (
            "qnli",
            "dev",
            ("index\tquestion\tsentence\tlabel", "0\tWho?\tHe.\tentailment", "1\tWho?\tIt.\tnot_entailment"),
            [("Who?", "He.", 0), ("Who?", "It.", 1)],
        ),
        (
            "rte",
            "dev",
            ("index\tsentence1\tsentence2\tlabel", "0\tA man.\tA dog.\tnot_entailment"),
            [("A man.", "A dog.", 1)],
        ),
        ("wnli", "train", ("index\tsentence1\tsentence2\tlabel", "0\tIt is.\tA is.\t1"), [("It is.", "A is.", 1)]),
    ],
)
def test_each_tasks_columns_are_read(
    tmp_path: Path, name: str, split: str, lines: tuple[str, ...], expected: list[tuple[str, str | None, int | float]]
) -> None:
    task = TASKS[name]
    examples, dropped = read_glue(write(tmp_path, task.file(split), *lines), task, split, "download")
    assert examples == [Example(index, *row) for index, row in enumerate(expected)]
    assert [type(example.label) for example in examples] == [type(label) for *_, label in expected]
    assert not dropped


@pytest.mark.parametrize(
    ("name", "submission", "header", "row", "expected"),
    [
        ("cola", "CoLA", "index\tsentence", "0\tHe left.", ("He left.", None)),
        ("sst2", "SST-2", "index\tsentence", "0\tbad ", ("bad ", None)),
        ("mrpc", "MRPC", "index\t#1 ID\t#2 ID\t#1 String\t#2 String", "0\t7\t8\tA .\tB .", ("A .", "B .")),
        ("stsb", "STS-B", STSB_HEADER.removesuffix("\tscore"), "0\tg\tf\t2012\t1\tn\tn\tA.\tB.", ("A.", "B.")),
        ("qqp", "QQP", "id\tquestion1\tquestion2", "0\tWho?\t", ("Who?", "")),
        ("mnli", "MNLI-m", MNLI_HEADER, MNLI_ROW, ("A x.", "B.")),
        ("mnli", "MNLI-mm", MNLI_HEADER, MNLI_ROW, ("A x.", "B.")),
        ("mnli", "AX", "index\tsentence1\tsentence2", "0\tA.\tB.", ("A.", "B.")),
        ("qnli", "QNLI", "index\tquestion\tsentence", "0\tWho?\tHe.", ("Who?", "He.")),
        ("rte", "RTE", "index\tsentence1\tsentence2", "0\tA.\tB.", ("A.", "B.")),
        ("wnli", "WNLI", "index\tsentence1\tsentence2", "0\tA.\tB.", ("A.", "B.")),
    ],
)
def test_files_without_labels_give_an_example_a_row(
    tmp_path: Path, name: str, submission: str, header: str, row: str, expected: tuple[str, str | None]
) -> None:
    task = TASKS[name]
    (wanted,) = (s for s in task.submissions if s.name == submission)
    assert read_unlabelled(tmp_path, task, wanted, "download") is None
    write(tmp_path, wanted.file, header, *[row] * wanted.rows if wanted.rows < 20_000 else [row])
    if wanted.rows < 20_000:
        examples = read_unlabelled(tmp_path, task, wanted, "download")
        assert examples == [Example(index, *expected, None) for index in range(wanted.rows)]
    one = write(tmp_path, wanted.file, header, row)
    assert read_unlabelled(one, task, Submission(submission, wanted.file, 1), "download") == [
        Example(0, *expected, None)
    ]
    with pytest.raises(StageError, match=rf"line 2: expected the {wanted.rows} rows .* ends after 1\n"):
        read_unlabelled(one, task, wanted, "download")
    two = write(tmp_path, wanted.file, header, row, row)
    with pytest.raises(StageError, match=r"line 3: expected the 1 rows .* ends after 2\n"):
        read_unlabelled(two, task, Submission(submission, wanted.file, 1), "download")


def test_a_task_is_of_pairs_where_its_files_have_two_sentences() -> None:
    for task in TASKS.values():
        assert task.is_pair == (task.columns.sentence_b is not None), task.name


def test_all_that_the_leaderboard_takes_is_in_the_table() -> None:
    """Names: https://gluebenchmark.com/submit. Sizes of the paper's table 1."""
    sizes = {submission.name: submission.rows for task in TASKS.values() for submission in task.submissions}
    assert sizes == {
        **{"CoLA": 1063, "SST-2": 1821, "MRPC": 1725, "STS-B": 1379, "QQP": 390965, "MNLI-m": 9796, "MNLI-mm": 9847},
        **{"QNLI": 5463, "RTE": 3000, "WNLI": 146, "AX": 1104},
    }
    assert {name: (task.name, task.is_pair) for name, task in TASKS.items()} == {
        name: (name, name not in ("cola", "sst2"))
        for name in ("cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli")
    }
    assert [name for name, task in TASKS.items() if task.is_regression] == ["stsb"]


def test_blank_sentences_are_counted_and_keep_the_numbering(tmp_path: Path) -> None:
    rows = ["1\t7\t8\ta\tb", "1\t7\t8\t \tb", "1\t7\t8\ta\t", "", "\t\t\t\t", "0\t7\t8\tc\td"]
    data = write(tmp_path, "MRPC/train.tsv", MRPC_HEADER, *rows)
    examples, dropped = read_glue(data, TASKS["mrpc"], "train", "cloze")
    assert [(e.index, e.label) for e in examples] == [(0, 1), (4, 0)]
    assert dropped == {"blank sentence": 3}


def test_only_qqp_has_rows_that_line_breaks_cut(tmp_path: Path) -> None:
    rows = ["1\t3\t4\ta\tb\t0", "2\t5\t6\tWho", "are you?\tb\t1", "3\t7\t8\tc\td\t1"]
    data = write(tmp_path, "QQP/dev.tsv", QQP_HEADER, *rows)
    examples, dropped = read_glue(data, TASKS["qqp"], "dev", "download")
    assert [(e.index, e.label) for e in examples] == [(0, 0), (3, 1)]
    assert dropped == {"cut by a line break in a sentence": 2}
    write(tmp_path, "QQP/dev.tsv", QQP_HEADER, *rows, "4\t9\t9\te\tf\t1\t1")
    with pytest.raises(StageError, match=r"QQP/dev\.tsv, line 6: expected the 6 columns id, qid1, .*, got 7\n"):
        read_glue(data, TASKS["qqp"], "dev", "download")


@pytest.mark.parametrize(
    ("name", "header", "row", "message"),
    [
        (
            "mrpc",
            MRPC_HEADER,
            "1\t7\t8\ta",
            "expected the 5 columns Quality, #1 ID, #2 ID, #1 String, #2 String, got 4",
        ),
        ("mrpc", MRPC_HEADER, "1\t7\t8\ta\tb\tc", "got 6"),
        ("mrpc", MRPC_HEADER, "2\t7\t8\ta\tb", "expected as Quality one of 0, 1, got '2'"),
        ("mrpc", MRPC_HEADER, "\t7\t8\ta\tb", "expected as Quality one of 0, 1, got ''"),
        ("stsb", "sentence1\tsentence2\tscore", "a\tb\t5.1", "expected as score a number from 0 to 5, got '5.1'"),
        ("stsb", "sentence1\tsentence2\tscore", "a\tb\tnan", "expected as score a number from 0 to 5, got 'nan'"),
        ("stsb", "sentence1\tsentence2\tscore", "a\tb\tmuch", "expected as score a number from 0 to 5, got 'much'"),
        ("rte", "index\tsentence1\tsentence2\tlabel", "0\ta\tb\tneutral", "one of entailment, not_entailment, got"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, name: str, header: str, row: str, message: str) -> None:
    good = {"mrpc": "1\t7\t8\ta\tb", "stsb": "a\tb\t2.5", "rte": "0\ta\tb\tentailment"}[name]
    task = TASKS[name]
    data = write(tmp_path, task.file("dev"), header, good, "", good, row, good)
    with pytest.raises(StageError) as caught:
        read_glue(data, task, "dev", "download")
    assert f"{task.file('dev')}, line 5: " in str(caught.value) and message in str(caught.value)
    assert caught.value.run == "dvc repro download@glue"


def test_a_file_without_a_header_counts_its_lines_from_the_first(tmp_path: Path) -> None:
    data = write(tmp_path, "CoLA/dev.tsv", "gj04\t1\t\tHe left.", "gj04\tyes\t\tHe left.")
    with pytest.raises(StageError, match=r"CoLA/dev\.tsv, line 2: expected as label one of 0, 1, got 'yes'"):
        read_glue(data, TASKS["cola"], "dev", "download")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "dev.tsv: no such file"),
        (b"", r"line 1: expected a column '#1 String', got \[\]"),
        (b"sentence\tlabel\nx\t1\n", r"line 1: expected a column '#1 String', got \['sentence', 'label'\]"),
        (b"#1 String\t#2 String\na\tb\n", r"line 1: expected a column 'Quality', got"),
        (b"\xff\n", "expected UTF-8"),
        ((MRPC_HEADER + "\n").encode(), r"no example of mrpc left \(no rows\)"),
        ((MRPC_HEADER + "\n1\t7\t8\ta\t \n").encode(), r"no example of mrpc left \(1 x blank sentence\)"),
    ],
)
def test_a_bad_file_is_named_with_the_command_that_makes_it(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "MRPC").mkdir()
        (tmp_path / "MRPC/dev.tsv").write_bytes(content)
    with pytest.raises(StageError, match=message) as caught:
        read_glue(tmp_path, TASKS["mrpc"], "dev", "download")
    assert str(tmp_path / "MRPC/dev.tsv") in str(caught.value) and caught.value.run == "dvc repro download@glue"


def test_of_the_cloze_data_there_is_mrpc_alone(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"RTE/train\.tsv: no such file") as caught:
        read_glue(tmp_path, TASKS["rte"], "train", "cloze")
    assert caught.value.run == ("name GLUE's RTE in download.glue, set glue.data to download, then dvc repro glue@rte")
