"""Tests for bert/tasks/glue/mrpc.py: MRPC from Microsoft's original."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.glue.data import read_glue, read_unlabelled
from bert.tasks.glue.examples import Example
from bert.tasks.glue.tasks import TASKS, Submission

MRPC, TEST = TASKS["mrpc"], Submission("MRPC", "MRPC/test.tsv", 2)
HEADER = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String"
TRAIN = ['1\t10\t20\tA " b .\tC .', "0\t30\t40\tD .\tE .", "1\t20\t10\tF .\tG .", "0\t50\t60\tH .\tI ."]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "MRPC"
    folder.mkdir()
    # As Microsoft's installer leaves them, in Windows' lines.
    (folder / "msr_paraphrase_train.txt").write_bytes("\r\n".join([HEADER, *TRAIN, ""]).encode())
    (folder / "msr_paraphrase_test.txt").write_bytes(
        "\r\n".join([HEADER, "1\t1\t2\tJ .\tK .", "0\t3\t4\tL\tM"]).encode()
    )
    (folder / "dev_ids.tsv").write_text("50\t60\n10\t20\n")
    return tmp_path


def test_the_pairs_of_dev_ids_are_the_dev_set_in_the_corpus_order(data: Path) -> None:
    """(20, 10) is another pair than (10, 20)."""
    assert read_glue(data, MRPC, "train", "download")[0] == [
        Example(0, "D .", "E .", 0),
        Example(1, "F .", "G .", 1),
    ]
    assert read_glue(data, MRPC, "dev", "download")[0] == [
        Example(0, 'A " b .', "C .", 1),
        Example(1, "H .", "I .", 0),
    ]
    assert read_unlabelled(data, MRPC, TEST, "download") == [
        Example(0, "J .", "K .", None),
        Example(1, "L", "M", None),
    ]


def test_what_glues_script_has_made_goes_first(data: Path) -> None:
    (data / "MRPC/dev.tsv").write_text("Quality\t#1 String\t#2 String\n1\tx\ty\n")
    assert read_glue(data, MRPC, "dev", "download")[0] == [Example(0, "x", "y", 1)]


def test_a_bad_row_has_the_line_of_the_original(data: Path) -> None:
    path = data / "MRPC/msr_paraphrase_train.txt"
    path.write_text("\n".join([HEADER, *TRAIN, "0\t70\t80\tN ."]) + "\n", encoding="utf-8")
    with pytest.raises(StageError, match=r"msr_paraphrase_train\.txt, line 6: expected the 5 columns .*, got 4"):
        read_glue(data, MRPC, "train", "download")


def test_an_unknown_pair_of_the_dev_set_is_refused(data: Path) -> None:
    (data / "MRPC/dev_ids.tsv").write_text("50\t60\n60\t50\n")
    with pytest.raises(StageError, match=r"dev_ids\.tsv, line 2: expected the two ids of a pair in .*\['60', '50'\]"):
        read_glue(data, MRPC, "dev", "download")
    (data / "MRPC/dev_ids.tsv").unlink()
    with pytest.raises(StageError, match=r"dev_ids\.tsv: no such file"):
        read_glue(data, MRPC, "train", "download")
