"""Tests for bert/tasks/glue/data.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.glue.data import TASKS, Columns, Example, Task, read_glue, write_predictions

MRPC_HEADER = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"


def write(tmp_path: Path, name: str, *lines: str, bom: bool = False, newline: str = "\n") -> Path:
    data = newline.join([*lines, ""]).encode()
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" * bom + data)
    return tmp_path


def test_mrpc_has_a_byte_order_mark_windows_lines_and_literal_quotes(tmp_path: Path) -> None:
    rows = ['1\t7\t8\tHe said " no .\tHe said "" no "" .', "0\t9\t10\tA \u0085 b .\tC ."]
    folder = write(tmp_path, "dev.tsv", MRPC_HEADER, *rows, bom=True, newline="\r\n")
    examples, dropped = read_glue(folder, TASKS["mrpc"], "dev", "download")
    assert examples == [
        Example(0, 'He said " no .', 'He said "" no "" .', 1),
        Example(1, "A \u0085 b .", "C .", 0),
    ]
    assert not dropped


def test_cola_has_no_header_in_train_and_one_in_test(tmp_path: Path) -> None:
    write(tmp_path, "train.tsv", "gj04\t1\t\tHe left.", "gj04\t0\t*\tHe leave.")
    write(tmp_path, "test.tsv", "index\tsentence", "0\tHe left.")
    assert read_glue(tmp_path, TASKS["cola"], "train", "download")[0] == [
        Example(0, "He left.", None, 1),
        Example(1, "He leave.", None, 0),
    ]
    assert read_glue(tmp_path, TASKS["cola"], "test", "download")[0] == [Example(0, "He left.", None, None)]


def test_sst2_has_a_header_and_two_columns(tmp_path: Path) -> None:
    write(tmp_path, "train.tsv", "sentence\tlabel", "charming \t1")
    assert read_glue(tmp_path, TASKS["sst2"], "train", "download")[0] == [Example(0, "charming ", None, 1)]


def test_malformed_rows_are_counted_by_reason_and_keep_the_numbering(tmp_path: Path) -> None:
    rows = [
        "1\t7\t8\ta\tb",
        "1\t7\t8\ta",
        "1\t7\t8\t \tb",
        "1\t7\t8\ta\t",
        "yes\t7\t8\ta\tb",
        "0\t7\t8\tc\td",
        "\t\t\t\t",
    ]
    examples, dropped = read_glue(write(tmp_path, "train.tsv", MRPC_HEADER, *rows), TASKS["mrpc"], "train", "cloze")
    assert [(e.index, e.label) for e in examples] == [(0, 1), (5, 0)]
    assert dropped == {"expected 5 columns, got 4": 1, "blank sentence": 3, "unknown label": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file, expected dev.tsv of GLUE MRPC"),
        (b"", r"expected columns \['#1 String', '#2 String', 'Quality'\], the header \[\]"),
        (b"sentence\tlabel\nx\t1\n", r"the header \['sentence', 'label'\] has no"),
        (b"\xff\n", "expected UTF-8"),
        ((MRPC_HEADER + "\n").encode(), r"no example of mrpc left \(no rows\)"),
        ((MRPC_HEADER + "\nx\n").encode(), r"no example of mrpc left \(1 x expected 5 columns, got 1\)"),
    ],
)
def test_a_bad_file_is_named_with_the_command_that_makes_it(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "dev.tsv").write_bytes(content)
    with pytest.raises(StageError, match=message) as caught:
        read_glue(tmp_path, TASKS["mrpc"], "dev", "download")
    assert str(tmp_path / "dev.tsv") in str(caught.value) and caught.value.run == "dvc repro download@glue"


def test_another_task_is_one_entry(tmp_path: Path) -> None:
    """RTE: word labels, columns by name in any order."""
    rte = Task(
        name="rte",
        folder="RTE",
        labels=("entailment", "not_entailment"),
        metrics=("accuracy",),
        columns=Columns("sentence1", "sentence2", "label"),
        test_columns=Columns("sentence1", "sentence2"),
    )
    write(tmp_path, "dev.tsv", "index\tsentence1\tsentence2\tlabel", "0\tA man.\tA dog.\tnot_entailment")
    examples, _ = read_glue(tmp_path, rte, "dev", "download")
    assert examples == [Example(0, "A man.", "A dog.", 1)]
    write_predictions(tmp_path / "RTE.tsv", rte, examples, [0])
    assert (tmp_path / "RTE.tsv").read_text() == "index\tprediction\n0\tentailment\n"


def test_predictions_refer_to_rows_of_the_file(tmp_path: Path) -> None:
    examples = [Example(0, "a", None, 1), Example(5, "b", None, 0)]
    write_predictions(tmp_path / "SST-2.tsv", TASKS["sst2"], examples, [1, 0])
    assert (tmp_path / "SST-2.tsv").read_text() == "index\tprediction\n0\t1\n5\t0\n"
    with pytest.raises(ValueError):
        write_predictions(tmp_path / "SST-2.tsv", TASKS["sst2"], examples, [1])


def test_every_task_is_found_by_its_name_and_pairs_are_told() -> None:
    assert {name: (task.name, task.is_pair) for name, task in TASKS.items()} == {
        "mrpc": ("mrpc", True),
        "cola": ("cola", False),
        "sst2": ("sst2", False),
    }
