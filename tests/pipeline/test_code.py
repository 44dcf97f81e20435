"""bert/pipeline/code.py: what a module imports, by its syntax tree. The guard over dvc.yaml stands on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.code import code_hashes, imported_files

TREE = {
    "stages/__init__.py": "",
    "stages/one.py": "import numpy\nfrom bert.text import clean\nfrom stages import two\n",
    "stages/two.py": "def main():\n    import bert.late.used\n",
    "bert/__init__.py": "",
    "bert/text/__init__.py": "VERSION = 1\n",
    "bert/text/clean.py": "from . import near\nfrom .deep.far import name\nfrom .. import top\n",
    "bert/text/near.py": "from bert.text.clean import again\n",
    "bert/text/deep/__init__.py": "from .inner import name\n",
    "bert/text/deep/inner.py": "name = 1\n",
    "bert/text/deep/far.py": "name = 1\n",
    "bert/top.py": "x = 1\n",
    "bert/late/__init__.py": "",
    "bert/late/used.py": "x = 1\n",
    "bert/late/unused.py": "x = 1\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_imports_are_followed_through_packages_functions_and_circles(tree: Path) -> None:
    assert [str(f) for f in imported_files("stages.one", tree)] == [
        "bert/late/used.py",
        "bert/text/__init__.py",
        "bert/text/clean.py",
        "bert/text/deep/__init__.py",
        "bert/text/deep/far.py",
        "bert/text/deep/inner.py",
        "bert/text/near.py",
        "bert/top.py",
        "stages/one.py",
        "stages/two.py",
    ]


def test_a_change_shows_in_the_hash_of_its_file_alone(tree: Path) -> None:
    before = code_hashes("stages.one", tree)
    (tree / "bert/top.py").write_text("x = 2\n")
    (tree / "bert/late/unused.py").write_text("x = 2\n")
    after = code_hashes("stages.one", tree)
    assert {name for name in after if after[name] != before.get(name)} == {"bert/top.py"}
    assert before.keys() == after.keys()
