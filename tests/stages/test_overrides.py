"""stages/params.py: what is no parameter at all, in the file or in -S, is an error and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.overrides import overridden
from bert.pipeline.params import load
from stages.params import check

PATH = ROOT / "params.yaml"


@pytest.mark.parametrize("override", ["glue.tasks=[[a]]", "glue.tasks=[{a: 1}]", "glue.tasks=[true, mrpc]"])
def test_a_task_that_is_no_word_is_refused(override: str) -> None:
    with pytest.raises(StageError, match=r"params\.yaml: glue\.tasks\.0: "):
        check(overridden(PATH, [override]), Path("params.yaml"))


@pytest.mark.parametrize(
    ("line", "key"), [("7: {a: 1}", "7"), ("true: 3", "true"), ("null: 3", "null"), ("2024-01-01: x", "2024-01-01")]
)
@pytest.mark.parametrize("section", ["", "glue", "squad", "download", "tfrecords"])
def test_a_key_that_is_no_word_is_named(line: str, key: str, section: str, tmp_path: Path) -> None:
    text = PATH.read_text()
    text = text.replace(f"\n{section}:", f"\n{section}:\n  {line}\n#", 1) if section else f"{text}\n{line}\n"
    (tmp_path / "params.yaml").write_text(text)
    name = f"{section}.{key}" if section else key
    with pytest.raises(StageError) as caught:
        check(load(tmp_path / "params.yaml"), Path("params.yaml"))
    assert str(caught.value.args[0]) == (
        f'params.yaml: {name}: a key has to be a word; between quotation marks, "{key}", it is one'
    )
