"""Tests for bert/tasks/glue/examples.py: what is read back from a task's folder is what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example, TaskData, read_examples, read_task
from bert.tasks.glue.task import Task

TASK = Task(name="stars", labels=("1", "2"), metrics=("accuracy",), is_pair=True, unlabelled=("test",), is_own=True)
EXAMPLES = {
    "train": [Example(0, 'Said "x"\u2028\u0085\r\nand\tleft.', "b\\n", 1), Example(7, "é\U0001f600", None, 0)],
    "dev": [Example(0, "a", "b", 2.0), Example(1, "a", "b", -0.1)],
    "test": [Example(0, "", "", None)],
}


def test_a_task_and_its_examples_come_back_as_they_were(tmp_path: Path) -> None:
    TaskData(TASK, EXAMPLES).write(tmp_path)
    assert read_task(tmp_path, "x") == TASK
    found = {name: read_examples(tmp_path, name, "x") for name in EXAMPLES}
    assert found == EXAMPLES
    assert [type(example.label) for example in found["dev"]] == [float, float], "2.0 stays a number of a regression"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.jsonl", "task.json", "test.jsonl", "train.jsonl"]


@pytest.mark.parametrize("line", ['{"index": 0', '{"index": 0}', "[1]"])
def test_a_damaged_line_is_named_with_the_command_that_makes_it_anew(tmp_path: Path, line: str) -> None:
    TaskData(TASK, EXAMPLES).write(tmp_path)
    with open(tmp_path / "dev.jsonl", "a") as f:
        f.write(line + "\n")
    with pytest.raises(StageError, match=r"dev\.jsonl, line 3: expected an example") as error:
        read_examples(tmp_path, "dev", "dvc repro glue_data@stars")
    assert error.value.run == "dvc repro glue_data@stars"


def test_a_file_that_is_no_task_is_named(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text('{"name": "x"}')
    with pytest.raises(StageError, match=r"task\.json: not the description of a task: .*is missing"):
        read_task(tmp_path, "x")
