"""README.md and CONTRIBUTING.md: the files that they send a reader to are there."""

from __future__ import annotations

import re

import pytest

from bert.pipeline.code import ROOT

FILE = re.compile(r"(?:bert|stages|tests|setup|benchmarks|presets)/[\w/.]*\w\.(?:py|sbatch|yaml|json)\b")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_files_that_are_named_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    made = {"stages/test_vocab.py", "tests/stages/test_vocab.py"}
    assert [file for file in FILE.findall(text) if not (ROOT / file).exists() and file not in made] == []


def test_each_list_to_follow_names_files_that_are_there() -> None:
    """A line names files by their whole path first, then others of the same folder by their names."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lists = text[text.index("## Where to read") : text.index("### Words")]
    found = 0
    for line in lists.splitlines():
        folder = None
        for file in re.findall(r"`([\w/]+\.py)`", line.partition("#")[0]):
            folder = file.rpartition("/")[0] if "/" in file else folder
            path = file if "/" in file else f"{folder}/{file}"
            assert (ROOT / path).is_file(), line
            found += 1
    assert found > 30
